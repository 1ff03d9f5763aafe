"""What repairs corrected: a source that says it again does not undo them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import asyncpg
import numpy as np
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.data import tables
from services.data.domain.bars import BarInterval, SourceBars
from services.data.domain.dividends import Dividend
from services.data.domain.splits import Split

# The adjusted close moves with every later dividend: it does not say whether a bar is the same.
_COMPARED: Final = ("open", "high", "low", "close", "volume")


async def without_corrected_bars(
    driver: asyncpg.Connection, instrument_no: int, interval: BarInterval, bars: SourceBars, tolerance: float
) -> SourceBars:
    """The bars, oldest first, but those that are as they were before a repair that holds.

    A source that has corrected them says something else: that is not left out. In the caller's transaction.

    Args:
        driver: the transaction's.
        instrument_no: whose bars they are.
        interval: their length.
        bars: one at least, each time once.
        tolerance: relative; values that differ by no more are the same.
    """
    # A repair holds where the bar is what it wrote: its own row, or one that another's revert brought back.
    columns, values, written = (", ".join(f"{of}.{name}" for name in _COMPARED) for of in "rbw")
    rows = await driver.fetch(
        f"SELECT r.open_time_ns, {columns} FROM repair made "  # noqa: S608
        "JOIN bar_revision r ON r.superseded_by = made.batch_no "
        "JOIN bar b ON b.instrument_no = $1 AND b.interval = $2 AND b.open_time_ns = r.open_time_ns "
        "WHERE made.instrument_no = $1 AND r.instrument_no = $1 AND r.interval = $2 "
        "AND r.open_time_ns BETWEEN $3 AND $4 AND ("
        "b.batch_no IN (SELECT batch_no FROM repair WHERE instrument_no = $1) "
        "OR made.revert_time_ns IS NULL AND EXISTS (SELECT FROM bar_revision w "
        "WHERE w.instrument_no = $1 AND w.interval = $2 AND w.open_time_ns = b.open_time_ns "
        f"AND w.batch_no = made.batch_no AND ({written}) = ({values})))",
        instrument_no,
        int(interval),
        int(bars.open_time_ns[0]),
        int(bars.open_time_ns[-1]),
    )
    if not rows:
        return bars
    times = np.array([row["open_time_ns"] for row in rows], dtype=np.int64)
    place = np.minimum(np.searchsorted(bars.open_time_ns, times), len(bars) - 1)
    again = bars.open_time_ns[place] == times
    for name in _COMPARED:
        corrected = np.array([row[name] for row in rows], dtype=np.float64)
        again &= np.isclose(getattr(bars, name)[place], corrected, rtol=tolerance, atol=0)
    kept = np.ones(len(bars), dtype=np.bool_)
    kept[place[again]] = False
    return bars.take(kept)


async def without_retracted(
    connection: AsyncConnection,
    instrument_no: int,
    splits: Sequence[Split],
    dividends: Sequence[Dividend],
    tolerance: float,
) -> tuple[list[Split], list[Dividend]]:
    """The splits and dividends but those that a repair which holds has retracted.

    In the caller's transaction. Amounts that differ by no more than ``tolerance``, relative, are the same.
    """
    no_splits = {
        (row.ex_date, row.new_shares, row.old_shares)
        for row in (await _retracted(connection, tables.splits, instrument_no) if splits else ())
    }
    no_dividends = [
        (row.ex_date, row.currency, float(row.amount))
        for row in (await _retracted(connection, tables.dividends, instrument_no) if dividends else ())
    ]

    def is_retracted(one: Dividend) -> bool:
        return any(
            (one.ex_date, one.currency) == (ex_date, currency)
            and math.isclose(float(one.amount), amount, rel_tol=tolerance)
            for ex_date, currency, amount in no_dividends
        )

    return (
        [one for one in splits if (one.ex_date, one.new_shares, one.old_shares) not in no_splits],
        [one for one in dividends if not is_retracted(one)],
    )


async def _retracted(
    connection: AsyncConnection, table: sa.Table, instrument_no: int
) -> Sequence[sa.Row[tuple[object, ...]]]:
    fact, repair = table.c, tables.repairs.c
    # Of one instrument no two transactions record at one time: the time tells what the repair did.
    by_repair = sa.and_(
        repair.instrument_no == fact.instrument_no, repair.record_time_ns == fact.retract_time_ns
    )
    query = (
        sa.select(table)
        .join(tables.repairs, by_repair)
        .where(fact.instrument_no == instrument_no, repair.revert_time_ns.is_(None))
    )
    return (await connection.execute(query)).all()
