"""ListBars of intervals, hours and times of knowledge that are not simply stored; dividends."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from decimal import Decimal
from zoneinfo import ZoneInfo

import grpc
import numpy as np
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from bifrost.data.v1 import bar_pb2, bar_service_pb2, instrument_service_pb2
from services.data import tables
from services.data.bars.bar_store import insert_bars, revise_bars
from services.data.domain.bars import BarInterval, Doubles, SourceBars
from services.data.domain.dividends import Dividend
from services.data.domain.instrument import Listing
from services.data.domain.splits import Split
from services.data.ingestions.ingestion_store import insert_batch
from services.data.instruments.instrument_store import (
    begin_record,
    insert_dividends,
    insert_splits,
    retract_dividends,
    upsert_instrument,
)
from services.runtime.clock import ManualClock, SystemClock, from_timestamp, to_timestamp
from services.runtime.database import Database, driver_of
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import new_database
from services.runtime.testing_keys import MeshKeys
from tests.contract.data.data_harness import RunningData, failure_of, listed, start_data

pb = bar_pb2
MINUTE_NS = 60 * 10**9
NEW_YORK = ZoneInfo("America/New_York")


def ns(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).timestamp()) * 10**9


def stamp(time_ns: int) -> Timestamp:
    return to_timestamp(time_ns)


def bars_at(times: list[int], close: float = 100.0) -> SourceBars:
    closes: Doubles = close + np.arange(len(times), dtype=np.float64) % 50
    return SourceBars(
        np.array(times, dtype=np.int64),
        closes - 0.25,
        closes + 0.5,
        closes - 0.5,
        closes,
        np.full(len(times), 10.0),
        closes,
    )


def day_of_minutes(day: str, first: str = "08:00", last: str = "17:00") -> list[int]:
    return list(range(ns(f"{day}T{first}"), ns(f"{day}T{last}"), MINUTE_NS))


class World:
    """A running service, and changes made beside it as an ingestion would."""

    def __init__(self, data: RunningData, database: Database, clock: ManualClock) -> None:
        self.data = data
        self.database = database
        self.clock = clock

    async def load(
        self,
        symbol: str,
        interval: BarInterval,
        bars: SourceBars,
        *,
        revise: bool = False,
        dividends: list[Dividend] | None = None,
        splits: list[Split] | None = None,
        retract: list[dt.date] | None = None,
    ) -> int:
        """Record everything at once; returns when."""
        self.clock.advance(10**9)
        listing = Listing(symbol, symbol, "XNYS", symbol, dt.date(2000, 1, 3))
        async with self.database.transaction() as connection:
            number = await upsert_instrument(connection, listing)
            now_ns = await begin_record(connection, number, self.clock)
            batch = await insert_batch(
                connection,
                None,
                instrument_no=number,
                source="test",
                fetch_time_ns=now_ns,
                record_time_ns=now_ns,
            )
            store = revise_bars if revise else insert_bars
            await store(await driver_of(connection), number, interval, batch, bars)
            await retract_dividends(connection, number, retract or [], now_ns=now_ns)
            await insert_dividends(connection, number, dividends or [], source="test", now_ns=now_ns)
            await insert_splits(connection, number, splits or [], source="test", now_ns=now_ns)
        self.clock.advance(10**9)
        return now_ns

    async def ask(
        self,
        symbol: str,
        interval: pb.BarInterval,
        *,
        hours: pb.TradingHours = pb.TRADING_HOURS_UNSPECIFIED,
        adjustment: pb.Adjustment = pb.ADJUSTMENT_UNSPECIFIED,
        start: int | None = None,
        end: int | None = None,
        as_of: int | None = None,
        page_size: int = 0,
        page_token: str = "",
    ) -> bar_service_pb2.ListBarsResponse:
        request = bar_service_pb2.ListBarsRequest(
            instrument=listed(symbol),
            interval=interval,
            hours=hours,
            adjustment=adjustment,
            start_time=None if start is None else stamp(start),
            end_time=None if end is None else stamp(end),
            as_of=None if as_of is None else stamp(as_of),
            page_size=page_size,
            page_token=page_token,
        )
        return await self.data.bars.ListBars(request, metadata=self.data.reader_headers)


@pytest.fixture(scope="module")
async def world(
    postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    url = new_database(postgres_server)
    clock = ManualClock(SystemClock().now_ns())
    running = await start_data(url, MeshKeys(tmp_path_factory.mktemp("data")), clock=clock)
    running.reader_headers = running.headers
    database = await Database.connect(url, schema=tables.SCHEMA, pool_size=2)
    yield World(running, database, clock)
    await database.close()
    await running.stop()


@pytest.fixture(scope="module")
async def minutes(world: World) -> list[int]:
    """Two weeks of minutes with an hour and a half before and an hour after the session, and a Saturday."""
    days = ["2012-11-19", "2012-11-20", "2012-11-21", "2012-11-23", "2012-11-24", "2012-11-26", "2012-12-03"]
    times = [time for day in days for time in day_of_minutes(day)]
    await world.load("MIN", BarInterval.MINUTE, bars_at(times))
    return times


def clock_times(answer: bar_service_pb2.ListBarsResponse) -> list[str]:
    return [
        dt.datetime.fromtimestamp(time // 10**9, NEW_YORK).strftime("%d %H:%M")
        for time in answer.bars.open_time_ns
    ]


async def test_hours_of_a_session(world: World, minutes: list[int]) -> None:
    start, end = ns("2012-11-20T00:00"), ns("2012-11-21T00:00")
    regular = await world.ask("MIN", pb.BAR_INTERVAL_HOUR, start=start, end=end)
    assert regular.made_from == pb.BAR_INTERVAL_MINUTE
    assert clock_times(regular) == [f"20 {hour:02}:30" for hour in range(9, 16)]
    assert regular.bars.volume[-1] == 300  # half an hour
    extended = await world.ask(
        "MIN", pb.BAR_INTERVAL_HOUR, hours=pb.TRADING_HOURS_EXTENDED, start=start, end=end
    )
    assert clock_times(extended) == ["20 07:30", "20 08:30", "20 16:00"]
    both = await world.ask("MIN", pb.BAR_INTERVAL_HOUR, hours=pb.TRADING_HOURS_ALL, start=start, end=end)
    assert clock_times(both) == sorted(clock_times(regular) + clock_times(extended))


async def test_stored_minutes_of_each_hours(world: World, minutes: list[int]) -> None:
    counts = {}
    for hours in (pb.TRADING_HOURS_REGULAR, pb.TRADING_HOURS_EXTENDED, pb.TRADING_HOURS_ALL):
        answer = await world.ask("MIN", pb.BAR_INTERVAL_MINUTE, hours=hours)
        assert answer.made_from == pb.BAR_INTERVAL_MINUTE
        counts[hours] = len(answer.bars.close)
    assert counts[pb.TRADING_HOURS_REGULAR] == 5 * 390 + 210  # one closes early
    assert counts[pb.TRADING_HOURS_ALL] == 6 * 540  # without the Saturday
    assert counts[pb.TRADING_HOURS_EXTENDED] == 6 * 540 - (5 * 390 + 210)


async def test_days_weeks_and_months_of_minutes(world: World, minutes: list[int]) -> None:
    days = await world.ask("MIN", pb.BAR_INTERVAL_DAY)
    assert clock_times(days) == [f"{day} 09:30" for day in (19, 20, 21, 23, 26)] + ["03 09:30"]
    assert days.bars.volume[3] == 2_100  # closed at 13:00
    weeks = await world.ask("MIN", pb.BAR_INTERVAL_WEEK)
    assert clock_times(weeks) == ["19 09:30", "26 09:30", "03 09:30"]
    months = await world.ask("MIN", pb.BAR_INTERVAL_MONTH, hours=pb.TRADING_HOURS_ALL)
    assert clock_times(months) == ["19 09:30", "03 09:30"]
    assert list(months.bars.volume) == [5 * 5_400, 5_400]


@pytest.mark.parametrize(
    "interval", [pb.BAR_INTERVAL_MINUTE, pb.BAR_INTERVAL_FIFTEEN_MINUTES, pb.BAR_INTERVAL_DAY]
)
@pytest.mark.parametrize("hours", [pb.TRADING_HOURS_REGULAR, pb.TRADING_HOURS_EXTENDED])
@pytest.mark.parametrize("size", [2, 97])
async def test_pages_join_to_the_whole(
    world: World, minutes: list[int], interval: pb.BarInterval, hours: pb.TradingHours, size: int
) -> None:
    start, end = ns("2012-11-20T10:07"), ns("2012-11-24T18:00")
    if size == 2 and interval == pb.BAR_INTERVAL_MINUTE:
        end = ns("2012-11-20T10:40")
    whole = await world.ask("MIN", interval, hours=hours, start=start, end=end)
    joined, token, pages = pb.BarColumns(), "", 0
    while token or not pages:
        page = await world.ask(
            "MIN", interval, hours=hours, page_size=size, page_token=token, start=start, end=end
        )
        assert len(page.bars.close) <= size
        joined.MergeFrom(page.bars)
        token, pages = page.next_page_token, pages + 1
    assert joined == whole.bars


async def test_a_bar_that_began_before_the_range_is_left_out(world: World, minutes: list[int]) -> None:
    answer = await world.ask(
        "MIN", pb.BAR_INTERVAL_HOUR, start=ns("2012-11-20T10:00"), end=ns("2012-11-20T11:31")
    )
    assert clock_times(answer) == ["20 10:30", "20 11:30"]
    assert list(answer.bars.volume) == [600, 600]


async def test_what_nothing_can_be_made_of_is_not_found(world: World) -> None:
    await world.load("DAYS", BarInterval.DAY, bars_at([ns("2012-11-20T09:30"), ns("2012-11-21T09:30")]))
    assert len((await world.ask("DAYS", pb.BAR_INTERVAL_WEEK)).bars.close) == 1
    for interval, hours in (
        (pb.BAR_INTERVAL_HOUR, pb.TRADING_HOURS_REGULAR),
        (pb.BAR_INTERVAL_DAY, pb.TRADING_HOURS_EXTENDED),
    ):
        failure = await failure_of(world.ask("DAYS", interval, hours=hours))
        assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "BARS_NOT_FOUND")
        assert failure.metadata["available"] == "DAY"


async def test_a_correction_does_not_change_what_was_known(world: World) -> None:
    times = [ns(f"2012-11-{day}T09:30") for day in (19, 20, 21)]
    first = await world.load("REV", BarInterval.DAY, bars_at(times))
    page = await world.ask("REV", pb.BAR_INTERVAL_DAY, as_of=first, page_size=2)
    second = await world.load("REV", BarInterval.DAY, bars_at(times[1:], 500.0), revise=True)
    rest = await world.ask(
        "REV", pb.BAR_INTERVAL_DAY, as_of=first, page_size=2, page_token=page.next_page_token
    )
    assert [*page.bars.close, *rest.bars.close] == [100, 101, 102]
    for as_of in (second, None, world.clock.now_ns()):
        assert list((await world.ask("REV", pb.BAR_INTERVAL_DAY, as_of=as_of)).bars.close) == [100, 500, 501]
    (week,) = (await world.ask("REV", pb.BAR_INTERVAL_WEEK, as_of=first)).bars.close
    assert week == 102


async def test_as_of_has_its_bounds(world: World) -> None:
    first = await world.load("OLD", BarInterval.DAY, bars_at([ns("2012-11-19T09:30")]))
    failure = await failure_of(world.ask("OLD", pb.BAR_INTERVAL_DAY, as_of=first - 1))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "AS_OF_TOO_EARLY")
    assert failure.violations[0][0] == "as_of"
    earliest = Timestamp()
    earliest.FromJsonString(failure.metadata["first"])
    assert from_timestamp(earliest) == first
    failure = await failure_of(world.ask("OLD", pb.BAR_INTERVAL_DAY, as_of=world.clock.now_ns() + 1))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "AS_OF_IN_FUTURE")
    assert failure.violations[0][0] == "as_of"


def dividend(day: str, amount: str, currency: str = "USD") -> Dividend:
    return Dividend(dt.date.fromisoformat(day), ns(f"{day}T09:30"), Decimal(amount), currency)


async def test_dividends_lower_prices_as_they_were_known(world: World) -> None:
    times = [ns(f"2012-11-{day}T09:30") for day in (19, 20, 21)]
    ex_date = "2012-11-20"
    split = Split(dt.date(2012, 11, 21), times[2], 2, 1)
    wrong = await world.load(
        "DIV", BarInterval.DAY, bars_at(times), dividends=[dividend(ex_date, "50")], splits=[split]
    )
    await world.load(
        "DIV",
        BarInterval.DAY,
        bars_at(times),
        retract=[dt.date.fromisoformat(ex_date)],
        dividends=[dividend(ex_date, "0.50"), dividend("2200-11-20", "1")],  # the second lies ahead
    )
    full = await world.ask("DIV", pb.BAR_INTERVAL_DAY, adjustment=pb.ADJUSTMENT_FULL)
    np.testing.assert_allclose(full.bars.close, [100 / 2 * (1 - 0.5 / 100), 101 / 2, 102], rtol=1e-15)
    assert list(full.bars.volume) == [20, 20, 10]
    then = await world.ask("DIV", pb.BAR_INTERVAL_DAY, adjustment=pb.ADJUSTMENT_FULL, as_of=wrong)
    np.testing.assert_allclose(then.bars.close, [100 / 2 * 0.5, 101 / 2, 102], rtol=1e-15)
    (week,) = (await world.ask("DIV", pb.BAR_INTERVAL_WEEK, adjustment=pb.ADJUSTMENT_FULL)).bars.open
    assert week == pytest.approx(99.75 / 2 * 0.995, rel=1e-15)
    request = instrument_service_pb2.ListDividendsRequest(instrument=listed("DIV"))
    held = (await world.data.instruments.ListDividends(request, metadata=world.data.headers)).dividends
    assert [(one.ex_date, one.amount, one.currency, one.source) for one in held] == [
        (ex_date, "0.5", "USD", "test"),
        ("2200-11-20", "1", "USD", "test"),
    ]
    request.as_of.CopyFrom(stamp(wrong))
    held = (await world.data.instruments.ListDividends(request, metadata=world.data.headers)).dividends
    assert [(one.ex_date, one.amount) for one in held] == [(ex_date, "50")]


async def test_facts_are_listed_as_they_were_known(world: World) -> None:
    times = [ns(f"2012-11-{day}T09:30") for day in (19, 20, 21)]
    first = await world.load("FACTS", BarInterval.DAY, bars_at(times))
    split = Split(dt.date(2012, 11, 21), times[2], 2, 1)
    await world.load("FACTS", BarInterval.DAY, bars_at(times), splits=[split])
    list_splits, list_dividends = world.data.instruments.ListSplits, world.data.instruments.ListDividends
    for as_of, count in ((first, 0), (None, 1), (world.clock.now_ns(), 1)):
        asked = instrument_service_pb2.ListSplitsRequest(
            instrument=listed("FACTS"), as_of=None if as_of is None else stamp(as_of)
        )
        assert len((await list_splits(asked, metadata=world.data.headers)).splits) == count
    for as_of, reason in ((first - 1, "AS_OF_TOO_EARLY"), (world.clock.now_ns() + 1, "AS_OF_IN_FUTURE")):
        fields = {"instrument": listed("FACTS"), "as_of": stamp(as_of)}
        for call in (
            list_splits(
                instrument_service_pb2.ListSplitsRequest(**fields),  # type: ignore[arg-type]
                metadata=world.data.headers,
            ),
            list_dividends(
                instrument_service_pb2.ListDividendsRequest(**fields),  # type: ignore[arg-type]
                metadata=world.data.headers,
            ),
        ):
            failure = await failure_of(call)
            assert (failure.reason, failure.violations[0][0]) == (reason, "as_of")


async def test_the_close_before_is_that_of_the_session_when_only_minutes_are_held(world: World) -> None:
    times = day_of_minutes("2012-11-19", "15:55", "16:10") + day_of_minutes("2012-11-20", "08:00", "09:35")
    bars = bars_at(times)
    await world.load("DVM", BarInterval.MINUTE, bars, dividends=[dividend("2012-11-20", "1")])
    full = await world.ask("DVM", pb.BAR_INTERVAL_MINUTE, adjustment=pb.ADJUSTMENT_FULL)
    assert full.bars.close[0] == pytest.approx(100 * (1 - 1 / 104), rel=1e-15)  # 104 at 15:59


@pytest.mark.parametrize(("amount", "currency"), [("100", "USD"), ("1", "EUR")])
async def test_dividends_that_cannot_be_put_into_prices(world: World, amount: str, currency: str) -> None:
    times = [ns(f"2012-11-{day}T09:30") for day in (19, 20)]
    symbol = f"BAD{currency}"
    await world.load(
        symbol, BarInterval.DAY, bars_at(times), dividends=[dividend("2012-11-20", amount, currency)]
    )
    failure = await failure_of(world.ask(symbol, pb.BAR_INTERVAL_DAY, adjustment=pb.ADJUSTMENT_FULL))
    assert (failure.code, failure.reason) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "ADJUSTMENT_IMPOSSIBLE",
    )
    assert failure.metadata["ex_date"] == "2012-11-20"
    assert len((await world.ask(symbol, pb.BAR_INTERVAL_DAY, adjustment=pb.ADJUSTMENT_SPLIT)).bars.close) == 2


async def test_the_storage_is_named(world: World) -> None:
    answer = await world.data.bars.GetStorage(
        bar_service_pb2.GetStorageRequest(), metadata=world.data.headers
    )
    assert answer.layout == bar_service_pb2.STORAGE_LAYOUT_PARTITIONS
    assert "partitions" in answer.description
