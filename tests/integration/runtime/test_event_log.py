"""The event log over a real PostgreSQL: order, gaps, cancellation, fencing, a database that is killed."""
# ruff: noqa: PT012

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable

import pytest
import sqlalchemy as sa

from services.runtime.clock import ManualClock, SystemClock
from services.runtime.database import (
    CommitOutcomeUnknownError,
    Database,
    DatabaseUnavailableError,
    metadata_for,
)
from services.runtime.event_log import EventLog, FencedError, LoggedEvent, NewEvent, event_log_tables
from services.runtime.testing import eventually, new_database, temporary_postgres

metadata = metadata_for("shop")
tables = event_log_tables(metadata)
effects = sa.Table("effect", metadata, sa.Column("name", sa.Text, primary_key=True))


async def make_tables(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(sa.schema.CreateSchema("shop", if_not_exists=True))
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    database = await Database.connect(postgres_url, schema="shop", pool_size=12)
    await make_tables(database)
    yield database
    await database.close()


@pytest.fixture
async def log(database: Database) -> AsyncIterator[EventLog]:
    log = EventLog(database, tables, clock=SystemClock(), tail_size=20)
    await log.open()
    yield log
    await log.close()


def event(name: str, key: str = "k") -> NewEvent:
    return NewEvent(key, "made", 7, name.encode())


async def append(log: EventLog, *names: str, key: str = "k") -> list[int]:
    async with log.transaction() as transaction:
        await transaction.connection.execute(effects.insert(), [{"name": name} for name in names])
        transaction.append(*(event(name, key) for name in names))
    return [logged.sequence for logged in transaction.logged]


async def take(log: EventLog, after: int, count: int, keys: set[str] | None = None) -> list[LoggedEvent]:
    taken: list[LoggedEvent] = []
    async for events in log.follow(after, keys=keys):
        taken += events
        if len(taken) >= count:
            break
    return taken


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
        for n in range(15):
            await append(log, f"{writer}-{n}a", f"{writer}-{n}b")

    await asyncio.gather(*(write(writer) for writer in range(8)))
    seen = await asyncio.wait_for(reader, 10)
    assert [e.sequence for e in seen] == list(range(1, 241))
    assert await log.read(0, 1000) == seen


async def test_reader_behind_the_tail_falls_back_to_the_database(log: EventLog) -> None:
    for start in range(0, 600, 100):
        await append(log, *(str(n) for n in range(start, start + 100)))
    assert [e.payload for e in await take(log, 0, 600)] == [str(n).encode() for n in range(600)]
    assert [e.sequence for e in await take(log, 597, 3)] == [598, 599, 600]


async def test_filtered_reader_gets_its_keys_alone_from_database_and_tail(log: EventLog) -> None:
    for n in range(100):
        await append(log, f"{n}", key=f"key{n % 3}")
    seen = await take(log, 0, 67, keys={"key0", "key2"})
    assert [e.sequence for e in seen] == [n + 1 for n in range(100) if n % 3 != 1]
    waiting = asyncio.create_task(take(log, 100, 1, keys={"key1"}))
    await append(log, "x", key="key2")
    await append(log, "y", key="key1")
    assert [e.payload for e in await asyncio.wait_for(waiting, 5)] == [b"y"]


async def test_cancelled_caller_leaves_tail_and_database_agreed(log: EventLog) -> None:
    for attempt in range(40):
        task = asyncio.create_task(append(log, f"c{attempt}"))
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
    await asyncio.wait_for(opening, 5)
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

    await eventually(taken_again)
    assert await append(log, "still the writer") == [1]


async def test_lost_lock_with_a_moved_token_fences(database: Database, log: EventLog) -> None:
    (holder,) = await lock_holders(database)
    async with database.raw() as driver:
        await driver.execute("UPDATE event_log_head SET writer_token = writer_token + 1")
        await driver.execute("SELECT pg_terminate_backend($1)", holder)
    await asyncio.wait_for(log.fenced.wait(), 5)


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
                    await append(log, name)
                    confirmed.append(name)
                except DatabaseUnavailableError:
                    failed.append(name)
                    await asyncio.sleep(0.01)

        writers = [asyncio.create_task(write(writer)) for writer in range(4)]
        for _ in range(2):
            await eventually(_beyond(log, 40))
            os.kill(server.pid() or 0, signal.SIGKILL)
            await eventually(lambda: server.pid() is None)
            await asyncio.to_thread(server.start)
        await eventually(_beyond(log, 40))
        stop.set()
        await asyncio.wait_for(asyncio.gather(*writers), 20)
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
