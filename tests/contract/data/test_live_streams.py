"""Live streams as a whole: subscriptions that change, bars of every length, market status, indicators."""

import asyncio
import dataclasses
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

import grpc
import numpy as np
import pytest
from google.protobuf.message import Message

from bifrost.data.v1 import bar_pb2, bar_service_pb2, indicator_pb2, indicator_service_pb2
from bifrost.data.v1 import market_stream_service_pb2 as pb
from bifrost.venue.v1 import market_pb2
from services.runtime.testing_keys import MeshKeys, bearer
from tests.contract.data.data_harness import RunningData, failure_of, listed, start_data
from tests.contract.data.scripted_venue import ScriptedVenue, beating, quote

AAPL = "520df06e-983e-563d-b5f1-662d10b06219"
FB = "fc7676af-82df-5970-9342-f801b4ef0cd4"
MSFT = "d67d7722-53d3-5689-a90f-356319f66d58"
MINUTE = 60 * 10**9
OPEN_NS = 1_330_612_200 * 10**9  # 2012-03-01 14:30 UTC: New York opens
Response = TypeVar("Response", bound=Message)


@dataclasses.dataclass
class Live:
    data: RunningData
    venue: ScriptedVenue
    other_user: list[tuple[str, str]]

    def quotes(self, symbols: Sequence[str] = ()) -> AsyncIterator[pb.StreamQuotesResponse]:
        asked = pb.StreamQuotesRequest(symbols=symbols)
        return aiter(self.data.market.StreamQuotes(asked, metadata=self.data.headers))

    def bars(self, interval: str, symbols: Sequence[str]) -> AsyncIterator[pb.StreamBarsResponse]:
        asked = pb.StreamBarsRequest(interval=f"BAR_INTERVAL_{interval}", symbols=symbols)
        return aiter(self.data.market.StreamBars(asked, metadata=self.data.headers))

    async def update(
        self,
        subscription_id: str,
        headers: Sequence[tuple[str, str]] | None = None,
        *,
        add_symbols: Sequence[str] = (),
        drop_symbols: Sequence[str] = (),
        drop_instrument_ids: Sequence[str] = (),
    ) -> list[str]:
        asked = pb.UpdateSubscriptionRequest(
            subscription_id=subscription_id,
            add_symbols=add_symbols,
            drop_symbols=drop_symbols,
            drop_instrument_ids=drop_instrument_ids,
        )
        call = self.data.market.UpdateSubscription(asked, metadata=headers or self.data.headers)
        return list((await call).instrument_ids)


@pytest.fixture(scope="module")
async def live(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Live]:
    venue = ScriptedVenue()
    await venue.start()
    keys = MeshKeys(tmp_path_factory.mktemp("live"))
    data = await start_data(
        postgres_url,
        keys,
        address_book={"venue": f"127.0.0.1:{venue.port}"},
        quote_stale_s=0.5,
        live_silence_s=60,
        heartbeat_s=0.1,
    )
    await data.ingest(symbols=["AAPL", "FB", "MSFT"])
    await venue.connected()
    yield Live(data, venue, bearer(keys.user_token("user-2", scope="market:read")))
    await data.stop()
    await venue.stop()


async def next_of(stream: AsyncIterator[Response], kind: str) -> Response:
    """The next message of this kind; others are passed over."""
    async with asyncio.timeout(60):
        while (message := await anext(stream)).WhichOneof("event") != kind:
            pass
        return message


def trade(
    number: int,
    price: float,
    at_ns: int,
    *,
    day: int,
    instrument_id: str = AAPL,
    end: bool = False,
    size: float = 10,
) -> market_pb2.VenueTrade:
    return market_pb2.VenueTrade(
        instrument_id=instrument_id,
        price=price,
        size=size,
        event_time_ns=at_ns,
        trade_number=number,
        session_day=day,
        session_end=end,
    )


async def test_instruments_come_and_go_on_a_running_stream(live: Live) -> None:
    live.venue.send(quotes=[quote(AAPL, 1), quote(FB, 2), quote(MSFT, 3)])
    stream = live.quotes(symbols=["AAPL"])
    first = await next_of(stream, "snapshot")
    assert first.subscription_id
    await next_of(stream, "replay_end")
    assert await live.update(first.subscription_id, add_symbols=["FB"], drop_instrument_ids=[AAPL]) == [FB]
    added = await next_of(stream, "snapshot")
    assert not added.subscription_id
    while {one.instrument_id: one.bid for one in added.snapshot.quotes} != {FB: 2}:
        added = await next_of(stream, "snapshot")  # pragma: no cover  the venue's word came later
    live.venue.send(quotes=[quote(AAPL, 4), quote(FB, 5)])
    seen: dict[str, float] = {}
    while seen.get(FB) != 5:
        seen |= {one.instrument_id: one.bid for one in (await next_of(stream, "update")).update.quotes}
    assert AAPL not in seen
    assert await live.update(first.subscription_id, drop_symbols=["FB"]) == []
    assert await live.update(first.subscription_id, add_symbols=["FB", "MSFT"]) == sorted([FB, MSFT])


async def test_a_subscription_is_its_owners_and_ends_with_its_stream(live: Live) -> None:
    call = live.data.market.StreamTrades(pb.StreamTradesRequest(symbols=["AAPL"]), metadata=live.data.headers)
    subscription_id = (await anext(aiter(call))).subscription_id
    assert subscription_id
    assert await live.update(subscription_id, add_symbols=["FB"]) == sorted([AAPL, FB])
    for unknown, headers in ((subscription_id, live.other_user), (str(uuid.uuid4()), None)):
        failure = await failure_of(live.update(unknown, headers, add_symbols=["FB"]))
        assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "SUBSCRIPTION_NOT_FOUND")
    failure = await failure_of(live.update(subscription_id, add_symbols=["NOPE"]))
    assert failure.reason == "INSTRUMENT_NOT_FOUND"
    call.cancel()

    async def ended() -> None:
        while True:
            await live.update(subscription_id)

    failure = await asyncio.wait_for(failure_of(ended()), 60)
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "SUBSCRIPTION_NOT_FOUND")


async def test_a_stream_of_all_instruments_takes_no_others(live: Live) -> None:
    stream = live.quotes()
    first = await next_of(stream, "snapshot")
    failure = await failure_of(live.update(first.subscription_id, add_symbols=["FB"]))
    assert (failure.code, failure.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "SUBSCRIPTION_TAKES_ALL",
    )


async def test_bars_of_an_hour_begin_at_the_open_and_close_by_the_markets_clock(live: Live) -> None:
    stream = live.bars("HOUR", symbols=["AAPL"])
    await next_of(stream, "replay_end")
    live.venue.send(trades=[trade(1, 10, OPEN_NS, day=15400), trade(2, 12, OPEN_NS + 59 * MINUTE, day=15400)])
    forming: bar_pb2.Bar | None = None
    while forming is None or forming.close != 12:
        forming = (await next_of(stream, "bars")).bars.bars[-1]
    assert (forming.open_time_ns, forming.closed, forming.volume) == (OPEN_NS, False, 20)
    late = live.bars("HOUR", symbols=["AAPL", "FB"])
    first = await next_of(late, "snapshot")
    assert [(bar.open_time_ns, bar.close, bar.closed) for bar in first.snapshot.bars] == [
        (OPEN_NS, 12, False)
    ]
    live.venue.send(quotes=[quote(AAPL, 12, event_time_ns=OPEN_NS + 60 * MINUTE)])
    closed = forming
    while not closed.closed:
        closed = (await next_of(stream, "bars")).bars.bars[-1]
    assert (closed.open_time_ns, closed.high, closed.low, closed.volume) == (OPEN_NS, 12, 10, 20)


async def test_bars_in_progress_go_stale_and_come_back(live: Live) -> None:
    live.venue.send(
        quotes=[quote(FB, 20, event_time_ns=OPEN_NS)],
        trades=[trade(1, 20, OPEN_NS, day=15400, instrument_id=FB)],
    )
    stream = live.bars("MINUTE", symbols=["FB"])
    bar = (await next_of(stream, "snapshot")).snapshot.bars[-1]
    while not bar.stale:
        bar = (await next_of(stream, "bars")).bars.bars[-1]
    assert bar.age_ms >= 400
    assert not bar.closed
    alive = asyncio.create_task(beating(live.venue))
    while (await next_of(stream, "bars")).bars.bars[-1].stale:
        pass
    alive.cancel()


async def test_market_status_is_told_and_its_changes(live: Live) -> None:
    alive = asyncio.create_task(beating(live.venue))
    live.venue.send(quotes=[quote(AAPL, 1, event_time_ns=OPEN_NS), quote(MSFT, 1), quote(FB, 1)])
    request = pb.StreamMarketStatusRequest(mics=["XNAS", "XTKS"])
    call = live.data.market.StreamMarketStatus(request, metadata=live.data.headers)
    stream = aiter(call)
    statuses = {one.mic: one for one in (await next_of(stream, "snapshot")).snapshot.statuses}

    async def until_is(state: str, **fields: object) -> pb.LiveMarketStatus:
        wanted = pb.LiveMarketState.Value(f"LIVE_MARKET_STATE_{state}")
        while True:
            found = statuses.get("XNAS")
            if found is not None and found.state == wanted and not found.stale:
                return found
            update = await next_of(stream, "update")
            statuses.update((one.mic, one) for one in update.update.statuses)

    assert not statuses["XTKS"].from_source
    assert (await until_is("OPEN")).from_source
    halted = [quote(one, 1) for one in (AAPL, MSFT, FB)]
    for one in halted:
        one.halted = True
    live.venue.send(quotes=halted)
    assert list((await until_is("HALTED")).halted_instrument_ids) == sorted([AAPL, MSFT, FB])
    live.venue.send(quotes=[quote(one, 1, is_open=False) for one in (AAPL, MSFT, FB)])
    await until_is("CLOSED")
    alive.cancel()
    failure = await failure_of(
        live.data.market.StreamMarketStatus(
            pb.StreamMarketStatusRequest(mics=["NOPE"]), metadata=live.data.headers
        ).read()
    )
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "CALENDAR_NOT_FOUND")


SPECS = [
    indicator_pb2.IndicatorSpec(name="SMA"),
    indicator_pb2.IndicatorSpec(name="MACD"),
    indicator_pb2.IndicatorSpec(name="OBV"),
    indicator_pb2.IndicatorSpec(name="EMA", label="weekly", interval="BAR_INTERVAL_WEEK"),
]


async def test_live_indicators_equal_those_of_history(live: Live) -> None:
    """The last real day, traded live: in progress, then closed with the values of ComputeIndicators."""
    data = live.data
    history = bar_service_pb2.ListBarsRequest(instrument=listed("MSFT"), interval="BAR_INTERVAL_DAY")
    bars = (await data.bars.ListBars(history, metadata=data.headers)).bars
    expected = await data.indicators.ComputeIndicators(
        indicator_service_pb2.ComputeIndicatorsRequest(
            instrument=listed("MSFT"), interval="BAR_INTERVAL_DAY", indicators=SPECS, page_size=100_000
        ),
        metadata=data.headers,
    )
    request = pb.StreamLiveIndicatorsRequest(symbols=["MSFT"], interval="BAR_INTERVAL_DAY", indicators=SPECS)
    stream = aiter(data.market.StreamLiveIndicators(request, metadata=data.headers))
    assert (await next_of(stream, "snapshot")).snapshot.values == []
    await next_of(stream, "replay_end")
    start_ns = bars.open_time_ns[-1]
    path = [bars.open[-1], bars.low[-1], bars.high[-1], bars.close[-1]]
    sizes = [100.0, 200.0, 300.0, bars.volume[-1] - 600]
    for number, (price, size) in enumerate(zip(path, sizes, strict=True), 1):
        one = trade(
            number, price, start_ns + number - 1, day=15800, end=number == 4, size=size, instrument_id=MSFT
        )
        live.venue.send(trades=[one])
    values: list[pb.LiveIndicatorValues] = []
    while len(values) < 2 or not values[-1].closed:
        values += (await next_of(stream, "update")).update.values
    assert [one.instrument_id for one in values] == [MSFT] * len(values)
    before, *forming, closed = values
    assert before.closed
    assert [(one.open_time_ns, one.closed) for one in forming] == [(start_ns, False)] * len(forming)
    for told, row in ((before, -2), (closed, -1)):
        assert told.open_time_ns == bars.open_time_ns[row]
        assert [found.label for found in told.indicators] == ["SMA", "MACD", "OBV", "weekly"]
        for found, answer in zip(told.indicators, expected.indicators, strict=True):
            wanted = [output.values[row] for output in answer.outputs]
            np.testing.assert_allclose(found.values, wanted, rtol=1e-9)


async def test_live_indicators_refuse_what_history_refuses(live: Live) -> None:
    for fields, reason in (
        (
            {"symbols": ["AAPL"], "indicators": [indicator_pb2.IndicatorSpec(name="SMAA")]},
            "INDICATOR_UNKNOWN",
        ),
        ({"symbols": ["NOPE"], "indicators": SPECS}, "INSTRUMENT_NOT_FOUND"),
        ({"indicators": SPECS}, "FIELD_INVALID"),
        ({"symbols": ["AAPL"], "indicators": SPECS, "adjustment": "ADJUSTMENT_FULL"}, "FIELD_INVALID"),
    ):
        request = pb.StreamLiveIndicatorsRequest(interval="BAR_INTERVAL_DAY", **fields)
        call = live.data.market.StreamLiveIndicators(request, metadata=live.data.headers)
        assert (await failure_of(call.read())).reason == reason
