"""StreamMarket: a snapshot, then every quote and trade; the replayed bars are the real ones."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from bokeh_sampledata import stocks

from bifrost.venue.v1 import market_pb2
from bifrost.venue.v1 import venue_service_pb2 as pb
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import new_database
from tests.contract.venue.venue_harness import (
    BUY,
    FB,
    IDS,
    RunningVenue,
    failure_of,
    order_terms,
    start_venue,
)

EPOCH = date(1970, 1, 1).toordinal()


def open_market(venue: RunningVenue) -> Any:
    return venue.venue.StreamMarket(pb.StreamMarketRequest(), metadata=venue.data)


async def test_snapshot_then_what_happens(venue: RunningVenue) -> None:
    stream = open_market(venue)
    first = await stream.read()
    quotes = {quote.instrument_id: quote for quote in first.snapshot.quotes}
    assert quotes[FB].open
    assert quotes[FB].bid < quotes[FB].ask
    assert quotes[FB].last == 42.05
    await venue.submit(order_terms(BUY, 7))
    update = await stream.read()
    assert update.header.sequence == first.header.sequence + 1
    (trade,) = update.update.trades
    assert (trade.instrument_id, trade.size, trade.user) == (FB, 7, True)
    assert [quote.instrument_id for quote in update.update.quotes] == [FB]
    assert (await stream.read()).WhichOneof("event") == "heartbeat"
    stream.cancel()


async def test_replayed_sessions_are_the_real_bars_whatever_users_do(venue: RunningVenue) -> None:
    await venue.new_session(seed=3)
    stream = open_market(venue)
    trades: dict[tuple[str, int], list[market_pb2.VenueTrade]] = defaultdict(list)
    ended = asyncio.Event()

    async def read() -> None:
        async for message in stream:
            for trade in message.update.trades:
                trades[trade.instrument_id, trade.session_day].append(trade)
            if any(not quote.open for quote in message.update.quotes):
                ended.set()

    reading = asyncio.create_task(read())
    await venue.set_speed(0.4)
    while not ended.is_set():
        await venue.submit(order_terms(BUY, 300))
    stream.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    days = sorted({day for _, day in trades})
    assert [date.fromordinal(EPOCH + day).isoformat() for day in days] == [
        "2012-05-18",
        "2012-05-21",
        "2012-05-22",
    ]
    assert any(trade.user for printed in trades.values() for trade in printed)
    for symbol in ("FB", "AAPL"):
        for day in days[1:]:  # the reader may have come after the first step of the first day
            printed = trades[IDS[symbol], day]
            assert [trade.trade_number for trade in printed] == list(range(1, len(printed) + 1))
            assert bar_of([trade for trade in printed if not trade.user]) == real_bar(symbol, day)
            assert [trade.session_end for trade in printed if not trade.user][-1]


def bar_of(trades: list[market_pb2.VenueTrade]) -> tuple[float, ...]:
    prices = [trade.price for trade in trades]
    return prices[0], max(prices), min(prices), prices[-1], sum(trade.size for trade in trades)


def real_bar(symbol: str, day: int) -> tuple[float, ...]:
    bars: Any = getattr(stocks, symbol)
    dates = [str(on)[:10] for on in bars["date"]]
    row = dates.index(date.fromordinal(EPOCH + day).isoformat())
    return tuple(float(bars[field][row]) for field in ("open", "high", "low", "close", "volume"))


async def test_end_closes_the_quotes(venue: RunningVenue) -> None:
    stream = open_market(venue)
    await stream.read()
    await venue.new_session(symbols=["AAPL"])
    closed = (await stream.read()).update.quotes
    assert {quote.instrument_id: quote.open for quote in closed} == {FB: False, IDS["AAPL"]: False}
    stream.cancel()
    failure = await failure_of(venue.book())
    assert failure.reason == "INSTRUMENT_NOT_FOUND"


async def test_users_may_not_read_it(venue: RunningVenue) -> None:
    stream = venue.venue.StreamMarket(pb.StreamMarketRequest(), metadata=venue.operator)
    assert (await failure_of(stream.read())).reason == "CALLER_NOT_ALLOWED"


@pytest.mark.parametrize("opened", ["StreamMarket", "StreamExecutions"])
async def test_streams_end_when_the_service_drains(
    postgres_server: EmbeddedPostgres, tmp_path: Path, opened: str
) -> None:
    running = await start_venue(new_database(postgres_server), tmp_path)
    request = getattr(pb, f"{opened}Request")()
    headers = running.data if opened == "StreamMarket" else running.execution
    stream = getattr(running.venue, opened)(request, metadata=headers)
    await stream.read()
    assert running.service is not None
    stopping = asyncio.create_task(running.service.stop(2))
    reason = ""
    while not reason:
        try:
            await stream.read()
        except Exception as error:  # noqa: BLE001
            reason = str(error)
    await stopping
    assert "stopping" in reason
    await running.stop()
