"""The event log over a real PostgreSQL: order, gaps, cancellation, fencing, a database that is killed."""
# ruff: noqa: PT012

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine

import asyncpg
import pytest
import structlog.testing

from services.runtime.clock import ManualClock, SystemClock
from services.runtime.database import (
    CommitOutcomeUnknownError,
    Database,
    DatabaseUnavailableError,
)
from services.runtime.event_log import EventLog, FencedError, LoggedEvent
from services.runtime.testing import new_database, temporary_postgres
from services.runtime.waiting import until
from services.runtime.writer_lock import WriterLock
from tests.integration.runtime.shop_log import (
    append,
    append_at_once,
    effects,
    event,
    make_tables,
    shop_database,
    shop_log,
    tables,
    take,
)


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    async with shop_database(postgres_url) as database:
        yield database


@pytest.fixture
async def log(database: Database) -> AsyncIterator[EventLog]:
    async with shop_log(database) as log:
        yield log


async def test_events_are_numbered_from_one_and_published_after_the_commit(database: Database) -> None:
    log = EventLog(database, tables, clock=ManualClock(123))
    await log.open()
    async with log.transaction() as transaction:
        transaction.append(event("a"), event("b"))
        assert log.head == 0
    assert [e.sequence for e in transaction.logged] == [1, 2]
    assert await log.read(0, 10) == transaction.logged
    assert transaction.logged[0] == LoggedEvent(1, "k", "made", 7, 123, b"a")
    await log.close()


async def test_nothing_is_logged_when_the_block_raises(log: EventLog) -> None:
    with pytest.raises(ZeroDivisionError):
        async with log.transaction() as transaction:
            transaction.append(event("a"))
            raise ZeroDivisionError
    assert await append(log, "b") == [1]
    assert await log.read(0, 10, keys={"other"}) == []


async def test_writers_at_once_leave_no_gap_and_readers_see_commit_order(log: EventLog) -> None:
    reader = asyncio.create_task(take(log, 0, 240))

    async def write(writer: int) -> None:
        way = append_at_once if writer % 2 else append
        for n in range(15):
            await way(log, f"{writer}-{n}a", f"{writer}-{n}b")

    await asyncio.gather(*(write(writer) for writer in range(8)))
    seen = await asyncio.wait_for(reader, 60)
    assert [e.sequence for e in seen] == list(range(1, 241))
    assert await log.read(0, 1000) == seen


async def test_reader_behind_the_tail_falls_back_to_the_database(log: EventLog) -> None:
    for start in range(0, 600, 100):
        await append(log, *(str(n) for n in range(start, start + 100)))
    assert [e.payload for e in await take(log, 0, 600)] == [str(n).encode() for n in range(600)]
    assert [e.sequence for e in await take(log, 597, 3)] == [598, 599, 600]


@pytest.mark.parametrize("keys", [None, {"k"}])
async def test_page_from_the_database_holds_nothing_beyond_what_it_reaches(
    database: Database, log: EventLog, keys: set[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events that are committed while a reader waits for a connection come with its next page, once."""
    await append(log, *map(str, range(50)))
    raw = Database.raw

    @contextlib.asynccontextmanager
    async def busy(self: Database) -> AsyncIterator[asyncpg.Connection]:
        monkeypatch.undo()
        await append(log, "meanwhile")
        async with raw(self) as driver:
            yield driver

    monkeypatch.setattr(Database, "raw", busy)
    events, reached = await log.page(0, keys=keys)
    assert [e.sequence for e in events] == list(range(1, 51))
    assert reached == 50
    events, reached = await log.page(reached, keys=keys)
    assert [e.sequence for e in events] == [51]


async def test_filtered_reader_gets_its_keys_alone_from_database_and_tail(log: EventLog) -> None:
    for n in range(100):
        await append(log, f"{n}", key=f"key{n % 3}")
    seen = await take(log, 0, 67, keys={"key0", "key2"})
    assert [e.sequence for e in seen] == [n + 1 for n in range(100) if n % 3 != 1]
    waiting = asyncio.create_task(take(log, 100, 1, keys={"key1"}))
    await append(log, "x", key="key2")
    await append(log, "y", key="key1")
    assert [e.payload for e in await asyncio.wait_for(waiting, 60)] == [b"y"]


@pytest.mark.parametrize("way", [append, append_at_once])
async def test_cancelled_caller_leaves_tail_and_database_agreed(
    log: EventLog, way: Callable[..., Coroutine[None, None, object]]
) -> None:
    for attempt in range(40):
        task = asyncio.create_task(way(log, f"c{attempt}"))
        for _ in range(attempt):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    last = (await append(log, "last"))[0]
    assert [e.sequence for e in await log.read(0, 100)] == list(range(1, last + 1))
    assert [e.sequence for e in await take(log, 0, last)] == list(range(1, last + 1))
    assert log.head == last


async def test_second_writer_waits_for_the_first(database: Database, log: EventLog) -> None:
    await append(log, "first")
    second = EventLog(database, tables, clock=SystemClock())
    opening = asyncio.create_task(second.open())
    done, _ = await asyncio.wait([opening], timeout=0.1)
    assert not done
    await log.close()
    await asyncio.wait_for(opening, 60)
    assert second.epoch == log.epoch
    assert await append(second, "second") == [2]
    await second.close()


async def test_writer_whose_token_moved_can_commit_nothing(database: Database, log: EventLog) -> None:
    async with database.raw() as driver:
        await driver.execute("UPDATE event_log_head SET writer_token = writer_token + 1")
    with pytest.raises(FencedError):
        async with log.transaction() as transaction:
            await transaction.connection.execute(effects.insert(), {"name": "late"})
    assert log.fenced.is_set()
    with pytest.raises(FencedError):
        await append(log, "later")
    async with database.raw() as driver:
        assert await driver.fetchval("SELECT count(*) FROM effect") == 0
        assert await driver.fetchval("SELECT sequence FROM event_log_head") == 0


async def test_transaction_may_append_nothing(log: EventLog) -> None:
    async with log.transaction() as transaction:
        await transaction.driver.execute("INSERT INTO effect VALUES ('only')")
    assert transaction.logged == []
    assert log.head == 0


async def lock_holders(database: Database) -> list[int]:
    async with database.raw() as driver:
        rows = await driver.fetch("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted")
    return [row["pid"] for row in rows]


async def test_lost_lock_is_taken_again(database: Database, log: EventLog) -> None:
    (holder,) = await lock_holders(database)
    async with database.raw() as driver:
        await driver.execute("SELECT pg_terminate_backend($1)", holder)

    async def taken_again() -> bool:
        return await lock_holders(database) not in ([], [holder])

    await until(taken_again, timeout_s=60)
    assert await append(log, "still the writer") == [1]


async def test_lost_lock_with_a_moved_token_fences(database: Database, log: EventLog) -> None:
    (holder,) = await lock_holders(database)
    async with database.raw() as driver:
        await driver.execute("UPDATE event_log_head SET writer_token = writer_token + 1")
        await driver.execute("SELECT pg_terminate_backend($1)", holder)
    await asyncio.wait_for(log.fenced.wait(), 60)


class Refusing:
    """`Database.dedicated` of a database whose next connections are refused with the given errors."""

    def __init__(self, database: Database, *errors: Exception) -> None:
        self._connect = database.dedicated
        self._errors = list(errors)
        self.asked = 0

    async def __call__(self) -> asyncpg.Connection:
        self.asked += 1
        if self._errors:
            raise self._errors.pop(0)
        return await self._connect()


async def cut_the_lock(database: Database) -> int:
    (holder,) = await lock_holders(database)
    async with database.raw() as driver:
        await driver.execute("SELECT pg_terminate_backend($1)", holder)
    return holder


async def test_a_driver_that_is_confused_by_a_dying_server_is_a_lost_connection(
    database: Database, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = Refusing(database, asyncpg.InternalClientError("got result for unknown protocol state 0"))
    monkeypatch.setattr(database, "dedicated", refusing)
    holder = await cut_the_lock(database)

    async def taken_again() -> bool:
        return await lock_holders(database) not in ([], [holder])

    await until(taken_again, timeout_s=60)
    assert refusing.asked == 2
    assert not log.fenced.is_set()
    assert await append(log, "still the writer") == [1]


async def test_a_lock_that_nobody_keeps_any_more_fences(
    database: Database, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "dedicated", Refusing(database, ZeroDivisionError("a defect")))
    with structlog.testing.capture_logs() as logs:
        await cut_the_lock(database)
        await asyncio.wait_for(log.fenced.wait(), 60)
    assert [(e["event"], e["schema"]) for e in logs] == [("writer_lock_not_kept", "shop")]
    with pytest.raises(FencedError):
        await append(log, "not the writer")


async def test_a_connection_that_fails_while_the_lock_is_taken_again_is_closed(
    database: Database, log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Left open it would hold the lock against its own process."""
    tried: list[int] = []

    async def fail_after_locking(self: WriterLock, connection: asyncpg.Connection) -> bool:
        monkeypatch.undo()
        tried.append(connection.get_server_pid())
        await is_ours(self, connection)
        raise asyncpg.InternalClientError("got result for unknown protocol state 0")

    is_ours = WriterLock._is_ours
    monkeypatch.setattr(WriterLock, "_is_ours", fail_after_locking)
    holder = await cut_the_lock(database)

    async def taken_again() -> bool:
        return await lock_holders(database) not in ([], [holder], tried)

    await until(taken_again, timeout_s=60)
    assert not log.fenced.is_set()


@pytest.mark.parametrize("committed", [True, False])
async def test_unknown_commit_is_settled_from_the_database(
    database: Database, log: EventLog, committed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is cut after the COMMIT arrived, or before it was sent: no answer either way."""
    from services.runtime.database import Transaction

    commit = Transaction.commit

    async def cut(self: Transaction) -> None:
        monkeypatch.undo()
        if committed:
            await commit(self)
        self.driver.terminate()
        raise CommitOutcomeUnknownError("cut")

    await append(log, "before")
    monkeypatch.setattr(Transaction, "commit", cut)
    if committed:
        assert await append(log, "cut") == [2]
    else:
        with pytest.raises(DatabaseUnavailableError):
            await append(log, "cut")
    assert await append(log, "after") == [3 if committed else 2]
    names = [b"before", b"cut", b"after"] if committed else [b"before", b"after"]
    assert [e.payload for e in await take(log, 0, len(names))] == names
    assert [e.payload for e in await log.read(0, 10)] == names


def _beyond(log: EventLog, more: int) -> Callable[[], bool]:
    target = log.head + more
    return lambda: log.head >= target


async def test_killed_database_loses_and_doubles_nothing() -> None:
    """Writers keep at it while PostgreSQL is killed -9: what was confirmed is there once."""
    with temporary_postgres() as server:
        database = await Database.connect(new_database(server), schema="shop", pool_size=8)
        await make_tables(database)
        log = EventLog(database, tables, clock=SystemClock())
        await log.open()
        confirmed: list[str] = []
        failed: list[str] = []
        stop = asyncio.Event()

        async def write(writer: int) -> None:
            n = 0
            while not stop.is_set():
                name = f"{writer}-{n}"
                n += 1
                try:
                    await (append_at_once if writer % 2 else append)(log, name)
                    confirmed.append(name)
                except DatabaseUnavailableError:
                    failed.append(name)
                    await asyncio.sleep(0.01)

        writers = [asyncio.create_task(write(writer)) for writer in range(4)]
        for _ in range(2):
            await until(_beyond(log, 40), timeout_s=60)
            os.kill(server.pid() or 0, signal.SIGKILL)
            await until(lambda: server.pid() is None, timeout_s=60)
            await asyncio.to_thread(server.start)
        await until(_beyond(log, 40), timeout_s=60)
        stop.set()
        await asyncio.wait_for(asyncio.gather(*writers), 60)
        stored = await log.read(0, 1_000_000)
        payloads = [e.payload.decode() for e in stored]
        assert failed
        assert sorted(payloads) == sorted(confirmed)
        assert [e.sequence for e in stored] == list(range(1, len(stored) + 1))
        assert await take(log, 0, len(stored)) == stored
        assert not log.fenced.is_set()
        await log.close()
        await database.close()


async def test_open_says_that_the_database_is_away() -> None:
    with temporary_postgres() as server:
        database = await Database.connect(new_database(server), schema="shop")
        await make_tables(database)
        await asyncio.to_thread(server.stop)
        with pytest.raises(DatabaseUnavailableError):
            await EventLog(database, tables, clock=SystemClock()).open()
        await database.close()
