"""The pool over a real PostgreSQL: transactions, the driver beneath, migrations, a server that is killed."""
# ruff: noqa: PT012

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from services.runtime import database as database_module
from services.runtime.database import (
    Database,
    DatabaseUnavailableError,
    driver_of,
    is_connection_failure,
    metadata_for,
)
from services.runtime.testing import new_database, temporary_postgres
from services.runtime.waiting import until

metadata = metadata_for("shop")
items = sa.Table(
    "item", metadata, sa.Column("name", sa.Text, primary_key=True), sa.Column("price", sa.Numeric)
)


async def make_tables(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(sa.schema.CreateSchema("shop", if_not_exists=True))
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    database = await Database.connect(postgres_url, schema="shop", pool_size=3)
    await make_tables(database)
    yield database
    await database.close()


async def names(database: Database) -> list[str]:
    async with database.read() as connection:
        return list((await connection.execute(sa.select(items.c.name).order_by(items.c.name))).scalars())


async def test_transaction_commits_at_the_end(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(items.insert(), {"name": "a", "price": 1})
        assert await names(database) == []
    assert await names(database) == ["a"]


async def test_transaction_is_undone_when_the_block_raises(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as connection:
            await connection.execute(items.insert(), {"name": "a", "price": 1})
            raise ZeroDivisionError
    assert await names(database) == []


async def test_driver_and_core_share_the_transaction(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as connection:
            driver = await driver_of(connection)
            await driver.execute("INSERT INTO item VALUES ('driver', 1)")
            await connection.execute(items.insert(), {"name": "core", "price": 1})
            found = await driver.fetch("SELECT name FROM item ORDER BY name")
            assert [row["name"] for row in found] == ["core", "driver"]
            raise ZeroDivisionError
    assert await names(database) == []


async def test_a_swallowed_error_does_not_pass_for_a_commit(database: Database) -> None:
    """PostgreSQL answers COMMIT of a failed transaction with ROLLBACK and no error."""
    with pytest.raises(RuntimeError, match="rolled back"):
        async with database.transaction() as connection:
            await connection.execute(items.insert(), {"name": "a", "price": 1})
            with pytest.raises(IntegrityError):
                await connection.execute(items.insert(), {"name": "a", "price": 2})
    assert await names(database) == []


async def test_savepoint_saves_the_rest(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(items.insert(), {"name": "a", "price": 1})
        with pytest.raises(IntegrityError):
            async with connection.begin_nested():
                await connection.execute(items.insert(), {"name": "a", "price": 2})
        await connection.execute(items.insert(), {"name": "b", "price": 2})
    assert await names(database) == ["a", "b"]


async def test_cancelled_transactions_leave_pool_and_data_whole(database: Database) -> None:
    async def insert_and_wait(name: str) -> None:
        async with database.transaction() as connection:
            await connection.execute(items.insert(), {"name": name, "price": 1})
            await connection.execute(sa.text("SELECT pg_sleep(60)"))

    for round_ in range(4):
        tasks = [asyncio.create_task(insert_and_wait(f"{round_}-{n}")) for n in range(5)]
        await asyncio.wait(tasks, timeout=0.05)
        for task in tasks:
            task.cancel()
        assert all(
            isinstance(r, asyncio.CancelledError)
            for r in await asyncio.gather(*tasks, return_exceptions=True)
        )
    assert await names(database) == []


async def test_pool_is_bounded_and_shared(database: Database) -> None:
    async with database.raw() as driver:
        own = await driver.fetchval("SELECT current_user")
    counted = "SELECT count(*) FROM pg_stat_activity WHERE usename = $1 AND application_name = 'bifrost-shop'"

    async def work(n: int) -> None:
        async with database.transaction() as connection:
            await connection.execute(items.insert(), {"name": str(n), "price": n})

    await asyncio.gather(*(work(n) for n in range(30)))
    async with database.raw() as driver:
        assert await driver.fetchval(counted, own) <= 3
    assert len(await names(database)) == 30


async def test_refused_connection_is_recognised() -> None:
    with pytest.raises(DatabaseUnavailableError) as caught:
        await Database.connect("postgresql://nobody:x@127.0.0.1:1/none", schema="shop")
    assert is_connection_failure(caught.value)
    assert not is_connection_failure(TimeoutError())
    assert not is_connection_failure(None)


async def test_a_killed_server_is_met_again_without_a_restart_of_ours() -> None:
    with temporary_postgres() as server:
        database = await Database.connect(new_database(server), schema="shop", pool_size=2)
        await make_tables(database)
        async with database.transaction() as connection:
            await connection.execute(items.insert(), {"name": "before", "price": 1})
        with pytest.raises(DatabaseUnavailableError) as caught:
            async with database.transaction() as connection:
                await connection.execute(items.insert(), {"name": "lost", "price": 1})
                os.kill(server.pid() or 0, signal.SIGKILL)
                await until(lambda: server.pid() is None, timeout_s=60)
                await connection.execute(sa.text("SELECT pg_sleep(5)"))
        assert is_connection_failure(caught.value)
        with pytest.raises(DatabaseUnavailableError):
            await names(database)
        await asyncio.to_thread(server.start)
        assert await names(database) == ["before"]
        async with database.transaction() as connection:
            await connection.execute(items.insert(), {"name": "after", "price": 1})
        assert await names(database) == ["after", "before"]
        await database.close()


async def test_close_ends_connections_that_come_back_later(postgres_url: str) -> None:
    database = await Database.connect(postgres_url, schema="shop")
    async with database.raw() as driver:
        await database.close()
        assert not driver.is_closed()
    await asyncio.wait_for(database.close(), 60)
    assert driver.is_closed()


async def test_migrate_makes_the_schema_once(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("package") / "mig"
    (folder / "migrations" / "versions").mkdir(parents=True)
    (folder / "migrations" / "__init__.py").touch()
    (folder / "migrations" / "versions" / "0001_first.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\nrevision = '0001'\ndown_revision = None\n"
        "def upgrade():\n"
        "    op.create_table('thing', sa.Column('id', sa.Text, primary_key=True), schema='mig')\n"
    )
    monkeypatch.setattr("services.__path__", [*__import__("services").__path__, str(folder.parent)])

    async def run() -> None:
        await database_module.migrate(postgres_url, schema="mig", package="mig")

    await asyncio.gather(run(), run(), run())
    await run()
    database = await Database.connect(postgres_url, schema="mig")
    async with database.raw() as driver:
        assert await driver.fetchval("SELECT count(*) FROM mig.thing") == 0
        assert await driver.fetchval("SELECT version_num FROM mig.alembic_version") == "0001"
    await database.close()
    with pytest.raises(DatabaseUnavailableError):
        await database_module.migrate("postgresql://x:x@127.0.0.1:1/none", schema="mig", package="mig")
