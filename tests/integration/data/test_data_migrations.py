"""The migrations make the tables that the code declares."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from services.data import tables
from services.runtime.database import migrate


async def test_migrations_make_the_declared_tables(postgres_url: str) -> None:
    await migrate(postgres_url, schema=tables.SCHEMA, package="data")
    await migrate(postgres_url, schema=tables.SCHEMA, package="data")  # again: nothing to do

    def differences(connection: Connection) -> list[object]:
        def ours(name: str | None, kind: str, _parents: object) -> bool:
            return kind != "schema" or name == tables.SCHEMA

        options = {"include_schemas": True, "include_name": ours, "version_table_schema": tables.SCHEMA}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, tables.metadata))

    engine = create_async_engine(postgres_url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()
