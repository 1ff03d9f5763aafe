"""A job on backups of the whole mesh: making one, comparing its files, trying to restore it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

from services.runtime.jobs import job as jobs
from services.runtime.jobs.job import Job, JobState


class BackupJobKind(IntEnum):
    """What a job does, numbered as in the contract."""

    CREATE = 1
    VERIFY = 2
    RESTORE = 3


@dataclass(frozen=True, slots=True)
class BackupJob(Job):
    """The job as recorded."""

    backup_job_id: str
    kind: BackupJobKind
    backup_id: str
    keep_newest: int = 0
    """Of a CREATE: how many backups are kept; 0 is all."""
    keep_database: bool = False
    """Of a RESTORE: whether its database stays."""
    database: str = ""
    """The database that a RESTORE left."""

    @property
    def job_id(self) -> str:
        """Its id."""
        return self.backup_job_id


def start(job: BackupJob, *, new_backup_id: str, now_ns: int) -> BackupJob:
    """The job under way, from its beginning.

    A CREATE that was interrupted makes another backup: of another moment and id.
    """
    is_repeat = job.kind is BackupJobKind.CREATE and job.state is JobState.RUNNING
    backup_id = new_backup_id if is_repeat else job.backup_id
    return replace(jobs.start(job, "begin", now_ns), backup_id=backup_id, progress=0.0)
