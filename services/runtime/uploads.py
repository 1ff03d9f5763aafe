"""The path of a call that streams requests and has one answer; checked as all others, message by message."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, TypeAlias

from google.protobuf.message import Message

from services.runtime.auth import ANONYMOUS, Call, current_call
from services.runtime.calls import (
    Chain,
    Context,
    ServedMethod,
    cancel_code,
    headers_of,
    record_call,
    start_span,
    status_of,
)
from services.runtime.failures import draining, to_api_error
from services.runtime.policy import authorise
from services.runtime.tracing import incoming

UploadHandler: TypeAlias = Callable[[AsyncIterator[Message], Context], Awaitable[Message | bytes]]

# Of an upload that is refused: how long a silence, and how much of it in all.
_PAUSE_S: Final = 0.2
_MOST_PASSED_OVER_S: Final = 2.0


def serve_upload(
    chain: Chain, method: ServedMethod, handler: UploadHandler
) -> Callable[[AsyncIterator[bytes], Context], Awaitable[bytes]]:
    """The handler of an upload with the whole path around it.

    Field rules hold for every message, as it arrives. There is no deadline but the caller's: the upload ends
    with its token, or when the service drains.
    """

    async def serve(raw: AsyncIterator[bytes], context: Context) -> bytes:  # noqa: RET503  abort does not return
        started = time.monotonic()
        headers = headers_of(context)
        remaining: float | None = context.time_remaining()
        call = Call(ANONYMOUS, None if remaining is None else started + remaining, incoming(headers))
        current_call.set(call)
        method.stats.in_flight += 1
        span = start_span(chain, method.path, call) if chain.tracing.samples(call.traceparent) else None
        stream = chain.streams.open()
        code, failure = "CANCELLED", None
        try:
            if chain.streams.draining:
                raise draining()
            if not method.policy.public:
                call.principal = await chain.verifier.verify(
                    headers.get("authorization"), headers.get("x-bifrost-actor")
                )
                authorise(method.policy, call.principal)
                stream.end_with_token(call.principal, chain.now_ns())
            reply = method.reply(await handler(_requests(method, raw), context))
            code = "OK"
            return reply
        except Exception as error:  # noqa: BLE001  every error leaves as a Status
            failure = to_api_error(error, method.path)
        except asyncio.CancelledError:
            failure = stream.ended_by
            if failure is None:
                code = cancel_code(call)
                raise
        finally:
            chain.streams.close(stream)
            code = code if failure is None else failure.code.name
            record_call(chain, method, call, code, started, span, failure, always=True)
        await _pass_over(raw)
        await context.abort(failure.code, *status_of(chain, failure))

    return serve


async def _pass_over(raw: AsyncIterator[bytes]) -> None:
    """Read on until the end, a pause, or long enough, so that no write fails.

    grpc.aio, as a client, takes a write that fails for an INTERNAL error of its own, and does not wait for
    the status that says why.
    """
    with contextlib.suppress(TimeoutError, StopAsyncIteration):
        async with asyncio.timeout(_MOST_PASSED_OVER_S):
            while True:
                await asyncio.wait_for(anext(raw), _PAUSE_S)


async def _requests(method: ServedMethod, raw: AsyncIterator[bytes]) -> AsyncIterator[Message]:
    async for message in raw:
        yield method.request(message)
