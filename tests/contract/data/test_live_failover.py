"""Two venues in an order: the next serves when the preferred is silent or down, until that has been well."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bifrost.data.v1 import bar_pb2
from bifrost.data.v1 import market_stream_service_pb2 as pb
from bifrost.venue.v1 import market_pb2
from services.runtime.testing_keys import MeshKeys
from tests.contract.data.data_harness import RunningData, by_id, start_data
from tests.contract.data.scripted_venue import ScriptedVenue, beating, quote
from tests.contract.data.test_live_streams import AAPL, FB, next_of, trade

DAY_NS = 1_330_612_200 * 10**9
LOST, PREFERRED = pb.SOURCE_CHANGE_REASON_LOST, pb.SOURCE_CHANGE_REASON_PREFERRED


@pytest.fixture
async def venues() -> AsyncIterator[tuple[ScriptedVenue, ScriptedVenue]]:
    first, second = ScriptedVenue(), ScriptedVenue()
    for venue, bid in ((first, 1.0), (second, 2.0)):
        venue.snapshot = market_pb2.MarketUpdate(quotes=[quote(AAPL, bid)])
        await venue.start()
    yield first, second
    for venue in (first, second):
        await venue.stop()


@pytest.fixture
async def beats(venues: tuple[ScriptedVenue, ScriptedVenue]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Both are alive, from before the service starts."""
    tasks = [asyncio.create_task(beating(venue)) for venue in venues]
    yield tasks
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def data(
    postgres_url: str,
    venues: tuple[ScriptedVenue, ScriptedVenue],
    beats: list[asyncio.Task[None]],
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[RunningData]:
    running = await start_data(
        postgres_url,
        MeshKeys(tmp_path_factory.mktemp("failover")),
        address_book={
            name: f"127.0.0.1:{one.port}" for name, one in zip(("venue", "spare"), venues, strict=True)
        },
        live_sources=["venue", "spare"],
        live_silence_s=2.0,
        live_recovery_s=1.0,
        quote_stale_s=20,
        heartbeat_s=0.1,
    )
    await running.ingest(symbols=["AAPL", "FB"])
    yield running
    await running.stop()


async def changed(
    stream: AsyncIterator[pb.StreamQuotesResponse],
) -> tuple[pb.SourceChange, pb.StreamQuotesResponse]:
    """The next change of source, and the snapshot after it."""
    change = await next_of(stream, "source_change")
    return change.source_change, await next_of(stream, "snapshot")


async def test_the_next_source_serves_until_the_preferred_has_been_well(
    data: RunningData,
    venues: tuple[ScriptedVenue, ScriptedVenue],
    beats: list[asyncio.Task[None]],
) -> None:
    first, second = venues
    await first.connected()
    stream = aiter(
        data.market.StreamQuotes(pb.StreamQuotesRequest(symbols=["AAPL", "FB"]), metadata=data.headers)
    )
    minutes = pb.StreamBarsRequest(symbols=["AAPL"], interval=bar_pb2.BAR_INTERVAL_MINUTE)
    bars = aiter(data.market.StreamBars(minutes, metadata=data.headers))
    await next_of(bars, "replay_end")
    first.send(quotes=[quote(AAPL, 1.5), quote(FB, 9)], trades=[trade(1, 10, DAY_NS, day=15400)])
    assert (await next_of(bars, "bars")).bars.bars[0].close == 10
    assert second.connections == 0  # what does not serve and is not preferred costs nothing
    # Silent: it is connected, and says nothing.
    beats[0].cancel()
    change, snapshot = await changed(stream)
    assert (change.source, change.previous_source, change.reason) == ("spare", "venue", LOST)
    shown = {one.instrument_id: (one.bid, one.source) for one in snapshot.snapshot.quotes}
    assert shown == {AAPL: (2, "spare"), FB: (9, "venue")}
    assert (await next_of(bars, "source_change")).source_change.source == "spare"
    assert (await next_of(bars, "snapshot")).snapshot.bars == []
    first.send(quotes=[quote(AAPL, 1.7)])  # not served any more
    second.send(quotes=[quote(AAPL, 2.5)])
    update = await next_of(stream, "update")
    assert [(one.bid, one.source) for one in update.update.quotes] == [(2.5, "spare")]
    # Well again, and not at once taken up.
    began = asyncio.get_running_loop().time()
    beats[0] = asyncio.create_task(beating(first))
    change, snapshot = await changed(stream)
    assert asyncio.get_running_loop().time() - began >= 0.9
    assert (change.source, change.previous_source, change.reason) == ("venue", "spare", PREFERRED)
    assert next(one.source for one in snapshot.snapshot.quotes if one.instrument_id == AAPL) == "venue"
    # Down: nobody answers there.
    await first.stop()
    change, _ = await changed(stream)
    assert (change.source, change.reason) == ("spare", LOST)
    request = pb.GetQuoteRequest(instrument=by_id(AAPL))
    answer = await data.market.GetQuote(request, metadata=data.headers)
    assert (answer.quote.source, answer.quote.bid) == ("spare", 2)
