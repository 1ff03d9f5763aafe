"""The work of jobs on backups: make one, compare its files, try to restore it."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from services.data.domain.backup import BackupJob, BackupJobKind, start
from services.runtime.backup.archives import Archives, Report
from services.runtime.backup.dump import create_archive
from services.runtime.backup.errors import BackupError
from services.runtime.backup.manifest import Manifest
from services.runtime.backup.restore import check_archive, drop_database, restore_archive
from services.runtime.clock import Clock
from services.runtime.ids import new_id
from services.runtime.jobs.job import JobFailedError, JobState, finish
from services.runtime.jobs.runner import JobRunner

_DRILL = "bifrost_restored_"


class BackupWork:
    """What is done for all jobs on backups, one after the other.

    Args:
        runner: of the jobs.
        archives: the folder of backups.
        url: of a role that may read every schema and make databases; None: there is none.
        clock: the wall clock.
        spare_bytes: room that a backup leaves free on the disk.
    """

    def __init__(
        self,
        runner: JobRunner[BackupJob],
        archives: Archives,
        *,
        url: str | None,
        clock: Clock,
        spare_bytes: int,
    ) -> None:
        self._runner = runner
        self._archives = archives
        self._url = url
        self._clock = clock
        self._spare_bytes = spare_bytes

    async def run(self) -> None:
        """Run the jobs until the service drains.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away; run it again and it begins the job anew.
        """
        await self._runner.run(self._do)

    async def _do(self, job: BackupJob) -> BackupJob:
        if await self._is_done(job):
            return finish(job, "made before a restart", self._clock.now_ns())
        now_ns = self._clock.now_ns()
        job = await self._runner.record(start(job, new_backup_id=new_id(self._clock), now_ns=now_ns))
        try:
            async with self._runner.reporting(job) as report:
                return await self._work(job, report)
        except BackupError as error:
            raise JobFailedError(error.reason, str(error)) from error

    async def _is_done(self, job: BackupJob) -> bool:
        """Whether the backup was whole when the process that made it was killed."""
        if job.kind is not BackupJobKind.CREATE or job.state is not JobState.RUNNING:
            return False
        try:
            return (await asyncio.to_thread(self._archives.look, job.backup_id)).manifest is not None
        except BackupError:
            return False

    async def _work(self, job: BackupJob, report: Report) -> BackupJob:
        if job.kind is BackupJobKind.VERIFY:
            return await self._verify(job, report)
        if self._url is None:
            raise BackupError("BACKUP_NOT_CONFIGURED", "BIFROST_BACKUP_DATABASE_URL is not set")
        if job.kind is BackupJobKind.CREATE:
            return await self._create(job, self._url, report)
        return await self._restore(job, self._url, report)

    async def _create(self, job: BackupJob, url: str, report: Report) -> BackupJob:
        await asyncio.to_thread(self._archives.clear_partial)
        manifest = await create_archive(
            self._archives,
            job.backup_id,
            url=url,
            clock=self._clock,
            report=report,
            spare_bytes=self._spare_bytes,
        )
        message = f"{_size(manifest)} backed up"
        if job.keep_newest:
            removed = await asyncio.to_thread(self._archives.keep_newest, job.keep_newest)
            message += f"; {len(removed)} older backups removed" if removed else ""
        return finish(job, message, self._clock.now_ns())

    async def _verify(self, job: BackupJob, report: Report) -> BackupJob:
        folder = await asyncio.to_thread(self._archives.find, job.backup_id)
        manifest = await check_archive(folder, report)
        return finish(job, f"all {len(manifest.files)} files are as written", self._clock.now_ns())

    async def _restore(self, job: BackupJob, url: str, report: Report) -> BackupJob:
        folder = await asyncio.to_thread(self._archives.find, job.backup_id)
        # Of this job alone: what an interrupted attempt left goes by the same name.
        database = _DRILL + job.backup_job_id.replace("-", "")
        manifest = await restore_archive(folder, database, url=url, report=report, with_owners=False)
        if not job.keep_database:
            await drop_database(url, database)
        message = f"{_size(manifest)} restored, each table equal to the backup"
        left = database if job.keep_database else ""
        return finish(replace(job, database=left), message, self._clock.now_ns())


def _size(manifest: Manifest) -> str:
    return f"{len(manifest.tables)} tables, {manifest.rows:,} rows, {manifest.size_bytes / 2**20:,.1f} MiB"
