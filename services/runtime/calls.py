"""The path of a call: deadline, token, policy, field rules, owner, handler, errors, then log, metrics, span.

A handler is wrapped once, at registration. Everything that is the same for all calls of a method is worked
out there; what is left per call is written flat, since a layer of coroutines costs more than what it does.
"""

from __future__ import annotations

import asyncio
import operator
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import grpc
import structlog
from google.protobuf.message import DecodeError, Message

from services.runtime.auth import ANONYMOUS, Call, Principal, current_call
from services.runtime.errors import DETAILS_KEY, ApiError, invalid_argument
from services.runtime.failures import deadline_exceeded, draining, to_api_error
from services.runtime.metrics import MethodStats
from services.runtime.open_streams import OpenStreams
from services.runtime.policy import MethodPolicy, authorise
from services.runtime.tokens import TokenVerifier
from services.runtime.tracing import Tracing, end_span, incoming, trace_id, traceparent_of
from services.runtime.validation import check_text, collect_violations, field_error

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import Span

Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
OwnerCheck: TypeAlias = Callable[[Principal, str], Awaitable[None]]
UnaryHandler: TypeAlias = Callable[[Message, Context], Awaitable[Message | bytes]]
StreamHandler: TypeAlias = Callable[[Message, Context], AsyncIterator[Message | bytes]]

# uvloop's timers count whole milliseconds from the start of the loop's turn: they may be that much early.
_TIMER_SLACK_S: Final = 0.01
_random = random.Random()  # noqa: S311  sampling, not secrecy
_log = structlog.get_logger("bifrost.calls")


class Chain:
    """What all methods of a service share."""

    def __init__(
        self,
        *,
        domain: str,
        verifier: TokenVerifier,
        tracing: Tracing,
        default_deadline_s: float,
        slow_s: float,
        log_ratio: float,
        now_ns: Callable[[], int],
    ) -> None:
        self.domain = domain
        self.verifier = verifier
        self.tracing = tracing
        self.default_deadline_s = default_deadline_s
        self.slow_s = slow_s
        self.log_ratio = log_ratio
        self.now_ns = now_ns
        self.streams = OpenStreams()


class ServedMethod:
    """One method as it is served: its policy, codecs, owner check and counts, looked up once."""

    def __init__(
        self,
        policy: MethodPolicy,
        *,
        parse: Callable[[bytes], Message],
        response_type: type[Message],
        owner_check: OwnerCheck | None,
        stats: MethodStats,
    ) -> None:
        self.policy = policy
        self.path = policy.path
        self.parse = parse
        self._response_type = response_type
        self.stats = stats
        self.owner_check = owner_check
        self._owner_of = operator.attrgetter(policy.owner_field) if owner_check else None

    def request(self, raw: bytes) -> Message:
        """The request with its field rules kept; ApiError INVALID_ARGUMENT otherwise."""
        try:
            request = self.parse(raw)
        except DecodeError as error:
            name = self.path.rpartition("/")[2]
            raise invalid_argument("FIELD_INVALID", f"the body is no {name}Request", field="") from error
        violations = collect_violations(request)
        if violations:
            raise field_error(violations)
        if b"\0" in raw:  # seldom, and then mostly in a number
            check_text(request)
        return request

    def reply(self, response: Message | bytes) -> bytes:
        """The response's bytes; TypeError when it is not the method's, which the library would let pass."""
        if isinstance(response, bytes):
            return response
        if type(response) is not self._response_type:
            raise TypeError(f"{self.path} answered with a {type(response).__name__}")
        return response.SerializeToString()

    async def check_owner(self, principal: Principal, request: Message) -> None:
        """Ask the service whether the user may touch what the request names; a service itself may."""
        if self.owner_check is not None and self._owner_of is not None and principal.user_id is not None:
            await self.owner_check(principal, self._owner_of(request))


def serve_unary(
    chain: Chain, method: ServedMethod, handler: UnaryHandler
) -> Callable[[bytes, Context], Awaitable[bytes]]:
    """The handler of a unary method with the whole path around it, bytes in and out."""
    policy, stats, path = method.policy, method.stats, method.path
    public, owned = policy.public, method.owner_check is not None
    recall, verify = chain.verifier.recall, chain.verifier.verify
    samples, default_deadline_s = chain.tracing.samples, chain.default_deadline_s
    loop = asyncio.get_running_loop()
    monotonic = time.monotonic

    async def serve(raw: bytes, context: Context) -> bytes:  # noqa: RET503  abort does not return
        started = monotonic()
        remaining: float | None = context.time_remaining()
        timer: asyncio.TimerHandle | None = None
        if remaining is None:  # with a client's deadline, grpc itself cancels the task
            remaining = default_deadline_s
            timer = loop.call_later(remaining, cast("asyncio.Task[bytes]", asyncio.current_task()).cancel)
        deadline = started + remaining
        headers = headers_of(context)
        call = Call(ANONYMOUS, deadline, incoming(headers))
        current_call.set(call)
        stats.in_flight += 1
        span = start_span(chain, path, call) if samples(call.traceparent) else None
        try:
            if not public:
                authorization, actor = headers.get("authorization"), headers.get("x-bifrost-actor")
                principal = recall(authorization, actor) or await verify(authorization, actor)
                call.principal = principal
                authorise(policy, principal)
            request = method.request(raw)
            if owned:
                await method.check_owner(call.principal, request)
            reply = method.reply(await handler(request, context))
        except Exception as error:  # noqa: BLE001  every error leaves as a Status
            failure = to_api_error(error, path)
        except asyncio.CancelledError:
            if timer is None or monotonic() < deadline - _TIMER_SLACK_S:
                record_call(chain, method, call, cancel_code(call), started, span, None)
                raise
            failure = deadline_exceeded()
        else:
            record_call(chain, method, call, "OK", started, span, None)
            return reply
        finally:
            if timer is not None:
                timer.cancel()
        record_call(chain, method, call, failure.code.name, started, span, failure)
        await context.abort(failure.code, *status_of(chain, failure))

    return serve


def serve_stream(
    chain: Chain, method: ServedMethod, handler: StreamHandler
) -> Callable[[bytes, Context], AsyncIterator[bytes]]:
    """The handler of a server stream with the whole path around it.

    The stream ends with its token, or when the service drains. The status is left to grpc to send: an abort
    would wait for a reader that does not read.
    """
    policy, stats = method.policy, method.stats

    async def serve(raw: bytes, context: Context) -> AsyncIterator[bytes]:
        started = time.monotonic()
        headers = headers_of(context)
        remaining: float | None = context.time_remaining()
        deadline = None if remaining is None else started + remaining
        call = Call(ANONYMOUS, deadline, incoming(headers))
        current_call.set(call)
        stats.in_flight += 1
        span = start_span(chain, method.path, call) if chain.tracing.samples(call.traceparent) else None
        stream = chain.streams.open()
        code, failure = "CANCELLED", None
        messages: AsyncIterator[Message | bytes] | None = None
        try:
            if chain.streams.draining:
                raise draining()
            if not policy.public:
                call.principal = await chain.verifier.verify(
                    headers.get("authorization"), headers.get("x-bifrost-actor")
                )
                authorise(policy, call.principal)
                stream.end_with_token(call.principal, chain.now_ns())
            request = method.request(raw)
            await method.check_owner(call.principal, request)
            messages = handler(request, context)
            async for message in messages:
                stream.reading = False
                yield method.reply(message)
                stream.resume()
            code = "OK"
        except Exception as error:  # noqa: BLE001  every error leaves as a Status
            failure = to_api_error(error, method.path)
        except asyncio.CancelledError:
            failure = stream.ended_by
            if failure is None:
                code = cancel_code(call)
                raise
        finally:
            chain.streams.close(stream)
            await _close_messages(messages)
            code = code if failure is None else failure.code.name
            record_call(chain, method, call, code, started, span, failure, always=True)
        if failure is not None:
            details, trailers = status_of(chain, failure)
            context.set_code(failure.code)
            context.set_details(details)
            context.set_trailing_metadata(trailers)

    return serve


def headers_of(context: Context) -> dict[str, str]:
    """The call's metadata."""
    # Only names ending in -bin have bytes as values, and nobody here asks for those.
    return cast("dict[str, str]", dict(context.invocation_metadata() or ()))


async def _close_messages(messages: AsyncIterator[Message | bytes] | None) -> None:
    close = getattr(messages, "aclose", None)
    if close is not None:
        await close()


def start_span(chain: Chain, path: str, call: Call) -> Span | None:
    """A span of the call, which what it calls continues."""
    span = chain.tracing.start(path, call.traceparent)
    if span is not None:
        call.traceparent = traceparent_of(span)
    return span


def cancel_code(call: Call) -> str:
    """Why the caller's side ended the call."""
    late = call.deadline is not None and time.monotonic() >= call.deadline - _TIMER_SLACK_S
    return "DEADLINE_EXCEEDED" if late else "CANCELLED"


def status_of(chain: Chain, failure: ApiError) -> tuple[str, tuple[tuple[str, bytes], ...]]:
    """The message and the trailers of an error."""
    status = failure.to_status(chain.domain)
    return status.message, ((DETAILS_KEY, status.SerializeToString()),)


def record_call(
    chain: Chain,
    method: ServedMethod,
    call: Call,
    code: str,
    started: float,
    span: Span | None,
    failure: ApiError | None,
    *,
    always: bool = False,
) -> None:
    """Count the ended call, end its span, and log it, or a share of those that went well."""
    seconds = time.monotonic() - started
    stats = method.stats
    stats.in_flight -= 1
    stats.observe(code, seconds)
    if span is not None:
        end_span(span, code)
    if always or code != "OK" or seconds > chain.slow_s or _random.random() < chain.log_ratio:
        _log_call(method, call, code, seconds, failure)


def _log_call(method: ServedMethod, call: Call, code: str, seconds: float, failure: ApiError | None) -> None:
    principal = call.principal
    extra = {} if failure is None else {"reason": failure.reason, "detail": failure.message}
    _log.info(
        "call",
        service=method.stats.service,
        method=method.stats.method,
        code=code,
        ms=round(seconds * 1000, 3),
        trace_id=trace_id(call.traceparent),
        user=principal.caller,
        **extra,
    )
