"""One writer of a log: an advisory lock on a connection of its own, and a fencing token beside it."""

import asyncio
import contextlib
import secrets
from dataclasses import dataclass

import asyncpg
import structlog

from services.runtime.database import Database, DatabaseUnavailableError, is_connection_failure

_RETRY_S = 0.2
# InternalClientError is what the driver makes of a server's last words that came unasked.
_LOST = (
    DatabaseUnavailableError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
_log = structlog.get_logger(__name__)


class FencedError(RuntimeError):
    """Another process has become the writer of this log; what this one tried was not committed."""


@dataclass(frozen=True, slots=True)
class LogHead:
    """The counter row as the new writer found it."""

    epoch: str
    sequence: int


class WriterLock:
    """The right to append, held for the life of the process.

    The lock keeps a twin waiting. When its connection drops (PostgreSQL restarted) it is taken again; in the
    meantime, and against a writer that only believes to hold it, each append compares the token.
    """

    def __init__(self, database: Database) -> None:
        self.token = 0
        self.fenced = asyncio.Event()
        self._database = database
        self._key = f"hashtextextended('writer:{database.schema}', 0)"
        self._head = f'"{database.schema}".event_log_head'
        self._connection: asyncpg.Connection | None = None
        self._watch: asyncio.Task[None] | None = None

    async def acquire(self) -> LogHead:
        """Wait until the lock is free, take it and a new token; returns the head at that moment.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away.
        """
        connection = await self._database.dedicated()
        try:
            await connection.execute(f"SELECT pg_advisory_lock({self._key})")
            row = await connection.fetchrow(
                f"INSERT INTO {self._head} AS head (id, epoch, sequence, writer_token) VALUES (1, $1, 0, 1) "  # noqa: S608
                "ON CONFLICT (id) DO UPDATE SET writer_token = head.writer_token + 1 "
                "RETURNING epoch, sequence, writer_token",
                secrets.token_hex(8),
            )
        except BaseException as error:
            connection.terminate()
            if is_connection_failure(error) or isinstance(error, (asyncpg.InterfaceError, OSError)):
                raise DatabaseUnavailableError(f"PostgreSQL went away: {error}") from error
            raise
        self.token = row["writer_token"]
        self._connection = connection
        self._watch = asyncio.get_running_loop().create_task(self._keep(connection))
        return LogHead(row["epoch"], row["sequence"])

    def check(self) -> None:
        """Raise FencedError once another writer is known of."""
        if self.fenced.is_set():
            raise FencedError(f"another process writes the log of {self._database.schema}")

    def lost(self) -> FencedError:
        """Record that the token has moved; returns the error to raise."""
        self.fenced.set()
        return FencedError(f"another process writes the log of {self._database.schema}")

    async def close(self) -> None:
        """Give the lock up."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        if self._connection is not None:
            self._connection.terminate()

    async def _keep(self, connection: asyncpg.Connection) -> None:
        try:
            await self._watch_and_retake(connection)
        except Exception:  # noqa: BLE001  whatever it is: nobody keeps the lock now, so nothing may be appended
            _log.exception("writer_lock_not_kept", schema=self._database.schema)
            self.fenced.set()

    async def _watch_and_retake(self, connection: asyncpg.Connection) -> None:
        while not self.fenced.is_set():
            closed = asyncio.Event()
            connection.add_termination_listener(lambda _connection, closed=closed: closed.set())
            if not connection.is_closed():
                await closed.wait()
            connection = await self._take_again()
            self._connection = connection

    async def _take_again(self) -> asyncpg.Connection:
        while True:
            with contextlib.suppress(*_LOST):  # still away
                connection = await self._database.dedicated()
                ours = False
                try:
                    ours = await self._is_ours(connection) or self.fenced.is_set()
                finally:
                    # Left open it might hold the lock, against us too.
                    if not ours:
                        connection.terminate()
                if ours:
                    return connection
            await asyncio.sleep(_RETRY_S)

    async def _is_ours(self, connection: asyncpg.Connection) -> bool:
        locked: bool = await connection.fetchval(f"SELECT pg_try_advisory_lock({self._key})")
        token = await connection.fetchval(f"SELECT writer_token FROM {self._head}")  # noqa: S608
        if token != self.token:
            self.lost()
        return locked
