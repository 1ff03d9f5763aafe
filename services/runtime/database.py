"""PostgreSQL for one service: its own schema, a small pool, SQLAlchemy Core and the driver beneath it.

SQLAlchemy compiles and executes Core statements; connections are pooled and transactions driven here, on
asyncpg itself. That keeps the driver (COPY, prepared statements of a hot path: 70 us a statement where Core
takes 180) and Core statements in the same transaction, makes the outcome of a COMMIT visible, and costs a
transaction its two round trips and little else.
"""

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import sqlalchemy
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

CONNECT_TIMEOUT_S = 10.0
_CONNECTION_FAILURES = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,  # starting up or shutting down
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InternalClientError,  # the server's last words came unasked and its socket has not closed yet
)
_KEEPALIVE = {"tcp_keepalives_idle": "15", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class DatabaseUnavailableError(ConnectionError):
    """PostgreSQL cannot be reached now, or went away in the middle; what was not committed is undone."""


class CommitOutcomeUnknownError(DatabaseUnavailableError):
    """The connection was lost during COMMIT: it happened or it did not; look before repeating."""


def is_connection_failure(error: BaseException | None) -> bool:
    """Whether ``error``, or what it wraps, says that PostgreSQL is away, stopping or starting."""
    while error is not None:
        if isinstance(error, (DatabaseUnavailableError, *_CONNECTION_FAILURES)):
            return True
        if isinstance(error, asyncpg.InterfaceError) and "closed" in str(error):
            return True
        error = error.orig if isinstance(error, DBAPIError) else error.__cause__
    return False


def metadata_for(schema: str) -> sqlalchemy.MetaData:
    """Metadata whose tables lie in ``schema`` and whose constraints have predictable names."""
    return sqlalchemy.MetaData(schema=schema, naming_convention=_NAMING)


@dataclass(slots=True)
class _Pooled:
    connection: AsyncConnection
    driver: asyncpg.Connection
    fresh: bool = True


class Transaction:
    """An open transaction: Core statements on ``connection``, asyncpg itself as ``driver``.

    Whoever began it ends it: ``commit`` then ``release``, or ``release`` alone, which undoes it.
    """

    __slots__ = ("_is_open", "_pooled", "_release")

    def __init__(self, pooled: _Pooled, release: Callable[[_Pooled, bool], None]) -> None:
        self._pooled = pooled
        self._release = release
        self._is_open = True

    @property
    def connection(self) -> AsyncConnection:
        """For SQLAlchemy Core statements."""
        return self._pooled.connection

    @property
    def driver(self) -> asyncpg.Connection:
        """The asyncpg connection."""
        return self._pooled.driver

    async def commit(self) -> None:
        """Make it durable.

        Raises:
            CommitOutcomeUnknownError: the connection was lost on the way.
            RuntimeError: a statement had failed and the error was swallowed, so PostgreSQL rolled back.
        """
        try:
            tag = await self.driver.execute("COMMIT")
        except Exception as error:
            if is_connection_failure(error):
                self.driver.terminate()
                raise CommitOutcomeUnknownError(f"the outcome of a commit is unknown: {error}") from error
            raise
        self._is_open = False
        if tag != "COMMIT":
            raise RuntimeError("the transaction was rolled back: an earlier statement in it had failed")

    def release(self) -> None:
        """Give the connection back; what was not committed is rolled back in the background."""
        self._release(self._pooled, self._is_open)

    def unavailable(self, error: BaseException) -> DatabaseUnavailableError | None:
        """``error`` as DatabaseUnavailableError when it means that, and this connection is used no more."""
        return _unavailable(error, self._pooled)


class Database:
    """A pool of connections bound to one schema. Make it with ``connect``; one a process."""

    def __init__(self, engine: AsyncEngine, url: str, schema: str, pool_size: int) -> None:
        self.schema = schema
        self._engine = engine
        self._url = url
        self._idle: list[_Pooled] = []
        self._free = asyncio.Semaphore(pool_size)
        self._cleaning: set[asyncio.Task[None]] = set()
        self._closed = False

    @classmethod
    async def connect(cls, url: str, *, schema: str, pool_size: int = 10) -> "Database":
        """Bind to ``url`` (``postgresql://user:password@host:port/database``) and test that it answers.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away.
        """
        engine = create_async_engine(
            _async_url(url),
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",  # BEGIN and COMMIT are sent by transaction(), not by SQLAlchemy
            connect_args={"server_settings": _server_settings(schema), "timeout": CONNECT_TIMEOUT_S},
        )
        database = cls(engine, url, schema, pool_size)
        async with database.read():
            return database

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction (READ COMMITTED): committed at the end of the block, undone when the block raises.

        The connection's own ``commit()`` and ``rollback()`` do nothing; ``begin_nested()`` makes a savepoint.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away; nothing was changed.
            CommitOutcomeUnknownError: it went away during COMMIT.
        """
        async with self.open_transaction() as transaction:
            yield transaction.connection
            await transaction.commit()

    @contextlib.asynccontextmanager
    async def open_transaction(self) -> AsyncIterator[Transaction]:
        """A transaction that the block commits itself; undone when it did not."""
        transaction = await self.begin()
        try:
            yield transaction
        except Exception as error:
            if (unavailable := transaction.unavailable(error)) is not None:
                raise unavailable from error
            raise
        finally:
            transaction.release()

    async def begin(self) -> Transaction:
        """A transaction for a caller with a life of its own to give it; most want ``transaction()``.

        BEGIN also proves that the pooled connection still lives, so that no ping is needed.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away.
        """
        while True:
            pooled = await self._take()
            try:
                await pooled.driver.execute("BEGIN")
                return Transaction(pooled, self._end)
            except BaseException as error:
                fresh = pooled.fresh
                pooled.driver.terminate()
                self._put_back(pooled)
                if not is_connection_failure(error):
                    raise
                if fresh:
                    raise DatabaseUnavailableError(f"PostgreSQL is away: {error}") from error

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection in autocommit: each statement sees what is committed when it begins.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away.
        """
        async with self._autocommit() as pooled:
            yield pooled.connection

    @contextlib.asynccontextmanager
    async def raw(self) -> AsyncIterator[asyncpg.Connection]:
        """The asyncpg connection itself, in autocommit: COPY, prepared statements, binary formats.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away.
        """
        async with self._autocommit() as pooled:
            yield pooled.driver

    async def dedicated(self) -> asyncpg.Connection:
        """A connection outside the pool, the caller's to close: for session-wide locks.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away.
        """
        settings = _server_settings(self.schema) | _KEEPALIVE
        try:
            return await asyncpg.connect(self._url, server_settings=settings, timeout=CONNECT_TIMEOUT_S)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise DatabaseUnavailableError(f"PostgreSQL is away: {error}") from error

    async def close(self) -> None:
        """Close all idle connections; those in use close when they come back."""
        self._closed = True
        idle, self._idle = self._idle, []
        for pooled in idle:
            await pooled.connection.close()
        while self._cleaning:
            await asyncio.wait(self._cleaning)
        await self._engine.dispose()

    @contextlib.asynccontextmanager
    async def _autocommit(self) -> AsyncIterator[_Pooled]:
        pooled = await self._take()
        try:
            yield pooled
        except Exception as error:
            if (unavailable := _unavailable(error, pooled)) is not None:
                raise unavailable from error
            raise
        finally:
            self._put_back(pooled)

    async def _take(self) -> _Pooled:
        await self._free.acquire()
        try:
            while self._idle:
                pooled = self._idle.pop()
                if not pooled.driver.is_closed():  # a killed server is seen at once: its sockets close
                    return pooled
                self._in_background(_discard(pooled))
            connection = await self._engine.connect()
            return _Pooled(connection, await driver_of(connection))
        except BaseException as error:
            self._free.release()
            if isinstance(error, OSError) or is_connection_failure(error):
                raise DatabaseUnavailableError(f"PostgreSQL is away: {error}") from error
            raise

    def _end(self, pooled: _Pooled, needs_rollback: bool) -> None:
        if needs_rollback and not pooled.driver.is_closed():
            # apart from the caller, who may be cancelled: a cancelled ROLLBACK would cost the connection
            self._in_background(self._roll_back(pooled))
        else:
            self._put_back(pooled)

    def _put_back(self, pooled: _Pooled) -> None:
        pooled.fresh = False
        if pooled.driver.is_closed() or self._closed:
            pooled.driver.terminate()
            self._in_background(_discard(pooled))
        else:
            self._idle.append(pooled)
        self._free.release()

    async def _roll_back(self, pooled: _Pooled) -> None:
        try:
            await pooled.driver.execute("ROLLBACK")
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            pooled.driver.terminate()
        finally:
            self._put_back(pooled)

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._cleaning.add(task)
        task.add_done_callback(self._cleaning.discard)


async def driver_of(connection: AsyncConnection) -> asyncpg.Connection:
    """The asyncpg connection under a Core connection; in ``transaction()`` it is in the same transaction."""
    return (await connection.get_raw_connection()).driver_connection


async def migrate(url: str, *, schema: str, package: str) -> None:
    """Bring ``schema`` to the newest revision of ``services/<package>/migrations/versions``.

    All of it is one transaction under a lock: several processes may start at once, and a crash leaves nothing
    half done. The version table lies in the schema, which is made when missing. No ``env.py`` is needed.

    Raises:
        DatabaseUnavailableError: PostgreSQL is away.
    """
    module = importlib.import_module(f"services.{package}.migrations")
    folder = Path(next(iter(module.__path__)))
    engine = create_async_engine(
        _async_url(url), poolclass=NullPool, connect_args={"server_settings": _server_settings(schema)}
    )
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade, schema, folder)
    except (OSError, DBAPIError) as error:
        if isinstance(error, OSError) or is_connection_failure(error):
            raise DatabaseUnavailableError(f"PostgreSQL is away: {error}") from error
        raise
    finally:
        await engine.dispose()


def _upgrade(connection: sqlalchemy.Connection, schema: str, folder: Path) -> None:
    lock = sqlalchemy.func.pg_advisory_xact_lock(sqlalchemy.func.hashtextextended(f"migrate:{schema}", 0))
    connection.execute(sqlalchemy.select(lock))
    if not sqlalchemy.inspect(connection).has_schema(schema):
        connection.execute(sqlalchemy.schema.CreateSchema(schema))
    script = ScriptDirectory(str(folder))
    with EnvironmentContext(Config(), script) as environment:
        environment.configure(
            connection=connection,
            version_table_schema=schema,
            fn=lambda revision, _context: script._upgrade_revs("head", revision),  # noqa: SLF001  # as alembic's own command does
        )
        environment.run_migrations()


def _async_url(url: str) -> sqlalchemy.URL:
    return sqlalchemy.make_url(url).set(drivername="postgresql+asyncpg")


def _server_settings(schema: str) -> dict[str, str]:
    return {"search_path": schema, "application_name": f"bifrost-{schema}", "timezone": "UTC"}


def _unavailable(error: BaseException, pooled: _Pooled) -> DatabaseUnavailableError | None:
    if isinstance(error, DatabaseUnavailableError) or not is_connection_failure(error):
        return None
    pooled.driver.terminate()
    return DatabaseUnavailableError(f"PostgreSQL went away: {error}")


async def _discard(pooled: _Pooled) -> None:
    with contextlib.suppress(DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        await pooled.connection.invalidate()
        await pooled.connection.close()
