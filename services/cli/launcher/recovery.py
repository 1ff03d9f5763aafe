"""Puts a backup in the place of a mesh's database while the mesh stands still."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy

from services.cli.launcher.home import Home
from services.cli.launcher.launcher import EXTENSIONS, LaunchError
from services.cli.launcher.leftovers import end_leftovers
from services.cli.launcher.state import MeshState
from services.cli.waiting import in_thread
from services.runtime.backup.archives import Report
from services.runtime.backup.manifest import Manifest
from services.runtime.backup.restore import (
    begin_new_epochs,
    database_url,
    drop_database,
    restore_archive,
    take_place,
)
from services.runtime.embedded.postgres import BACKUP_ROLE, DATABASE, EmbeddedPostgres
from services.runtime.inventory import load_inventory

_MAINTENANCE = "postgres"


@dataclass(frozen=True)
class Restored:
    """What a restore did."""

    manifest: Manifest
    database: str
    previous: str
    """Name under which the database before is kept; empty when it had no tables."""
    epochs: dict[str, str]
    """New epoch of each event log by its old one."""


async def restore_home(home: Home, folder: Path, report: Report) -> Restored:
    """Restore a backup into the PostgreSQL of a home whose mesh is stopped; the home may be new.

    Raises:
        LaunchError: a mesh runs on this home.
        BackupError: as `restore_archive`; the database is as it was.
    """
    async with _postgres_alone(home) as (postgres, passwords):
        restored = await restore_database(postgres.superuser_url, DATABASE, folder, report)
        # Rights on the database itself are not in a dump.
        await in_thread(_provision, postgres, passwords)
        return restored


async def restore_server(url: str, folder: Path, report: Report) -> Restored:
    """Restore a backup into the database that ``url`` names, by a superuser, nobody being connected to it."""
    name = sqlalchemy.make_url(url).database or DATABASE
    return await restore_database(database_url(url, _MAINTENANCE), name, folder, report)


async def restore_database(url: str, database: str, folder: Path, report: Report) -> Restored:
    """Restore beside ``database``, compare every table, begin new epochs, then change names in one step."""
    restoring = f"{database}_restoring"
    manifest = await restore_archive(folder, restoring, url=url, report=report, with_owners=True)
    try:
        epochs = await begin_new_epochs(database_url(url, restoring))
        previous = f"{database}_before_{time.strftime('%Y%m%d%H%M%S', time.gmtime())}"
        is_kept = await take_place(url, restored=restoring, database=database, previous=previous)
    except BaseException:
        await drop_database(url, restoring)
        raise
    return Restored(manifest, database, previous if is_kept else "", epochs)


@contextlib.asynccontextmanager
async def _postgres_alone(home: Home) -> AsyncIterator[tuple[EmbeddedPostgres, dict[str, str]]]:
    """The home's PostgreSQL with no service beside it, for the block."""
    try:
        lock = home.lock()
    except BlockingIOError:
        raise LaunchError(f"a mesh runs on {home.root}; stop it first with: bifrost down") from None
    with lock:
        state = MeshState.load(home.state_file)
        if state is not None:
            await in_thread(end_leftovers, state)
            home.state_file.unlink(missing_ok=True)
        is_new = home.is_new
        passwords = await in_thread(home.prepare, load_inventory().services)
        postgres = EmbeddedPostgres(home.postgres, superuser_password=passwords["postgres"])
        if is_new:
            await in_thread(postgres.set_aside)
        try:
            await in_thread(postgres.start)
            await in_thread(_provision, postgres, passwords)
            yield postgres, passwords
        finally:
            await in_thread(postgres.stop)


def _provision(postgres: EmbeddedPostgres, passwords: dict[str, str]) -> None:
    schemas = {name: passwords[name] for name in load_inventory().services}
    postgres.provision(schemas, extensions=EXTENSIONS)
    postgres.provision_backup(passwords[BACKUP_ROLE])
