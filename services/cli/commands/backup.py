"""bifrost backup: make, list, verify, try and restore backups of the whole mesh."""

from __future__ import annotations

import contextlib
import datetime as dt
import secrets
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from bifrost.data.v1 import backup_pb2, backup_service_pb2, backup_service_pb2_grpc
from bifrost.type.v1 import job_pb2
from services.cli.console import (
    EdgeOption,
    HomeOption,
    Json,
    Target,
    UsageError,
    as_dict,
    command,
    err,
    fail,
    out,
    print_json,
    table,
)
from services.cli.launcher import Home
from services.cli.launcher.recovery import Restored, restore_home, restore_server
from services.cli.paging import pages
from services.runtime.backup.archives import Archives, Report
from services.runtime.backup.errors import BackupError
from services.runtime.clock import NANOS

_TIMEOUT_S = 30.0
_LONGEST_S = 24 * 3600.0
_PAGE = 100
_MIB = 2**20
_NEWEST = "newest"
_Stub = backup_service_pb2_grpc.BackupServiceStub
BackupId = Annotated[
    str, typer.Argument(help="Its id, see: bifrost backup list; or: newest", metavar="BACKUP")
]
FolderOption = Annotated[
    Path | None, typer.Option("--folder", help="Folder of backups.", show_default="backups in the home")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(
        help="Backups of the whole mesh: make, list, verify, try, restore.", no_args_is_help=True
    )
    group.command()(create)
    group.command("list")(list_backups)
    group.command()(verify)
    group.command()(drill)
    group.command()(restore)
    app.add_typer(group, name="backup")


@command
async def create(
    keep: Annotated[
        int, typer.Option(help="Keep so many of the newest and remove older ones; 0: all.", min=0)
    ] = 0,
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Back up every service's data at one moment, while the mesh runs."""
    request = backup_service_pb2.CreateBackupRequest(request_id=secrets.token_hex(16), keep_newest=keep)

    async def begin(stub: _Stub) -> backup_pb2.BackupJob:
        return (await stub.CreateBackup(request, timeout=_TIMEOUT_S)).job

    await _run_job(Target.find(home, edge), begin, as_json=as_json)


@command
async def verify(
    backup: BackupId, home: HomeOption = None, edge: EdgeOption = None, as_json: Json = False
) -> None:
    """Compare every file of a backup with its checksum."""

    async def begin(stub: _Stub) -> backup_pb2.BackupJob:
        request = backup_service_pb2.VerifyBackupRequest(
            request_id=secrets.token_hex(16), backup_id=await _backup_id(stub, backup)
        )
        return (await stub.VerifyBackup(request, timeout=_TIMEOUT_S)).job

    await _run_job(Target.find(home, edge), begin, as_json=as_json)


@command
async def drill(
    backup: BackupId,
    keep_database: Annotated[bool, typer.Option("--keep", help="Leave the database to look into.")] = False,
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Restore a backup beside the running mesh and compare every table; the mesh is not touched."""

    async def begin(stub: _Stub) -> backup_pb2.BackupJob:
        request = backup_service_pb2.RestoreBackupRequest(
            request_id=secrets.token_hex(16),
            backup_id=await _backup_id(stub, backup),
            keep_database=keep_database,
        )
        return (await stub.RestoreBackup(request, timeout=_TIMEOUT_S)).job

    await _run_job(Target.find(home, edge), begin, as_json=as_json)


@command
async def list_backups(
    folder: FolderOption = None, home: HomeOption = None, edge: EdgeOption = None, as_json: Json = False
) -> None:
    """The backups there are, newest first; with --folder also when no mesh runs."""
    rows = _in_folder(folder) if folder is not None else await _in_mesh(Target.find(home, edge))
    if as_json:
        print_json({"backups": rows})
        return
    cells = [
        [str(row["backup_id"]), str(row["time"]), f"{row['rows']:,}", f"{row['mib']:,}", str(row["problem"])]
        for row in rows
    ]
    columns = ("backup", "UTC", "rows", "MiB", "problem")
    out.print(table("backups", columns, cells, right=("rows", "MiB"), whole=("backup", "UTC")))


@command
async def restore(
    backup: Annotated[str, typer.Argument(help="Its id, its folder, or: newest", metavar="BACKUP")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    folder: FolderOption = None,
    server: Annotated[
        str | None,
        typer.Option(
            help="URL of the mesh's database on a server of your own, by a superuser.",
            envvar="BIFROST_RESTORE_DATABASE_URL",
        ),
    ] = None,
    home: HomeOption = None,
    as_json: Json = False,
) -> None:
    """Put a backup in the place of the mesh's data. The mesh must be stopped; what it had is kept beside."""
    place = Home.at(home)
    try:
        archive = _archive(backup, Archives((folder or place.backups).absolute()))
        if not yes and not as_json:
            typer.confirm(f"Put {archive} in the place of the mesh's data?", abort=True)
        with _progress(quiet=as_json) as report:
            if server is not None:
                restored = await restore_server(server, archive, report)
            else:
                restored = await restore_home(place, archive, report)
    except BackupError as error:
        fail(error.reason, str(error), as_json=as_json)
    if as_json:
        print_json(_restored_document(restored))
        return
    manifest = restored.manifest
    out.print(
        f"Restored as of {_time(manifest.snapshot_time_ns)} UTC: {len(manifest.tables)} tables, "
        f"{manifest.rows:,} rows, each table equal to the backup."
    )
    if restored.previous:
        out.print(f"What was there is kept as the database {restored.previous}.")
    out.print("Start the mesh: bifrost up")


async def _run_job(
    target: Target, begin: Callable[[_Stub], Awaitable[backup_pb2.BackupJob]], *, as_json: bool
) -> None:
    """Make a job, show it until it has ended; exit 1 when it failed."""
    async with target.connect() as client:
        stub = client.stub(backup_service_pb2_grpc.BackupServiceStub)
        job = await begin(stub)
        request = backup_service_pb2.WatchBackupRequest(backup_job_id=job.backup_job_id)
        with _progress(quiet=as_json) as report:
            async for message in stub.WatchBackup(request, timeout=_LONGEST_S):
                if message.WhichOneof("event") == "job":
                    job = message.job
                    report(job.status.stage or "done", job.status.progress)
    if job.status.state == job_pb2.JOB_STATE_FAILED:
        fail(job.status.error_reason, job.status.error_message, as_json=as_json)
    if as_json:
        print_json(as_dict(job))
        return
    out.print(f"{job.backup_id}: {job.status.message}")
    if job.database:
        out.print(f"The database {job.database} is left; it belongs to the role backup.")


async def _in_mesh(target: Target) -> list[dict[str, Any]]:
    async with target.connect() as client:
        stub = client.stub(backup_service_pb2_grpc.BackupServiceStub)
        request = backup_service_pb2.ListBackupsRequest(page_size=_PAGE)
        return [
            _row(
                backup.backup_id,
                backup.snapshot_time.ToNanoseconds(),
                backup.row_count,
                backup.size_bytes,
                backup.error_message,
            )
            async for page in pages(stub.ListBackups, request)
            for backup in page.backups
        ]


def _in_folder(folder: Path) -> list[dict[str, Any]]:
    rows = []
    for listed in Archives(folder.absolute()).list_all():
        manifest = listed.manifest
        if manifest is None:
            rows.append(_row(listed.backup_id, 0, 0, 0, listed.error_message))
        else:
            moment, size = manifest.snapshot_time_ns, manifest.size_bytes
            rows.append(_row(listed.backup_id, moment, manifest.rows, size, ""))
    return rows


def _row(backup_id: str, time_ns: int, rows: int, size_bytes: int, problem: str) -> dict[str, Any]:
    return {
        "backup_id": backup_id,
        "time": _time(time_ns) if time_ns else "",
        "rows": rows,
        "mib": round(size_bytes / _MIB, 1),
        "problem": problem,
    }


async def _backup_id(stub: _Stub, backup: str) -> str:
    """The id as it is, or that of the newest backup of the mesh that can be read."""
    if backup != _NEWEST:
        return backup
    request = backup_service_pb2.ListBackupsRequest(page_size=_PAGE)
    async for page in pages(stub.ListBackups, request):
        readable: list[str] = [one.backup_id for one in page.backups if not one.error_message]
        if readable:
            return readable[0]
    raise UsageError("there is no backup yet; make one with: bifrost backup create")


def _archive(backup: str, archives: Archives) -> Path:
    """The folder of the archive that was named by id, by path, or as the newest."""
    if backup == _NEWEST:
        readable = [listed.folder for listed in archives.list_all() if listed.manifest is not None]
        if not readable:
            raise UsageError(f"there is no backup in {archives.root}; name another folder with --folder")
        return readable[0]
    path = Path(backup).expanduser()
    return path.absolute() if path.is_dir() else archives.find(backup)


@contextlib.contextmanager
def _progress(*, quiet: bool) -> Iterator[Report]:
    columns = (TextColumn("{task.description:<16}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=quiet or not err.is_terminal) as progress:
        task = progress.add_task("begin", total=1.0)

        def report(stage: str, share: float) -> None:
            progress.update(task, description=stage, completed=share)

        yield report


def _restored_document(restored: Restored) -> dict[str, Any]:
    return {
        "backup_id": restored.manifest.backup_id,
        "snapshot_time": _time(restored.manifest.snapshot_time_ns),
        "tables": len(restored.manifest.tables),
        "rows": restored.manifest.rows,
        "database": restored.database,
        "previous": restored.previous,
        "epochs": restored.epochs,
    }


def _time(time_ns: int) -> str:
    return f"{dt.datetime.fromtimestamp(time_ns // NANOS, dt.UTC):%Y-%m-%d %H:%M:%S}"
