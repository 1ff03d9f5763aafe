"""Restoring into the place of a database that others use, and what tells two tables apart."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
import sqlalchemy

from services.runtime.backup.archives import Archives
from services.runtime.backup.contents import connected
from services.runtime.backup.dump import create_archive
from services.runtime.backup.errors import BackupError
from services.runtime.backup.restore import (
    begin_new_epochs,
    database_url,
    read_tables,
    restore_archive,
    take_place,
)
from services.runtime.clock import SystemClock
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.ids import new_id
from services.runtime.testing import new_database

_CLOCK = SystemClock()
_SCHEMA = """
    CREATE SCHEMA shop; CREATE SCHEMA till;
    CREATE TABLE shop.event_log_head (id int PRIMARY KEY, epoch text, sequence bigint);
    CREATE TABLE till.stream_cursor (name text PRIMARY KEY, epoch text, sequence bigint);
    CREATE TABLE shop."odd ""name" (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        whole text, price double precision, paid numeric, at timestamptz, raw bytea);
    CREATE TABLE shop.part (n int) PARTITION BY RANGE (n);
    CREATE TABLE shop.part_1 PARTITION OF shop.part FOR VALUES FROM (0) TO (10);
    INSERT INTO shop.part SELECT generate_series(1, 5);
    INSERT INTO shop.event_log_head VALUES (1, 'old', 7);
    INSERT INTO till.stream_cursor VALUES ('shop', 'old', 5), ('elsewhere', 'other', 9);
    INSERT INTO shop."odd ""name" (whole, price, paid, at, raw)
        SELECT NULLIF(n, 3), 0.1 + n, 1.10, now(), decode('00ff', 'hex') FROM generate_series(1, 50) AS n;
"""


def _unheard(_stage: str, _share: float) -> None:
    return


async def _filled(server: EmbeddedPostgres) -> str:
    """A new database with tables; its URL as the superuser sees it."""
    owner = new_database(server)
    async with connected(owner) as connection:
        await connection.execute(_SCHEMA)
    return database_url(server.superuser_url, str(sqlalchemy.make_url(owner).database))


async def test_restored_database_takes_the_place_of_one_that_nobody_uses(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    url, admin = await _filled(postgres_server), postgres_server.superuser_url
    name, backup_id = str(sqlalchemy.make_url(url).database), new_id(_CLOCK)
    archives = Archives(tmp_path / "backups")
    manifest = await create_archive(archives, backup_id, url=url, clock=_CLOCK, report=_unheard)
    assert manifest.tables == await read_tables(url)
    async with connected(url) as connection:
        await connection.execute('DELETE FROM shop."odd ""name" WHERE n > 20')
    restored = f"{name}_restoring"
    # There is no service of these schemas, and no migrations: nothing to be too new.
    await restore_archive(archives.find(backup_id), restored, url=admin, report=_unheard, with_owners=True)
    assert await read_tables(database_url(admin, restored)) == manifest.tables

    epochs = await begin_new_epochs(database_url(admin, restored))
    async with connected(database_url(admin, restored)) as connection:
        head = await connection.fetchval("SELECT epoch FROM shop.event_log_head")
        cursors = dict(await connection.fetch("SELECT name, epoch FROM till.stream_cursor"))
        owner = await connection.fetchval("SELECT tableowner FROM pg_tables WHERE tablename = 'part_1'")
    assert epochs == {"old": head}
    assert head != "old"
    assert cursors == {"shop": head, "elsewhere": "other"}
    assert owner == name

    previous = f"{name}_before"
    async with connected(url):
        with pytest.raises(BackupError, match="stop the mesh") as refused:
            await take_place(admin, restored=restored, database=name, previous=previous)
    assert refused.value.reason == "DATABASE_IN_USE"
    assert await take_place(admin, restored=restored, database=name, previous=previous)
    async with connected(url) as connection:
        inserted = await connection.fetchval('INSERT INTO shop."odd ""name" (whole) VALUES (1) RETURNING n')
    assert inserted == 51
    async with connected(database_url(admin, previous)) as connection:
        assert await connection.fetchval('SELECT count(*) FROM shop."odd ""name"') == 20


@pytest.mark.parametrize(
    "change",
    [
        'UPDATE shop."odd ""name" SET price = price + 1e-13 WHERE n = 1',
        'UPDATE shop."odd ""name" SET paid = 1.1',
        'UPDATE shop."odd ""name" SET whole = \'\' WHERE n = 3',
        'DELETE FROM shop."odd ""name" WHERE n = 50',
        "INSERT INTO shop.part VALUES (5)",
        "UPDATE shop.part SET n = n + 1",
    ],
)
async def test_checksums_tell_contents_apart_and_not_their_order(
    postgres_server: EmbeddedPostgres, change: str
) -> None:
    url = await _filled(postgres_server)
    before = await read_tables(url)
    async with connected(url) as connection:
        await connection.execute(
            'CREATE TABLE shop.kept AS SELECT * FROM shop."odd ""name" ORDER BY random()'
        )
        await connection.execute('TRUNCATE shop."odd ""name"')
        columns = "n, whole, price, paid, at, raw"
        await connection.execute(
            f'INSERT INTO shop."odd ""name" ({columns}) OVERRIDING SYSTEM VALUE '
            f"SELECT {columns} FROM shop.kept"
        )
        await connection.execute("DROP TABLE shop.kept")
    assert await read_tables(url) == before
    async with connected(url) as connection:
        await connection.execute(change)
    assert await read_tables(url) != before


async def test_only_those_who_may_connect_to_the_one_before_may_connect_to_the_restored(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    url, admin = await _filled(postgres_server), postgres_server.superuser_url
    name, backup_id = str(sqlalchemy.make_url(url).database), new_id(_CLOCK)
    archives = Archives(tmp_path / "backups")
    await create_archive(archives, backup_id, url=url, clock=_CLOCK, report=_unheard)
    service, other = (f"role_{secrets.token_hex(4)}" for _ in range(2))
    postgres_server.psql(
        f"CREATE ROLE {service}; CREATE ROLE {other}; REVOKE ALL ON DATABASE {name} FROM PUBLIC;"
        f"GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {service}"
    )

    def may(database: str) -> str:
        rights = ", ".join(
            f"has_database_privilege('{role}', '{database}', '{right}')"
            for role in (service, other)
            for right in ("CONNECT", "TEMPORARY")
        )
        return postgres_server.psql(f"SELECT {rights}").strip()

    restored = f"{name}_restoring"
    await restore_archive(archives.find(backup_id), restored, url=admin, report=_unheard, with_owners=True)
    assert may(restored) == "f|f|f|f"
    await take_place(admin, restored=restored, database=name, previous=f"{name}_before")
    assert may(name) == "t|t|f|f"

    # Where there was none before it is as PostgreSQL makes one.
    await restore_archive(archives.find(backup_id), restored, url=admin, report=_unheard, with_owners=True)
    await take_place(admin, restored=restored, database=f"{name}_new", previous=f"{name}_never")
    assert may(f"{name}_new") == "t|t|t|t"


async def test_error_of_the_database_is_the_tools(postgres_server: EmbeddedPostgres, tmp_path: Path) -> None:
    """A role that may not read leaves no archive behind."""
    url = await _filled(postgres_server)
    name, password = f"poor_{secrets.token_hex(4)}", secrets.token_hex(8)
    postgres_server.psql(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
    poor = postgres_server.url(name, password, str(sqlalchemy.make_url(url).database))
    archives = Archives(tmp_path / "backups")
    with pytest.raises(BackupError, match="permission denied") as refused:
        await create_archive(archives, new_id(_CLOCK), url=poor, clock=_CLOCK, report=_unheard)
    assert refused.value.reason == "BACKUP_TOOL_FAILED"
    assert list((tmp_path / "backups").iterdir()) == []
