"""Ingestions in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.data import tables
from services.data.domain.ingestion import Ingestion, JobState, SymbolResult
from services.runtime.database import Database

_UNFINISHED = (int(JobState.PENDING), int(JobState.RUNNING))


class IngestionStore:
    """The tables of ingestions and their results."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, ingestion_id: str) -> Ingestion | None:
        """One ingestion with its results."""
        found = await self._select(tables.ingestions.c.ingestion_id == ingestion_id, limit=1)
        return found[0] if found else None

    async def list_page(self, *, before: str | None, limit: int) -> list[Ingestion]:
        """Up to ``limit`` ingestions made before ``before``, newest first (ids are ordered by time)."""
        where = sa.true() if before is None else tables.ingestions.c.ingestion_id < before
        return await self._select(where, limit=limit)

    async def next_unfinished(self) -> Ingestion | None:
        """The oldest ingestion that has not ended."""
        found = await self._select(tables.ingestions.c.state.in_(_UNFINISHED), limit=1, oldest_first=True)
        return found[0] if found else None

    async def update(self, ingestion: Ingestion) -> None:
        """Record the job's status in a transaction of its own."""
        async with self._database.transaction() as connection:
            await update_ingestion(connection, ingestion)

    async def request_cancel(self, ingestion_id: str, now_ns: int) -> None:
        """Ask the job to stop."""
        statement = (
            sa.update(tables.ingestions)
            .where(tables.ingestions.c.ingestion_id == ingestion_id)
            .values(cancel_requested=True, update_time_ns=now_ns)
        )
        async with self._database.transaction() as connection:
            await connection.execute(statement)

    async def is_cancel_requested(self, ingestion_id: str) -> bool:
        """Whether the job was asked to stop."""
        column = tables.ingestions.c.cancel_requested
        query = sa.select(column).where(tables.ingestions.c.ingestion_id == ingestion_id)
        async with self._database.read() as connection:
            return bool((await connection.execute(query)).scalar_one())

    async def _select(
        self, where: sa.ColumnElement[bool], *, limit: int, oldest_first: bool = False
    ) -> list[Ingestion]:
        by_id = tables.ingestions.c.ingestion_id
        query = sa.select(tables.ingestions).where(where).limit(limit)
        query = query.order_by(by_id if oldest_first else by_id.desc())
        # One snapshot, so that progress and results agree.
        async with self._database.transaction() as connection:
            await connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            rows = (await connection.execute(query)).all()
            results = await _results(connection, [row.ingestion_id for row in rows])
        return [_ingestion(row, results.get(row.ingestion_id, ())) for row in rows]


async def insert_ingestion(connection: AsyncConnection, ingestion: Ingestion) -> None:
    """Record a new ingestion in the caller's transaction."""
    await connection.execute(sa.insert(tables.ingestions), _values(ingestion))


async def update_ingestion(connection: AsyncConnection, ingestion: Ingestion) -> None:
    """Record the job's status in the caller's transaction; a request to cancel is not overwritten."""
    values = _values(ingestion)
    del values["cancel_requested"]
    is_it = tables.ingestions.c.ingestion_id == ingestion.ingestion_id
    await connection.execute(sa.update(tables.ingestions).where(is_it).values(values))


async def insert_result(connection: AsyncConnection, ingestion_id: str, result: SymbolResult) -> None:
    """Record what came of a symbol in the caller's transaction."""
    await connection.execute(
        sa.insert(tables.ingestion_results), {"ingestion_id": ingestion_id, **asdict(result)}
    )


async def insert_batch(
    connection: AsyncConnection, ingestion_id: str, *, source: str, fetch_time_ns: int
) -> int:
    """Record where the bars to come are from; returns the batch's number."""
    statement = (
        sa.insert(tables.bar_batches)
        .values(ingestion_id=ingestion_id, source=source, fetch_time_ns=fetch_time_ns)
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
        found[ingestion_id] = (*found.get(ingestion_id, ()), SymbolResult(**values))
    return found


def _ingestion(row: sa.Row[tuple[object, ...]], results: tuple[SymbolResult, ...]) -> Ingestion:
    values = dict(row._mapping)  # noqa: SLF001  its public name
    values["state"] = JobState(values["state"])
    values["symbols"] = tuple(values["symbols"])
    return Ingestion(**values, results=results)


def _values(ingestion: Ingestion) -> dict[str, object]:
    values = {column.name: getattr(ingestion, column.name) for column in tables.ingestions.columns}
    values["symbols"] = list(ingestion.symbols)
    values["state"] = int(ingestion.state)
    return values
