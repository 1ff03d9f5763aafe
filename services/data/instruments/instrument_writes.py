"""Changes of instruments in PostgreSQL, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.data import tables
from services.data.domain.instrument import Instrument, Listing
from services.data.domain.symbol_history import SymbolPeriod
from services.data.instruments.instrument_rows import values_of

# Any number that no other lock of this database has.
_LOCK = 7_309_100


async def lock_instruments(connection: AsyncConnection) -> None:
    """Let one change of instruments at a time see all others; held to the transaction's end."""
    await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


async def insert_listings(connection: AsyncConnection, listings: Sequence[Listing]) -> None:
    """Store new instruments, in this order, with the symbols they had."""
    if not listings:
        return
    rows = [{"instrument_id": one.instrument_id, **values_of(one)} for one in listings]
    await connection.execute(sa.insert(tables.instruments), rows)
    changed = {one.instrument_id: one for one in listings if one.former_symbols}
    if not changed:
        return
    columns = tables.instruments.c
    query = sa.select(columns.instrument_no, columns.instrument_id).where(columns.instrument_id.in_(changed))
    for row in (await connection.execute(query)).all():
        await insert_periods(connection, row.instrument_no, changed[row.instrument_id].former_symbols)


async def insert_periods(
    connection: AsyncConnection, instrument_no: int, periods: Sequence[SymbolPeriod]
) -> None:
    """Store symbols the instrument had."""
    rows = [
        {
            "instrument_no": instrument_no,
            "from_date": one.from_date,
            "to_date": one.to_date,
            "symbol": one.symbol,
            "mic": one.mic,
        }
        for one in periods
    ]
    await connection.execute(sa.insert(tables.symbol_periods), rows)


async def update_instrument(connection: AsyncConnection, changed: Instrument) -> None:
    """Store the instrument's facts as they are now."""
    columns = tables.instruments.c
    await connection.execute(
        sa.update(tables.instruments)
        .where(columns.instrument_no == changed.instrument_no)
        .values(version=changed.version, **values_of(changed))
    )


async def insert_import(
    connection: AsyncConnection, import_id: str, instrument_ids: Sequence[str], created: int
) -> None:
    """Keep what an import was answered with."""
    values = {"import_id": import_id, "instrument_ids": list(instrument_ids), "created": created}
    await connection.execute(sa.insert(tables.instrument_imports), values)


async def read_import(connection: AsyncConnection, import_id: str) -> tuple[list[str], int]:
    """What the import was answered with: ids, and how many were new."""
    columns = tables.instrument_imports.c
    query = sa.select(columns.instrument_ids, columns.created).where(columns.import_id == import_id)
    row = (await connection.execute(query)).one()
    return list(row.instrument_ids), row.created
