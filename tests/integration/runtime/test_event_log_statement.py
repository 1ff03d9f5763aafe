"""Rows and events by one statement, over a real PostgreSQL: together or not at all, whatever is cut."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.runtime.clock import ManualClock
from services.runtime.database import CommitOutcomeUnknownError, Database, DatabaseUnavailableError
from services.runtime.event_log import EventLog, FencedError, LoggedEvent
from services.runtime.waiting import until
from tests.integration.runtime.shop_log import (
    ADD_EFFECTS,
    append,
    append_at_once,
    effect_names,
    event,
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


async def test_changes_and_events_of_one_statement_are_there_together(database: Database) -> None:
    log = EventLog(database, tables, clock=ManualClock(123))
    await log.open()
    assert await append_at_once(log, "a", "b")
    assert await log.read(0, 10) == await take(log, 0, 2)
    assert (await log.read(1, 10))[0] == LoggedEvent(2, "k", "made", 7, 123, b"b")
    assert await effect_names(database) == ["a", "b"]
    await log.close()


async def test_events_of_a_statement_without_effect_are_not_appended(
    database: Database, log: EventLog
) -> None:
    changes = "changed AS (UPDATE effect SET name = $1 FROM writer WHERE name = $2 RETURNING 1)"
    assert not await log.write(changes, ["new", "missing"], [event("renamed")], only_if_changed=True)
    assert await append(log, "old") == [1]
    assert await log.write(changes, ["new", "old"], [event("renamed")], only_if_changed=True)
    assert [e.payload for e in await log.read(0, 10)] == [b"old", b"renamed"]
    assert await effect_names(database) == ["new"]


async def test_a_statement_that_fails_changes_nothing(database: Database, log: EventLog) -> None:
    await append_at_once(log, "a")
    with pytest.raises(asyncpg.UniqueViolationError):
        await append_at_once(log, "b", "a")
    assert await append(log, "c") == [2]
    assert await effect_names(database) == ["a", "c"]


async def test_a_statement_may_append_nothing(database: Database, log: EventLog) -> None:
    assert await log.write(ADD_EFFECTS, [["only"]], [])
    assert log.head == 0
    assert await append_at_once(log, "next")
    assert [e.sequence for e in await log.read(0, 10)] == [1]


async def test_a_statement_of_a_writer_whose_token_moved_changes_nothing(
    database: Database, log: EventLog
) -> None:
    async with database.raw() as driver:
        await driver.execute("UPDATE event_log_head SET writer_token = writer_token + 1")
    with pytest.raises(FencedError):
        await append_at_once(log, "late")
    assert log.fenced.is_set()
    assert await effect_names(database) == []
    assert await log.read(0, 10) == []


async def test_a_statement_that_waited_for_the_next_writer_changes_nothing(
    database: Database, log: EventLog
) -> None:
    """The token moves in a transaction that is open when the statement begins."""
    async with database.open_transaction() as other:
        await other.driver.execute("UPDATE event_log_head SET writer_token = writer_token + 1")
        late = asyncio.create_task(append_at_once(log, "late"))

        async def waits() -> bool:
            async with database.raw() as driver:
                return bool(await driver.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

        await until(waits, timeout_s=60)
        await other.commit()
    with pytest.raises(FencedError):
        await late
    assert await effect_names(database) == []


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("with_events", [True, False])
async def test_unknown_outcome_of_a_statement_is_settled_from_the_database(
    log: EventLog, arrives: bool, with_events: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetchrow = asyncpg.Connection.fetchrow

    async def cut(self: asyncpg.Connection, *arguments: object) -> None:
        monkeypatch.undo()
        if arrives:
            await fetchrow(self, *arguments)
        self.terminate()
        raise asyncpg.ConnectionDoesNotExistError("cut")

    await append_at_once(log, "before")
    monkeypatch.setattr(asyncpg.Connection, "fetchrow", cut)
    if not with_events:
        with pytest.raises(CommitOutcomeUnknownError):
            await log.write(ADD_EFFECTS, [["cut"]], [])
    elif arrives:
        assert await append_at_once(log, "cut")
    else:
        with pytest.raises(DatabaseUnavailableError):
            await append_at_once(log, "cut")
    assert await append_at_once(log, "after")
    names = [b"before", b"cut", b"after"] if arrives and with_events else [b"before", b"after"]
    assert [e.payload for e in await take(log, 0, len(names))] == names
    assert [e.payload for e in await log.read(0, 10)] == names
