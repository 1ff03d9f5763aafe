"""Ingestions in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.data import tables
from services.data.domain.bars import BarInterval
from services.data.domain.ingestion import Ingestion, IngestionKind, SymbolError, SymbolResult
from services.runtime.database import Database
from services.runtime.jobs.job import JobState
from services.runtime.jobs.job_store import JobStore, insert_job, update_job


class IngestionStore(JobStore[Ingestion]):
    """The tables of ingestions and their results."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, tables.ingestions)

    async def load(self, connection: AsyncConnection, rows: Sequence[sa.Row[Any]]) -> list[Ingestion]:
        """The ingestions with their results."""
        results = await _results(connection, [row.ingestion_id for row in rows])
        return [_ingestion(row, results.get(row.ingestion_id, ())) for row in rows]

    async def last_open_time(self, source: str, symbol: str, interval: BarInterval) -> int | None:
        """When the last bar held of what the source calls so opened; None when there is none."""
        known, bar = tables.source_symbols.c, tables.bars.c
        number = sa.select(known.instrument_no).where(known.source == source, known.symbol == symbol)
        query = sa.select(sa.func.max(bar.open_time_ns)).where(
            bar.instrument_no == number.scalar_subquery(), bar.interval == int(interval)
        )
        async with self.database.read() as connection:
            last: int | None = (await connection.execute(query)).scalar()
        return last


async def insert_ingestion(connection: AsyncConnection, ingestion: Ingestion) -> None:
    """Record a new ingestion in the caller's transaction."""
    await insert_job(connection, tables.ingestions, ingestion)


async def update_ingestion(connection: AsyncConnection, ingestion: Ingestion) -> None:
    """Record the job's status in the caller's transaction.

    Raises:
        JobEndedError: it is recorded as ended already.
    """
    await update_job(connection, tables.ingestions, ingestion)


async def put_result(connection: AsyncConnection, ingestion_id: str, result: SymbolResult) -> None:
    """Record what came of a symbol so far in the caller's transaction."""
    values = {**asdict(result), "ingestion_id": ingestion_id, "state": int(result.state)}
    values["error"] = None if result.error is None else int(result.error)
    statement = insert(tables.ingestion_results).values(values)
    keys = ("ingestion_id", "symbol")
    changes = {name: value for name, value in values.items() if name not in keys}
    await connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes))


async def insert_batch(
    connection: AsyncConnection,
    ingestion_id: str | None,
    *,
    instrument_no: int,
    source: str,
    fetch_time_ns: int,
    record_time_ns: int,
) -> int:
    """Record where the instrument's bars to come are from; returns the batch's number.

    ``record_time_ns`` is what `instrument_store.begin_record` gave in this transaction.
    """
    instrument = tables.instruments.c
    currency = sa.select(instrument.currency).where(instrument.instrument_no == instrument_no)
    statement = (
        sa.insert(tables.bar_batches)
        .values(
            currency=currency.scalar_subquery(),
            instrument_no=instrument_no,
            ingestion_id=ingestion_id,
            source=source,
            fetch_time_ns=fetch_time_ns,
            record_time_ns=record_time_ns,
        )
        .returning(tables.bar_batches.c.batch_no)
    )
    number: int = (await connection.execute(statement)).scalar_one()
    return number


async def _results(
    connection: AsyncConnection, ingestion_ids: Sequence[str]
) -> dict[str, tuple[SymbolResult, ...]]:
    columns = tables.ingestion_results.c
    query = (
        sa.select(tables.ingestion_results)
        .where(columns.ingestion_id.in_(ingestion_ids))
        .order_by(columns.ingestion_id, columns.symbol)
    )
    found: dict[str, tuple[SymbolResult, ...]] = {}
    for row in await connection.execute(query):
        values = dict(row._mapping)  # noqa: SLF001  its public name
        ingestion_id = values.pop("ingestion_id")
        values["state"] = JobState(values["state"])
        values["error"] = None if values["error"] is None else SymbolError(values["error"])
        found[ingestion_id] = (*found.get(ingestion_id, ()), SymbolResult(**values))
    return found


def _ingestion(row: sa.Row[Any], results: tuple[SymbolResult, ...]) -> Ingestion:
    values = dict(row._mapping)  # noqa: SLF001  its public name
    values["state"] = JobState(values["state"])
    values["interval"] = BarInterval(values["interval"])
    values["kind"] = IngestionKind(values["kind"])
    values["symbols"] = tuple(values["symbols"])
    return Ingestion(**values, results=results)
