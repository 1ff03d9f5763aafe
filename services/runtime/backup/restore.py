"""Restores an archive into a new database, compares every table, and puts it in another's place."""

from __future__ import annotations

import asyncio
import importlib.util
import secrets
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import sqlalchemy
from alembic.script import ScriptDirectory

from services.runtime.backup.archives import Report, verify_files
from services.runtime.backup.contents import connected, list_tables, read_contents
from services.runtime.backup.errors import BackupError, damaged, too_new
from services.runtime.backup.manifest import DUMP, Manifest, TableEntry
from services.runtime.backup.programs import run_program

_LOG_HEAD = "event_log_head"
_CURSORS = "stream_cursor"
# Who but the owner may do what with a database; of one that is not there, what PostgreSQL grants by itself
# (10 is the role that made the cluster).
_RIGHTS = """
    SELECT CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END AS grantee,
           privilege_type, is_grantable
    FROM (SELECT 1) AS one LEFT JOIN pg_database ON datname = $1,
         aclexplode(coalesce(datacl, acldefault('d', coalesce(datdba, 10))))
    WHERE grantee <> coalesce(datdba, 10)"""
# Shares of the whole.
_FILES, _ROWS = 0.2, 0.7


def database_url(url: str, database: str) -> str:
    """The same server and role, another database."""
    return sqlalchemy.make_url(url).set(database=database).render_as_string(hide_password=False)


async def check_archive(folder: Path, report: Report) -> Manifest:
    """Compare every file with its checksum, and that this version knows what is in it.

    Raises:
        BackupError: BACKUP_NOT_FOUND, BACKUP_DAMAGED naming the file, BACKUP_TOO_NEW.
    """
    manifest = await asyncio.to_thread(verify_files, folder, report)
    await asyncio.to_thread(_check_revisions, folder, manifest.revisions)
    await run_program("pg_restore", ["--list", str(folder / DUMP)])
    return manifest


async def restore_archive(
    folder: Path, database: str, *, url: str, report: Report, with_owners: bool, workers: int = 2
) -> Manifest:
    """Make ``database`` from an archive and compare each table's rows and checksum with the manifest.

    Nobody but ``url``'s role may connect to it. After any error there is no such database, whatever there was
    of it.

    Args:
        folder: the archive's.
        database: to make; one of this name that is there already, left by an interrupted restore, is removed.
        url: of a role that may make databases, on any database but this one.
        report: told of progress.
        with_owners: give objects to the roles that owned them, which must exist; that takes a superuser.
            Without, all is the role's own.
        workers: tables and indexes that are made at once.

    Raises:
        BackupError: as `check_archive`; BACKUP_TOOL_FAILED, BACKUP_DISK_FULL, BACKUP_TABLE_DIFFERS.
        DatabaseUnavailableError: PostgreSQL is away.
    """
    manifest = await check_archive(folder, lambda stage, share: report(stage, _FILES * share))
    arguments = ["--format=directory", "--exit-on-error", f"--jobs={workers}"]
    if not with_owners:
        arguments += ["--no-owner", "--no-privileges"]
    await drop_database(url, database)
    try:
        async with connected(url) as connection:
            await connection.execute(f'CREATE DATABASE "{database}" TEMPLATE template0')
            # It holds password hashes and signing keys; PostgreSQL would let every role in.
            await connection.execute(f'REVOKE ALL ON DATABASE "{database}" FROM PUBLIC')
    except asyncpg.PostgresError as error:
        raise BackupError("BACKUP_TOOL_FAILED", f"PostgreSQL refused: {error}") from error
    try:
        report("restore tables", _FILES)
        own_url = database_url(url, database)
        await run_program("pg_restore", [*arguments, str(folder / DUMP)], url=own_url)
        await _compare(own_url, manifest, report)
    except BaseException:
        await drop_database(url, database)
        raise
    report("done", 1.0)
    return manifest


async def drop_database(url: str, database: str) -> None:
    """Remove a database if it is there, ending whoever is connected to it."""
    async with connected(url) as connection:
        await connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')


async def begin_new_epochs(url: str) -> dict[str, str]:
    """Give every event log of a restored database a new epoch, and the cursors that follow it the same.

    Logs and cursors are of one moment, so services agree as they did then. Whoever outside has seen later
    events, which are no more, holds the old epoch and is told STREAM_EPOCH_CHANGED.

    Returns:
        new epoch by old.
    """
    async with connected(url) as connection, connection.transaction():
        tables = await list_tables(connection)
        epochs: dict[str, str] = {}
        for table in tables:
            if table.name == _LOG_HEAD:
                for row in await connection.fetch(f"SELECT epoch FROM {table.quoted}"):  # noqa: S608
                    epochs[row["epoch"]] = secrets.token_hex(8)
        for table in tables:
            if table.name in {_LOG_HEAD, _CURSORS}:
                for old, new in epochs.items():
                    statement = f"UPDATE {table.quoted} SET epoch = $1 WHERE epoch = $2"  # noqa: S608
                    await connection.execute(statement, new, old)
        return epochs


async def take_place(url: str, *, restored: str, database: str, previous: str) -> bool:
    """Rename ``restored`` to ``database``, and the one there to ``previous``, both or neither.

    The owner stays who it was, and so do those who may connect.

    Args:
        url: of a superuser or the databases' owner, on neither of them.
        restored: name of the restored database.
        database: name it gets.
        previous: name that the one there gets; it is removed when it has no tables.

    Returns:
        whether ``previous`` is there now.

    Raises:
        BackupError: DATABASE_IN_USE, somebody is connected; nothing was changed.
    """
    try:
        async with connected(url) as connection:
            owner = await connection.fetchval(
                "SELECT quote_ident(pg_get_userbyid(datdba)) FROM pg_database WHERE datname = $1", database
            )
            rights = await connection.fetch(_RIGHTS, database)
            async with connection.transaction():
                for grantee, right, is_grantable in rights:
                    grant = f'GRANT {right} ON DATABASE "{restored}" TO {grantee}'
                    await connection.execute(f"{grant} WITH GRANT OPTION" if is_grantable else grant)
                if owner is not None:
                    await connection.execute(f'ALTER DATABASE "{restored}" OWNER TO {owner}')
                    await connection.execute(f'ALTER DATABASE "{database}" RENAME TO "{previous}"')
                await connection.execute(f'ALTER DATABASE "{restored}" RENAME TO "{database}"')
    except asyncpg.ObjectInUseError as error:
        message = f"somebody is connected to the database {database}: stop the mesh first"
        raise BackupError("DATABASE_IN_USE", message) from error
    if owner is None:
        return False
    async with connected(database_url(url, previous)) as connection:
        is_empty = not await list_tables(connection)
    if is_empty:
        await drop_database(url, previous)
    return not is_empty


async def read_tables(url: str) -> tuple[TableEntry, ...]:
    """What every table of a database holds now."""
    async with connected(url) as connection:
        await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return tuple([await read_contents(connection, table) for table in await list_tables(connection)])


async def _compare(url: str, manifest: Manifest, report: Report) -> None:
    expected = {table.full_name: table for table in manifest.tables}
    async with connected(url) as connection:
        tables = await list_tables(connection)
        total, done = sum(table.size_bytes for table in tables) or 1, 0
        for table in tables:
            found = await read_contents(connection, table)
            if found != expected.pop(found.full_name, None):
                raise _differs(found.full_name)
            done += table.size_bytes
            report("compare tables", _ROWS + (1 - _ROWS) * done / total)
    if expected:
        raise _differs(next(iter(expected)))


def _differs(table: str) -> BackupError:
    return BackupError("BACKUP_TABLE_DIFFERS", f"{table} as restored is not what was backed up")


def _check_revisions(folder: Path, revisions: Mapping[str, str]) -> None:
    """A schema of a service that is installed must be of a revision it knows: migrations only go forward."""
    for schema, revision in revisions.items():
        package = f"services.{schema}.migrations"
        if not schema.isidentifier() or importlib.util.find_spec(f"services.{schema}") is None:
            raise too_new(f"{folder} has a schema {schema}, and no service of that name is installed")
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise damaged(f"{folder} says that {schema} has migrations, and it has none")
        scripts = ScriptDirectory(next(iter(spec.submodule_search_locations)))
        if revision not in {script.revision for script in scripts.walk_revisions()}:
            raise too_new(f"{folder}: the schema {schema} is of revision {revision}, which is not known here")
