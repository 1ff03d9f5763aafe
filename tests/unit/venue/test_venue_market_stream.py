"""Readers of market data: those who keep up, those who do not, those who fall too far behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bifrost.venue.v1.market_pb2 import VenueQuote, VenueTrade
from bifrost.venue.v1.venue_service_pb2 import StreamMarketResponse
from services.runtime.clock import ManualClock
from services.runtime.errors import ApiError
from services.venue import market_stream
from services.venue.market_stream import MarketStream


def publish(stream: MarketStream, number: int, instrument: str = "a") -> None:
    stream.publish(
        [VenueQuote(instrument_id=instrument, bid=number)],
        [VenueTrade(instrument_id=instrument, trade_number=number)],
        event_time_ns=number,
    )


async def read(reader: AsyncIterator[bytes]) -> StreamMarketResponse:
    return StreamMarketResponse.FromString(await anext(reader))


@pytest.fixture
def stream() -> MarketStream:
    return MarketStream(clock=ManualClock(5))


async def test_readers_that_keep_up_get_the_same_bytes(stream: MarketStream) -> None:
    draining = asyncio.Event()
    readers = [stream.read(draining=draining, heartbeat_s=9) for _ in range(2)]
    publish(stream, 1)
    for reader in readers:
        snapshot = await read(reader)
        assert [quote.bid for quote in snapshot.snapshot.quotes] == [1]
        assert snapshot.header.sequence == 1
    publish(stream, 2)
    first, second = [await anext(reader) for reader in readers]
    assert first is second
    message = StreamMarketResponse.FromString(first)
    assert (message.header.sequence, message.header.event_time.nanos, message.header.conflated) == (2, 2, 0)


async def test_slow_reader_gets_every_trade_and_the_newest_quotes(stream: MarketStream) -> None:
    reader = stream.read(draining=asyncio.Event(), heartbeat_s=9)
    await read(reader)
    for number in range(1, 1001):
        publish(stream, number, "a" if number % 2 else "b")
    message = await read(reader)
    assert [trade.trade_number for trade in message.update.trades] == list(range(1, 1001))
    assert {quote.instrument_id: quote.bid for quote in message.update.quotes} == {"a": 999, "b": 1000}
    assert message.header.conflated == 998
    publish(stream, 1001)
    following = await read(reader)
    assert [trade.trade_number for trade in following.update.trades] == [1001]
    assert following.header.conflated == 0


async def test_reader_too_far_behind_is_ended(stream: MarketStream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market_stream, "MOST_TRADES_BEHIND", 100)
    reader = stream.read(draining=asyncio.Event(), heartbeat_s=9)
    await read(reader)
    for number in range(200):
        publish(stream, number)
    with pytest.raises(ApiError) as error:
        await read(reader)
    assert error.value.code.name == "RESOURCE_EXHAUSTED"


async def test_quiet_stream_says_that_it_is_alive_and_ends_when_draining(stream: MarketStream) -> None:
    draining = asyncio.Event()
    reader = stream.read(draining=draining, heartbeat_s=0.01)
    await read(reader)
    assert (await read(reader)).WhichOneof("event") == "heartbeat"
    draining.set()
    with pytest.raises(ApiError, match="stopping"):
        await read(reader)


async def test_nothing_to_say_is_not_said(stream: MarketStream) -> None:
    stream.publish([], [], event_time_ns=1)
    assert stream.sequence == 0
