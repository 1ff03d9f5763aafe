"""The chunks of an ingestion into PostgreSQL, in the caller's transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, fields

import asyncpg
import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.data import tables
from services.data.bars.bar_copy import BarReader, bar_row_columns, columns_of, encode_bar_rows
from services.data.bars.bar_store import count_change, revise_bars, span_of_bars
from services.data.domain.bars import BarInterval, FileBars, SourceBars
from services.data.domain.ingestion import SymbolError
from services.data.domain.instrument import Listing
from services.data.imports.bar_writer import quarantine_bars
from services.data.ingestions.ingestion_store import insert_batch
from services.data.ingestions.repaired import without_corrected_bars, without_retracted
from services.data.instruments.instrument_store import (
    begin_record,
    insert_dividends,
    insert_splits,
    upsert_instrument,
)
from services.data.sources.preparation import Prepared
from services.data.sources.source import Source, SourceError
from services.runtime.clock import Clock
from services.runtime.database import Transaction
from services.runtime.failpoints import failpoint


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a chunk."""

    instrument_no: int
    instrument_id: str
    inserted: int
    revised: int
    left: Sequence[str]
    """Splits and dividends that are not taken from the source, for a repair has retracted them."""


async def hold_instrument(
    connection: AsyncConnection, source: Source, symbol: str, listing: Listing
) -> tuple[int, str]:
    """The instrument of a source's symbol, made if need be: its number and id.

    Raises:
        SourceError: INSTRUMENT_DIFFERS, it is held in another currency.
    """
    columns = tables.instruments.c
    is_symbol = sa.and_(columns.symbol == listing.symbol, columns.mic == listing.mic)
    is_it = sa.or_(columns.instrument_id == listing.instrument_id, is_symbol)
    held = await connection.execute(sa.select(columns.instrument_no, columns.currency).where(is_it))
    currencies = {row.instrument_no: row.currency for row in held}
    number = await upsert_instrument(connection, listing)
    currency = currencies.get(number, listing.currency)
    if currency != listing.currency:
        message = f"{listing.symbol} at {listing.mic} is held in {currency}, not {listing.currency}"
        raise SourceError(SymbolError.INSTRUMENT_DIFFERS, message)
    query = sa.select(columns.instrument_id).where(columns.instrument_no == number)
    instrument_id: str = (await connection.execute(query)).scalar_one()
    values = {"source": source.name, "symbol": symbol, "instrument_no": number}
    statement = insert(tables.source_symbols).values(values)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=["source", "symbol"], set_={"instrument_no": number})
    )
    return number, instrument_id


async def store_chunk(
    transaction: Transaction,
    ingestion_id: str,
    source: Source,
    instrument: tuple[int, str],
    interval: BarInterval,
    prepared: Prepared,
    *,
    clock: Clock,
) -> Stored:
    """Store bars, bad ones apart, splits and dividends; bars held with other values are revised.

    What a repair corrected stays so while the source says what it said before.
    """
    connection, driver = transaction.connection, transaction.driver
    number, instrument_id = instrument
    fetch_time_ns = clock.now_ns()
    record_time_ns = await begin_record(connection, number, clock)
    if len(prepared.checked.bad):
        await quarantine_bars(driver, number, interval, ingestion_id, prepared.checked)
    inserted = revised = 0
    if len(prepared.checked.good):
        batch_no = await insert_batch(
            connection,
            ingestion_id,
            instrument_no=number,
            source=source.name,
            fetch_time_ns=fetch_time_ns,
            record_time_ns=record_time_ns,
        )
        good = _without_lines(prepared.checked.good)
        inserted, revised = await _store_bars(
            driver, number, interval, batch_no, good, source.price_tolerance
        )
    failpoint("data.ingest.after_copy")
    known, now_ns = source.description, record_time_ns
    splits, dividends = await without_retracted(
        connection, number, prepared.splits, prepared.dividends, source.price_tolerance
    )
    await insert_splits(connection, number, splits, source=known, now_ns=now_ns)
    await insert_dividends(connection, number, dividends, source=known, now_ns=now_ns)
    left = [f"the split of {one.ex_date}" for one in prepared.splits if one not in splits]
    left += [f"the dividend of {one.ex_date}" for one in prepared.dividends if one not in dividends]
    return Stored(number, instrument_id, inserted, revised, left)


async def _store_bars(
    driver: asyncpg.Connection,
    number: int,
    interval: BarInterval,
    batch_no: int,
    bars: SourceBars,
    tolerance: float,
) -> tuple[int, int]:
    """How many are new, and how many were held with other values."""
    held = await span_of_bars(driver, number, interval)
    first, last = int(bars.open_time_ns[0]), int(bars.open_time_ns[-1])
    if held is None or first > held[1] or last < held[0]:
        rows = await asyncio.to_thread(encode_bar_rows, number, int(interval), batch_no, bars)
        await driver.copy_to_table("bar", source=memoryview(rows), columns=bar_row_columns(), format="binary")
        await count_change(driver, number, interval)
        return len(bars), 0
    bars = await without_corrected_bars(driver, number, interval, bars, tolerance)
    if tolerance and len(bars):
        bars = await _as_held(driver, number, interval, bars, tolerance)
    result = await revise_bars(driver, number, interval, batch_no, bars)
    return result.inserted, result.superseded


async def _as_held(
    driver: asyncpg.Connection, number: int, interval: BarInterval, bars: SourceBars, tolerance: float
) -> SourceBars:
    """The bars with those replaced by what is held that differ from it by rounding alone."""
    names = columns_of(SourceBars)
    quoted = ", ".join(f'"{name}"' for name in names)
    query = (
        f"SELECT {quoted} FROM bar WHERE instrument_no = {number:d} "  # noqa: S608
        f"AND interval = {interval:d} AND open_time_ns = ANY ($1::bigint[]) ORDER BY open_time_ns"
    )
    reader = BarReader(SourceBars, capacity=len(bars))
    times = bars.open_time_ns.tolist()
    await driver.copy_from_query(query, times, output=reader.feed, format="binary")
    held = reader.bars()
    _, ours, theirs = np.intersect1d(
        bars.open_time_ns, held.open_time_ns, assume_unique=True, return_indices=True
    )
    mine, others = bars.take(ours), held.take(theirs)
    same = np.ones(len(ours), dtype=np.bool_)
    for name in names[1:]:
        same &= np.isclose(getattr(mine, name), getattr(others, name), rtol=tolerance, atol=0)
    columns = {name: getattr(bars, name).copy() for name in names}
    for name, column in columns.items():
        column[ours[same]] = getattr(others, name)[same]
    return SourceBars(**columns)


def _without_lines(bars: FileBars) -> SourceBars:
    return SourceBars(*(getattr(bars, column.name) for column in fields(SourceBars)))
