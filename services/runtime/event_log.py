"""An append-only log of events whose sequence order is commit order, without gaps, and that has one writer.

The counter row is updated last in a transaction and its lock is held to the commit, so a reader can never see
8 and later meet 7. In this process the end of a transaction (count, insert, commit, publish) runs under one
lock: the tail in memory grows in commit order too. A second writer is kept out by an advisory lock, and by a
fencing token in the counter row for the time in which that lock may be lost.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.runtime.clock import Clock
from services.runtime.database import (
    CommitOutcomeUnknownError,
    Database,
    DatabaseUnavailableError,
    Transaction,
)
from services.runtime.event_tail import EventTail, LoggedEvent
from services.runtime.failpoints import failpoint
from services.runtime.writer_lock import FencedError, WriterLock

__all__ = [
    "EventLog",
    "EventLogTables",
    "FencedError",
    "LogTransaction",
    "LoggedEvent",
    "NewEvent",
    "event_log_tables",
]

PAGE = 500
_RECHECK_S = 0.2


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to append: ``payload`` is the serialised event message, ``key`` what readers filter by."""

    key: str
    kind: str
    event_time_ns: int
    payload: bytes


@dataclass(frozen=True)
class EventLogTables:
    """The log's two tables."""

    events: sa.Table
    head: sa.Table


def event_log_tables(metadata: sa.MetaData) -> EventLogTables:
    """Declare ``event_log`` and ``event_log_head``; the first migration of a service makes them."""
    events = sa.Table(
        "event_log",
        metadata,
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("event_time_ns", sa.BigInteger, nullable=False),
        sa.Column("publish_time_ns", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Index("ix_event_log_key_sequence", "key", "sequence"),
    )
    head = sa.Table(
        "event_log_head",
        metadata,
        sa.Column("id", sa.SmallInteger, sa.CheckConstraint("id = 1", name="single"), primary_key=True),
        sa.Column("epoch", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("writer_token", sa.BigInteger, nullable=False),
    )
    return EventLogTables(events, head)


class LogTransaction:
    """An open transaction on the log's database; what is appended is numbered when it ends."""

    def __init__(self, opened: Transaction) -> None:
        self._opened = opened
        self.appended: list[NewEvent] = []
        self.logged: list[LoggedEvent] = []
        """The events as committed, once the block has ended."""

    @property
    def connection(self) -> AsyncConnection:
        """For SQLAlchemy Core statements."""
        return self._opened.connection

    @property
    def driver(self) -> asyncpg.Connection:
        """The asyncpg connection in the same transaction, for the statements of a hot path."""
        return self._opened.driver

    def append(self, *events: NewEvent) -> None:
        """Add events to the log, in this order, if the transaction commits."""
        self.appended.extend(events)


class EventLog:
    """The log of one service: one writer, any number of readers in this process."""

    def __init__(
        self, database: Database, tables: EventLogTables, *, clock: Clock, tail_size: int = 10_000
    ) -> None:
        self.epoch = ""
        self._database = database
        self._clock = clock
        self._sql = _Statements(tables)
        self._writer = WriterLock(database)
        self._commit_order = asyncio.Lock()
        self._finishing: set[asyncio.Task[None]] = set()
        self._tail = EventTail(tail_size)

    async def open(self) -> None:
        """Become the writer: wait for the lock, take a new fencing token, load the head.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away.
        """
        head = await self._writer.acquire()
        self.epoch = head.epoch
        self._tail.restart(head.sequence)

    @property
    def head(self) -> int:
        """Sequence of the last committed event; 0 when there is none."""
        return self._tail.head

    @property
    def fenced(self) -> asyncio.Event:
        """Set when another process has become the writer: this one should end."""
        return self._writer.fenced

    @property
    def changed(self) -> asyncio.Future[None]:
        """Ends at the next publication; take it before you look for events. Never cancel it."""
        return self._tail.changed

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[LogTransaction]:
        """A transaction: at the end of the block it appends, commits and then tells the readers.

        That end runs through even when the caller is cancelled. When the connection is lost in the commit,
        the database is read to learn what became of it, however long that takes.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away; nothing was changed.
            CommitOutcomeUnknownError: the same at the commit of a transaction that appended nothing.
            FencedError: another process is the writer; nothing was changed.
        """
        self._writer.check()
        opened = await self._database.begin()
        transaction = LogTransaction(opened)
        try:
            yield transaction
        except BaseException as error:
            unavailable = opened.unavailable(error)
            opened.release()
            if unavailable is not None:
                raise unavailable from error
            raise
        task = asyncio.get_running_loop().create_task(self._finish(opened, transaction))
        self._finishing.add(task)
        task.add_done_callback(self._finished)
        await asyncio.shield(task)

    async def read(self, after: int, limit: int, *, keys: Collection[str] | None = None) -> list[LoggedEvent]:
        """Up to ``limit`` events beyond ``after``, from the database; those of ``keys`` if given.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away.
        """
        async with self._database.raw() as driver:
            if keys is None:
                rows = await driver.fetch(self._sql.read, after, self.head, limit)
            else:
                rows = await driver.fetch(self._sql.read_keys, after, self.head, limit, list(keys))
        return [LoggedEvent(*row) for row in rows]

    async def page(self, after: int, *, keys: Collection[str] | None = None) -> tuple[list[LoggedEvent], int]:
        """The next events beyond ``after`` and the sequence up to which nothing was left out.

        From the tail where it reaches back so far, else from the database. No events and ``after`` itself
        mean that the reader is at the head.
        """
        events = self._tail.after(after, PAGE)
        if events is None:
            head = self.head
            events = await self.read(after, PAGE, keys=keys)
            return events, events[-1].sequence if len(events) == PAGE else head
        reached = events[-1].sequence if events else after
        return (events if keys is None else [event for event in events if event.key in keys]), reached

    async def follow(
        self, after: int, *, keys: Collection[str] | None = None
    ) -> AsyncIterator[list[LoggedEvent]]:
        """Every event beyond ``after``, for ever: first the past, then what is committed."""
        while True:
            changed = self.changed
            events, reached = await self.page(after, keys=keys)
            if events:
                yield events
            elif reached == after:
                await asyncio.wait([changed])
            after = reached

    async def close(self) -> None:
        """End the commits under way, then let go of the writer's lock."""
        if self._finishing:
            _, stuck = await asyncio.wait(self._finishing, timeout=5.0)
            for task in stuck:
                task.cancel()
        await self._writer.close()

    async def _finish(self, opened: Transaction, transaction: LogTransaction) -> None:
        try:
            async with self._commit_order:
                self._writer.check()
                logged = await self._number(opened, transaction.appended)
                failpoint("event_log.before_commit")
                await self._commit(opened, logged)
                failpoint("event_log.after_commit")
                transaction.logged = logged
                self._tail.publish(logged)
        except Exception as error:
            if (unavailable := opened.unavailable(error)) is not None:
                raise unavailable from error
            raise
        finally:
            opened.release()

    async def _number(self, opened: Transaction, events: Sequence[NewEvent]) -> list[LoggedEvent]:
        token = self._writer.token
        if not events:
            if await opened.driver.fetchval(self._sql.check_token, token) is None:
                raise self._writer.lost()
            return []
        now_ns = self._clock.now_ns()
        columns = ([e.key for e in events], [e.kind for e in events], [e.event_time_ns for e in events])
        payloads = [e.payload for e in events]
        last = await opened.driver.fetchval(self._sql.append, token, *columns, payloads, now_ns)
        if last is None:
            raise self._writer.lost()
        first: int = last - len(events) + 1
        return [
            LoggedEvent(first + n, e.key, e.kind, e.event_time_ns, now_ns, e.payload)
            for n, e in enumerate(events)
        ]

    async def _commit(self, opened: Transaction, logged: Sequence[LoggedEvent]) -> None:
        try:
            await opened.commit()
        except CommitOutcomeUnknownError as unknown:
            if not logged:
                raise
            if not await self._was_committed(logged[-1].sequence):
                raise DatabaseUnavailableError("PostgreSQL went away before the commit") from unknown

    async def _was_committed(self, sequence: int) -> bool:
        """Ask the counter row; its lock waits for the lost transaction, should it still run."""
        while True:
            try:
                async with self._database.open_transaction() as opened:
                    row = await opened.driver.fetchrow(self._sql.lock_head)
            except DatabaseUnavailableError:
                await asyncio.sleep(_RECHECK_S)
                continue
            if row["writer_token"] != self._writer.token:
                raise self._writer.lost()
            return bool(row["sequence"] >= sequence)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._finishing.discard(task)
        if not task.cancelled():
            task.exception()  # the caller has it, unless it was cancelled and wants none


class _Statements:
    """The log's statements for one schema, for asyncpg."""

    def __init__(self, tables: EventLogTables) -> None:
        events, head = tables.events.fullname, tables.head.fullname
        columns = "sequence, key, kind, event_time_ns, publish_time_ns, payload"
        # ruff: noqa: S608
        # One round trip: count, then insert what the count allows. Without the token nothing is counted.
        self.append = (
            f"WITH counted AS (UPDATE {head} SET sequence = sequence + cardinality($2::text[]) "
            "WHERE writer_token = $1::bigint RETURNING sequence), "
            f"inserted AS (INSERT INTO {events} ({columns}) "
            "SELECT counted.sequence - cardinality($2) + e.n, e.key, e.kind, e.time_ns, $6::bigint, "
            "e.payload "
            "FROM counted, unnest($2, $3::text[], $4::bigint[], $5::bytea[]) "
            "WITH ORDINALITY AS e(key, kind, time_ns, payload, n)) "
            "SELECT sequence FROM counted"
        )
        self.check_token = f"SELECT sequence FROM {head} WHERE writer_token = $1 FOR SHARE"
        self.lock_head = f"SELECT sequence, writer_token FROM {head} FOR UPDATE"
        read = f"SELECT {columns} FROM {events} WHERE sequence > $1 AND sequence <= $2"
        self.read = f"{read} ORDER BY sequence LIMIT $3"
        self.read_keys = f"{read} AND key = ANY($4::text[]) ORDER BY sequence LIMIT $3"
