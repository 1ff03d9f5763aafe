"""Jobs in PostgreSQL: the columns all tables of jobs share, and what is asked of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import Any, Generic

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.runtime.database import Database
from services.runtime.jobs.job import J, Job, JobEndedError, JobState

_UNFINISHED = tuple(int(state) for state in JobState if not state.has_ended)
_STATUS = ("state", "progress", "stage", "message", "error_reason", "error_message", "update_time_ns")


def job_columns(*, cancellable: bool) -> list[sa.Column[Any]]:
    """The columns of a job's status, for a table whose primary key is its id; a migration makes them."""
    columns: list[sa.Column[Any]] = [
        sa.Column("state", sa.SmallInteger, nullable=False, index=True),
        sa.Column("progress", sa.Double, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("error_reason", sa.Text, nullable=False),
        sa.Column("error_message", sa.Text, nullable=False),
        sa.Column("create_time_ns", sa.BigInteger, nullable=False),
        sa.Column("update_time_ns", sa.BigInteger, nullable=False),
    ]
    if cancellable:
        columns.append(sa.Column("cancel_requested", sa.Boolean, nullable=False))
    return columns


async def insert_job(connection: AsyncConnection, table: sa.Table, job: Job) -> None:
    """Record a new job in the caller's transaction."""
    values = {column.name: getattr(job, column.name) for column in table.columns}
    await connection.execute(sa.insert(table), values)


async def update_job(
    connection: AsyncConnection, table: sa.Table, job: Job, also: Collection[str] = ()
) -> None:
    """Record the job's status, and other columns, in the caller's transaction.

    A request to cancel is not overwritten, nor is how the job ended.

    Raises:
        JobEndedError: it is recorded as ended already.
    """
    values = {name: getattr(job, name) for name in (*_STATUS, *also)}
    changed = await connection.execute(sa.update(table).where(*_unfinished(table, job.job_id)).values(values))
    if not changed.rowcount:
        raise JobEndedError(job.job_id)


class JobStore(ABC, Generic[J]):
    """One table of jobs. A service's own store says how a row becomes a job."""

    def __init__(self, database: Database, table: sa.Table, *, changing: Collection[str] = ()) -> None:
        """``changing``: the columns beside the status that a job's work changes."""
        self.database = database
        self.table = table
        self._changing = changing
        self._id: sa.Column[str] = next(iter(table.primary_key))

    @abstractmethod
    async def load(self, connection: AsyncConnection, rows: Sequence[sa.Row[Any]]) -> list[J]:
        """The jobs of these rows, in their order; ``connection`` shows the same snapshot as they do."""

    async def read(self, job_id: str) -> J | None:
        """One job."""
        found = await self._select(sa.select(self.table).where(self._id == job_id))
        return found[0] if found else None

    async def list_page(self, *where: sa.ColumnElement[bool], before: str | None, limit: int) -> list[J]:
        """Up to ``limit`` jobs made before ``before``, newest first."""
        query = sa.select(self.table).where(*where).order_by(self._id.desc()).limit(limit)
        return await self._select(query if before is None else query.where(self._id < before))

    async def next_unfinished(self, *where: sa.ColumnElement[bool]) -> J | None:
        """The oldest job that has not ended."""
        unfinished = self.table.c.state.in_(_UNFINISHED)
        query = sa.select(self.table).where(unfinished, *where).order_by(self._id).limit(1)
        found = await self._select(query)
        return found[0] if found else None

    async def update(self, job: J) -> None:
        """Record the job's status in a transaction of its own.

        Raises:
            JobEndedError: it is recorded as ended already.
        """
        async with self.database.transaction() as connection:
            await update_job(connection, self.table, job, self._changing)

    async def request_cancel(self, job_id: str, now_ns: int) -> None:
        """Record that the job is to stop; one that has ended is left as it is."""
        times = sa.func.greatest(self.table.c.update_time_ns, now_ns)
        values = {"cancel_requested": True, "update_time_ns": times}
        statement = sa.update(self.table).where(*_unfinished(self.table, job_id)).values(values)
        async with self.database.transaction() as connection:
            await connection.execute(statement)

    async def is_cancel_requested(self, job_id: str) -> bool:
        """Whether somebody asked the job to stop."""
        query = sa.select(self.table.c.cancel_requested).where(self._id == job_id)
        async with self.database.read() as connection:
            return bool((await connection.execute(query)).scalar_one())

    async def _select(self, query: sa.Select[Any]) -> list[J]:
        # One snapshot, so that a job and what is recorded of it elsewhere agree.
        async with self.database.transaction() as connection:
            await connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            return await self.load(connection, (await connection.execute(query)).all())


def _unfinished(table: sa.Table, job_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    key: sa.Column[str] = next(iter(table.primary_key))
    return key == job_id, table.c.state.in_(_UNFINISHED)
