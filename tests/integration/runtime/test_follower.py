"""Following a log: every effect once through cuts, kills and twins; halting when events are missing."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import asyncpg
import grpc
import pytest
import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bifrost.portfolio.v1.ledger_service_pb2 import StreamLedgerLogResponse
from bifrost.type.v1.stream_pb2 import StreamPosition
from services.runtime.database import Database, DatabaseUnavailableError
from services.runtime.errors import DETAILS_KEY, ApiError, unavailable
from services.runtime.event_log import EventLog, LogTransaction, NewEvent
from services.runtime.follower import CursorMovedError, Follower, FollowerHaltedError
from services.runtime.stream_client import Backoff
from services.runtime.testing import new_database, temporary_postgres
from services.runtime.waiting import until
from tests.integration.runtime.log_streams import append, cursors, effects, fresh_database, open_log, opener

Response = StreamLedgerLogResponse


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    database = await fresh_database(postgres_url)
    yield database
    await database.close()


@pytest.fixture
async def log(database: Database) -> AsyncIterator[EventLog]:
    log = await open_log(database)
    yield log
    await log.close()


async def record(connection: AsyncConnection, responses: Sequence[Response]) -> None:
    rows = [{"sequence": r.header.sequence, "batch": str(responses[0].header.sequence)} for r in responses]
    await connection.execute(effects.insert(), rows)


async def recorded(database: Database) -> list[int]:
    async with database.read() as connection:
        found = await connection.execute(sa.select(effects.c.sequence).order_by(effects.c.sequence))
    return list(found.scalars())


def follower(
    database: Database,
    open_stream: Callable[[StreamPosition | None], AsyncIterator[Response]],
    *,
    apply: Callable[[AsyncConnection, Sequence[Response]], Awaitable[None]] = record,
    filtered: bool = False,
    silence_s: float = 20.0,
    behind_s: float = 60.0,
) -> Follower[AsyncConnection, Response]:
    return Follower(
        "test",
        open_stream=open_stream,
        transaction=database.transaction,
        cursors=cursors,
        apply=apply,
        filtered=filtered,
        silence_s=silence_s,
        behind_s=behind_s,
    )


@contextlib.asynccontextmanager
async def running(following: Follower[AsyncConnection, Response]) -> AsyncIterator[None]:
    task = asyncio.create_task(following.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_events_are_applied_in_batches_and_the_cursor_moves_with_them(
    database: Database, log: EventLog
) -> None:
    await append(log, 1200)
    following = follower(database, opener(log))
    async with running(following):
        await asyncio.wait_for(following.caught_up.wait(), 60)
        assert await recorded(database) == list(range(1, 1201))
        await append(log, 1)
        await until(lambda: following.position.sequence == 1201, timeout_s=60)
    async with database.read() as connection:
        batches = (
            await connection.execute(sa.select(sa.func.count(effects.c.batch.distinct())))
        ).scalar_one()
    assert batches < 20
    assert not following.caught_up.is_set()
    again = follower(database, opener(log))
    async with running(again):
        await asyncio.wait_for(again.caught_up.wait(), 60)
    assert again.position.sequence == 1201
    assert await recorded(database) == list(range(1, 1202))


async def test_cut_streams_are_taken_up_where_the_cursor_stands(database: Database, log: EventLog) -> None:
    opened: list[int] = []

    async def cut(after: StreamPosition | None) -> AsyncIterator[Response]:
        opened.append(after.sequence if after else 0)
        taken = 0
        async for response in opener(log)(after):
            yield response
            taken += 1
            if taken == 7 and len(opened) < 6:
                raise ConnectionError("cut")

    await append(log, 60)
    following = follower(database, cut)
    async with running(following):
        await until(lambda: following.position.sequence == 60, timeout_s=60)
    assert opened == [0, 7, 14, 21, 28, 35]
    assert await recorded(database) == list(range(1, 61))


async def test_filtered_stream_is_checked_by_the_previous_sequence(database: Database, log: EventLog) -> None:
    for key in "babbaab":
        await append(log, 1, key=key)
    following = follower(database, opener(log, keys={"a"}), filtered=True)
    async with running(following):
        await asyncio.wait_for(following.caught_up.wait(), 60)
        await append(log, 1, key="b")
        await append(log, 1, key="a")
        await until(lambda: following.position.sequence == 9, timeout_s=60)
    assert await recorded(database) == [2, 5, 6, 9]


async def test_failing_effect_is_undone_and_tried_again(database: Database, log: EventLog) -> None:
    failures = 3

    async def fail_at_first(connection: AsyncConnection, responses: Sequence[Response]) -> None:
        nonlocal failures
        await record(connection, responses)
        if failures:
            failures -= 1
            raise ValueError("not yet")

    await append(log, 5)
    following = follower(database, opener(log), apply=fail_at_first)
    async with running(following):
        await asyncio.wait_for(following.caught_up.wait(), 60)
    assert await recorded(database) == [1, 2, 3, 4, 5]
    assert failures == 0


async def test_effect_that_fails_for_good_halts_the_follower_and_is_told_once(
    database: Database, log: EventLog
) -> None:
    asked: list[int] = []

    async def refuse_third(connection: AsyncConnection, responses: Sequence[Response]) -> None:
        await record(connection, responses)
        if responses[-1].header.sequence >= 3:
            asked.append(responses[0].header.sequence)
            raise ValueError("no such account")

    await append(log, 2)
    following = follower(database, opener(log), apply=refuse_third)
    with structlog.testing.capture_logs() as logged:
        task = asyncio.create_task(following.run())
        await asyncio.wait_for(following.caught_up.wait(), 60)
        await append(log, 2)
        await asyncio.wait_for(task, 60)
    assert len(asked) == 5
    assert "the events after 2 failed 5 times" in str(following.halted)
    assert "no such account" in str(following.halted)
    assert not following.caught_up.is_set()
    assert following.position.sequence == 2
    assert await recorded(database) == [1, 2]
    assert [entry["event"] for entry in logged if entry["log_level"] == "error"] == ["follower_halted"]


@pytest.mark.parametrize(
    "passing",
    [
        DatabaseUnavailableError("away"),
        CursorMovedError("a twin"),
        asyncpg.DeadlockDetectedError("deadlock"),
        asyncpg.DiskFullError("full"),
        TimeoutError(),
        unavailable("NOT_CAUGHT_UP", "another process"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_passes_does_not_halt_the_follower(
    database: Database, log: EventLog, monkeypatch: pytest.MonkeyPatch, passing: Exception
) -> None:
    """Neither however often it comes, nor together with failures before and after it."""

    async def at_once(_backoff: Backoff, *, at_least_s: float = 0.0) -> None:
        await asyncio.sleep(at_least_s)

    monkeypatch.setattr(Backoff, "pause", at_once)
    wrong = ValueError("not yet")
    errors = [*[wrong] * 4, passing, *[wrong] * 4, *[passing] * 7]

    async def fail_at_first(connection: AsyncConnection, responses: Sequence[Response]) -> None:
        await record(connection, responses)
        if errors:
            raise errors.pop(0)

    await append(log, 5)
    following = follower(database, opener(log), apply=fail_at_first)
    async with running(following):
        await asyncio.wait_for(following.caught_up.wait(), 60)
    assert errors == []
    assert await recorded(database) == [1, 2, 3, 4, 5]


async def test_two_processes_on_one_cursor_apply_each_event_once(database: Database, log: EventLog) -> None:
    first, second = follower(database, opener(log)), follower(database, opener(log))
    async with running(first), running(second):
        for _ in range(20):
            await append(log, 3)
        await until(lambda: max(first.position.sequence, second.position.sequence) == 60, timeout_s=60)
    assert await recorded(database) == list(range(1, 61))


async def test_effects_may_append_to_a_log_of_our_own(database: Database, log: EventLog) -> None:
    """As execution does: order change, event and cursor in one transaction of its own log."""
    await append(log, 4)

    async def echo(transaction: LogTransaction, responses: Sequence[Response]) -> None:
        await record(transaction.connection, responses)
        if responses[0].header.sequence < 5:
            transaction.append(*(NewEvent("echo", "echo", 1, b"") for _ in responses))

    following: Follower[LogTransaction, Response] = Follower(
        "echo", open_stream=opener(log), transaction=log.transaction, cursors=cursors, apply=echo
    )
    task = asyncio.create_task(following.run())
    await until(lambda: following.position.sequence == 8, timeout_s=60)
    task.cancel()
    await asyncio.wait([task])
    assert log.head == 8
    assert await recorded(database) == list(range(1, 9))


Change = Callable[[list[Response]], list[Response]]


def without_second(responses: list[Response]) -> list[Response]:
    return [responses[0], *responses[2:]]


def without_last(responses: list[Response]) -> list[Response]:
    return [*responses[:-2], responses[-1]]


def doubled(responses: list[Response]) -> list[Response]:
    return [responses[0], responses[0], *responses[1:]]


def other_epoch(responses: list[Response]) -> list[Response]:
    responses[-1].header.epoch = "restored"
    return responses


def unknown_kind(responses: list[Response]) -> list[Response]:
    responses[1].ClearField("entry")
    return responses


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without_second, "event 3 after 2 came when at 1"),
        (without_last, "the log is at 3, we got to 2"),
        (doubled, "event 1 after 0 came when at 1"),
        (other_epoch, "epoch changed"),
        (unknown_kind, "of a kind unknown"),
    ],
)
async def test_missing_events_halt_the_follower(
    database: Database, log: EventLog, change: Change, reason: str
) -> None:
    await append(log, 3)

    async def changed(after: StreamPosition | None) -> AsyncIterator[Response]:
        responses: list[Response] = []
        async for response in opener(log)(after):
            responses.append(response)
            if response.WhichOneof("event") == "replay_end":
                break
        for response in change(responses):
            yield response

    following = follower(database, changed)
    await asyncio.wait_for(following.run(), 60)
    assert reason in str(following.halted)
    assert not following.caught_up.is_set()
    await asyncio.wait_for(following.run(), 60)
    assert await recorded(database) in ([], [1], [1, 2, 3])


Opener = Callable[[StreamPosition | None], AsyncIterator[Response]]


def ending(log: EventLog, head: int, marker: str) -> Opener:
    """A log that ends at `head`: it says so when it is asked for more, or in the marker."""

    async def open_stream(after: StreamPosition | None) -> AsyncIterator[Response]:
        if marker == "refusal" and after is not None and after.sequence > head:
            error = ApiError(grpc.StatusCode.OUT_OF_RANGE, "STREAM_POSITION_INVALID", "beyond the head")
            await asyncio.sleep(0)
            raise rpc_error(error)
        response = Response()
        response.header.epoch, response.header.sequence = log.epoch, head
        getattr(response, "heartbeat" if marker == "heartbeat" else "replay_end").SetInParent()
        yield response
        await asyncio.Event().wait()

    return open_stream


def rpc_error(error: ApiError) -> grpc.aio.AioRpcError:
    """The error as a client has it."""
    status = error.to_status("bifrost.test")
    details = grpc.aio.Metadata((DETAILS_KEY, status.SerializeToString()))
    return grpc.aio.AioRpcError(error.code, grpc.aio.Metadata(), details, status.message)


@pytest.mark.parametrize("marker", ["refusal", "replay_end", "heartbeat"])
async def test_a_process_that_is_being_replaced_is_left_for_the_new_one(
    database: Database, log: EventLog, marker: str
) -> None:
    """The old one has not heard of event 3; its answers neither halt the follower nor count as caught up."""
    await append(log, 3)
    async with running(following := follower(database, opener(log))):
        await asyncio.wait_for(following.caught_up.wait(), 60)
    reached: list[bool] = []

    async def old_then_new(after: StreamPosition | None) -> AsyncIterator[Response]:
        reached.append(following.caught_up.is_set())
        serving = ending(log, 2, marker) if len(reached) < 4 else opener(log)
        async for response in serving(after):
            yield response

    following = follower(database, old_then_new)
    async with running(following):
        await append(log, 1)
        await until(lambda: following.position.sequence == 4, timeout_s=60)
    assert reached == [False] * 4
    assert following.halted is None
    assert await recorded(database) == [1, 2, 3, 4]


@pytest.mark.parametrize("marker", ["refusal", "replay_end", "heartbeat"])
async def test_a_log_that_stays_behind_has_lost_events(
    database: Database, log: EventLog, marker: str
) -> None:
    await append(log, 3)
    async with running(following := follower(database, opener(log))):
        await asyncio.wait_for(following.caught_up.wait(), 60)
    following = follower(database, ending(log, 2, marker), behind_s=0.1)
    await asyncio.wait_for(following.run(), 60)
    reason = "beyond the head" if marker == "refusal" else "ends at 2, before our 3"
    assert reason in str(following.halted)
    assert await recorded(database) == [1, 2, 3]


async def test_effect_may_halt_the_follower(database: Database, log: EventLog) -> None:
    async def refuse(_connection: AsyncConnection, _responses: Sequence[Response]) -> None:
        raise FollowerHaltedError("a fill of an unknown order")

    await append(log, 1)
    following = follower(database, opener(log), apply=refuse)
    await asyncio.wait_for(following.run(), 60)
    assert following.halted == "a fill of an unknown order"
    assert following.position.sequence == 0


async def test_silent_stream_is_taken_for_dead(database: Database, log: EventLog) -> None:
    opened = 0

    async def silent_once(after: StreamPosition | None) -> AsyncIterator[Response]:
        nonlocal opened
        opened += 1
        if opened == 1:
            await asyncio.Event().wait()
        async for response in opener(log)(after):
            yield response

    following = follower(database, silent_once, silence_s=0.05)
    async with running(following):
        await append(log, 1)
        await until(lambda: following.position.sequence == 1, timeout_s=60)


async def test_killed_database_neither_loses_nor_doubles_effects() -> None:
    with temporary_postgres() as server:
        database = await fresh_database(new_database(server))
        log = await open_log(database)
        following = follower(database, opener(log))
        async with running(following):
            await append(log, 20)
            await until(lambda: following.position.sequence > 0, timeout_s=60)
            os.kill(server.pid() or 0, signal.SIGKILL)
            await until(lambda: server.pid() is None, timeout_s=60)
            await asyncio.to_thread(server.start)
            await append(log, 20)
            await until(lambda: following.position.sequence == 40, timeout_s=60)
        assert await recorded(database) == list(range(1, 41))
        await log.close()
        await database.close()
