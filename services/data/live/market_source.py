"""Following a market beyond the end of a token: one stream after another, and nothing lost between them."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from bifrost.type.v1.stream_pb2 import StreamHeader
from bifrost.venue.v1.venue_service_pb2 import StreamMarketResponse
from services.data.clients import MarketSource
from services.runtime.clock import NANOS, Clock

# A stream ends with the token it was opened with, after 270 seconds or more.
RENEW_AFTER_S = 240.0


async def follow_market(
    source: MarketSource, *, clock: Clock, renew_after_s: float = RENEW_AFTER_S
) -> AsyncGenerator[StreamMarketResponse, None]:
    """What the market says, beginning with a snapshot, until the source ends a stream.

    A stream that has grown old is replaced: the next one is opened beside it, and taken up once the old one
    has told all that the new one's snapshot stands for. Nothing is lost then; of what a slow stream gathered
    into one message a part may come twice, which the numbers of the trades tell.

    Raises:
        grpc.aio.AioRpcError: a stream broke or could not be had; what is said until the next call is missed.
    """
    call, successor = source.stream_market(), None
    told_before: StreamHeader | None = None
    try:
        while True:
            renew_at_ns = clock.monotonic_ns() + round(renew_after_s * NANOS)
            handover: StreamHeader | None = None
            async for message in call:
                if not (message.HasField("update") and _includes(told_before, message.header)):
                    yield message
                if successor is None and clock.monotonic_ns() >= renew_at_ns:
                    successor = source.stream_market()
                    handover = (await anext(aiter(successor))).header
                if handover is not None and _includes(message.header, handover):
                    told_before = message.header
                    break
            if successor is None:
                return
            call.cancel()
            call, successor = successor, None
    finally:
        for one in (call, successor):
            if one is not None:
                one.cancel()


def _includes(told: StreamHeader | None, header: StreamHeader) -> bool:
    """Whether all up to ``header`` was told by ``told``; what a restarted source says is new."""
    return told is not None and told.epoch == header.epoch and told.sequence >= header.sequence
