"""Schedules in PostgreSQL."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.data import tables
from services.data.domain.bars import BarInterval
from services.data.domain.ingestion import IngestionKind
from services.data.domain.schedule import Schedule
from services.runtime.database import Database


class ScheduleStore:
    """The table of schedules."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, schedule_id: str) -> Schedule | None:
        """One, also when it was deleted."""
        found = await self._select(tables.ingestion_schedules.c.schedule_id == schedule_id, limit=1)
        return found[0] if found else None

    async def list_page(self, *, after: str | None, limit: int) -> list[Schedule]:
        """Up to ``limit`` that are not deleted made after ``after``, oldest first."""
        columns = tables.ingestion_schedules.c
        where: sa.ColumnElement[bool] = columns.delete_time_ns.is_(None)
        if after is not None:
            where = sa.and_(where, columns.schedule_id > after)
        return await self._select(where, limit=limit)

    async def active(self) -> list[Schedule]:
        """All that may fall due."""
        columns = tables.ingestion_schedules.c
        return await self._select(sa.and_(columns.delete_time_ns.is_(None), sa.not_(columns.paused)))

    async def change(self, schedule_id: str, **values: object) -> None:
        """Set columns of one that is not deleted."""
        columns = tables.ingestion_schedules.c
        where = sa.and_(columns.schedule_id == schedule_id, columns.delete_time_ns.is_(None))
        async with self._database.transaction() as connection:
            await connection.execute(sa.update(tables.ingestion_schedules).where(where).values(**values))

    async def _select(self, where: sa.ColumnElement[bool], *, limit: int | None = None) -> list[Schedule]:
        table = tables.ingestion_schedules
        query = sa.select(table).where(where).order_by(table.c.schedule_id).limit(limit)
        async with self._database.read() as connection:
            return [_schedule(row) for row in await connection.execute(query)]


async def insert_schedule(connection: AsyncConnection, schedule: Schedule) -> None:
    """Record a new one in the caller's transaction."""
    values = {column.name: getattr(schedule, column.name) for column in tables.ingestion_schedules.columns}
    values["symbols"], values["interval"] = list(schedule.symbols), int(schedule.interval)
    values["kind"] = int(schedule.kind)
    await connection.execute(sa.insert(tables.ingestion_schedules), values)


async def claim_due(connection: AsyncConnection, schedule: Schedule, due_ns: int, ingestion_id: str) -> bool:
    """Say in the caller's transaction that a due time is made; False when it was, or must not be any more."""
    columns = tables.ingestion_schedules.c
    statement = (
        sa.update(tables.ingestion_schedules)
        .where(columns.schedule_id == schedule.schedule_id, columns.last_due_ns < due_ns)
        .where(columns.delete_time_ns.is_(None), sa.not_(columns.paused))
        .values(last_due_ns=due_ns, last_ingestion_id=ingestion_id)
        .returning(columns.schedule_id)
    )
    return (await connection.execute(statement)).first() is not None


def _schedule(row: sa.Row[tuple[object, ...]]) -> Schedule:
    schedule = Schedule(**row._mapping)  # noqa: SLF001  its public name
    return replace(
        schedule,
        symbols=tuple(schedule.symbols),
        interval=BarInterval(schedule.interval),
        kind=IngestionKind(schedule.kind),
    )
