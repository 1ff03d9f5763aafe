"""An append-only log of events whose sequence order is commit order, without gaps, and that has one writer.

The counter row is updated last in a transaction and its lock is held to the commit, so a reader can never see
8 and later meet 7. In this process the end of a transaction (count, insert, commit, publish) runs under one
lock: the tail in memory grows in commit order too. A second writer is kept out by an advisory lock, and by a
fencing token in the counter row for the time in which that lock may be lost.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

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
from services.runtime.log_statements import LogStatements
from services.runtime.writer_lock import FencedError, WriterLock

__all__ = [
    "EventLog",
    "EventLogTables",
    "FencedError",
    "LogTransaction",
    "LoggedEvent",
    "NewEvent",
    "TooLateError",
    "event_log_tables",
]

T = TypeVar("T")

PAGE = 500
_RECHECK_S = 0.2


class TooLateError(RuntimeError):
    """Nothing was changed, since the time for it was over."""


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
        self.not_after_ns: int | None = None
        """Monotonic time from which on it is not committed any more: TooLateError instead."""

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
        self._sql = LogStatements(tables.events.fullname, tables.head.fullname)
        self._writer = WriterLock(database)
        self._commit_order = asyncio.Lock()
        self._finishing: set[asyncio.Task[Any]] = set()
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
        await self._to_the_end(self._finish(opened, transaction))

    async def write(
        self,
        changes: str,
        values: Sequence[object],
        events: Sequence[NewEvent],
        *,
        only_if_changed: bool = False,
        not_after_ns: int | None = None,
    ) -> bool:
        """Change rows and append events by one statement: one round trip where a transaction takes four.

        ``changes`` is what stands between WITH and the statement proper: queries by name, with parameters
        from $1. Each takes its rows from ``writer``, which has one row, and none when another process is the
        writer. With ``only_if_changed`` the one named ``changed`` decides: without a row of it the events are
        not appended.

        It runs through even when the caller is cancelled; a connection lost on the way is as in
        ``transaction``. After ``not_after_ns`` (monotonic) it is not sent any more, whatever held it up.

        Returns:
            whether the events were appended.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away; nothing was changed.
            CommitOutcomeUnknownError: it went away, and with no events nobody can tell what became of it.
            FencedError: another process is the writer; nothing was changed.
            TooLateError: its time was over; nothing was changed.
        """
        return await self._to_the_end(self._write(changes, values, events, only_if_changed, not_after_ns))

    async def read(self, after: int, limit: int, *, keys: Collection[str] | None = None) -> list[LoggedEvent]:
        """Up to ``limit`` events beyond ``after``, from the database; those of ``keys`` if given.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away.
        """
        return await self._read(after, self.head, limit, keys)

    async def page(self, after: int, *, keys: Collection[str] | None = None) -> tuple[list[LoggedEvent], int]:
        """The next events beyond ``after`` and the sequence up to which nothing was left out.

        From the tail where it reaches back so far, else from the database. No events and ``after`` itself
        mean that the reader is at the head.
        """
        events = self._tail.after(after, PAGE)
        if events is None:
            head = self.head  # it may move while the database is asked
            events = await self._read(after, head, PAGE, keys)
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

    async def _read(
        self, after: int, head: int, limit: int, keys: Collection[str] | None
    ) -> list[LoggedEvent]:
        async with self._database.raw() as driver:
            if keys is None:
                rows = await driver.fetch(self._sql.read, after, head, limit)
            else:
                rows = await driver.fetch(self._sql.read_keys, after, head, limit, list(keys))
        return [LoggedEvent(*row) for row in rows]

    async def _to_the_end(self, work: Coroutine[None, None, T]) -> T:
        task = asyncio.get_running_loop().create_task(work)
        self._finishing.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    async def _write(
        self,
        changes: str,
        values: Sequence[object],
        events: Sequence[NewEvent],
        only_if_changed: bool,
        not_after_ns: int | None,
    ) -> bool:
        statement = self._sql.append_with(changes, len(values), len(events), only_if_changed=only_if_changed)
        async with self._commit_order:
            self._writer.check()
            now_ns = self._clock.now_ns()
            failpoint("event_log.before_commit")
            arguments = (*values, self._writer.token, *_event_values(events, now_ns))
            last = self.head + len(events)
            is_sent = False
            try:
                async with self._database.raw() as driver:
                    self._check_time(not_after_ns)
                    is_sent = True
                    row = await driver.fetchrow(statement, *arguments)
            except DatabaseUnavailableError as error:
                if not is_sent:
                    raise
                if not events:
                    raise CommitOutcomeUnknownError(str(error)) from error
                if not await self._was_committed(last):
                    raise
            else:
                if not row["is_writer"]:
                    raise self._writer.lost()
                if row["sequence"] is None:
                    return False
                last = row["sequence"]
            failpoint("event_log.after_commit")
            self._tail.publish(_logged(events, last, now_ns))
            return True

    async def _finish(self, opened: Transaction, transaction: LogTransaction) -> None:
        try:
            async with self._commit_order:
                self._writer.check()
                self._check_time(transaction.not_after_ns)
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

    def _check_time(self, not_after_ns: int | None) -> None:
        if not_after_ns is not None and self._clock.monotonic_ns() > not_after_ns:
            raise TooLateError("its time was over before it could be written")

    async def _number(self, opened: Transaction, events: Sequence[NewEvent]) -> list[LoggedEvent]:
        token = self._writer.token
        if not events:
            if await opened.driver.fetchval(self._sql.check_token, token) is None:
                raise self._writer.lost()
            return []
        now_ns = self._clock.now_ns()
        last = await opened.driver.fetchval(self._sql.append, token, *_columns(events), now_ns)
        if last is None:
            raise self._writer.lost()
        return _logged(events, last, now_ns)

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

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._finishing.discard(task)
        if not task.cancelled():
            task.exception()  # the caller has it, unless it was cancelled and wants none


def _event_values(events: Sequence[NewEvent], now_ns: int) -> tuple[object, ...]:
    """What a statement of `append_with` takes for the events."""
    match events:
        case []:
            return ()
        case [event]:
            return event.key, event.kind, event.event_time_ns, event.payload, now_ns
    return (*_columns(events), now_ns)


def _columns(events: Sequence[NewEvent]) -> tuple[Sequence[object], ...]:
    return (
        [event.key for event in events],
        [event.kind for event in events],
        [event.event_time_ns for event in events],
        [event.payload for event in events],
    )


def _logged(events: Sequence[NewEvent], last: int, now_ns: int) -> list[LoggedEvent]:
    first = last - len(events) + 1
    return [
        LoggedEvent(first + n, event.key, event.kind, event.event_time_ns, now_ns, event.payload)
        for n, event in enumerate(events)
    ]
