"""Bars in PostgreSQL: read and written by binary COPY."""

from __future__ import annotations

import asyncio

import asyncpg
import sqlalchemy as sa

from services.data import tables
from services.data.bar_copy import B, columns_of, decode_bars, encode_bars
from services.data.domain.bars import BarInterval, Bars, SourceBars
from services.runtime.database import Database


class BarStore:
    """The table of bars."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(
        self,
        kind: type[B],
        instrument_no: int,
        interval: BarInterval,
        *,
        start_ns: int,
        end_ns: int,
        limit: int,
    ) -> B:
        """Up to ``limit`` bars that open at or after ``start_ns`` and before ``end_ns``, oldest first.

        ``kind`` says which columns: reading them is most of the work of serving.
        """
        # COPY takes no parameters; these are integers of ours.
        query = (
            f"SELECT {_list(kind)} FROM bar "  # noqa: S608
            f"WHERE instrument_no = {instrument_no:d} AND interval = {interval:d} "
            f"AND open_time_ns >= {start_ns:d} AND open_time_ns < {end_ns:d} "
            f"ORDER BY open_time_ns LIMIT {limit:d}"
        )
        chunks: list[bytes] = []

        async def collect(chunk: bytes) -> None:
            chunks.append(chunk)

        async with self._database.raw() as driver:
            await driver.copy_from_query(query, output=collect, format="binary")
        return await asyncio.to_thread(lambda: decode_bars(b"".join(chunks), kind))

    async def intervals(self, instrument_no: int) -> list[BarInterval]:
        """The intervals of which there are bars."""
        held = [
            sa.exists().where(
                tables.bars.c.instrument_no == instrument_no, tables.bars.c.interval == interval
            )
            for interval in BarInterval
        ]
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(*held))).one()
        return [interval for interval, is_held in zip(BarInterval, row, strict=True) if is_held]


async def held_open_times(driver: asyncpg.Connection, instrument_no: int, interval: BarInterval) -> list[int]:
    """The open times of all bars held, nanoseconds since the epoch, UTC."""
    query = "SELECT open_time_ns FROM bar WHERE instrument_no = $1 AND interval = $2"
    return [row[0] for row in await driver.fetch(query, instrument_no, int(interval))]


async def span_of_bars(
    driver: asyncpg.Connection, instrument_no: int, interval: BarInterval
) -> tuple[int, int] | None:
    """Open times of the first and the last bar held; None when there is none."""
    query = "SELECT min(open_time_ns), max(open_time_ns) FROM bar WHERE instrument_no = $1 AND interval = $2"
    first, last = await driver.fetchrow(query, instrument_no, int(interval))
    return None if first is None else (first, last)


async def insert_bars(
    driver: asyncpg.Connection, instrument_no: int, interval: BarInterval, batch_no: int, bars: SourceBars
) -> int:
    """Store bars, in the caller's transaction; those held already stay as they are. Returns how many are new.

    They are copied into a staging table first, since COPY knows no conflicts.
    """
    columns = _list(SourceBars)
    await driver.execute(
        f"CREATE TEMPORARY TABLE bar_staging ON COMMIT DROP AS SELECT {columns} FROM bar WITH NO DATA"  # noqa: S608
    )
    # A view, because asyncpg takes bytes for the name of a file.
    rows = memoryview(encode_bars(bars))
    await driver.copy_to_table("bar_staging", source=rows, columns=columns_of(SourceBars), format="binary")
    inserted = await driver.execute(
        f"INSERT INTO bar (instrument_no, interval, batch_no, {columns}) "  # noqa: S608
        f"SELECT {instrument_no:d}, {interval:d}, {batch_no:d}, {columns} FROM bar_staging "
        "ORDER BY open_time_ns ON CONFLICT DO NOTHING"
    )
    return int(inserted.rpartition(" ")[2])


def _list(kind: type[Bars]) -> str:
    return ", ".join(f'"{name}"' for name in columns_of(kind))
