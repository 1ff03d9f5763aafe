"""BackupService: jobs, bad archives, and who may."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
import sqlalchemy

from bifrost.data.v1 import backup_pb2, backup_service_pb2
from bifrost.data.v1.backup_service_pb2_grpc import BackupServiceStub
from bifrost.type.v1 import job_pb2
from services.runtime.backup.archives import Archives, list_files
from services.runtime.backup.contents import connected
from services.runtime.backup.manifest import DUMP, MANIFEST, SEAL, Manifest, read_manifest, write_manifest
from services.runtime.backup.restore import database_url, read_tables
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import new_database
from services.runtime.testing_keys import MeshKeys, bearer
from services.runtime.waiting import until
from tests.contract.data.data_harness import RunningData, failure_of, start_data

SUCCEEDED, FAILED = job_pb2.JOB_STATE_SUCCEEDED, job_pb2.JOB_STATE_FAILED


@dataclass
class Backups:
    """The service as an administrator calls it."""

    data: RunningData
    stub: BackupServiceStub
    headers: list[tuple[str, str]]
    archives: Archives
    url: str
    """Of the role backup."""

    async def create(self, *, keep: int = 0, request_id: str = "") -> backup_pb2.BackupJob:
        request = backup_service_pb2.CreateBackupRequest(
            request_id=request_id or str(uuid.uuid4()), keep_newest=keep
        )
        return await self.end((await self.stub.CreateBackup(request, metadata=self.headers)).job)

    async def verify(self, backup_id: str) -> backup_pb2.BackupJob:
        request = backup_service_pb2.VerifyBackupRequest(request_id=str(uuid.uuid4()), backup_id=backup_id)
        return await self.end((await self.stub.VerifyBackup(request, metadata=self.headers)).job)

    async def restore(self, backup_id: str, *, keep: bool = False) -> backup_pb2.BackupJob:
        request = backup_service_pb2.RestoreBackupRequest(
            request_id=str(uuid.uuid4()), backup_id=backup_id, keep_database=keep
        )
        return await self.end((await self.stub.RestoreBackup(request, metadata=self.headers)).job)

    async def end(self, job: backup_pb2.BackupJob) -> backup_pb2.BackupJob:
        request = backup_service_pb2.WatchBackupRequest(backup_job_id=job.backup_job_id)
        async with asyncio.timeout(60):
            async for message in self.stub.WatchBackup(request, metadata=self.headers):
                if message.WhichOneof("event") == "job":
                    job = message.job
        return job

    async def list(self) -> list[backup_pb2.Backup]:
        request = backup_service_pb2.ListBackupsRequest()
        return list((await self.stub.ListBackups(request, metadata=self.headers)).backups)

    async def databases(self) -> set[str]:
        """Databases that drills have left."""
        async with connected(self.url) as connection:
            rows = await connection.fetch("SELECT datname FROM pg_database WHERE datname LIKE 'bifrost%'")
            return {row["datname"] for row in rows}


def backup_role(server: EmbeddedPostgres, url: str) -> str:
    """The URL of a role that may read all of a test's database, as the launcher's role does."""
    parsed = sqlalchemy.make_url(url)
    name, password = f"backup_{secrets.token_hex(4)}", secrets.token_hex(8)
    server.psql(
        f"CREATE ROLE {name} LOGIN CREATEDB PASSWORD '{password}'; GRANT pg_read_all_data TO {name};"
        f'GRANT CONNECT ON DATABASE "{parsed.database}" TO {name}'
    )
    return server.url(name, password, str(parsed.database))


async def start_backups(server: EmbeddedPostgres, folder: Path, database: str, **settings: object) -> Backups:
    keys, url = MeshKeys(folder), backup_role(server, database)
    values: dict[str, Any] = {
        "backup_database_url": url,
        "backup_dir": folder / "backups",
        "backup_spare_mib": 0,
    }
    data = await start_data(database, keys, **{**values, **settings})
    headers = bearer(keys.user_token(scope="backup:write"))
    return Backups(data, BackupServiceStub(data.channel), headers, Archives(folder / "backups"), url)


@pytest.fixture(scope="module")
async def backups(
    postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Backups]:
    folder = tmp_path_factory.mktemp("backups")
    running = await start_backups(postgres_server, folder, new_database(postgres_server))
    await running.data.ingest(symbols=["IBM"])
    yield running
    await running.data.stop()


async def test_backup_holds_every_table_and_is_restored_equal(backups: Backups) -> None:
    job = await backups.create()
    assert job.status.state == SUCCEEDED
    assert job.status.progress == 1.0
    request = backup_service_pb2.GetBackupRequest(backup_id=job.backup_id)
    backup = (await backups.stub.GetBackup(request, metadata=backups.headers)).backup
    counts = {table.table: table.row_count for table in backup.tables}
    assert {"instrument", "ingestion", "backup_job", "alembic_version"} <= counts.keys()
    assert counts["instrument"] == 1
    assert sum(count for table, count in counts.items() if table.startswith("bar")) > 1000
    assert list(backup.revisions) == ["data"]

    assert (await backups.verify(job.backup_id)).status.state == SUCCEEDED
    restored = await backups.restore(job.backup_id, keep=True)
    assert restored.status.state == SUCCEEDED, restored.status
    found = await read_tables(database_url(backups.url, restored.database))
    assert found == read_manifest(backups.archives.find(job.backup_id)).tables
    async with connected(backups.url) as connection:
        is_open = "SELECT has_database_privilege('public', $1, 'CONNECT')"
        assert not await connection.fetchval(is_open, restored.database)
    before = await backups.databases()
    assert (await backups.restore(job.backup_id)).database == ""
    assert await backups.databases() == before


async def test_a_repeat_makes_no_second_backup(backups: Backups) -> None:
    request = backup_service_pb2.CreateBackupRequest(request_id=str(uuid.uuid4()))
    first = await backups.stub.CreateBackup(request, metadata=backups.headers)
    again = await backups.stub.CreateBackup(request, metadata=backups.headers)
    assert again.duplicate
    assert again.job.backup_job_id == first.job.backup_job_id
    ended = await backups.end(first.job)
    asked = backup_service_pb2.GetBackupJobRequest(backup_job_id=first.job.backup_job_id)
    assert (await backups.stub.GetBackupJob(asked, metadata=backups.headers)).job == ended


async def test_pages_and_retention(backups: Backups) -> None:
    made = [(await backups.create()).backup_id for _ in range(2)]
    request = backup_service_pb2.ListBackupsRequest(page_size=1)
    first = await backups.stub.ListBackups(request, metadata=backups.headers)
    assert [backup.backup_id for backup in first.backups] == [made[1]]
    request.page_token = first.next_page_token
    second = await backups.stub.ListBackups(request, metadata=backups.headers)
    assert [backup.backup_id for backup in second.backups] == [made[0]]
    newest = await backups.create(keep=2)
    assert [backup.backup_id for backup in await backups.list()] == [newest.backup_id, made[1]]


def _edit_manifest(folder: Path, **changes: object) -> None:
    """A manifest with a true seal, as another version would have written it."""
    manifest = Manifest.model_validate(read_manifest(folder).model_dump() | changes)
    (folder / MANIFEST).unlink()
    (folder / SEAL).unlink()
    write_manifest(folder, manifest)


def _largest(folder: Path) -> Path:
    return max((folder / DUMP).glob("*.dat.gz"), key=lambda path: path.stat().st_size)


def _cut(folder: Path) -> None:
    path = _largest(folder)
    path.write_bytes(path.read_bytes()[:-7])


def _flip(folder: Path) -> None:
    path = _largest(folder)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _other_rows(folder: Path) -> None:
    tables = read_manifest(folder).tables
    entry = next(table for table in tables if table.table == "instrument")
    changed = entry.model_copy(update={"checksum": "0" * 32})
    _edit_manifest(folder, tables=[changed if table == entry else table for table in tables])


def _not_a_dump(folder: Path) -> None:
    (folder / DUMP / "toc.dat").write_bytes(b"PGDMP?")
    _edit_manifest(folder, files=list_files(folder))


BAD: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "cut short": (_cut, "BACKUP_DAMAGED", "should have"),
    "a bit changed": (_flip, "BACKUP_DAMAGED", ".gz does not have the checksum"),
    "a file missing": (lambda folder: (folder / DUMP / "toc.dat").unlink(), "BACKUP_DAMAGED", "toc.dat"),
    "a file too many": (lambda folder: (folder / "more").touch(), "BACKUP_DAMAGED", "more is not in"),
    "a link": (lambda folder: (folder / "link").symlink_to("/etc/passwd"), "BACKUP_DAMAGED", "link"),
    "no manifest": (lambda folder: (folder / MANIFEST).unlink(), "BACKUP_DAMAGED", MANIFEST),
    "no seal": (lambda folder: (folder / SEAL).unlink(), "BACKUP_DAMAGED", SEAL),
    "another manifest": (
        lambda folder: (folder / MANIFEST).write_text("{}"),
        "BACKUP_DAMAGED",
        "does not have the checksum",
    ),
    "a newer format": (lambda folder: _edit_manifest(folder, format=2), "BACKUP_TOO_NEW", "format 2"),
    "a newer revision": (
        lambda folder: _edit_manifest(folder, revisions={"data": "9999"}),
        "BACKUP_TOO_NEW",
        "revision 9999",
    ),
    "an unknown schema": (
        lambda folder: _edit_manifest(folder, revisions={"astrology": "0001"}),
        "BACKUP_TOO_NEW",
        "astrology",
    ),
    "other rows": (_other_rows, "BACKUP_TABLE_DIFFERS", "data.instrument"),
    "not a dump": (_not_a_dump, "BACKUP_TOOL_FAILED", "pg_restore"),
}


@pytest.mark.parametrize("what", list(BAD))
async def test_bad_archive_is_refused_and_leaves_no_database(backups: Backups, what: str) -> None:
    spoil, reason, said = BAD[what]
    backup_id = (await backups.create(keep=1)).backup_id
    before = await backups.databases()
    await asyncio.to_thread(spoil, backups.archives.find(backup_id))
    job = await backups.restore(backup_id)
    assert (job.status.state, job.status.error_reason) == (FAILED, reason), job.status.error_message
    assert said in job.status.error_message
    assert await backups.databases() == before
    listed = next(backup for backup in await backups.list() if backup.backup_id == backup_id)
    assert bool(listed.error_message) == (
        what in {"no manifest", "no seal", "another manifest", "a newer format"}
    )
    if reason != "BACKUP_TABLE_DIFFERS":
        assert (await backups.verify(backup_id)).status.error_reason == reason
    await asyncio.to_thread(_remove, backups.archives, backup_id)


def _remove(archives: Archives, backup_id: str) -> None:
    archives.find(backup_id).rename(archives.root / f".partial-{backup_id}")


async def test_full_disk_and_unusable_folder_leave_nothing(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    full = await start_backups(
        postgres_server, tmp_path, new_database(postgres_server), backup_spare_mib=2**40
    )
    try:
        job = await full.create()
        assert (job.status.state, job.status.error_reason) == (FAILED, "BACKUP_DISK_FULL")
        assert await asyncio.to_thread(lambda: list(full.archives.root.iterdir())) == []
        await asyncio.to_thread(_replace_by_file, full.archives.root)
        assert (await full.create()).status.error_reason == "BACKUP_FOLDER_UNUSABLE"
    finally:
        await full.data.stop()


def _replace_by_file(folder: Path) -> None:
    folder.rmdir()
    folder.touch()


async def test_jobs_of_a_stopped_process_are_done_by_the_next(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    database = new_database(postgres_server)
    running = await start_backups(postgres_server, tmp_path, database)
    whole = await running.create()
    await running.data.stop()
    reopen = "UPDATE data.backup_job SET state = 2, progress = 0.4"
    name = str(sqlalchemy.make_url(database).database)
    await asyncio.to_thread(postgres_server.psql, reopen, database=name)
    again = await start_backups(postgres_server, tmp_path, database)
    try:
        done = await again.end(whole)
        assert (done.status.state, done.backup_id) == (SUCCEEDED, whole.backup_id)
        assert len(await again.list()) == 1
    finally:
        await again.data.stop()

    await asyncio.to_thread(_remove, again.archives, whole.backup_id)  # as if it had not become whole
    await asyncio.to_thread(postgres_server.psql, reopen, database=name)
    third = await start_backups(postgres_server, tmp_path, database)
    try:
        done = await third.end(whole)
        assert done.status.state == SUCCEEDED
        assert done.backup_id != whole.backup_id
        await until(lambda: [path.name for path in third.archives.root.iterdir()] == [done.backup_id])
    finally:
        await third.data.stop()


Call = Callable[[Backups, list[tuple[str, str]]], Awaitable[object]]
NOBODY = str(uuid.UUID(int=7, version=4))
CALLS: dict[str, tuple[Call, str]] = {
    "GetBackup": (
        lambda b, m: b.stub.GetBackup(backup_service_pb2.GetBackupRequest(backup_id=NOBODY), metadata=m),
        "BACKUP_NOT_FOUND",
    ),
    "VerifyBackup": (
        lambda b, m: b.stub.VerifyBackup(
            backup_service_pb2.VerifyBackupRequest(request_id="v", backup_id=NOBODY), metadata=m
        ),
        "BACKUP_NOT_FOUND",
    ),
    "RestoreBackup": (
        lambda b, m: b.stub.RestoreBackup(
            backup_service_pb2.RestoreBackupRequest(request_id="r", backup_id=NOBODY), metadata=m
        ),
        "BACKUP_NOT_FOUND",
    ),
    "GetBackupJob": (
        lambda b, m: b.stub.GetBackupJob(
            backup_service_pb2.GetBackupJobRequest(backup_job_id=NOBODY), metadata=m
        ),
        "BACKUP_JOB_NOT_FOUND",
    ),
    "WatchBackup": (
        lambda b, m: b.stub.WatchBackup(
            backup_service_pb2.WatchBackupRequest(backup_job_id=NOBODY), metadata=m
        ).read(),
        "BACKUP_JOB_NOT_FOUND",
    ),
    "ListBackups": (
        lambda b, m: b.stub.ListBackups(
            backup_service_pb2.ListBackupsRequest(page_token="?"),
            metadata=m,
        ),
        "PAGE_TOKEN_INVALID",
    ),
}


@pytest.mark.parametrize("method", list(CALLS))
async def test_refusals(backups: Backups, method: str) -> None:
    call, reason = CALLS[method]
    assert (await failure_of(call(backups, backups.headers))).reason == reason
    # data:write is not enough.
    assert (await failure_of(call(backups, backups.data.headers))).code is grpc.StatusCode.PERMISSION_DENIED


async def test_without_a_role_for_it_there_are_no_backups(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    running = await start_backups(
        postgres_server, tmp_path, new_database(postgres_server), backup_database_url=None
    )
    try:
        request = backup_service_pb2.CreateBackupRequest(request_id="x")
        failure = await failure_of(running.stub.CreateBackup(request, metadata=running.headers))
        assert failure.reason == "BACKUP_NOT_CONFIGURED"
        assert await running.list() == []
    finally:
        await running.data.stop()
