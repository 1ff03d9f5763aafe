"""One request, asked over gRPC and over REST through the edge, and what came back in one form."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote

import grpc
import httpx
from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pool, json_format
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import code_pb2

from bifrost.auth.v1 import policy_pb2
from services.runtime.contracts import load_contracts
from services.runtime.errors import error_from_rpc

Json = dict[str, Any]
TIMEOUT_S = 60.0
# https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
HTTP_OF_CODE = {
    "OK": 200,
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}


@dataclass(frozen=True)
class Answer:
    """The end of a call, the same whichever way it came."""

    code: str
    message: str = ""
    reason: str = ""
    domain: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: frozenset[tuple[str, str]] = frozenset()
    reply: Json = field(default_factory=dict)
    http: int = 0
    retry_after_s: float | None = None

    @property
    def content(self) -> tuple[object, ...]:
        """What must be equal over gRPC and REST; a call's own id is not."""
        own = {key: value for key, value in self.metadata.items() if key != "call_id"}
        return self.code, self.reason, self.domain, own, self.violations, self.retry_after_s


class Caller:
    """Calls methods by name, e.g. "execution.v1.OrderService/SubmitOrder", with one token or none."""

    def __init__(self, url: str, http: httpx.AsyncClient, channel: grpc.aio.Channel) -> None:
        load_contracts()
        self._http = http
        self._channel = channel
        self._url = url

    async def grpc(self, method: str, request: Json | bytes, headers: Mapping[str, str]) -> Answer:
        """Ask over gRPC; a stream is read up to its first message."""
        described = describe(method)
        raw = request if isinstance(request, bytes) else message_of(described, request).SerializeToString()
        reply_type = GetMessageClass(described.output_type)
        path = f"/{described.containing_service.full_name}/{described.name}"
        metadata = tuple(headers.items())
        try:
            if described.server_streaming:
                streams: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = self._channel.unary_stream(path)
                stream = streams(raw, metadata=metadata, timeout=TIMEOUT_S)
                reply = await stream.read()
                stream.cancel()
            else:
                unary: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(path)
                reply = await unary(raw, metadata=metadata, timeout=TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            failure = error_from_rpc(error)
            return Answer(
                code=failure.code.name,
                message=failure.message,
                reason=failure.reason,
                domain=failure.domain,
                metadata=failure.metadata,
                violations=frozenset(failure.violations),
                retry_after_s=failure.retry_after_s,
            )
        parsed = reply_type.FromString(cast("bytes", reply))
        return Answer("OK", reply=json_format.MessageToDict(parsed, preserving_proto_field_name=True))

    async def rest(self, method: str, request: Json, headers: Mapping[str, str]) -> Answer:
        """Ask over REST, by the method's own HTTP rule."""
        verb, path, body = rest_call(describe(method), request)
        content = None if body is None else json.dumps(body).encode()
        return await self.http(verb, path, content, headers)

    async def http(self, verb: str, path: str, content: bytes | None, headers: Mapping[str, str]) -> Answer:
        """Any HTTP request; a stream is read up to its head, or whole when it is an error."""
        sent = dict(headers)
        if content is not None:
            sent.setdefault("content-type", "application/json")
        url = self._url + path
        async with self._http.stream(verb, url, content=content, headers=sent, timeout=TIMEOUT_S) as response:
            if response.status_code == 200 and ":stream" in path:
                return Answer("OK", http=200)
            return answer_of_json(response.status_code, await response.aread())


def answer_of_json(http: int, body: bytes) -> Answer:
    """A google.rpc.Status as JSON, or a reply."""
    parsed: Json = json.loads(body)
    if http == 200:
        return Answer("OK", reply=parsed, http=http)
    details: list[Json] = parsed.get("details", [])
    by_type = {detail["@type"].rpartition(".")[2]: detail for detail in details}
    info = by_type.get("ErrorInfo", {})
    bad = by_type.get("BadRequest", {})
    delay = by_type.get("RetryInfo", {}).get("retry_delay")
    fields: Sequence[Json] = bad.get("field_violations", [])
    return Answer(
        code=code_pb2.Code.Name(parsed["code"]),
        message=parsed["message"],
        reason=info.get("reason", ""),
        domain=info.get("domain", ""),
        metadata=info.get("metadata", {}),
        violations=frozenset((entry.get("field", ""), entry["description"]) for entry in fields),
        http=http,
        retry_after_s=None if delay is None else float(delay.removesuffix("s")),
    )


def describe(method: str) -> MethodDescriptor:
    """The descriptor of "execution.v1.OrderService/SubmitOrder"."""
    service, _, name = method.partition("/")
    return descriptor_pool.Default().FindServiceByName(f"bifrost.{service}").methods_by_name[name]


def is_read(method: str) -> bool:
    """The contract says that it changes nothing."""
    policy = describe(method).GetOptions().Extensions[policy_pb2.policy]
    return bool(policy.idempotency == policy_pb2.IDEMPOTENCY_NO_SIDE_EFFECTS)


def message_of(method: MethodDescriptor, request: Json) -> Message:
    """The request's message; numbers of enums may be out of range."""
    return json_format.ParseDict(request, GetMessageClass(method.input_type)())


def rest_call(method: MethodDescriptor, request: Json) -> tuple[str, str, Json | None]:
    """Verb, path with query, and body (None for none) of the first HTTP rule that fits."""
    rule = method.GetOptions().Extensions[annotations_pb2.http]
    left = json.loads(json.dumps(request))
    for fitting in (rule, *rule.additional_bindings):
        verb, template = _pattern(fitting)
        names = re.findall(r"{([^}]+)}", template)
        if all(_look_up(left, name) is not None for name in names):
            break
    path = re.sub(r"{([^}]+)}", lambda match: quote(str(_take(left, match[1])), safe=""), template)
    if fitting.body:
        return verb, path, left
    query = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in _flat(left))
    return verb, path + (f"?{query}" if query else ""), None


def _pattern(rule: http_pb2.HttpRule) -> tuple[str, str]:
    verb = rule.WhichOneof("pattern") or "get"
    return verb.upper(), getattr(rule, verb)


def _look_up(request: Json, name: str) -> object:
    value: Any = request
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _take(request: Json, name: str) -> object:
    head, _, rest = name.partition(".")
    return _take(request[head], rest) if rest else request.pop(head)


def _flat(request: Json, prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in request.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            yield from ((prefix + name, item) for item in value)
        else:
            yield prefix + name, str(value).lower() if isinstance(value, bool) else value
