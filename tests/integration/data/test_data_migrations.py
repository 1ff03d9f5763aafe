"""The migrations make the tables that the code declares."""

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from services.data import tables
from services.data.bars.storage_layout import PARTITION_PREFIX, Layout, lay_out_bars, read_storage
from services.runtime.database import Database, migrate
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import new_database


async def test_migrations_make_the_declared_tables(postgres_url: str) -> None:
    await migrate(postgres_url, schema=tables.SCHEMA, package="data")
    await migrate(postgres_url, schema=tables.SCHEMA, package="data")  # again: nothing to do

    def differences(connection: Connection) -> list[object]:
        def ours(name: str | None, kind: str, _parents: object) -> bool:
            if kind == "table":
                return not str(name).startswith(PARTITION_PREFIX)
            return kind != "schema" or name == tables.SCHEMA

        options = {"include_schemas": True, "include_name": ours, "version_table_schema": tables.SCHEMA}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, tables.metadata))

    engine = create_async_engine(postgres_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


async def test_bars_lie_in_partitions_by_time(postgres_url: str) -> None:
    await migrate(postgres_url, schema=tables.SCHEMA, package="data")
    database = await Database.connect(postgres_url, schema=tables.SCHEMA)
    try:
        async with database.transaction() as connection:
            await connection.run_sync(lay_out_bars)  # again: nothing to do
        storage = await read_storage(database)
        assert storage.layout is Layout.PARTITIONS
        assert storage.description == "34 native partitions of PostgreSQL by open time"
        ends = (-(2**63), 0, 946_684_800 * 10**9 - 1, 946_684_800 * 10**9, 2**63 - 1)
        async with database.raw() as driver:
            await driver.executemany(
                "INSERT INTO bar VALUES (7, 1, $1, 1, 1, 1, 1, 1, 1, 1)", [(end,) for end in ends]
            )
            rows = await driver.fetch("SELECT tableoid::regclass::text FROM bar ORDER BY open_time_ns")
        places = [row[0].removeprefix(PARTITION_PREFIX) for row in rows]
        assert places == ["beginning", "beginning", "1990", "2000", "2040"]
    finally:
        await database.close()


async def test_what_was_stored_before_is_moved(postgres_server: EmbeddedPostgres) -> None:
    url = new_database(postgres_server)
    await migrate(url, schema=tables.SCHEMA, package="data")
    database = await Database.connect(url, schema=tables.SCHEMA)
    try:
        async with database.transaction() as connection:
            await connection.execute(sa.text("DROP TABLE bar"))
            table = sa.Table("bar", sa.MetaData(), *(column._copy() for column in tables.bars.columns))
            await connection.run_sync(table.create)
            await connection.execute(sa.text("INSERT INTO bar VALUES (7, 1, 5, 1, 2, 3, 4, 5, 6, 9)"))
            await connection.run_sync(lay_out_bars)
            assert (await connection.execute(sa.text("SELECT * FROM bar"))).all() == [
                (7, 1, 5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 9)
            ]
        assert (await read_storage(database)).layout is Layout.PARTITIONS
    finally:
        await database.close()
