"""Streams of bars whose readers are slow, over a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import grpc
import pytest

from services.data import tables
from services.data.bars.bar_stream import BarStreams, Chunk
from services.data.domain.bars import Bars
from services.runtime.database import Database
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.errors import ApiError
from services.runtime.testing import new_database
from services.runtime.waiting import until

_COLUMNS = "g, 1::float8, 1::float8, 1::float8, 1::float8, 1::float8"
SHORT = f"SELECT {_COLUMNS} FROM (SELECT generate_series(1::bigint, 10) g) numbers"
# Hundreds of chunks.
LONG = f"SELECT {_COLUMNS} FROM (SELECT generate_series(1::bigint, 20000000) g) numbers"


@pytest.fixture(scope="module")
async def database(postgres_server: EmbeddedPostgres) -> AsyncIterator[Database]:
    database = await Database.connect(new_database(postgres_server), schema=tables.SCHEMA)
    yield database
    await database.close()


async def short(streams: BarStreams) -> int:
    return sum([len(chunk.bars) async for chunk in streams.read(Bars, SHORT)])


async def drained(stream: AsyncGenerator[Chunk[Bars]]) -> None:
    async for _ in stream:
        pass


PAUSE_S = 0.25
"""Between chunks: PostgreSQL is quicker on any machine, so it is the reader that keeps it waiting."""


class SlowReader:
    """Takes a chunk now and then until told to stop."""

    def __init__(self) -> None:
        self.chunks = 0
        self._told = asyncio.Event()

    def stop(self) -> None:
        self._told.set()

    async def read(self, streams: BarStreams) -> None:
        async with aclosing(streams.read(Bars, LONG)) as stream:
            async for _ in stream:
                self.chunks += 1
                try:
                    await asyncio.wait_for(self._told.wait(), PAUSE_S)
                except TimeoutError:
                    continue
                return
        raise AssertionError("the stream was too short")

    async def has_read(self, chunks: int) -> None:
        await until(lambda: self.chunks >= chunks, timeout_s=60)


@asynccontextmanager
async def slow_readers(streams: BarStreams) -> AsyncIterator[dict[SlowReader, asyncio.Task[None]]]:
    """As many as may read at once, each with its first chunk."""
    reading = {
        reader: asyncio.create_task(reader.read(streams)) for reader in [SlowReader() for _ in range(4)]
    }
    try:
        await asyncio.gather(*(reader.has_read(1) for reader in reading))
        yield reading
    finally:
        for reader in reading:
            reader.stop()
        await asyncio.gather(*reading.values(), return_exceptions=True)


async def test_a_reader_that_takes_nothing_loses_its_connection(database: Database) -> None:
    streams = BarStreams(database, patience_s=0.2)
    stalled = streams.read(Bars, LONG)
    async with aclosing(stalled), asyncio.timeout(60):
        assert len((await anext(stalled)).bars) > 0
        others = [streams.read(Bars, LONG) for _ in range(3)]
        for other in others:
            await anext(other)
        assert await short(streams) == 10
        with pytest.raises(ApiError) as caught:
            await drained(stalled)
        assert (caught.value.code, caught.value.reason) == (grpc.StatusCode.ABORTED, "HISTORY_STALLED")
        for other in others:
            await other.aclose()


async def test_slow_readers_do_not_hold_up_others(database: Database) -> None:
    """Each takes a chunk well within its patience, over and over."""
    streams = BarStreams(database, patience_s=1.0)
    async with slow_readers(streams) as reading, asyncio.timeout(60):
        assert await short(streams) == 10
        # Who lost its connection for it learns so at its next chunk.
        ended, _ = await asyncio.wait(reading.values(), return_when=asyncio.FIRST_COMPLETED)
        for end in ended:
            with pytest.raises(ApiError, match="PostgreSQL waited") as caught:
                await end
            assert (caught.value.code, caught.value.reason) == (grpc.StatusCode.ABORTED, "HISTORY_STALLED")


async def test_a_slow_reader_for_whom_nobody_waits_is_left_alone(database: Database) -> None:
    streams = BarStreams(database, patience_s=1.0)
    reader = SlowReader()
    reading = asyncio.create_task(reader.read(streams))
    # Slower than PostgreSQL for three times its patience.
    await reader.has_read(12)
    reader.stop()
    await reading
    # Its connection is free again.
    async with asyncio.timeout(60):
        assert await asyncio.gather(*(short(streams) for _ in range(6))) == [10] * 6


async def test_patience_used_up_before_others_came_counts(database: Database) -> None:
    streams = BarStreams(database, patience_s=1.5)
    async with slow_readers(streams) as readers:
        await asyncio.gather(*(reader.has_read(14) for reader in readers))
        before = sum(reader.chunks for reader in readers)
        async with asyncio.timeout(60):
            assert await short(streams) == 10
        # With all their patience yet to use they would have taken six chunks each.
        assert sum(reader.chunks for reader in readers) - before < 12
