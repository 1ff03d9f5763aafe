"""What repairs write, in a caller's transaction that holds the instrument's lock."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import asyncpg
import numpy as np
from sqlalchemy.ext.asyncio import AsyncConnection

from services.data.bars.bar_copy import columns_of
from services.data.bars.bar_store import revise_bars
from services.data.domain.bars import BarInterval, SourceBars
from services.data.domain.quality import QuarantineReason, check_values
from services.data.ingestions.ingestion_store import insert_batch
from services.data.instruments.instrument_store import (
    insert_dividends,
    insert_splits,
    retract_dividends,
    retract_splits,
)
from services.data.quality.proposals import Proposal
from services.data.quality.quality_store import Repair
from services.runtime.database import Transaction
from services.runtime.errors import aborted, failed_precondition, invalid_argument, not_found
from services.runtime.failpoints import failpoint

_VALUES = columns_of(SourceBars)
_ROW = np.dtype([(name, np.int64 if name == "open_time_ns" else np.float64) for name in _VALUES])


def source_of(repair_id: str) -> str:
    """How what a repair recorded names its source."""
    return f"repair {repair_id}"


async def write_bars(
    transaction: Transaction, repair: Repair, bars: SourceBars, *, record_time_ns: int, source: str
) -> tuple[int | None, int]:
    """Bars in the place of those held; the number of their batch and how many changed."""
    if not len(bars):
        return None, 0
    number, interval = repair.instrument_no, repair.interval
    batch_no = await insert_repair_batch(transaction, number, record_time_ns, source)
    revised = await revise_bars(transaction.driver, number, interval, batch_no, bars)
    failpoint("data.repair.after_bars")
    return batch_no, revised.inserted + revised.superseded


async def insert_repair_batch(
    transaction: Transaction, instrument_no: int, record_time_ns: int, source: str
) -> int:
    """The number of a new batch of bars that no source has said."""
    return await insert_batch(
        transaction.connection,
        None,
        instrument_no=instrument_no,
        source=source,
        fetch_time_ns=record_time_ns,
        record_time_ns=record_time_ns,
    )


async def write_facts(connection: AsyncConnection, repair: Repair, proposals: Sequence[Proposal]) -> None:
    """The splits and dividends of the proposals: first what is retracted, then what is recorded.

    Raises:
        ApiError: ABORTED QUALITY_DATA_CHANGED: one is not held any more, or another is.
    """
    number, now_ns, source = repair.instrument_no, repair.record_time_ns, source_of(repair.repair_id)
    no_splits = [one.retract_split.ex_date for one in proposals if one.retract_split is not None]
    no_dividends = [one.retract_dividend.ex_date for one in proposals if one.retract_dividend is not None]
    splits = [one.record_split for one in proposals if one.record_split is not None]
    dividends = [one.record_dividend for one in proposals if one.record_dividend is not None]
    done = (
        await retract_splits(connection, number, no_splits, now_ns=now_ns),
        await retract_dividends(connection, number, no_dividends, now_ns=now_ns),
        await insert_splits(connection, number, splits, source=source, now_ns=now_ns),
        await insert_dividends(connection, number, dividends, source=source, now_ns=now_ns),
    )
    if done != (len(no_splits), len(no_dividends), len(splits), len(dividends)):
        raise aborted("QUALITY_DATA_CHANGED", "splits or dividends have changed since: propose again")


async def read_quarantined(
    transaction: Transaction, instrument_no: int, numbers: Sequence[int], *, now_ns: int
) -> tuple[BarInterval, SourceBars]:
    """Bars in quarantine that may be released, by time, and their interval.

    Raises:
        ApiError: QUARANTINED_BAR_NOT_FOUND, RELEASE_INVALID, QUARANTINED_BAR_IMPOSSIBLE.
    """
    names = ", ".join(f'"{name}"' for name in _VALUES)
    rows = await transaction.driver.fetch(
        f"SELECT quarantine_no, interval, reason, {names} FROM quarantined_bar WHERE instrument_no = $1 "  # noqa: S608
        "AND quarantine_no = ANY ($2::bigint[]) AND released_by IS NULL ORDER BY open_time_ns FOR UPDATE",
        instrument_no,
        list(numbers),
    )
    missing = sorted(set(numbers) - {row["quarantine_no"] for row in rows})
    if missing:
        message = f"no bar {missing[0]} of the instrument is in quarantine"
        raise not_found("QUARANTINED_BAR_NOT_FOUND", message, quarantine_no=str(missing[0]))
    bars = _bars(rows)
    if len({row["interval"] for row in rows}) > 1 or (np.diff(bars.open_time_ns) == 0).any():
        message = "bars that are released together have one interval and different times"
        raise invalid_argument("RELEASE_INVALID", message, field="quarantine_nos")
    reasons = check_values(bars, np.ones(len(bars), dtype=np.bool_), now_ns=now_ns)
    for row in np.flatnonzero(reasons)[:1].tolist():
        number = str(rows[row]["quarantine_no"])
        reason = QuarantineReason(int(reasons[row])).name
        message = f"bar {number} cannot be true ({reason}): correct it in the file and import it again"
        raise failed_precondition("QUARANTINED_BAR_IMPOSSIBLE", message, quarantine_no=number, why=reason)
    return BarInterval(rows[0]["interval"]), bars


async def mark_released(transaction: Transaction, numbers: Sequence[int], repair_id: str) -> None:
    """Take bars out of quarantine."""
    await transaction.driver.execute(
        "UPDATE quarantined_bar SET released_by = $1 WHERE quarantine_no = ANY ($2::bigint[])",
        repair_id,
        list(numbers),
    )


def joined(parts: Sequence[SourceBars], nothing: SourceBars) -> SourceBars:
    """All the bars by time."""
    together = reduce(SourceBars.followed_by, parts, nothing)
    return together.take(np.argsort(together.open_time_ns, kind="stable"))


def _bars(rows: Sequence[asyncpg.Record]) -> SourceBars:
    table = np.array([tuple(row[name] for name in _VALUES) for row in rows], dtype=_ROW)
    return SourceBars(*(np.ascontiguousarray(table[name]) for name in _VALUES))
