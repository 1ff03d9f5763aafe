"""Channels to other services: found in the address book, balanced, retried, carrying who calls for whom."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias, cast

import grpc

from services.runtime.auth import Principal, current_call
from services.runtime.clock import Clock
from services.runtime.contracts import load_contracts
from services.runtime.inventory import Inventory, load_inventory
from services.runtime.service_config import service_config
from services.runtime.settings import ServiceSettings
from services.runtime.tokens import ServiceCredential

if TYPE_CHECKING:
    # Any: the generated stubs bind each method's own message types.
    UnaryUnary = grpc.aio.UnaryUnaryMultiCallable[Any, Any]
    UnaryStream = grpc.aio.UnaryStreamMultiCallable[Any, Any]

Headers: TypeAlias = Sequence[tuple[str, str | bytes]]
Serializer: TypeAlias = Callable[[Any], bytes] | None
Deserializer: TypeAlias = Callable[[bytes], Any] | None

# A stream lives as long as the token it was opened with.
_FRESH_TOKEN_S: Final = 270.0
_OPTIONS: Final = (
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    # A killed peer is back within seconds; the default back-off would leave it alone for up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # Else all channels of a process to one address share a connection, and with it the back-off of one that
    # was abandoned while nobody listened there.
    ("grpc.use_local_subchannel_pool", 1),
)
# Without these a reader that falls behind finds tens of thousands of old messages in its own buffers.
_STREAM_OPTIONS: Final = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 4096))


class Mesh:
    """The other services; one a process. Channels are made when first asked for and shared."""

    def __init__(
        self, settings: ServiceSettings, *, clock: Clock, inventory: Inventory | None = None
    ) -> None:
        """Without settings.credential_file calls carry no service token, which only public methods take."""
        self._settings = settings
        self._inventory = inventory or load_inventory()
        self._channels: dict[tuple[str, bool], _MeshChannel] = {}
        self._credential: ServiceCredential | None = None
        if settings.credential_file is not None:
            self._credential = ServiceCredential.load(settings.service, settings.credential_file, clock=clock)

    def channel(self, service: str) -> grpc.aio.Channel:
        """The channel for calls and for logs, which are read at the reader's own pace.

        Every call carries this service's token, the current user as actor, the trace, and what is left of the
        current deadline; a unary call outside any call gets the default deadline. KeyError when neither the
        address book nor the inventory knows the service.
        """
        return self._channel(service, fresh=False)

    def stream_channel(self, service: str) -> grpc.aio.Channel:
        """The channel for market-data streams, where an old message is worth nothing: it buffers little."""
        return self._channel(service, fresh=True)

    async def close(self) -> None:
        """Close all channels; calls under way are cancelled."""
        channels = list(self._channels.values())
        self._channels.clear()
        for channel in channels:
            await channel.close()

    def _channel(self, service: str, *, fresh: bool) -> grpc.aio.Channel:
        key = service, fresh
        if key not in self._channels:
            load_contracts()
            entry = self._inventory.services.get(service)
            target = self._settings.address_book.get(service)
            if target is None:
                target = f"{self._settings.host}:{self._inventory.services[service].port}"
            options = [
                *_OPTIONS,
                *(_STREAM_OPTIONS if fresh else ()),
                ("grpc.max_receive_message_length", self._settings.max_message_bytes),
                ("grpc.max_send_message_length", self._settings.max_message_bytes),
                ("grpc.service_config", service_config(entry.contracts if entry else ())),
            ]
            inner = grpc.aio.insecure_channel(target, options=options)
            default_deadline_s = self._settings.default_deadline_s
            self._channels[key] = _MeshChannel(inner, self._credential, default_deadline_s)
        return self._channels[key]


class _MeshChannel(grpc.aio.Channel):
    """A channel whose calls carry identity, trace and deadline. Interceptors would cost a task a call."""

    def __init__(
        self, inner: grpc.aio.Channel, credential: ServiceCredential | None, default_deadline_s: float
    ) -> None:
        self._inner = inner
        self._credential = credential
        self._default_deadline_s = default_deadline_s

    async def close(self, grace: float | None = None) -> None:
        await self._inner.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self._inner.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._inner.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        await self._inner.channel_ready()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.close()

    def unary_unary(
        self,
        method: str,
        request_serializer: Serializer = None,
        response_deserializer: Deserializer = None,
        _registered_method: bool = False,
    ) -> UnaryUnary:
        inner: UnaryUnary = cast("Any", self._inner).unary_unary(
            method, request_serializer, response_deserializer, _registered_method
        )
        return _MeshUnaryUnary(inner, self._credential, self._default_deadline_s)

    def unary_stream(
        self,
        method: str,
        request_serializer: Serializer = None,
        response_deserializer: Deserializer = None,
        _registered_method: bool = False,
    ) -> UnaryStream:
        inner: UnaryStream = cast("Any", self._inner).unary_stream(
            method, request_serializer, response_deserializer, _registered_method
        )
        return _MeshUnaryStream(inner, self._credential)

    # The generated stubs make every method of a contract, also those that stream requests; no service
    # of the mesh calls these of another, and a call is refused where it would lose its identity.
    def stream_unary(
        self,
        method: str,
        request_serializer: Serializer = None,
        response_deserializer: Deserializer = None,
        _registered_method: bool = False,
    ) -> grpc.aio.StreamUnaryMultiCallable[Any, Any]:
        raise NotImplementedError(f"{method} streams requests, which the mesh does not carry")

    def stream_stream(
        self,
        method: str,
        request_serializer: Serializer = None,
        response_deserializer: Deserializer = None,
        _registered_method: bool = False,
    ) -> grpc.aio.StreamStreamMultiCallable[Any, Any]:
        raise NotImplementedError(f"{method} streams requests, which the mesh does not carry")


class _MeshUnaryUnary(grpc.aio.UnaryUnaryMultiCallable[Any, Any]):
    def __init__(
        self, inner: UnaryUnary, credential: ServiceCredential | None, default_deadline_s: float
    ) -> None:
        self._inner = inner
        self._credential = credential
        self._default_deadline_s = default_deadline_s

    def __call__(
        self,
        request: object,
        *,
        timeout: float | None = None,
        metadata: grpc.aio.Metadata | Headers | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> grpc.aio.UnaryUnaryCall[Any, Any]:
        token = None if self._credential is None else self._credential.token()
        return self._inner(
            request,
            timeout=_time_left(self._default_deadline_s if timeout is None else timeout),
            metadata=_headers(metadata, token),
            credentials=credentials,
            wait_for_ready=wait_for_ready,
            compression=compression,
        )


class _MeshUnaryStream(grpc.aio.UnaryStreamMultiCallable[Any, Any]):
    def __init__(self, inner: UnaryStream, credential: ServiceCredential | None) -> None:
        self._inner = inner
        self._credential = credential

    def __call__(
        self,
        request: object,
        *,
        timeout: float | None = None,
        metadata: grpc.aio.Metadata | Headers | None = None,
        credentials: grpc.CallCredentials | None = None,
        wait_for_ready: bool | None = None,
        compression: grpc.Compression | None = None,
    ) -> grpc.aio.UnaryStreamCall[Any, Any]:
        token = None if self._credential is None else self._credential.token(at_least_s=_FRESH_TOKEN_S)
        return self._inner(
            request,
            timeout=_time_left(timeout),
            metadata=_headers(metadata, token),
            credentials=credentials,
            wait_for_ready=wait_for_ready,
            compression=compression,
        )


def _time_left(timeout: float | None) -> float | None:
    call = current_call.get()
    if call is None or call.deadline is None:
        return timeout
    left = call.deadline - time.monotonic()  # a past one fails without being sent
    return left if timeout is None else min(left, timeout)


def _headers(
    given: grpc.aio.Metadata | Headers | None, token: str | None
) -> tuple[tuple[str, str | bytes], ...]:
    headers: list[tuple[str, str | bytes]] = list(given or ())
    if token is not None:
        headers.append(("authorization", f"Bearer {token}"))
    call = current_call.get()
    if call is not None:
        user = _user(call.principal)
        if user is not None and token is not None:
            headers.append(("x-bifrost-actor", f"Bearer {user.token}"))
        if call.traceparent is not None:
            headers.append(("traceparent", call.traceparent))
    return tuple(headers)


def _user(principal: Principal) -> Principal | None:
    return principal if principal.kind == "user" else principal.actor
