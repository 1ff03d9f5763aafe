"""Histories in memory, over a real database: never older than what is committed."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator

import numpy as np
import pytest

from services.data import tables
from services.data.bars.bar_pages import BarQuestion
from services.data.bars.bar_store import BarStore, insert_bars
from services.data.bars.history import FIRST_NS, LAST_NS, History
from services.data.bars.market_sessions import MarketSessions
from services.data.calendars.calendars import Calendars
from services.data.domain.adjustment import Adjustment
from services.data.domain.bars import BarInterval, Bars, SourceBars
from services.data.domain.sessions import TradingHours
from services.data.indicators.indicator_bars import IndicatorBars
from services.data.instruments.directory import InstrumentDirectory
from services.data.instruments.instrument_store import InstrumentStore
from services.runtime.clock import SystemClock
from services.runtime.database import Database, driver_of, migrate
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import new_database
from tests.bench.peers.bar_rows import LISTING, made_up_bars, store_bars

ROWS = 500
BYTES = ROWS * 8 * 6


@dataclasses.dataclass
class Counting(History):
    """History that counts how often bars are read."""

    database: Database
    reads: int = 0

    def __post_init__(self) -> None:
        clock = SystemClock()
        sessions = MarketSessions(Calendars(clock=clock))
        super().__init__(InstrumentStore(self.database), BarStore(self.database), sessions, clock=clock)

    async def read(self, *args: object, **kwargs: object) -> Bars:
        self.reads += 1
        return await super().read(*args, **kwargs)  # type: ignore[arg-type]


@pytest.fixture
async def history(postgres_server: EmbeddedPostgres) -> AsyncIterator[Counting]:
    url = new_database(postgres_server)
    await migrate(url, schema=tables.SCHEMA, package="data")
    await store_bars(url, ROWS)
    database = await Database.connect(url, schema=tables.SCHEMA)
    yield Counting(database)
    await database.close()


async def read(
    cache: IndicatorBars,
    history: Counting,
    *,
    start_ns: int = FIRST_NS,
    end_ns: int = LAST_NS,
    limit: int = 10_000,
    adjustment: Adjustment = Adjustment.RAW,
    before: int = 0,
) -> Bars:
    directory = InstrumentDirectory(InstrumentStore(history.database))
    instrument = await directory.by_symbol(LISTING.symbol, field="symbol")
    question = BarQuestion(instrument, BarInterval.MINUTE, adjustment, TradingHours.REGULAR, None)
    state = await cache.state(question)
    reading = await cache.read(question, state, start_ns=start_ns, end_ns=end_ns, size=limit, before=before)
    assert len(reading.before) <= before
    return reading.before.followed_by(reading.bars)


async def append(history: Counting, bars: SourceBars) -> None:
    directory = InstrumentDirectory(InstrumentStore(history.database))
    instrument = await directory.by_symbol(LISTING.symbol, field="symbol")
    async with history.database.transaction() as connection:
        driver = await driver_of(connection)
        await insert_bars(driver, instrument.instrument_no, BarInterval.MINUTE, 1, bars)


async def test_a_whole_history_is_read_once(history: Counting) -> None:
    cache = IndicatorBars(history, most_bytes=10 * BYTES)
    whole = await read(cache, history)
    times = whole.open_time_ns
    assert len(times) == ROWS
    for start, end, limit in ((100, 300, 50), (100, 120, 50), (0, ROWS - 1, 10_000)):
        part = await read(cache, history, start_ns=int(times[start]), end_ns=int(times[end]), limit=limit)
        np.testing.assert_array_equal(part.open_time_ns, times[start:end][:limit])
        np.testing.assert_array_equal(part.close, whole.close[start:end][:limit])
    for before in (30, 101):
        part = await read(cache, history, start_ns=int(times[100]), before=before)
        np.testing.assert_array_equal(part.open_time_ns, times[max(100 - before, 0) :])
    assert history.reads == 1


async def test_what_is_committed_is_seen_at_once(history: Counting) -> None:
    cache = IndicatorBars(history, most_bytes=10 * BYTES)
    await read(cache, history)
    longer = made_up_bars(ROWS + 5)
    await append(history, longer)
    assert len(await read(cache, history)) == ROWS + 5
    assert history.reads == 2
    await append(history, longer)  # nothing new
    assert len(await read(cache, history)) == ROWS + 5
    assert history.reads == 2


async def test_a_part_is_not_taken_for_the_whole(history: Counting) -> None:
    cache = IndicatorBars(history, most_bytes=10 * BYTES)
    assert len(await read(cache, history, limit=ROWS - 1)) == ROWS - 1
    assert len(await read(cache, history, limit=10)) == 10
    assert history.reads == 2
    await read(cache, history)
    await read(cache, history, adjustment=Adjustment.FULL)
    assert history.reads == 4


async def test_the_least_recently_asked_for_goes(history: Counting) -> None:
    cache = IndicatorBars(history, most_bytes=BYTES * 3 // 2)
    for _ in range(2):
        await read(cache, history)
    await read(cache, history, adjustment=Adjustment.FULL)
    assert history.reads == 2
    await read(cache, history)
    assert history.reads == 3
    small = IndicatorBars(history, most_bytes=BYTES - 1)  # there is room for none
    for _ in range(2):
        await read(small, history)
    assert history.reads == 5
