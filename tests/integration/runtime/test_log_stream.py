"""Serving a log: replay, live, resume, filters, heartbeats, drain, readers that stall."""

import asyncio
import time
from collections.abc import AsyncIterator

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost.portfolio.v1.ledger_service_pb2 import StreamLedgerLogResponse
from bifrost.type.v1.stream_pb2 import StreamPosition
from services.runtime.database import Database
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.errors import ApiError
from services.runtime.event_log import EventLog
from services.runtime.testing import new_database
from tests.integration.runtime.log_streams import append, fresh_database, open_log, opener, serve


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


def at(log: EventLog, sequence: int) -> StreamPosition:
    return StreamPosition(epoch=log.epoch, sequence=sequence)


async def read(stream: AsyncIterator[bytes], count: int) -> list[tuple[str | None, int]]:
    async with asyncio.timeout(60):
        responses = [StreamLedgerLogResponse.FromString(await anext(stream)) for _ in range(count)]
    return [(r.WhichOneof("event"), r.header.sequence) for r in responses]


async def test_replay_is_marked_and_followed_by_live_events(log: EventLog) -> None:
    await append(log, 3)
    stream = serve(log, None)
    assert await read(stream, 4) == [("entry", 1), ("entry", 2), ("entry", 3), ("replay_end", 3)]
    live = asyncio.create_task(read(stream, 2))
    await append(log, 2)
    assert await live == [("entry", 4), ("entry", 5)]


@pytest.mark.parametrize("keys", [None, {"a"}])
async def test_replay_end_is_not_ahead_of_what_was_sent(log: EventLog, keys: set[str] | None) -> None:
    """Events that are committed while the replay is sent come after its end; who resumes there has them."""
    await append(log, 3, key="a")
    stream = serve(log, None, keys=keys)
    assert await read(stream, 2) == [("entry", 1), ("entry", 2)]
    await append(log, 2, key="a")
    assert await read(stream, 2) == [("entry", 3), ("replay_end", 3)]
    assert await read(serve(log, at(log, 3), keys=keys), 2) == [("entry", 4), ("entry", 5)]


async def test_empty_log_begins_with_the_replay_end(log: EventLog) -> None:
    assert await read(serve(log, None), 1) == [("replay_end", 0)]


async def test_header_carries_epoch_and_times(log: EventLog) -> None:
    await append(log, 1, key="acc")
    response = StreamLedgerLogResponse.FromString(await anext(serve(log, None)))
    logged = (await log.read(0, 1))[0]
    assert response.header.epoch == log.epoch
    assert response.header.event_time.ToNanoseconds() == 1
    assert response.header.publish_time.ToNanoseconds() == logged.publish_time_ns
    assert response.entry.account_id == "acc"
    assert response.header.previous_sequence == 0


async def test_bytes_are_made_once_for_all_readers(log: EventLog) -> None:
    first, second = serve(log, None), serve(log, None)
    await read(first, 1)
    await read(second, 1)
    await append(log, 1)
    assert await anext(first) is await anext(second)


async def test_filtered_stream_names_the_event_before(log: EventLog) -> None:
    for key in "abbaab":
        await append(log, 1, key=key)
    stream = serve(log, at(log, 1), keys={"a"})
    responses = [StreamLedgerLogResponse.FromString(await anext(stream)) for _ in range(3)]
    seen = [(r.WhichOneof("event"), r.header.sequence, r.header.previous_sequence) for r in responses]
    assert seen == [("entry", 4, 1), ("entry", 5, 4), ("replay_end", 6, 0)]


@pytest.mark.parametrize("tail_size", [5, 1000])
async def test_filter_gives_the_same_from_database_and_tail(database: Database, tail_size: int) -> None:
    log = await open_log(database, tail_size=tail_size)
    for n in range(40):
        await append(log, 1, key="ab"[n % 2])
    seen = await read(serve(log, None, keys={"b"}), 21)
    assert seen == [("entry", n) for n in range(2, 41, 2)] + [("replay_end", 40)]
    await log.close()


async def test_heartbeats_carry_the_head_even_when_nothing_matches(log: EventLog) -> None:
    stream = serve(log, None, keys={"none"}, heartbeat_s=0.02)
    await read(stream, 1)
    await append(log, 4)
    assert await read(stream, 2) == [("heartbeat", 4), ("heartbeat", 4)]


async def test_drain_ends_the_stream_with_retry_info(log: EventLog) -> None:
    draining = asyncio.Event()
    stream = serve(log, None, draining=draining)
    await read(stream, 1)
    waiting = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    draining.set()
    with pytest.raises(ApiError) as caught:
        await asyncio.wait_for(waiting, 60)
    assert (caught.value.code, caught.value.reason) == (grpc.StatusCode.UNAVAILABLE, "DRAINING")
    assert caught.value.retry_after_s


@pytest.mark.parametrize(
    ("epoch", "sequence", "code", "reason"),
    [
        ("other", 1, grpc.StatusCode.FAILED_PRECONDITION, "STREAM_EPOCH_CHANGED"),
        ("", 1, grpc.StatusCode.FAILED_PRECONDITION, "STREAM_EPOCH_CHANGED"),
        (None, 4, grpc.StatusCode.OUT_OF_RANGE, "STREAM_POSITION_INVALID"),
    ],
)
async def test_position_that_is_not_of_this_log_is_refused(
    log: EventLog, epoch: str | None, sequence: int, code: grpc.StatusCode, reason: str
) -> None:
    await append(log, 3)
    position = StreamPosition(epoch=log.epoch if epoch is None else epoch, sequence=sequence)
    with pytest.raises(ApiError) as caught:
        await anext(serve(log, position))
    assert (caught.value.code, caught.value.reason) == (code, reason)
    assert caught.value.metadata["head_sequence"] == "3"


async def test_empty_position_is_the_beginning(log: EventLog) -> None:
    await append(log, 1)
    assert await read(serve(log, StreamPosition()), 1) == [("entry", 1)]


@pytest.fixture(scope="module")
async def shared_log(postgres_server: EmbeddedPostgres) -> AsyncIterator[EventLog]:
    database = await fresh_database(new_database(postgres_server))  # a log has one writer
    log = await open_log(database, tail_size=30)
    yield log
    await log.close()
    await database.close()


@settings(max_examples=40, deadline=None)
@given(
    cuts=st.lists(st.integers(1, 25), max_size=8),
    writes=st.lists(st.tuples(st.integers(1, 40), st.sampled_from("ab")), max_size=8),
    keys=st.sampled_from([None, {"a"}, {"a", "b"}]),
    at_markers=st.booleans(),
)
async def test_cut_anywhere_and_resumed_every_event_comes_once_and_in_order(
    shared_log: EventLog,
    cuts: list[int],
    writes: list[tuple[int, str]],
    keys: set[str] | None,
    at_markers: bool,
) -> None:
    """The stream is cut after each of `cuts` messages while events are written, and taken up where it stood.

    That is its last event or, with `at_markers`, its last message of any kind.
    """
    log, start = shared_log, shared_log.head
    position, seen = at(log, start), list[int]()

    async def write() -> None:
        for count, key in writes:
            await append(log, count, key=key)

    async def follow(enough: int | None) -> None:
        nonlocal position
        before = position.sequence
        async for response in opener(log, keys=keys)(position):
            sequence, is_event = response.header.sequence, response.WhichOneof("event") == "entry"
            if is_event:
                assert response.header.previous_sequence == (before if keys else 0)
                before = sequence
                seen.append(sequence)
            if is_event or at_markers:
                position = at(log, sequence)
                enough = None if enough is None else enough - 1
            if enough == 0 or (enough is None and response.WhichOneof("event") == "replay_end"):
                break

    writing = asyncio.create_task(write())
    for cut in cuts:
        reading = asyncio.create_task(follow(cut))
        await asyncio.wait([reading, writing], return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            reading.cancel()
            await asyncio.wait([reading])
            break
        reading.result()
    await writing
    await follow(None)
    expected = [e.sequence for e in await log.read(start, 10_000, keys=keys)]
    assert seen[: len(expected)] == expected


async def test_stalled_readers_do_not_slow_another(log: EventLog) -> None:
    """A reader beside twenty that take one message and stop gets its events as it would alone."""

    async def latencies() -> list[float]:
        stream, taken = serve(log, at(log, log.head)), []
        await anext(stream)
        for _ in range(50):
            started = time.perf_counter()
            reading = asyncio.ensure_future(anext(stream))
            await append(log, 1)
            await reading
            taken.append(time.perf_counter() - started)
        return taken

    # The least of fifty: a machine that is busy with something else makes some of them slow, not all.
    alone = min(await latencies())
    stalled = [serve(log, None) for _ in range(20)]
    for stream in stalled:
        await anext(stream)
    assert min(await latencies()) < alone * 3
    for stream in stalled:
        await stream.aclose()  # type: ignore[attr-defined]
