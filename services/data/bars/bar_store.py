"""Bars in PostgreSQL: read and written by binary COPY."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import asyncpg
import sqlalchemy as sa

from services.data import tables
from services.data.bars.bar_copy import B, BarReader, columns_of, encode_bars
from services.data.domain.bars import BarInterval, Bars, SourceBars
from services.runtime.database import Database
from services.runtime.errors import unavailable

_WRITER_WAIT_S: Final = 3.0
"""So long a question about the past waits for a writer of the instrument; an import may take minutes."""
_NO_WAIT_S: Final = 0.001
"""The least that PostgreSQL can be told: 0 would be for ever."""
_WAITS_AT_ONCE: Final = 2
"""Questions that wait for a writer; each holds one of the few connections."""


class BarStore:
    """The table of bars."""

    def __init__(self, database: Database, *, writer_wait_s: float = _WRITER_WAIT_S) -> None:
        self._database = database
        self._writer_wait_s = writer_wait_s
        self._waits = asyncio.Semaphore(_WAITS_AT_ONCE)

    async def read(
        self,
        kind: type[B],
        instrument_no: int,
        interval: BarInterval,
        *,
        start_ns: int,
        end_ns: int,
        limit: int,
        as_of_ns: int | None = None,
    ) -> B:
        """Up to ``limit`` bars that open at or after ``start_ns`` and before ``end_ns``, oldest first.

        ``kind`` says which columns: reading them is most of the work of serving. With ``as_of_ns``, which
        `settle` has passed, as they were known then.
        """
        held = range_query(kind, instrument_no, interval, start_ns=start_ns, end_ns=end_ns, as_of_ns=as_of_ns)
        query = f"{held} LIMIT {limit:d}"
        reader = BarReader(kind, capacity=limit)
        async with self._database.raw() as driver:
            await driver.copy_from_query(query, output=reader.feed, format="binary")
        return reader.bars()

    async def settle(self, instrument_no: int, as_of_ns: int) -> int | None:
        """See to it that whatever is recorded of the instrument from now on is recorded after ``as_of_ns``.

        Waits a little for a writer that may have begun before. Returns when the first batch was recorded.

        Raises:
            ApiError: UNAVAILABLE HISTORY_BEING_WRITTEN: the writer, or the wait of others, lasts too long.
        """
        try:
            return await self._settle(instrument_no, as_of_ns, wait_s=_NO_WAIT_S)
        except asyncpg.LockNotAvailableError:
            pass
        try:
            async with asyncio.timeout(self._writer_wait_s):
                await self._waits.acquire()
            try:
                return await self._settle(instrument_no, as_of_ns, wait_s=self._writer_wait_s)
            finally:
                self._waits.release()
        except (TimeoutError, asyncpg.LockNotAvailableError) as error:
            message = "the instrument is being written; what was known then is certain when that is done"
            raise unavailable("HISTORY_BEING_WRITTEN", message, retry_after_s=self._writer_wait_s) from error

    async def _settle(self, instrument_no: int, as_of_ns: int, *, wait_s: float) -> int | None:
        """`settle`; asyncpg.LockNotAvailableError when a writer holds the instrument for longer."""
        async with self._database.open_transaction() as transaction:
            driver = transaction.driver
            await driver.execute(f"SET LOCAL lock_timeout = '{round(wait_s * 1000):d}ms'")
            await driver.execute(
                "UPDATE instrument SET last_record_time_ns = $2 "
                "WHERE instrument_no = $1 AND last_record_time_ns < $2",
                instrument_no,
                as_of_ns,
            )
            first: int | None = await driver.fetchval(
                "SELECT min(record_time_ns) FROM bar_batch WHERE instrument_no = $1", instrument_no
            )
            await transaction.commit()
        return first

    async def open_time_before(
        self, instrument_no: int, interval: BarInterval, before_ns: int, count: int
    ) -> int | None:
        """When the ``count``-th bar (from 1) before ``before_ns`` opened; None when there are fewer."""
        bar = tables.bars.c
        query = (
            sa.select(bar.open_time_ns)
            .where(bar.instrument_no == instrument_no, bar.interval == interval)
            .where(bar.open_time_ns < before_ns)
            .order_by(bar.open_time_ns.desc())
            .offset(count - 1)
            .limit(1)
        )
        async with self._database.read() as connection:
            found: int | None = (await connection.execute(query)).scalar()
        return found

    async def state(self, instrument_no: int, interval: BarInterval) -> str:
        """Names the bars as they are now: never again the same after they changed, in no database.

        Empty while there are none. The transaction that wrote the version, with the cluster and the database,
        tells apart what a restored copy would count alike.
        """
        query = (
            "SELECT (pg_control_system()).system_identifier, "
            "(SELECT oid FROM pg_database WHERE datname = current_database()), xmin, version "
            "FROM bar_version WHERE instrument_no = $1 AND interval = $2"
        )
        async with self._database.raw() as driver:
            row = await driver.fetchrow(query, instrument_no, int(interval))
        return "" if row is None else ".".join(map(str, row))

    async def states(self, instrument_no: int) -> str:
        """`state` of all intervals in one name."""
        query = (
            "SELECT (pg_control_system()).system_identifier, "
            "(SELECT oid FROM pg_database WHERE datname = current_database()), xmin, version, "
            '"interval" FROM bar_version WHERE instrument_no = $1 ORDER BY "interval"'
        )
        async with self._database.raw() as driver:
            rows = await driver.fetch(query, instrument_no)
        return ",".join(".".join(map(str, row)) for row in rows)

    async def intervals(self, instrument_no: int, as_of_ns: int | None = None) -> list[BarInterval]:
        """The intervals of which there are bars, or were at ``as_of_ns``."""
        # Bars that were all removed have a version too.
        exists = " OR ".join(
            # Not EXISTS, which is planned as a join that reads every bar.
            f"(SELECT 1 FROM {table} b WHERE b.instrument_no = v.instrument_no "  # noqa: S608
            f"AND b.interval = v.interval {condition} LIMIT 1) IS NOT NULL"
            for table, condition in _versions(instrument_no, as_of_ns)
        )
        query = (
            f'SELECT "interval" FROM bar_version v WHERE instrument_no = {instrument_no:d} AND ({exists}) '  # noqa: S608
            'ORDER BY "interval"'
        )
        async with self._database.raw() as driver:
            return [BarInterval(row[0]) for row in await driver.fetch(query)]

    async def span(
        self, instrument_no: int, interval: BarInterval, as_of_ns: int | None = None
    ) -> tuple[int, int] | None:
        """Open times of the first and the last bar; None when there is none."""
        ends = " UNION ALL ".join(
            f"(SELECT min(open_time_ns), max(open_time_ns) FROM {table} b "  # noqa: S608
            f"WHERE instrument_no = {instrument_no:d} AND interval = {interval:d} {condition})"
            for table, condition in _versions(instrument_no, as_of_ns)
        )
        async with self._database.raw() as driver:
            rows = [tuple(row) for row in await driver.fetch(ends) if row[0] is not None]
        return (min(first for first, _ in rows), max(last for _, last in rows)) if rows else None

    async def closes_before(
        self,
        instrument_no: int,
        interval: BarInterval,
        times_ns: Sequence[int],
        as_of_ns: int | None = None,
    ) -> list[float | None]:
        """For each time the close of the last bar that opened before it; None when there is none."""
        candidates = " UNION ALL ".join(
            f"(SELECT open_time_ns, close FROM {table} b WHERE instrument_no = {instrument_no:d} "  # noqa: S608
            f"AND interval = {interval:d} AND open_time_ns < t {condition} "
            "ORDER BY open_time_ns DESC LIMIT 1)"
            for table, condition in _versions(instrument_no, as_of_ns)
        )
        query = (
            f"SELECT (SELECT close FROM ({candidates}) c ORDER BY open_time_ns DESC LIMIT 1) "  # noqa: S608
            "FROM unnest($1::bigint[]) WITH ORDINALITY AS times(t, place) ORDER BY place"
        )
        async with self._database.raw() as driver:
            return [row[0] for row in await driver.fetch(query, list(times_ns))]


def range_query(
    kind: type[Bars],
    instrument_no: int,
    interval: BarInterval,
    *,
    start_ns: int,
    end_ns: int,
    as_of_ns: int | None = None,
) -> str:
    """The `columns_of` (kind) of a range's bars, oldest first; with ``as_of_ns`` as they were known then."""
    # COPY takes no parameters; these are integers of ours.
    held = " UNION ALL ".join(
        f"SELECT {_list(kind)} FROM {table} b "  # noqa: S608
        f"WHERE instrument_no = {instrument_no:d} AND interval = {interval:d} "
        f"AND open_time_ns >= {start_ns:d} AND open_time_ns < {end_ns:d} {condition}"
        for table, condition in _versions(instrument_no, as_of_ns)
    )
    return f"{held} ORDER BY open_time_ns"


def _versions(instrument_no: int, as_of_ns: int | None) -> list[tuple[str, str]]:
    """The tables where the versions known at a time lie, and the condition on their rows."""
    if as_of_ns is None:
        return [("bar", "")]
    recorded = (
        "AND b.batch_no = ANY (ARRAY (SELECT batch_no FROM bar_batch "  # noqa: S608
        f"WHERE instrument_no = {instrument_no:d} AND record_time_ns <= {as_of_ns:d}))"
    )
    return [("bar", recorded), ("bar_revision", f"{recorded} AND superseded_time_ns > {as_of_ns:d}")]


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
    """Store bars, in the caller's transaction; those held already stay as they are.

    Returns how many are new.
    """
    async with _staged(driver, bars):
        inserted = await _insert_staged(driver, instrument_no, interval, batch_no)
    if inserted:
        await count_change(driver, instrument_no, interval)
    return inserted


@dataclass(frozen=True, slots=True)
class Revised:
    """What became of bars, in rows."""

    inserted: int
    superseded: int
    """Held with other values; what they were is kept."""


async def revise_bars(
    driver: asyncpg.Connection, instrument_no: int, interval: BarInterval, batch_no: int, bars: SourceBars
) -> Revised:
    """Store bars, each time once, in the caller's transaction; they take the place of those that differ.

    The batch must have been recorded in this transaction: `as_of` reads tell by it what was known when.
    """
    differs = (
        f"b.instrument_no = {instrument_no:d} AND b.interval = {interval:d} "
        f"AND b.open_time_ns = s.open_time_ns AND ({_values('b')}) IS DISTINCT FROM ({_values('s')})"
    )
    columns = _list(SourceBars)
    changes = ", ".join(f'"{name}" = s."{name}"' for name in columns_of(SourceBars))
    async with _staged(driver, bars):
        # What this batch itself stored was never known to anyone.
        await driver.execute(
            f"INSERT INTO bar_revision (instrument_no, interval, batch_no, {columns}, superseded_by, "  # noqa: S608
            f"superseded_time_ns) SELECT b.instrument_no, b.interval, b.batch_no, {_values('b')}, "
            "batch.batch_no, batch.record_time_ns FROM bar b JOIN bar_staging s USING (open_time_ns), "
            f"bar_batch batch WHERE {differs} AND batch.batch_no = {batch_no:d} "
            f"AND b.batch_no <> {batch_no:d}"
        )
        updated = await driver.execute(
            f"UPDATE bar b SET {changes}, batch_no = {batch_no:d} FROM bar_staging s WHERE {differs}"  # noqa: S608
        )
        inserted = await _insert_staged(driver, instrument_no, interval, batch_no)
    revised = Revised(inserted, _rows(updated))
    if revised.inserted or revised.superseded:
        await count_change(driver, instrument_no, interval)
    return revised


async def remove_bars(
    driver: asyncpg.Connection,
    instrument_no: int,
    interval: BarInterval,
    batch_no: int,
    open_times: Collection[int],
) -> int:
    """Remove the bars of these open times, in the caller's transaction; returns how many were held.

    What they were is kept, as by `revise_bars`.
    """
    columns = _list(SourceBars)
    count: int = await driver.fetchval(
        f"WITH gone AS (DELETE FROM bar WHERE instrument_no = {instrument_no:d} "  # noqa: S608
        f"AND interval = {interval:d} AND open_time_ns = ANY($1::bigint[]) RETURNING *), "
        f"kept AS (INSERT INTO bar_revision (instrument_no, interval, batch_no, {columns}, superseded_by, "
        f"superseded_time_ns) SELECT gone.instrument_no, gone.interval, gone.batch_no, {_values('gone')}, "
        "batch.batch_no, batch.record_time_ns FROM gone, bar_batch batch "
        f"WHERE batch.batch_no = {batch_no:d} AND gone.batch_no <> {batch_no:d}) "
        "SELECT count(*) FROM gone",
        [int(time_ns) for time_ns in open_times],
    )
    if count:
        await count_change(driver, instrument_no, interval)
    return count


@asynccontextmanager
async def _staged(driver: asyncpg.Connection, bars: SourceBars) -> AsyncIterator[None]:
    """The bars in a table of this transaction, since COPY knows no conflicts."""
    columns = _list(SourceBars)
    await driver.execute(
        f"CREATE TEMPORARY TABLE bar_staging ON COMMIT DROP AS SELECT {columns} FROM bar WITH NO DATA"  # noqa: S608
    )
    # A view, because asyncpg takes bytes for the name of a file.
    rows = memoryview(encode_bars(bars))
    await driver.copy_to_table("bar_staging", source=rows, columns=columns_of(SourceBars), format="binary")
    yield
    await driver.execute("DROP TABLE bar_staging")


async def _insert_staged(
    driver: asyncpg.Connection, instrument_no: int, interval: BarInterval, batch_no: int
) -> int:
    columns = _list(SourceBars)
    inserted = await driver.execute(
        f"INSERT INTO bar (instrument_no, interval, batch_no, {columns}) "  # noqa: S608
        f"SELECT {instrument_no:d}, {interval:d}, {batch_no:d}, {columns} FROM bar_staging "
        "ORDER BY open_time_ns ON CONFLICT DO NOTHING"
    )
    return _rows(inserted)


async def count_change(driver: asyncpg.Connection, instrument_no: int, interval: BarInterval) -> None:
    """Say, in the caller's transaction, that it changes these bars: what is kept of them elsewhere is old."""
    await driver.execute(
        "INSERT INTO bar_version (instrument_no, interval, version) VALUES ($1, $2, 1) "
        "ON CONFLICT (instrument_no, interval) DO UPDATE SET version = bar_version.version + 1",
        instrument_no,
        int(interval),
    )


def _list(kind: type[Bars]) -> str:
    return ", ".join(f'"{name}"' for name in columns_of(kind))


def _values(alias: str) -> str:
    return ", ".join(f'{alias}."{name}"' for name in columns_of(SourceBars))


def _rows(tag: str) -> int:
    return int(tag.rpartition(" ")[2])
