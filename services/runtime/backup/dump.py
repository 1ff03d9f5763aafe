"""Makes an archive: pg_dump and the checksums of all tables read one exported snapshot."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from services.runtime.backup.archives import Archives, Report, list_files, unusable
from services.runtime.backup.contents import TableName, connected, list_tables, read_contents, read_revisions
from services.runtime.backup.errors import BackupError, disk_full
from services.runtime.backup.manifest import DUMP, FORMAT, Manifest, TableEntry, write_manifest
from services.runtime.backup.programs import run_program
from services.runtime.clock import Clock
from services.runtime.failpoints import failpoint

_FINISHED = re.compile(r"finished item \d+ TABLE DATA ")
_ROOM_CHECK_S = 0.25
# Of the whole: reading the database; the rest is the reading of what was written.
_READING = 0.9


@dataclass
class _Progress:
    """Both passes over the tables, by their number and by their size."""

    tables: int
    size_bytes: int
    report: Report
    dumped: int = field(default=0, init=False)
    read_bytes: int = field(default=0, init=False)

    def heard(self, line: str) -> None:
        """A line of pg_dump; in its thread."""
        if _FINISHED.search(line):
            self.dumped += 1
            self._tell()

    def read(self, table: TableName) -> None:
        """The checksum of a table is taken."""
        self.read_bytes += table.size_bytes
        self._tell()

    def _tell(self) -> None:
        dumped = min(1.0, self.dumped / max(1, self.tables))
        share = (dumped + self.read_bytes / max(1, self.size_bytes)) / 2
        self.report("read tables", _READING * share)


async def create_archive(
    archives: Archives,
    backup_id: str,
    *,
    url: str,
    clock: Clock,
    report: Report,
    workers: int = 2,
    spare_bytes: int = 0,
) -> Manifest:
    """Back up the database of ``url``, all schemas at one moment, while others write to it.

    The archive has its name only when it is whole and on the disk; after an error there is none.

    Args:
        archives: where to.
        backup_id: the archive's name, a UUID.
        url: of a role that may read every table.
        clock: says the moment of the backup.
        report: told of progress.
        workers: tables that are read at once, by each of the two passes.
        spare_bytes: room that must stay free on the disk.

    Raises:
        BackupError: BACKUP_DISK_FULL, BACKUP_FOLDER_UNUSABLE, BACKUP_TOOL_FAILED.
        DatabaseUnavailableError: PostgreSQL is away.
    """
    partial = await asyncio.to_thread(archives.begin, backup_id)
    try:
        manifest = await _fill(partial, backup_id, url, clock, report, workers, spare_bytes)
        failpoint("backup.before_rename")
        await asyncio.to_thread(archives.finish, partial)
    except OSError as error:
        if isinstance(error, ConnectionError):
            raise
        raise unusable(partial, error) from error
    finally:
        await asyncio.to_thread(shutil.rmtree, partial, ignore_errors=True)
    report("done", 1.0)
    return manifest


async def _fill(
    partial: Path,
    backup_id: str,
    url: str,
    clock: Clock,
    report: Report,
    workers: int,
    spare_bytes: int,
) -> Manifest:
    async with connected(url) as holder:
        await holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        snapshot: str = await holder.fetchval("SELECT pg_export_snapshot()")
        now_ns = clock.now_ns()
        tables = await list_tables(holder)
        progress = _Progress(len(tables), sum(table.size_bytes for table in tables), report)
        dump = run_program("pg_dump", _arguments(partial, snapshot, workers), url=url, on_line=progress.heard)
        entries = await _while_there_is_room(
            partial, spare_bytes, dump, _read_all(url, snapshot, tables, workers, progress)
        )
        revisions = await read_revisions(holder, tables)
        version: str = await holder.fetchval("SHOW server_version")
    files = await asyncio.to_thread(
        list_files, partial, lambda stage, share: report(stage, _READING + (1 - _READING) * share)
    )
    manifest = Manifest(
        format=FORMAT,
        backup_id=backup_id,
        snapshot_time_ns=now_ns,
        server_version=version.split(maxsplit=1)[0],
        revisions=revisions,
        tables=entries,
        files=files,
    )
    await asyncio.to_thread(write_manifest, partial, manifest)
    return manifest


def _arguments(partial: Path, snapshot: str, workers: int) -> list[str]:
    return [
        f"--file={partial / DUMP}",
        "--format=directory",
        f"--jobs={workers}",
        "--compress=gzip:1",
        f"--snapshot={snapshot}",
        "--verbose",
    ]


async def _while_there_is_room(
    partial: Path,
    spare_bytes: int,
    dump: Coroutine[None, None, None],
    reading: Coroutine[None, None, tuple[TableEntry, ...]],
) -> tuple[TableEntry, ...]:
    """Both passes to their end; the first error of either, or a full disk, ends both."""
    try:
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(_watch_room(partial, spare_bytes))
            passes = (group.create_task(dump), group.create_task(reading))
            await asyncio.wait(passes, return_when=asyncio.FIRST_EXCEPTION)
            watch.cancel()
    except BaseExceptionGroup as errors:
        raise _first(errors) from errors
    return passes[1].result()


def _first(error: BaseException) -> BaseException:
    """What a group of tasks failed of; PostgreSQL's own refusals as errors of the backup."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, asyncpg.PostgresError):
        return BackupError("BACKUP_TOOL_FAILED", f"PostgreSQL refused: {error}")
    return error


async def _watch_room(partial: Path, spare_bytes: int) -> None:
    while True:
        free = (await asyncio.to_thread(shutil.disk_usage, partial)).free
        if free < spare_bytes:
            left, wanted = (f"{count / 2**20:,.0f} MiB" for count in (free, spare_bytes))
            raise disk_full(f"{partial.parent} has {left} left, and {wanted} must stay free")
        await asyncio.sleep(_ROOM_CHECK_S)


async def _read_all(
    url: str, snapshot: str, tables: Sequence[TableName], workers: int, progress: _Progress
) -> tuple[TableEntry, ...]:
    # The largest first, so that the workers end together.
    left = sorted(tables, key=lambda table: table.size_bytes)
    found: list[TableEntry] = []

    async def work() -> None:
        async with connected(url) as connection:
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            await connection.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
            while left:
                table = left.pop()
                found.append(await read_contents(connection, table))
                progress.read(table)

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(work())
    return tuple(sorted(found, key=lambda entry: (entry.schema_name, entry.table)))
