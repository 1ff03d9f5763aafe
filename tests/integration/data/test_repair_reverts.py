"""Repairs on top of one another are taken back one after the other, over a real database."""

from __future__ import annotations

import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.data import tables
from services.data.bars.bar_copy import columns_of
from services.data.bars.bar_store import revise_bars
from services.data.domain.bars import BarInterval, SourceBars
from services.data.domain.dividends import Dividend
from services.data.domain.instrument import Listing
from services.data.domain.splits import Split
from services.data.ingestions.ingestion_store import insert_batch
from services.data.ingestions.repaired import without_corrected_bars, without_retracted
from services.data.instruments.instrument_store import (
    begin_record,
    insert_dividends,
    insert_splits,
    upsert_instrument,
)
from services.data.quality.proposals import Proposal, RepairKind
from services.data.quality.quality_store import Repair, insert_repair, mark_reverted
from services.data.quality.repair_reverts import revert
from services.data.quality.repair_writes import source_of, write_bars, write_facts
from services.runtime.clock import ManualClock
from services.runtime.database import Database, Transaction, migrate
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.errors import ApiError
from services.runtime.testing import new_database

DAY = BarInterval.DAY
_numbers = iter(range(100_000))
State = list[list[tuple[object, ...]]]


def bars_of(closes: dict[int, float]) -> SourceBars:
    times = np.array(sorted(closes), dtype=np.int64)
    close = np.array([closes[int(time)] for time in times], dtype=np.float64)
    return SourceBars(times, close, close + 1, close - 1, close, close * 100, close)


def split_of(shares: int) -> Split:
    return Split(date(2024, 1, 2), 5, shares, 1)


def dividend_of(cents: int) -> Dividend:
    return Dividend(date(2024, 1, 3), 6, Decimal(cents) / 100, "USD")


class Repaired:
    """An instrument that is changed and repaired; a step each in a transaction of its own."""

    def __init__(self, database: Database, number: int) -> None:
        self.database = database
        self.number = number
        self.clock = ManualClock(1_000)

    async def plant(self, closes: dict[int, float], *, split: int = 0, dividend: int = 0) -> None:
        async with self.database.open_transaction() as transaction:
            connection = transaction.connection
            now_ns = await begin_record(connection, self.number, self.clock)
            batch = await insert_batch(
                connection,
                None,
                instrument_no=self.number,
                source="test",
                fetch_time_ns=now_ns,
                record_time_ns=now_ns,
            )
            await revise_bars(transaction.driver, self.number, DAY, batch, bars_of(closes))
            splits = [split_of(split)] if split else []
            dividends = [dividend_of(dividend)] if dividend else []
            await insert_splits(connection, self.number, splits, source="test", now_ns=now_ns)
            await insert_dividends(connection, self.number, dividends, source="test", now_ns=now_ns)
            await transaction.commit()

    async def repair(self, closes: dict[int, float], split: int, dividend: int) -> Repair:
        """Bars, and a split and a dividend (0: none) in the place of those held."""
        async with self.database.open_transaction() as transaction:
            now_ns = await begin_record(transaction.connection, self.number, self.clock)
            name = str(next(_numbers))
            repair = Repair(name, self.number, "", DAY, (RepairKind.UNIT,), ("test",), 0, "test", now_ns)
            batch, rows = await write_bars(
                transaction, repair, bars_of(closes), record_time_ns=now_ns, source=source_of(name)
            )
            held_split = await self._held(transaction, "split", "new_shares")
            held_dividend = await self._held(transaction, "dividend", "(amount * 100)::integer")
            none = bars_of({})
            proposal = Proposal(
                "",
                RepairKind.UNIT,
                "",
                "",
                none,
                none,
                record_split=split_of(split) if split else None,
                retract_split=split_of(held_split) if held_split else None,
                record_dividend=dividend_of(dividend) if dividend else None,
                retract_dividend=dividend_of(held_dividend) if held_dividend else None,
            )
            await write_facts(transaction.connection, repair, [proposal])
            repair = replace(repair, batch_no=batch, rows=rows)
            await insert_repair(transaction.connection, repair)
            await transaction.commit()
        return repair

    async def revert(self, repair: Repair) -> None:
        async with self.database.open_transaction() as transaction:
            now_ns = await begin_record(transaction.connection, self.number, self.clock)
            await revert(transaction, repair, now_ns=now_ns)
            await mark_reverted(transaction.connection, repair.repair_id, user_id="test", now_ns=now_ns)
            await transaction.commit()

    async def left_of(self, closes: dict[int, float]) -> list[int]:
        """The times of the bars that a source which says this would change."""
        async with self.database.raw() as driver:
            left = await without_corrected_bars(driver, self.number, DAY, bars_of(closes), 1e-9)
        times: list[int] = left.open_time_ns.tolist()
        return times

    async def left_of_facts(self, *, split: int, cents: int) -> tuple[list[Split], list[Dividend]]:
        """What of a split and a dividend is taken from a source that says them."""
        said = [split_of(split)], [dividend_of(cents)]
        async with self.database.transaction() as connection:
            return await without_retracted(connection, self.number, *said, 1e-6)

    async def _held(self, transaction: Transaction, table: str, value: str) -> int | None:
        held: int | None = await transaction.driver.fetchval(
            f"SELECT {value} FROM {table} WHERE instrument_no = $1 AND retract_time_ns IS NULL", self.number
        )
        return held

    async def state(self) -> State:
        """Bars bit by bit, splits and dividends."""
        values = ", ".join(
            name if name == "open_time_ns" else f'float8send("{name}")' for name in columns_of(SourceBars)
        )
        held = "WHERE instrument_no = $1 AND retract_time_ns IS NULL"
        queries = (
            f"SELECT {values} FROM bar WHERE instrument_no = $1 ORDER BY 1",
            f"SELECT ex_date, ex_time_ns, new_shares, old_shares, source FROM split {held}",
            f"SELECT ex_date, ex_time_ns, amount::text, currency, source FROM dividend {held}",
        )
        async with self.database.raw() as driver:
            return [[tuple(row) for row in await driver.fetch(query, self.number)] for query in queries]


@pytest.fixture(scope="module")
async def new_repaired(
    postgres_server: EmbeddedPostgres,
) -> AsyncIterator[Callable[[], Awaitable[Repaired]]]:
    url = new_database(postgres_server)
    await migrate(url, schema=tables.SCHEMA, package="data")
    database = await Database.connect(url, schema=tables.SCHEMA)

    async def make() -> Repaired:
        name = f"R{next(_numbers)}"
        async with database.transaction() as connection:
            listing = Listing(name, name, "XTST", name, date(2000, 1, 3))
            number = await upsert_instrument(connection, listing)
        return Repaired(database, number)

    yield make
    await database.close()


CLOSES = st.dictionaries(st.integers(1, 5), st.integers(1, 3).map(float), max_size=5)
STEPS = st.lists(st.tuples(CLOSES, st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=4)


@settings(max_examples=25, deadline=None)
@given(first=CLOSES, facts=st.tuples(st.integers(0, 3), st.integers(0, 3)), steps=STEPS)
async def test_repairs_are_taken_back_from_the_last_to_the_first(
    new_repaired: Callable[[], Awaitable[Repaired]],
    first: dict[int, float],
    facts: tuple[int, int],
    steps: list[tuple[dict[int, float], int, int]],
) -> None:
    repaired = await new_repaired()
    await repaired.plant(first, split=facts[0], dividend=facts[1])
    before: list[State] = []
    made: list[Repair] = []
    for closes, split, dividend in steps:
        before.append(await repaired.state())
        made.append(await repaired.repair(closes, split, dividend))
    while made:
        await repaired.revert(made.pop())
        assert await repaired.state() == before.pop()


async def test_what_lies_under_a_repair_that_holds_is_not_taken_back(
    new_repaired: Callable[[], Awaitable[Repaired]],
) -> None:
    repaired = await new_repaired()
    await repaired.plant({1: 1.0, 2: 2.0, 3: 3.0})
    low = await repaired.repair({1: 10.0, 2: 20.0, 3: 30.0}, 0, 0)
    high = await repaired.repair({2: 21.0, 3: 31.0}, 0, 0)
    state = await repaired.state()
    with pytest.raises(ApiError) as caught:
        await repaired.revert(low)
    assert (caught.value.reason, caught.value.metadata) == (
        "REPAIR_OVERTAKEN",
        {"what": "2 bars", "first": "2"},
    )
    assert await repaired.state() == state
    await repaired.revert(high)
    # Another value came after that.
    await repaired.plant({3: 32.0})
    with pytest.raises(ApiError) as caught:
        await repaired.revert(low)
    assert caught.value.metadata == {"what": "1 bar", "first": "3"}


async def test_a_source_does_not_bring_back_what_a_repair_that_holds_retracted(
    new_repaired: Callable[[], Awaitable[Repaired]],
) -> None:
    repaired = await new_repaired()
    await repaired.plant({1: 1.0}, split=2, dividend=25)
    repair = await repaired.repair({}, 0, 0)
    assert await repaired.left_of_facts(split=2, cents=25) == ([], [])
    # Of the same day the source now says something else.
    assert await repaired.left_of_facts(split=3, cents=26) == ([split_of(3)], [dividend_of(26)])
    await repaired.revert(repair)
    assert await repaired.left_of_facts(split=2, cents=25) == ([split_of(2)], [dividend_of(25)])


async def test_bars_that_are_taken_back_stay_in_the_database(
    new_repaired: Callable[[], Awaitable[Repaired]],
) -> None:
    repaired = await new_repaired()
    count = 10_000
    await repaired.plant(dict.fromkeys(range(count - 2), 1.0))
    before = await repaired.state()
    repair = await repaired.repair(dict.fromkeys(range(count), 2.0), 0, 0)
    tracemalloc.start()
    try:
        await repaired.revert(repair)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 50 * count
    assert await repaired.state() == before


async def test_a_source_undoes_no_repair_that_holds_again(
    new_repaired: Callable[[], Awaitable[Repaired]],
) -> None:
    repaired = await new_repaired()
    wrong = {1: 1.0, 2: 2.0, 3: 3.0}
    await repaired.plant(wrong)
    low = await repaired.repair({1: 10.0, 2: 20.0}, 0, 0)
    assert await repaired.left_of(wrong) == [3]
    high = await repaired.repair({2: 21.0}, 0, 0)
    assert await repaired.left_of(wrong) == [3]
    assert await repaired.left_of({2: 20.0}) == []
    await repaired.revert(high)
    assert await repaired.left_of(wrong) == [3]
    assert await repaired.left_of({1: 1.5, 2: 2.0}) == [1]  # it has corrected the first itself
    await repaired.revert(low)
    assert await repaired.left_of(wrong) == [1, 2, 3]
