"""What checks of bars need, and repairs, in PostgreSQL; all in a caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.data import tables
from services.data.bars.bar_copy import BarReader
from services.data.bars.bar_store import range_query
from services.data.domain.bars import BarInterval, SourceBars
from services.data.domain.dividends import Dividend
from services.data.domain.instrument import Instrument
from services.data.domain.splits import Split
from services.data.quality.actions import CurrencySpan
from services.data.quality.proposals import RepairKind
from services.runtime.database import Transaction

_REPAIRS = sa.select(tables.repairs, tables.instruments.c.instrument_id).join(
    tables.instruments, tables.instruments.c.instrument_no == tables.repairs.c.instrument_no
)


@dataclass(frozen=True, slots=True)
class Repair:
    """A repair as recorded; times in nanoseconds since the epoch, UTC."""

    repair_id: str
    instrument_no: int
    instrument_id: str
    interval: BarInterval
    kinds: tuple[RepairKind, ...]
    actions: tuple[str, ...]
    """A line for each."""
    rows: int
    """Bars changed."""
    user_id: str
    record_time_ns: int
    batch_no: int | None = None
    """Of the bars; None when it changed none."""
    revert_time_ns: int | None = None
    revert_user_id: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """What is held of an instrument in one interval."""

    bars: SourceBars
    splits: Sequence[Split]
    dividends: Sequence[Dividend]
    currencies: Sequence[CurrencySpan]
    version: int


async def one_snapshot(transaction: Transaction) -> None:
    """From here on the transaction, which has read nothing yet, sees one state."""
    await transaction.driver.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


async def count_bars(transaction: Transaction, instrument_no: int, interval: BarInterval, most: int) -> int:
    """How many bars are held; ``most`` when there are more."""
    count: int = await transaction.driver.fetchval(
        "SELECT count(*) FROM (SELECT FROM bar WHERE instrument_no = $1 AND interval = $2 LIMIT $3) held",
        instrument_no,
        int(interval),
        most,
    )
    return count


async def read_held(
    transaction: Transaction,
    instrument: Instrument,
    interval: BarInterval,
    *,
    start_ns: int,
    end_ns: int,
    limit: int,
) -> Held:
    """Up to ``limit`` bars of a range, oldest first, and all else."""
    number = instrument.instrument_no
    query = range_query(SourceBars, number, interval, start_ns=start_ns, end_ns=end_ns)
    reader = BarReader(SourceBars, capacity=limit)
    await transaction.driver.copy_from_query(f"{query} LIMIT {limit:d}", output=reader.feed, format="binary")
    return Held(
        reader.bars(),
        [
            Split(row.ex_date, row.ex_time_ns, row.new_shares, row.old_shares)
            for row in await _held_facts(transaction.connection, tables.splits, number)
        ],
        [
            Dividend(row.ex_date, row.ex_time_ns, row.amount, row.currency)
            for row in await _held_facts(transaction.connection, tables.dividends, number)
        ],
        await _currencies(transaction, instrument, interval),
        await read_version(transaction, number, interval),
    )


async def read_version(transaction: Transaction, instrument_no: int, interval: BarInterval) -> int:
    """Another number after each change of bars, splits and dividends."""
    query = "SELECT version FROM bar_version WHERE instrument_no = $1 AND interval = $2"
    return await transaction.driver.fetchval(query, instrument_no, int(interval)) or 0


async def _held_facts(
    connection: AsyncConnection, table: sa.Table, instrument_no: int
) -> Sequence[sa.Row[tuple[object, ...]]]:
    columns = table.c
    query = sa.select(table).where(columns.instrument_no == instrument_no)
    query = query.where(columns.retract_time_ns.is_(None)).order_by(columns.ex_date)
    return (await connection.execute(query)).all()


async def _currencies(
    transaction: Transaction, instrument: Instrument, interval: BarInterval
) -> list[CurrencySpan]:
    """The currencies that bars came in; nothing when all batches came in the instrument's."""
    number = instrument.instrument_no
    other = "SELECT EXISTS (SELECT FROM bar_batch WHERE instrument_no = $1 AND currency <> $2)"
    if not await transaction.driver.fetchval(other, number, instrument.currency):
        return []
    rows = await transaction.driver.fetch(
        "SELECT currency, min(open_time_ns), max(open_time_ns), count(*) FROM bar "
        "JOIN bar_batch USING (batch_no) WHERE bar.instrument_no = $1 AND interval = $2 "
        "GROUP BY currency ORDER BY 2",
        number,
        int(interval),
    )
    return [CurrencySpan(*row) for row in rows]


async def count_quarantined(connection: AsyncConnection, instrument_no: int, interval: BarInterval) -> int:
    """Refused bars that are not released."""
    columns = tables.quarantined_bars.c
    query = sa.select(sa.func.count()).where(
        columns.instrument_no == instrument_no, columns.interval == interval, columns.released_by.is_(None)
    )
    return (await connection.execute(query)).scalar_one()


async def insert_repair(connection: AsyncConnection, repair: Repair) -> None:
    """Record a repair."""
    values = {column.name: getattr(repair, column.name) for column in tables.repairs.columns}
    values["kinds"] = [int(kind) for kind in repair.kinds]
    values["actions"] = list(repair.actions)
    await connection.execute(sa.insert(tables.repairs), values)


async def mark_reverted(connection: AsyncConnection, repair_id: str, *, user_id: str, now_ns: int) -> None:
    """Record that a repair does not hold any more."""
    where = tables.repairs.c.repair_id == repair_id
    values = {"revert_time_ns": now_ns, "revert_user_id": user_id}
    await connection.execute(sa.update(tables.repairs).where(where).values(values))


async def read_repair(connection: AsyncConnection, repair_id: str) -> Repair | None:
    """The repair of this id."""
    query = _REPAIRS.where(tables.repairs.c.repair_id == repair_id)
    row = (await connection.execute(query)).mappings().first()
    return None if row is None else _repair(row)


async def list_repairs(
    connection: AsyncConnection, instrument_no: int, *, before: str | None, limit: int
) -> list[Repair]:
    """Up to ``limit`` repairs of an instrument, newest first, from beyond the id ``before``."""
    columns = tables.repairs.c
    query = _REPAIRS.where(columns.instrument_no == instrument_no)
    if before is not None:
        query = query.where(columns.repair_id < before)
    query = query.order_by(columns.repair_id.desc()).limit(limit)
    return [_repair(row) for row in (await connection.execute(query)).mappings()]


def _repair(row: sa.RowMapping) -> Repair:
    values = dict(row)
    values["interval"] = BarInterval(values["interval"])
    values["kinds"] = tuple(RepairKind(kind) for kind in values["kinds"])
    values["actions"] = tuple(values["actions"])
    return Repair(**values)
