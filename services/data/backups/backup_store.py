"""Jobs on backups in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.data import tables
from services.data.domain.backup import BackupJob, BackupJobKind
from services.runtime.database import Database
from services.runtime.jobs.job import JobState
from services.runtime.jobs.job_store import JobStore


class BackupStore(JobStore[BackupJob]):
    """The table of jobs."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, tables.backup_jobs, changing=("backup_id", "database"))

    async def load(self, _connection: AsyncConnection, rows: Sequence[sa.Row[Any]]) -> list[BackupJob]:
        """The jobs; there is nothing beside their rows."""
        return [_job(row) for row in rows]


def _job(row: sa.Row[Any]) -> BackupJob:
    values = dict(row._mapping)  # noqa: SLF001  its public name
    values["kind"] = BackupJobKind(values["kind"])
    values["state"] = JobState(values["state"])
    return BackupJob(**values)
