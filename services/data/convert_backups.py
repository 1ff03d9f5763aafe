"""Backups and jobs on them as messages."""

from __future__ import annotations

from bifrost.data.v1 import backup_pb2
from services.data.domain.backup import BackupJob
from services.runtime.backup.archives import Listed
from services.runtime.backup.manifest import TableEntry
from services.runtime.clock import to_timestamp
from services.runtime.jobs.messages import status_message


def backup_message(listed: Listed, *, with_tables: bool = False) -> backup_pb2.Backup:
    """The archive as it lies in the folder."""
    message = backup_pb2.Backup(
        backup_id=listed.backup_id, folder=str(listed.folder), error_message=listed.error_message
    )
    manifest = listed.manifest
    if manifest is not None:
        message.snapshot_time.CopyFrom(to_timestamp(manifest.snapshot_time_ns))
        message.size_bytes = manifest.size_bytes
        message.row_count = manifest.rows
        message.server_version = manifest.server_version
        message.revisions.update(manifest.revisions)
        if with_tables:
            message.tables.extend(map(_table, manifest.tables))
    return message


def backup_job_message(job: BackupJob) -> backup_pb2.BackupJob:
    """The job."""
    return backup_pb2.BackupJob(
        backup_job_id=job.backup_job_id,
        kind=f"BACKUP_JOB_KIND_{job.kind.name}",
        backup_id=job.backup_id,
        database=job.database,
        status=status_message(job),
    )


def _table(entry: TableEntry) -> backup_pb2.BackupTable:
    return backup_pb2.BackupTable(
        schema=entry.schema_name, table=entry.table, row_count=entry.rows, checksum=entry.checksum
    )
