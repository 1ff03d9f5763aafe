"""Repairs taken back, in a caller's transaction that holds the instrument's lock."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.data import tables
from services.data.bars.bar_copy import columns_of
from services.data.bars.bar_store import count_change
from services.data.domain.bars import SourceBars
from services.data.domain.dividends import Dividend
from services.data.domain.splits import Split
from services.data.instruments.instrument_store import (
    insert_dividends,
    insert_splits,
    retract_dividends,
    retract_splits,
)
from services.data.quality.quality_store import Repair
from services.data.quality.repair_writes import insert_repair_batch, source_of
from services.runtime.database import Transaction
from services.runtime.errors import ApiError, failed_precondition
from services.runtime.failpoints import failpoint

_NAMES = ", ".join(f'"{name}"' for name in columns_of(SourceBars))


async def revert(transaction: Transaction, repair: Repair, *, now_ns: int) -> None:
    """Bring back, as new versions, what was before a repair.

    Raises:
        ApiError: FAILED_PRECONDITION REPAIR_OVERTAKEN: bars or facts it changed were changed since.
    """
    if repair.batch_no is not None:
        await _revert_bars(transaction, repair, repair.batch_no, now_ns)
    for table in (tables.splits, tables.dividends):
        await _revert_facts(transaction.connection, repair, table, now_ns)
    failpoint("data.repair.after_revert")
    await transaction.driver.execute(
        "UPDATE quarantined_bar SET released_by = NULL WHERE released_by = $1", repair.repair_id
    )


async def _revert_bars(transaction: Transaction, repair: Repair, batch_no: int, now_ns: int) -> None:
    """Bars stay in the database, however many they are.

    What the repair wrote may have been changed since, if that was undone: its values are held again.
    """
    driver, number, interval = transaction.driver, repair.instrument_no, repair.interval
    # Nothing counts fresh rows: where they are thought to be few, each is compared with each.
    await driver.execute("SET LOCAL enable_nestloop = off")
    of = "{0}.instrument_no = $1 AND {0}.interval = $2".format
    same = "({}) IS NOT DISTINCT FROM ({})".format
    changed, first = await driver.fetchrow(
        f"SELECT count(*), min(open_time_ns) FROM bar_revision w WHERE {of('w')} AND w.batch_no = $3 "  # noqa: S608
        f"AND NOT EXISTS (SELECT FROM bar b WHERE {of('b')} AND b.open_time_ns = w.open_time_ns "
        f"AND {same(_values('b'), _values('w'))})",
        number,
        int(interval),
        batch_no,
    )
    if changed:
        raise _overtaken("1 bar" if changed == 1 else f"{changed:,} bars", first=str(first))
    source = f"revert of {source_of(repair.repair_id)}"
    revert_no = await insert_repair_batch(transaction, number, now_ns, source)
    # What they were till now is kept of all.
    keep = (
        f"INSERT INTO bar_revision (instrument_no, interval, batch_no, {_NAMES}, superseded_by, "
        f"superseded_time_ns) SELECT b.instrument_no, b.interval, b.batch_no, {_values('b')}, "
        "batch.batch_no, batch.record_time_ns"
    )
    added = (
        f"SELECT open_time_ns FROM bar w WHERE {of('w')} AND batch_no = $3 "  # noqa: S608
        f"UNION SELECT open_time_ns FROM bar_revision w WHERE {of('w')} AND batch_no = $3 "
        f"EXCEPT SELECT open_time_ns FROM bar_revision r WHERE {of('r')} AND superseded_by = $3"
    )
    gone = f"DELETE FROM bar b USING ({added}) a WHERE {of('b')} AND b.open_time_ns = a.open_time_ns"  # noqa: S608
    differs = (
        f"{of('b')} AND {of('r')} AND r.superseded_by = $3 AND r.open_time_ns = b.open_time_ns "
        f"AND NOT {same(_values('b'), _values('r'))}"
    )
    before = ", ".join(f'"{name}" = r."{name}"' for name in columns_of(SourceBars))
    for statement in (
        f"WITH b AS ({gone} RETURNING b.*) {keep} FROM b, bar_batch batch WHERE batch.batch_no = $4",
        f"{keep} FROM bar b, bar_revision r, bar_batch batch WHERE {differs} AND batch.batch_no = $4",
        f"UPDATE bar b SET {before}, batch_no = $4 FROM bar_revision r WHERE {differs}",  # noqa: S608
    ):
        await driver.execute(statement, number, int(interval), batch_no, revert_no)
    await count_change(driver, number, interval)


async def _revert_facts(connection: AsyncConnection, repair: Repair, table: sa.Table, now_ns: int) -> None:
    """Of one instrument no two transactions record at one time: the time tells what the repair did."""
    columns, number = table.c, repair.instrument_no
    of_instrument = sa.select(table).where(columns.instrument_no == number)
    made = of_instrument.where(columns.record_time_ns == repair.record_time_ns)
    gone = of_instrument.where(columns.retract_time_ns == repair.record_time_ns).order_by(columns.ex_date)
    recorded = (await connection.execute(made)).all()
    retracted = (await connection.execute(gone)).all()
    own = {row.ex_date for row in recorded}
    back = [row.ex_date for row in retracted]
    dates = own | set(back)
    others = of_instrument.where(columns.retract_time_ns.is_(None), columns.ex_date.in_(dates))
    held = {row.ex_date: row for row in await connection.execute(others)}
    # Recorded anew by the revert of a later repair, a fact is the same but for its times.
    changed = {row.ex_date for row in recorded if _fact(held.get(row.ex_date)) != _fact(row)}
    changed |= held.keys() - own
    if changed:
        raise _overtaken(f"the {table.name} of {min(changed)}", first=str(min(changed)))
    is_split = table is tables.splits
    retract = retract_splits if is_split else retract_dividends
    await retract(connection, number, own, now_ns=now_ns)
    for row in retracted:
        if is_split:
            split = Split(row.ex_date, row.ex_time_ns, row.new_shares, row.old_shares)
            await insert_splits(connection, number, [split], source=row.source, now_ns=now_ns)
        else:
            dividend = Dividend(row.ex_date, row.ex_time_ns, row.amount, row.currency)
            await insert_dividends(connection, number, [dividend], source=row.source, now_ns=now_ns)


def _fact(row: sa.Row[tuple[object, ...]] | None) -> dict[str, object]:
    """What a row says, and whose word it is; nothing when there is none."""
    times = ("record_time_ns", "retract_time_ns")
    return {} if row is None else {name: value for name, value in row._mapping.items() if name not in times}  # noqa: SLF001


def _overtaken(what: str, *, first: str) -> ApiError:
    message = f"{what} that the repair changed were changed again since: revert or correct that first"
    return failed_precondition("REPAIR_OVERTAKEN", message, what=what, first=first)


def _values(alias: str) -> str:
    return ", ".join(f'{alias}."{name}"' for name in columns_of(SourceBars))
