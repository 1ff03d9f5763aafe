"""Bars out of PostgreSQL in chunks, each handed on while the server sends the next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic

import numpy as np
import numpy.typing as npt

from services.data.bars.bar_copy import AT_ONCE, HEADER, TRAILER, B, columns_of, row_of
from services.runtime.database import Database
from services.runtime.errors import aborted

CHUNK_ROWS: Final = 32_768
"""Rows of a chunk: large enough that a message costs little a row, under two megabytes."""
_AHEAD: Final = 3
"""Chunks read before they are asked for; then PostgreSQL waits."""


@dataclass(frozen=True, slots=True)
class Chunk(Generic[B]):
    """Some of a range's bars; ``last`` says that none follow."""

    bars: B
    last: bool


class ChunkReader(Generic[B]):
    """Takes a binary COPY in pieces, as `BarReader` does, and gives chunks of `CHUNK_ROWS`."""

    def __init__(self, kind: type[B], emit: Callable[[Chunk[B]], Awaitable[None]]) -> None:
        self._kind = kind
        self._row = row_of(kind)
        self._emit = emit
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._skip = len(HEADER)
        self._columns = self._new_columns()
        self._count = 0

    async def feed(self, piece: bytes) -> None:
        """Take the next piece, cut anywhere; ValueError when it is no such stream."""
        self._pieces.append(piece)
        self._waiting += len(piece)
        if self._waiting >= AT_ONCE:
            await self._decode()

    async def finish(self) -> None:
        """All pieces have come: the last chunk, of what is left; ValueError when the stream is cut."""
        if await self._decode() != TRAILER:
            raise self._refusal()
        bars = self._kind(*(column[: self._count] for column in self._columns.values()))
        await self._emit(Chunk(bars, last=True))

    async def _decode(self) -> bytes:
        """Decode the rows that are whole; returns, and keeps, the rest."""
        waiting = b"".join(self._pieces)
        skip, self._skip = self._skip, 0
        if skip and not waiting.startswith(HEADER):
            raise self._refusal()
        count = (len(waiting) - skip) // self._row.itemsize
        rows = np.frombuffer(waiting, dtype=self._row, count=count, offset=skip)
        if (rows["field_count"] != len(self._columns)).any():
            raise self._refusal()
        rest = waiting[skip + count * self._row.itemsize :]
        self._pieces, self._waiting = [rest], len(rest)
        while len(rows):
            rows = await self._take(rows)
        return rest

    async def _take(self, rows: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
        """Put rows into the columns as far as there is room; returns those for which there was none."""
        if self._count == CHUNK_ROWS:
            full, self._columns, self._count = self._columns, self._new_columns(), 0
            await self._emit(Chunk(self._kind(*full.values()), last=False))
        end = min(self._count + len(rows), CHUNK_ROWS)
        taken = end - self._count
        for name, column in self._columns.items():
            column[self._count : end] = rows[name][:taken]
        self._count = end
        return rows[taken:]

    # Any: integers or doubles, as the row has them.
    def _new_columns(self) -> dict[str, npt.NDArray[Any]]:
        names = columns_of(self._kind)
        return {name: np.empty(CHUNK_ROWS, dtype=self._row[name].newbyteorder("=")) for name in names}

    def _refusal(self) -> ValueError:
        return ValueError(f"no binary COPY of rows of {len(self._columns)} columns")


_PATIENCE_S: Final = 30.0
"""A consumer that takes nothing for so long loses its connection; so long in total, while others wait."""
_AT_ONCE: Final = 4
"""Streams that read; each holds a connection."""


class _Patience:
    """How long a stream's consumer may yet keep PostgreSQL waiting."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._left_s = patience_s
        self._began_s = 0.0
        self._timeout: asyncio.Timeout | None = None

    async def put(self, ready: asyncio.Queue[Chunk[B] | None], chunk: Chunk[B] | None, rush: bool) -> None:
        """Put a chunk when there is room: soon enough, and in a ``rush`` before all patience is used up.

        Raises:
            ApiError: ABORTED HISTORY_STALLED.
        """
        if not ready.full():
            ready.put_nowait(chunk)
            return
        self._began_s = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(max(0.0, self._left_s) if rush else self._patience_s) as self._timeout:
                await ready.put(chunk)
        except TimeoutError:
            message = (
                f"PostgreSQL waited {self._patience_s:g} s for bars to be taken; ask again from the last"
            )
            raise aborted("HISTORY_STALLED", message) from None
        finally:
            self._timeout = None
            self._left_s -= asyncio.get_running_loop().time() - self._began_s

    def rush(self) -> None:
        """Another has come to wait for this stream to end."""
        if self._timeout is not None and not self._timeout.expired():
            self._timeout.reschedule(self._began_s + max(0.0, self._left_s))


class BarStreams:
    """Streams bars; more than a few at a time wait for their turn.

    A consumer over a slow line keeps its connection as long as it needs, unless others wait for one.
    """

    def __init__(self, database: Database, *, patience_s: float = _PATIENCE_S) -> None:
        self._database = database
        self._patience_s = patience_s
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._reading: set[_Patience] = set()
        self._waiting = 0

    async def read(self, kind: type[B], query: str) -> AsyncGenerator[Chunk[B]]:
        """The answer of ``query``, which selects `columns_of` (kind); at least one chunk, the last marked.

        Raises:
            ApiError: ABORTED HISTORY_STALLED, when nothing was taken for too long, or too slowly while
                others waited.
            DatabaseUnavailableError: PostgreSQL is away.
        """
        ready: asyncio.Queue[Chunk[B] | None] = asyncio.Queue(_AHEAD)
        copying = asyncio.create_task(self._copy(kind, query, ready), name="copy bars")
        try:
            while (chunk := await ready.get()) is not None:
                yield chunk
            await copying
        finally:
            copying.cancel()
            # It ends when its connection and its turn are given back.
            await asyncio.gather(copying, return_exceptions=True)

    async def _copy(self, kind: type[B], query: str, ready: asyncio.Queue[Chunk[B] | None]) -> None:
        patience = _Patience(self._patience_s)

        async def put(chunk: Chunk[B] | None) -> None:
            await patience.put(ready, chunk, rush=self._waiting > 0 and patience in self._reading)

        try:
            reader = ChunkReader(kind, put)
            async with self._turn(patience), self._database.raw() as driver:
                try:
                    await driver.copy_from_query(query, output=reader.feed, format="binary")
                except BaseException:
                    # What is left of a COPY that was cut short would be in the next caller's way.
                    driver.terminate()
                    raise
            await reader.finish()
            await put(None)
        except Exception:
            while not ready.empty():  # the error comes at once, instead of what waits
                ready.get_nowait()
            ready.put_nowait(None)
            raise

    @asynccontextmanager
    async def _turn(self, patience: _Patience) -> AsyncIterator[None]:
        self._waiting += 1
        try:
            if self._turns.locked():
                for other in self._reading:
                    other.rush()
            await self._turns.acquire()
        finally:
            self._waiting -= 1
        self._reading.add(patience)
        try:
            yield
        finally:
            self._reading.remove(patience)
            self._turns.release()
