"""What was known of bars and corporate actions stays what it was, over a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeAlias

import asyncpg
import grpc
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from services.data import tables
from services.data.bars.bar_store import BarStore, Revised, insert_bars, remove_bars, revise_bars
from services.data.domain.bars import BarInterval, SourceBars
from services.data.domain.dividends import Dividend
from services.data.domain.instrument import Listing
from services.data.domain.splits import Split
from services.data.ingestions.ingestion_store import insert_batch
from services.data.instruments.instrument_store import (
    InstrumentStore,
    begin_record,
    insert_dividends,
    insert_splits,
    retract_dividends,
    retract_splits,
    upsert_instrument,
)
from services.runtime.clock import ManualClock
from services.runtime.database import Database, driver_of, migrate
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.errors import ApiError
from services.runtime.testing import new_database

DAY = BarInterval.DAY
Change: TypeAlias = tuple[str, dict[int, float] | set[int] | int]


def bars_of(closes: dict[int, float]) -> SourceBars:
    times = np.array(sorted(closes), dtype=np.int64)
    close = np.array([closes[int(time)] for time in times], dtype=np.float64)
    return SourceBars(times, close, close + 1, close - 1, close, close * 100, close)


@dataclass
class Recorder:
    """Records changes of one instrument, each in a transaction of its own."""

    database: Database
    clock: ManualClock
    number: int

    def __post_init__(self) -> None:
        self.bars = BarStore(self.database)
        self.instruments = InstrumentStore(self.database)

    async def insert(self, closes: dict[int, float]) -> int:
        async with self.database.transaction() as connection:
            batch = await self._batch(connection)
            return await insert_bars(await driver_of(connection), self.number, DAY, batch, bars_of(closes))

    async def revise(self, closes: dict[int, float]) -> Revised:
        async with self.database.transaction() as connection:
            batch = await self._batch(connection)
            return await revise_bars(await driver_of(connection), self.number, DAY, batch, bars_of(closes))

    async def remove(self, times: list[int]) -> int:
        async with self.database.transaction() as connection:
            batch = await self._batch(connection)
            return await remove_bars(await driver_of(connection), self.number, DAY, batch, times)

    async def _batch(self, connection: AsyncConnection) -> int:
        now_ns = await begin_record(connection, self.number, self.clock)
        return await insert_batch(
            connection,
            None,
            instrument_no=self.number,
            source="test",
            fetch_time_ns=now_ns,
            record_time_ns=now_ns,
        )

    async def held(self, as_of_ns: int | None = None) -> dict[int, float]:
        bars = await self.bars.read(
            SourceBars, self.number, DAY, start_ns=0, end_ns=10**18, limit=1000, as_of_ns=as_of_ns
        )
        return dict(zip(bars.open_time_ns.tolist(), bars.close.tolist(), strict=True))


@pytest.fixture(scope="module")
async def database(postgres_server: EmbeddedPostgres) -> AsyncIterator[Database]:
    url = new_database(postgres_server)
    await migrate(url, schema=tables.SCHEMA, package="data")
    database = await Database.connect(url, schema=tables.SCHEMA)
    yield database
    await database.close()


_symbols = iter(f"S{number}" for number in range(100_000))


@pytest.fixture
async def recorder(database: Database) -> Recorder:
    return await new_recorder(database)


async def new_recorder(database: Database) -> Recorder:
    symbol = next(_symbols)
    async with database.transaction() as connection:
        number = await upsert_instrument(
            connection, Listing(symbol, symbol, "XTST", symbol, date(2000, 1, 3))
        )
    return Recorder(database, ManualClock(1_000), number)


async def revisions(recorder: Recorder) -> list[tuple[int, float]]:
    async with recorder.database.raw() as driver:
        rows = await driver.fetch(
            "SELECT open_time_ns, close FROM bar_revision WHERE instrument_no = $1 "
            "ORDER BY open_time_ns, superseded_time_ns",
            recorder.number,
        )
    return [(row[0], row[1]) for row in rows]


async def test_a_correction_takes_the_place_of_what_differs(recorder: Recorder) -> None:
    assert await recorder.insert({1: 10.0, 2: 20.0, 3: 30.0}) == 3
    state = await recorder.bars.states(recorder.number)
    assert await recorder.revise({2: 20.0, 3: 31.0, 4: 40.0}) == Revised(inserted=1, superseded=1)
    assert await recorder.held() == {1: 10.0, 2: 20.0, 3: 31.0, 4: 40.0}
    assert await revisions(recorder) == [(3, 30.0)]
    assert await recorder.bars.states(recorder.number) != state


async def test_what_changes_nothing_counts_no_change(recorder: Recorder) -> None:
    await recorder.insert({1: 10.0})
    state = await recorder.bars.states(recorder.number)
    assert await recorder.revise({1: 10.0}) == Revised(0, 0)
    assert await recorder.insert({1: 11.0}) == 0
    assert await recorder.remove([7]) == 0
    assert await recorder.bars.states(recorder.number) == state
    assert await revisions(recorder) == []


async def test_what_is_removed_is_kept_aside(recorder: Recorder) -> None:
    await recorder.insert({1: 10.0, 2: 20.0})
    assert await recorder.remove([2]) == 1
    assert await recorder.held() == {1: 10.0}
    assert await revisions(recorder) == [(2, 20.0)]
    assert await recorder.insert({2: 21.0}) == 1
    assert await recorder.revise({2: 22.0}) == Revised(0, 1)
    assert await revisions(recorder) == [(2, 20.0), (2, 21.0)]
    await recorder.remove([1, 2])
    assert await recorder.bars.intervals(recorder.number) == []


async def test_a_batch_that_corrects_itself_leaves_no_trace(recorder: Recorder) -> None:
    async with recorder.database.transaction() as connection:
        now_ns = await begin_record(connection, recorder.number, recorder.clock)
        batch = await insert_batch(
            connection,
            None,
            instrument_no=recorder.number,
            source="test",
            fetch_time_ns=now_ns,
            record_time_ns=now_ns,
        )
        driver: asyncpg.Connection = await driver_of(connection)
        await insert_bars(driver, recorder.number, DAY, batch, bars_of({1: 1.0, 2: 2.0}))
        await revise_bars(driver, recorder.number, DAY, batch, bars_of({1: 1.5}))
        await remove_bars(driver, recorder.number, DAY, batch, [2])
    assert await recorder.held() == {1: 1.5}
    assert await revisions(recorder) == []


async def test_times_of_record_rise_although_the_clock_stands(recorder: Recorder) -> None:
    for expected in (1_000, 1_001, 1_002):
        async with recorder.database.transaction() as connection:
            assert await begin_record(connection, recorder.number, recorder.clock) == expected


def ex(day: int) -> date:
    return datetime.fromtimestamp(day * 86_400, UTC).date()


async def test_facts_are_retracted_and_recorded_anew(recorder: Recorder) -> None:
    store, number = recorder.instruments, recorder.number
    await recorder.insert({1: 10.0})
    state = await recorder.bars.states(number)
    first = Dividend(ex(1), 86_400, Decimal("0.25"), "USD")
    second = Dividend(ex(1), 86_400, Decimal("0.52"), "USD")
    split = Split(ex(2), 2 * 86_400, 2, 1)
    async with recorder.database.transaction() as connection:
        assert await insert_dividends(connection, number, [first], source="a", now_ns=2_000) == 1
        assert await insert_dividends(connection, number, [second], source="b", now_ns=2_500) == 0
        assert await insert_splits(connection, number, [split], source="a", now_ns=2_000) == 1
    assert await recorder.bars.states(number) != state
    async with recorder.database.transaction() as connection:
        assert await retract_dividends(connection, number, [ex(1)], now_ns=3_000) == 1
        assert await retract_dividends(connection, number, [ex(1)], now_ns=3_500) == 0
        assert await insert_dividends(connection, number, [second], source="b", now_ns=3_000) == 1
        assert await retract_splits(connection, number, [ex(2)], now_ns=3_000) == 1

    async def known(as_of_ns: int | None) -> tuple[list[Dividend], list[Split]]:
        dividends = [one.dividend for one in await store.dividends(number, as_of_ns)]
        return dividends, [one.split for one in await store.splits(number, as_of_ns)]

    assert await known(1_999) == ([], [])
    assert await known(2_000) == ([first], [split])
    assert await known(2_999) == ([first], [split])
    assert await known(3_000) == ([second], [])
    assert await known(None) == ([second], [])


CLOSES = st.dictionaries(st.integers(1, 6), st.integers(1, 3).map(float), min_size=1, max_size=4)
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), CLOSES),
        st.tuples(st.just("revise"), CLOSES),
        st.tuples(st.just("remove"), st.sets(st.integers(1, 6), min_size=1, max_size=3)),
        st.tuples(st.just("wait"), st.integers(1, 5)),
    ),
    min_size=1,
    max_size=7,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES)
async def test_what_was_known_at_a_time_never_changes(database: Database, changes: list[Change]) -> None:
    """Against a model that keeps a copy of everything for each moment."""
    recorder = await new_recorder(database)
    model: dict[int, float] = {}
    known: dict[int, dict[int, float]] = {}
    for kind, what in changes:
        if isinstance(what, int):
            recorder.clock.advance(what)
        elif kind == "remove":
            await recorder.remove(sorted(what))
            model = {time: close for time, close in model.items() if time not in what}
        elif isinstance(what, dict):
            await (recorder.insert(what) if kind == "insert" else recorder.revise(what))
            model = {**what, **model} if kind == "insert" else {**model, **what}
        recorder.clock.advance(1)
        now_ns = recorder.clock.now_ns()
        await recorder.bars.settle(recorder.number, now_ns)
        known[now_ns] = dict(model)
        for as_of_ns, then in known.items():
            assert await recorder.held(as_of_ns) == then
            intervals = await recorder.bars.intervals(recorder.number, as_of_ns)
            assert intervals == ([DAY] if then else [])
    assert await recorder.held() == model


async def test_what_is_recorded_after_a_question_is_later_than_it(recorder: Recorder) -> None:
    """Whatever the writer's clock says: it may be another process's, and behind."""
    assert await recorder.bars.settle(recorder.number, 900_000) is None
    await recorder.insert({1: 10.0})
    assert await recorder.held(900_000) == {}
    assert await recorder.held(900_001) == {1: 10.0}
    assert await recorder.bars.settle(recorder.number, 5) == 900_001


async def test_a_question_waits_for_a_writer_that_began_before(recorder: Recorder) -> None:
    recorder.clock.advance(1_000)
    async with recorder.database.transaction() as connection:
        now_ns = await begin_record(connection, recorder.number, recorder.clock)
        settling = asyncio.create_task(recorder.bars.settle(recorder.number, now_ns + 5))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(settling), 0.1)
        batch = await insert_batch(
            connection,
            None,
            instrument_no=recorder.number,
            source="test",
            fetch_time_ns=now_ns,
            record_time_ns=now_ns,
        )
        await insert_bars(await driver_of(connection), recorder.number, DAY, batch, bars_of({1: 10.0}))
    assert await settling == now_ns
    assert await recorder.held(now_ns + 5) == {1: 10.0}


async def test_questions_during_a_long_write_are_refused_and_leave_connections(database: Database) -> None:
    """An import holds the instrument for minutes: whoever asks of it is told so, all others are served."""
    recorder, other = await new_recorder(database), await new_recorder(database)
    store = BarStore(database, writer_wait_s=0.3)
    await other.insert({1: 10.0})
    async with recorder.database.transaction() as connection:
        now_ns = await begin_record(connection, recorder.number, recorder.clock)
        # More than there are connections.
        questions = [asyncio.create_task(store.settle(recorder.number, now_ns + 5)) for _ in range(15)]
        async with asyncio.timeout(60):
            while await _waiting_for_locks(database) != 2:
                pass
            assert await store.settle(other.number, 2_000) == 1_000
            assert await other.held() == {1: 10.0}
            refused = await asyncio.gather(*questions, return_exceptions=True)
    for error in refused:
        assert isinstance(error, ApiError)
        assert (error.code, error.reason) == (grpc.StatusCode.UNAVAILABLE, "HISTORY_BEING_WRITTEN")
        assert error.retry_after_s == 0.3
    assert await store.settle(recorder.number, now_ns + 5) is None


async def _waiting_for_locks(database: Database) -> int:
    async with database.raw() as driver:
        count: int = await driver.fetchval(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
    return count


async def test_closes_before_times_are_those_known_then(recorder: Recorder) -> None:
    await recorder.insert({10: 1.0, 20: 2.0})
    recorder.clock.advance(100)
    await recorder.revise({10: 1.5})
    store, number = recorder.bars, recorder.number
    assert await store.closes_before(number, DAY, [5, 11, 20, 21]) == [None, 1.5, 1.5, 2.0]
    assert await store.closes_before(number, DAY, [11], 1_050) == [1.0]
    assert await store.span(number, DAY) == (10, 20)
    assert await store.span(number, DAY, 999) is None
