"""Generated registration code, caught and wrapped: each method gets its policy, codecs and the call path."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from services.runtime.calls import (
    Chain,
    OwnerCheck,
    ServedMethod,
    StreamHandler,
    UnaryHandler,
    serve_stream,
    serve_unary,
)
from services.runtime.metrics import CallCollector
from services.runtime.policy import ContractError, MethodPolicy, read_policy, service_descriptor
from services.runtime.uploads import UploadHandler, serve_upload
from services.runtime.validation import CompilationError, check_rules

if TYPE_CHECKING:
    # Any: a handler's own request and response types are gone once it is one of many.
    Handler = grpc.RpcMethodHandler[Any, Any]


class HandlerCapture:
    """Stands in for the server in a generated add_XServicer_to_server, and keeps what it registers."""

    def __init__(self) -> None:
        self.contract = ""
        self.handlers: dict[str, Handler] = {}

    @classmethod
    def of(cls, add_to_server: Callable[[Any, grpc.aio.Server], None], servicer: object) -> HandlerCapture:
        """What the generated function registers for this servicer."""
        capture = cls()
        add_to_server(servicer, cast("grpc.aio.Server", capture))
        return capture

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """Part of the server's surface; the same handlers come by name below."""

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: Mapping[str, Handler]
    ) -> None:
        """Keep the handlers of the contract service."""
        self.contract = service_name
        self.handlers = dict(method_handlers)


def wrap_handlers(
    capture: HandlerCapture,
    chain: Chain,
    calls: CallCollector,
    owner_checks: Mapping[str, OwnerCheck],
) -> dict[str, Handler]:
    """The captured handlers with the call path around them; ContractError names what cannot be served."""
    descriptor = service_descriptor(capture.contract)
    wrapped: dict[str, Handler] = {}
    for method in descriptor.methods:
        policy = read_policy(method)
        handler = capture.handlers[method.name]
        served = ServedMethod(
            policy,
            parse=GetMessageClass(method.input_type).FromString,
            response_type=GetMessageClass(method.output_type),
            owner_check=_owner_check(policy, owner_checks),
            stats=calls.add(capture.contract, method.name),
        )
        _check_request_rules(method)
        wrapped[method.name] = _wrap(method, handler, served, chain)
    return wrapped


def _wrap(method: MethodDescriptor, handler: Handler, served: ServedMethod, chain: Chain) -> Handler:
    if handler.stream_stream is not None:
        raise ContractError(f"method {method.full_name} streams both ways, which no service here does")
    # Codecs stay None: the path parses and serialises, so that its errors are answered like all others.
    if handler.stream_unary is not None:
        upload = serve_upload(chain, served, cast("UploadHandler", handler.stream_unary))
        return grpc.stream_unary_rpc_method_handler(cast("Any", upload), None, None)
    if handler.unary_unary is not None:
        unary = serve_unary(chain, served, cast("UnaryHandler", handler.unary_unary))
        return grpc.unary_unary_rpc_method_handler(cast("Any", unary), None, None)
    if inspect.iscoroutinefunction(handler.unary_stream):
        raise ContractError(f"method {method.full_name} must be an async generator, not a coroutine")
    stream = serve_stream(chain, served, cast("StreamHandler", handler.unary_stream))
    return grpc.unary_stream_rpc_method_handler(cast("Any", stream), None, None)


def _owner_check(policy: MethodPolicy, checks: Mapping[str, OwnerCheck]) -> OwnerCheck | None:
    if not policy.owner_field:
        return None
    try:
        return checks[policy.owner_field]
    except KeyError:
        raise ContractError(
            f"{policy.path} has owner_field {policy.owner_field}, but the service checks no owner of it"
        ) from None


def _check_request_rules(method: MethodDescriptor) -> None:
    try:
        check_rules(GetMessageClass(method.input_type)())
    except CompilationError as error:
        raise ContractError(f"the field rules of {method.input_type.full_name} are wrong: {error}") from error
