"""What the tables of a database hold: rows and checksums, equal for equal contents in whatever order.

The checksum of a table is that of its rows as PostgreSQL writes them as text: each row's MD5 is taken as two
numbers of 60 bits, which are summed modulo 2^64. A sum forgets the order, and unlike XOR it counts a row that
is there twice. It finds accidents; who may change a database may also change its backup.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg

from services.runtime.backup.manifest import TableEntry
from services.runtime.database import CONNECT_TIMEOUT_S, DatabaseUnavailableError, is_connection_failure

# How values are written as text must not depend on whom we are connected as.
_SETTINGS = {
    "application_name": "bifrost-backup",
    "search_path": "pg_catalog",
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}
# Ordinary tables and partitions, but those of extensions, which pg_dump leaves to them too.
_TABLES = """
    SELECT n.nspname AS schema_name, c.relname AS name, pg_table_size(c.oid) AS size_bytes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.relpersistence = 'p'
      AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                      AND d.deptype = 'e')
    ORDER BY n.nspname, c.relname"""
_CHECKSUM = """
    SELECT count(*) AS rows,
           coalesce(sum(('x' || left(digest, 15))::bit(60)::bigint), 0) % 18446744073709551616 AS high,
           coalesce(sum(('x' || right(digest, 15))::bit(60)::bigint), 0) % 18446744073709551616 AS low
    FROM (SELECT md5((whole_row_.*)::text) AS digest FROM ONLY {table} AS whole_row_) AS digests"""
_VERSION_TABLE = "alembic_version"


@dataclass(frozen=True)
class TableName:
    """A table to read."""

    schema_name: str
    name: str
    size_bytes: int
    """On the disk, about."""

    @property
    def quoted(self) -> str:
        """As SQL names it."""
        return f"{_quote(self.schema_name)}.{_quote(self.name)}"


async def connect(url: str) -> asyncpg.Connection:
    """A connection that writes values as text in one way, the caller's to close.

    Raises:
        DatabaseUnavailableError: PostgreSQL is away.
    """
    try:
        return await asyncpg.connect(url, server_settings=_SETTINGS, timeout=CONNECT_TIMEOUT_S)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        if isinstance(error, OSError) or is_connection_failure(error):
            raise DatabaseUnavailableError(f"PostgreSQL is away: {error}") from error
        raise


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection for the block; what is open in it is undone at the end.

    Raises:
        DatabaseUnavailableError: PostgreSQL is away, or went away.
    """
    connection = await connect(url)
    try:
        yield connection
    except Exception as error:
        if is_connection_failure(error) and not isinstance(error, DatabaseUnavailableError):
            raise DatabaseUnavailableError(f"PostgreSQL went away: {error}") from error
        raise
    finally:
        connection.terminate()


async def list_tables(connection: asyncpg.Connection) -> list[TableName]:
    """Every table of the database, by schema and name."""
    return [TableName(*row) for row in await connection.fetch(_TABLES)]


async def read_contents(connection: asyncpg.Connection, table: TableName) -> TableEntry:
    """What the table holds, as the connection's transaction sees it."""
    row = await connection.fetchrow(_CHECKSUM.format(table=table.quoted))
    checksum = f"{int(row['high']):016x}{int(row['low']):016x}"
    return TableEntry(schema_name=table.schema_name, table=table.name, rows=row["rows"], checksum=checksum)


async def read_revisions(connection: asyncpg.Connection, tables: list[TableName]) -> dict[str, str]:
    """Migration revision of each schema that has one."""
    revisions = {}
    for table in tables:
        if table.name == _VERSION_TABLE:
            found = await connection.fetchval(f"SELECT version_num FROM {table.quoted}")  # noqa: S608  its quoted name
            revisions[table.schema_name] = str(found or "")
    return revisions


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
