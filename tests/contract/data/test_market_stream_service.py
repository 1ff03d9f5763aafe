"""MarketStreamService over sockets, fed by a real server of the venue's contract."""

import asyncio
import dataclasses
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TypeVar

import grpc
import pytest
from google.protobuf.message import Message

from bifrost.data.v1 import bar_pb2, bar_service_pb2, quote_pb2
from bifrost.data.v1 import market_stream_service_pb2 as pb
from bifrost.venue.v1 import market_pb2
from services.runtime.errors import error_from_rpc
from services.runtime.testing_keys import MeshKeys
from services.runtime.waiting import until
from tests.contract.data.data_harness import RunningData, by_id, failure_of, listed, start_data
from tests.contract.data.scripted_venue import ScriptedVenue, beating, quote

AAPL = "520df06e-983e-563d-b5f1-662d10b06219"
FB = "fc7676af-82df-5970-9342-f801b4ef0cd4"
MSFT = "d67d7722-53d3-5689-a90f-356319f66d58"
MINUTE = 60 * 10**9

Response = TypeVar("Response", bound=Message)


@dataclasses.dataclass
class Market:
    data: RunningData
    venue: ScriptedVenue

    async def quote(self, instrument_id: str = AAPL) -> quote_pb2.Quote:
        request = pb.GetQuoteRequest(instrument=by_id(instrument_id))
        return (await self.data.market.GetQuote(request, metadata=self.data.reader_headers)).quote

    async def quote_is(self, instrument_id: str, condition: Callable[[quote_pb2.Quote], bool]) -> None:
        """Wait until the present quote meets the condition."""

        async def holds() -> bool:
            try:
                return condition(await self.quote(instrument_id))
            except grpc.aio.AioRpcError as error:
                if error_from_rpc(error).reason == "FEED_UNAVAILABLE":
                    return False
                raise

        await until(holds, timeout_s=60)

    def quotes(
        self, *, symbols: Sequence[str] = (), instrument_ids: Sequence[str] = ()
    ) -> AsyncIterator[pb.StreamQuotesResponse]:
        request = pb.StreamQuotesRequest(symbols=symbols, instrument_ids=instrument_ids)
        return aiter(self.data.market.StreamQuotes(request, metadata=self.data.reader_headers))

    async def settled(self) -> None:
        """Wait until data has taken what the venue said so far."""
        mark = time.time_ns()
        self.venue.send(quotes=[quote(MSFT, 1, event_time_ns=mark)])
        await self.quote_is(MSFT, lambda one: one.event_time_ns == mark)


@pytest.fixture(scope="module")
async def market(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Market]:
    venue = ScriptedVenue()
    await venue.start()
    data = await start_data(
        postgres_url,
        MeshKeys(tmp_path_factory.mktemp("data")),
        address_book={"venue": f"127.0.0.1:{venue.port}"},
        quote_stale_s=0.5,
        heartbeat_s=0.1,
    )
    await data.ingest()
    await venue.connected()
    yield Market(data, venue)
    await data.stop()
    await venue.stop()


async def next_of(stream: AsyncIterator[Response], kind: str) -> Response:
    """The next message of this kind; others are passed over."""
    async with asyncio.timeout(60):
        while (message := await anext(stream)).WhichOneof("event") != kind:
            pass
        return message


async def test_no_quote_before_the_feed_began(market: Market) -> None:
    failure = await failure_of(market.quote(FB))
    assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "FEED_UNAVAILABLE")
    assert failure.retry_after_s


async def test_quote_is_what_the_venue_said(market: Market) -> None:
    before = time.time_ns()
    market.venue.send(quotes=[quote(AAPL, 500.25, event_time_ns=77)])
    await market.quote_is(AAPL, lambda one: one.bid == 500.25)
    found = await market.quote()
    assert (found.bid, found.bid_size, found.ask, found.ask_size) == (500.25, 100, 500.26, 200)
    assert (found.last, found.event_time_ns, found.synthetic) == (500.25, 77, True)
    assert before <= found.receive_time_ns <= time.time_ns()
    assert 0 <= found.age_ms <= (time.time_ns() - before) // 10**6
    by_symbol = pb.GetQuoteRequest(instrument=listed("AAPL"))
    answer = await market.data.market.GetQuote(by_symbol, metadata=market.data.headers)
    assert answer.quote.instrument_id == AAPL


async def test_stream_is_snapshot_then_changes(market: Market) -> None:
    market.venue.send(quotes=[quote(AAPL, 10), quote(FB, 20)])
    await market.settled()
    stream = market.quotes(symbols=["AAPL"], instrument_ids=[FB])
    first = await next_of(stream, "snapshot")
    assert {one.instrument_id: one.bid for one in first.snapshot.quotes} == {AAPL: 10, FB: 20}
    end = await next_of(stream, "replay_end")
    market.venue.send(quotes=[quote(AAPL, 11), quote(MSFT, 5)])
    market.venue.send(quotes=[quote(FB, 21)])
    seen: dict[str, float] = {}
    last = end.header.sequence
    while len(seen) < 2:
        message = await next_of(stream, "update")
        assert message.header.sequence > last
        assert message.header.epoch == first.header.epoch
        last = message.header.sequence
        seen |= {one.instrument_id: one.bid for one in message.update.quotes}
    assert seen == {AAPL: 11, FB: 21}
    assert (await next_of(stream, "heartbeat")).header.sequence >= last


async def test_all_instruments_without_a_filter(market: Market) -> None:
    await market.settled()
    stream = market.quotes()
    snapshot = (await next_of(stream, "snapshot")).snapshot
    assert MSFT in {one.instrument_id for one in snapshot.quotes}


async def test_snapshot_tells_ages_as_of_now(market: Market) -> None:
    market.venue.send(quotes=[quote(AAPL, 10)])
    await market.settled()
    await market.quote_is(AAPL, lambda one: one.age_ms >= 50)
    snapshot = (await next_of(market.quotes(instrument_ids=[AAPL]), "snapshot")).snapshot
    assert snapshot.quotes[0].age_ms >= 50


async def test_silence_makes_quotes_stale_and_a_word_revives_them(market: Market) -> None:
    market.venue.send(quotes=[quote(AAPL, 10), quote(FB, 20, is_open=False)])
    await market.settled()
    stream = market.quotes(instrument_ids=[AAPL, FB])
    snapshot = (await next_of(stream, "snapshot")).snapshot
    await next_of(stream, "replay_end")
    stale = {one.instrument_id for one in snapshot.quotes if one.stale}
    while len(stale) < 2:
        message = await next_of(stream, "update")
        for one in message.update.quotes:
            assert one.stale
            assert one.age_ms >= 500
            stale.add(one.instrument_id)
    assert (await market.quote(AAPL)).stale
    alive = asyncio.create_task(beating(market.venue))
    update = (await next_of(stream, "update")).update
    # The session of FB is over: the venue being alive says nothing about its quote.
    assert [(one.instrument_id, one.stale) for one in update.quotes] == [(AAPL, False)]
    market.venue.send(quotes=[quote(FB, 21)])
    await market.quote_is(FB, lambda one: one.bid == 21 and not one.stale)
    alive.cancel()


async def test_a_venue_that_comes_back_is_followed_again(market: Market) -> None:
    before = market.venue.connections
    market.venue.snapshot = market_pb2.MarketUpdate(quotes=[quote(AAPL, 42)])
    market.venue.cut()
    await market.quote_is(AAPL, lambda one: one.bid == 42)
    assert market.venue.connections > before
    await market.venue.connected()
    # What the venue has no more goes stale, however alive the venue is.
    await market.quote_is(FB, lambda one: one.stale)


def prints(
    day: int, rows: list[tuple[float, float]], *, start_ns: int, user_at: int | None = None
) -> list[market_pb2.VenueTrade]:
    """One print a minute; a user's print of another price comes before the one at ``user_at``."""
    trades, number = [], 0
    for place, (price, size) in enumerate(rows):
        if place == user_at:
            number += 1
            trades.append(trade(day, number, price * 2, 7, start_ns + place * MINUTE, user=True))
        number += 1
        time_ns = start_ns + place * MINUTE
        trades.append(trade(day, number, price, size, time_ns, end=place == len(rows) - 1))
    return trades


def trade(
    day: int, number: int, price: float, size: float, time_ns: int, *, user: bool = False, end: bool = False
) -> market_pb2.VenueTrade:
    return market_pb2.VenueTrade(
        instrument_id=AAPL,
        price=price,
        size=size,
        event_time_ns=time_ns,
        trade_number=number,
        user=user,
        session_day=day,
        session_end=end,
    )


async def opened(stream: AsyncIterator[Message]) -> None:
    """Wait until the server has the reader: its first heartbeat."""
    await next_of(stream, "heartbeat")


async def test_trades_are_told_in_order(market: Market) -> None:
    request = pb.StreamTradesRequest(symbols=["AAPL"])
    stream = aiter(market.data.market.StreamTrades(request, metadata=market.data.reader_headers))
    await opened(stream)
    sent = prints(15000, [(10, 5), (11, 6), (9, 7)], start_ns=10**18, user_at=1)
    market.venue.send(trades=sent[:2])
    market.venue.send(trades=sent[2:])
    got: list[quote_pb2.Trade] = []
    while len(got) < len(sent):
        got += (await next_of(stream, "trades")).trades.trades
    assert [(one.price, one.size, one.event_time_ns, one.trade_number) for one in got] == [
        (one.price, one.size, one.event_time_ns, one.trade_number) for one in sent
    ]
    assert [(one.user, one.synthetic) for one in got] == [
        (False, True),
        (True, False),
        (False, True),
        (False, True),
    ]


async def test_the_closed_day_is_the_real_bar(market: Market) -> None:
    """Prints through a real day's prices, with its volume, and a user's apart from them."""
    data = market.data
    history = bar_service_pb2.ListBarsRequest(instrument=listed("AAPL"), interval=bar_pb2.BAR_INTERVAL_DAY)
    bars = (await data.bars.ListBars(history, metadata=data.headers)).bars
    row = len(bars.close) - 1
    start_ns, volume = bars.open_time_ns[row], bars.volume[row]
    path = [
        (bars.open[row], 100.0),
        (bars.low[row], 200.0),
        (bars.high[row], 300.0),
        (bars.close[row], volume - 600),
    ]
    streams: dict[bar_pb2.BarInterval, AsyncIterator[pb.StreamBarsResponse]] = {}
    for interval in (bar_pb2.BAR_INTERVAL_DAY, bar_pb2.BAR_INTERVAL_MINUTE):
        request = pb.StreamBarsRequest(symbols=["AAPL"], interval=interval)
        streams[interval] = aiter(data.market.StreamBars(request, metadata=data.reader_headers))
        await opened(streams[interval])
    for one in prints(15765, path, start_ns=start_ns, user_at=2):
        market.venue.send(trades=[one])

    days: list[bar_pb2.Bar] = []
    while not days or not days[-1].closed:
        days += (await next_of(streams[bar_pb2.BAR_INTERVAL_DAY], "bars")).bars.bars
    assert days[-1] == bar_pb2.Bar(
        instrument_id=AAPL,
        interval=bar_pb2.BAR_INTERVAL_DAY,
        open_time_ns=start_ns,
        open=bars.open[row],
        high=bars.high[row],
        low=bars.low[row],
        close=bars.close[row],
        volume=volume,
        closed=True,
    )
    minutes: list[bar_pb2.Bar] = []
    while len(minutes) < 4:
        message = await next_of(streams[bar_pb2.BAR_INTERVAL_MINUTE], "bars")
        minutes += [bar for bar in message.bars.bars if bar.closed]
    assert [bar.open_time_ns for bar in minutes] == [start_ns + n * MINUTE for n in range(4)]
    assert [(bar.open, bar.volume) for bar in minutes] == path


@pytest.mark.parametrize(("symbols", "instrument_ids"), [(["APPL"], []), ([], [str(uuid.uuid4())])])
async def test_unknown_instruments_are_not_found(
    market: Market, symbols: list[str], instrument_ids: list[str]
) -> None:
    data = market.data
    quotes = pb.StreamQuotesRequest(symbols=symbols, instrument_ids=instrument_ids)
    trades = pb.StreamTradesRequest(symbols=symbols, instrument_ids=instrument_ids)
    bars = pb.StreamBarsRequest(
        symbols=symbols, instrument_ids=instrument_ids, interval=bar_pb2.BAR_INTERVAL_DAY
    )
    for call in (
        data.market.StreamQuotes(quotes, metadata=data.headers),
        data.market.StreamTrades(trades, metadata=data.headers),
        data.market.StreamBars(bars, metadata=data.headers),
    ):
        failure = await failure_of(call.read())
        assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "INSTRUMENT_NOT_FOUND")
    failure = await failure_of(market.quote(str(uuid.uuid4())))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "INSTRUMENT_NOT_FOUND")


async def test_bars_need_an_interval(market: Market) -> None:
    call = market.data.market.StreamBars(pb.StreamBarsRequest(), metadata=market.data.headers)
    failure = await failure_of(anext(aiter(call)))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")


async def test_draining_ends_the_streams(
    postgres_url: str, market: Market, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # Port 1 answers nobody: a venue that is away is normal.
    data = await start_data(
        postgres_url, MeshKeys(tmp_path_factory.mktemp("drained")), address_book={"venue": "127.0.0.1:1"}
    )
    daily = pb.StreamBarsRequest(interval=bar_pb2.BAR_INTERVAL_DAY)
    quotes = aiter(data.market.StreamQuotes(pb.StreamQuotesRequest(), metadata=data.headers))
    trades = aiter(data.market.StreamTrades(pb.StreamTradesRequest(), metadata=data.headers))
    bars = aiter(data.market.StreamBars(daily, metadata=data.headers))
    assert (await next_of(quotes, "snapshot")).snapshot.quotes == []
    await next_of(quotes, "replay_end")
    await next_of(trades, "heartbeat")
    assert (await next_of(bars, "snapshot")).snapshot.bars == []
    await next_of(bars, "replay_end")
    waiting = [
        asyncio.ensure_future(failure_of(following))
        for following in (anext(quotes), anext(trades), anext(bars))
    ]
    failure = await failure_of(
        data.market.GetQuote(pb.GetQuoteRequest(instrument=by_id(AAPL)), metadata=data.headers)
    )
    assert failure.reason == "FEED_UNAVAILABLE"
    await data.service.stop(2)
    for failure in await asyncio.gather(*waiting):
        assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "DRAINING")
        assert failure.retry_after_s
    await data.channel.close()
