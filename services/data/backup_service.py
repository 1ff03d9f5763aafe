"""BackupService: backups of the whole mesh, as jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from bifrost.data.v1 import backup_service_pb2 as pb
from bifrost.data.v1 import backup_service_pb2_grpc as pb_grpc
from bifrost.type.v1 import stream_pb2
from services.data.backups.backup_store import BackupStore
from services.data.convert_backups import backup_job_message, backup_message
from services.data.domain.backup import BackupJob, BackupJobKind
from services.runtime.backup.archives import Archives, Listed
from services.runtime.backup.errors import BackupError
from services.runtime.clock import Clock
from services.runtime.errors import ApiError, failed_precondition, not_found
from services.runtime.idempotency import IdempotencyStore
from services.runtime.ids import new_id
from services.runtime.jobs.changes import JobChanges
from services.runtime.jobs.requests import JobRequests
from services.runtime.pagination import decode_page_token, encode_page_token, page_size, text

if TYPE_CHECKING:
    from grpc.aio import ServicerContext


class BackupService(pb_grpc.BackupServiceServicer):
    """The servicer."""

    def __init__(
        self,
        store: BackupStore,
        changes: JobChanges,
        archives: Archives,
        idempotency: IdempotencyStore,
        *,
        is_configured: bool,
        clock: Clock,
        heartbeat_s: float,
    ) -> None:
        """``is_configured``: whether there is a role to make and restore backups with."""
        self._jobs = JobRequests(
            store, changes, idempotency, missing=_missing, clock=clock, heartbeat_s=heartbeat_s
        )
        self._archives = archives
        self._is_configured = is_configured
        self._clock = clock

    async def CreateBackup(
        self,
        request: pb.CreateBackupRequest,
        _context: ServicerContext[pb.CreateBackupRequest, pb.CreateBackupResponse],
    ) -> pb.CreateBackupResponse:
        """Record the job and return it PENDING."""
        self._check_configured()
        now_ns = self._clock.now_ns()
        job = BackupJob(
            new_id(self._clock),
            BackupJobKind.CREATE,
            new_id(self._clock),
            create_time_ns=now_ns,
            update_time_ns=now_ns,
            keep_newest=request.keep_newest,
        )
        job, duplicate = await self._jobs.create(job, "CreateBackup", request, request.request_id)
        return pb.CreateBackupResponse(job=backup_job_message(job), duplicate=duplicate)

    async def ListBackups(
        self,
        request: pb.ListBackupsRequest,
        _context: ServicerContext[pb.ListBackupsRequest, pb.ListBackupsResponse],
    ) -> pb.ListBackupsResponse:
        """A page, newest first."""
        position = decode_page_token(request, request.page_token, backup_id=text)
        found = await asyncio.to_thread(self._archives.list_all)
        if position is not None:
            found = [listed for listed in found if listed.backup_id < str(position["backup_id"])]
        size = page_size(request.page_size)
        token = ""
        if len(found) > size:
            token = encode_page_token(request, {"backup_id": found[size - 1].backup_id})
        return pb.ListBackupsResponse(backups=map(backup_message, found[:size]), next_page_token=token)

    async def GetBackup(
        self,
        request: pb.GetBackupRequest,
        _context: ServicerContext[pb.GetBackupRequest, pb.GetBackupResponse],
    ) -> pb.GetBackupResponse:
        """One with its tables."""
        listed = await self._look(request.backup_id)
        return pb.GetBackupResponse(backup=backup_message(listed, with_tables=True))

    async def VerifyBackup(
        self,
        request: pb.VerifyBackupRequest,
        _context: ServicerContext[pb.VerifyBackupRequest, pb.VerifyBackupResponse],
    ) -> pb.VerifyBackupResponse:
        """Record the job and return it PENDING."""
        listed = await self._look(request.backup_id)
        now_ns = self._clock.now_ns()
        job = BackupJob(
            new_id(self._clock),
            BackupJobKind.VERIFY,
            listed.backup_id,
            create_time_ns=now_ns,
            update_time_ns=now_ns,
        )
        job, duplicate = await self._jobs.create(job, "VerifyBackup", request, request.request_id)
        return pb.VerifyBackupResponse(job=backup_job_message(job), duplicate=duplicate)

    async def RestoreBackup(
        self,
        request: pb.RestoreBackupRequest,
        _context: ServicerContext[pb.RestoreBackupRequest, pb.RestoreBackupResponse],
    ) -> pb.RestoreBackupResponse:
        """Record the job and return it PENDING."""
        self._check_configured()
        listed = await self._look(request.backup_id)
        now_ns = self._clock.now_ns()
        job = BackupJob(
            new_id(self._clock),
            BackupJobKind.RESTORE,
            listed.backup_id,
            create_time_ns=now_ns,
            update_time_ns=now_ns,
            keep_database=request.keep_database,
        )
        job, duplicate = await self._jobs.create(job, "RestoreBackup", request, request.request_id)
        return pb.RestoreBackupResponse(job=backup_job_message(job), duplicate=duplicate)

    async def GetBackupJob(
        self,
        request: pb.GetBackupJobRequest,
        _context: ServicerContext[pb.GetBackupJobRequest, pb.GetBackupJobResponse],
    ) -> pb.GetBackupJobResponse:
        """The job as it is now."""
        return pb.GetBackupJobResponse(job=backup_job_message(await self._jobs.find(request.backup_job_id)))

    async def WatchBackup(
        self,
        request: pb.WatchBackupRequest,
        _context: ServicerContext[pb.WatchBackupRequest, pb.WatchBackupResponse],
    ) -> AsyncIterator[pb.WatchBackupResponse]:
        """The job at every change until it has ended."""
        async for header, job in self._jobs.watch(request.backup_job_id):
            if job is None:
                yield pb.WatchBackupResponse(header=header, heartbeat=stream_pb2.Heartbeat())
            else:
                yield pb.WatchBackupResponse(header=header, job=backup_job_message(job))

    async def _look(self, backup_id: str) -> Listed:
        try:
            return await asyncio.to_thread(self._archives.look, backup_id.lower())
        except BackupError as error:
            raise not_found(error.reason, str(error), backup_id=backup_id) from error

    def _check_configured(self) -> None:
        if not self._is_configured:
            raise failed_precondition(
                "BACKUP_NOT_CONFIGURED",
                "the service has no role that may read every schema; set BIFROST_BACKUP_DATABASE_URL",
                precondition=("BACKUP_NOT_CONFIGURED", "BIFROST_BACKUP_DATABASE_URL", "unset"),
            )


def _missing(backup_job_id: str) -> ApiError:
    message = f"there is no job {backup_job_id}"
    return not_found("BACKUP_JOB_NOT_FOUND", message, backup_job_id=backup_job_id)
