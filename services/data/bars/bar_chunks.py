"""Stored bars of a range in chunks: from the cache, else from PostgreSQL and into the cache."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, fields
from typing import Final, Generic

import numpy as np

from services.data.bars.bar_copy import B, columns_of
from services.data.bars.bar_store import BarStore, range_query
from services.data.bars.bar_stream import BarStreams, Chunk
from services.data.bars.history import FIRST_NS, LAST_NS
from services.data.domain.bars import BarInterval, Ints
from services.runtime.cache import Cache
from services.runtime.errors import aborted

_KIND: Final = "bars"
_WIDTH: Final = 8


@dataclass(frozen=True, slots=True)
class StoredRange(Generic[B]):
    """What is read: these columns of the bars that open from ``start_ns`` on and before ``end_ns``."""

    kind: type[B]
    instrument_no: int
    interval: BarInterval
    start_ns: int
    end_ns: int
    as_of_ns: int | None = None
    """As they were known then; such bars are not kept."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A range whose chunks were in the cache."""

    key: str
    first_ns: Ints
    """Open time of each chunk's first bar."""


class BarChunks:
    """Reads stored bars, as they were recorded: neither adjusted nor sorted out by trading hours.

    Keys carry the state of the instrument's bars, which changes in the transaction that changes them; chunks
    are kept only when they are surely of the state in their key. So none can be served that is out of date.
    """

    def __init__(self, store: BarStore, streams: BarStreams, cache: Cache) -> None:
        self._store = store
        self._streams = streams
        self._cache = cache

    async def read(self, asked: StoredRange[B]) -> AsyncGenerator[Chunk[B]]:
        """Chunks of one state of the bars, oldest first; at least one, the last marked, which may be empty.

        Raises:
            ApiError: ABORTED HISTORY_STALLED, HISTORY_CHANGED.
            DatabaseUnavailableError: PostgreSQL is away.
        """
        if asked.as_of_ns is not None:
            async with aclosing(self._streams.read(asked.kind, _query(asked, asked.start_ns))) as chunks:
                async for chunk in chunks:
                    yield chunk
            return
        state = await self._store.state(asked.instrument_no, asked.interval)
        held = await self._find(asked, state)
        after_ns: int | None = None
        if held is not None:
            async with aclosing(self._from_cache(asked, held)) as cached:
                async for chunk in cached:
                    yield chunk
                    if chunk.last:
                        return
                    after_ns = int(chunk.bars.open_time_ns[-1])
        async with aclosing(self._from_store(asked, state, after_ns)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def states(self, instrument_no: int, intervals: Iterable[BarInterval]) -> list[str]:
        """Other names whenever bars of these intervals, or what adjusts them, have changed."""
        return [await self._store.state(instrument_no, interval) for interval in intervals]

    async def _find(self, asked: StoredRange[B], state: str) -> _Held | None:
        for key in dict.fromkeys((_key(asked, state, FIRST_NS, LAST_NS), _range_key(asked, state))):
            index = await self._cache.get(_KIND, key)
            if index is not None:
                return _Held(key, np.frombuffer(index, dtype="<i8"))
        return None

    async def _from_cache(self, asked: StoredRange[B], held: _Held) -> AsyncGenerator[Chunk[B]]:
        """The chunks up to the first that has gone from the cache; the next is fetched ahead."""
        first = max(0, int(np.searchsorted(held.first_ns, asked.start_ns, side="right")) - 1)
        end = max(first + 1, int(np.searchsorted(held.first_ns, asked.end_ns)))
        ahead = self._fetch(held.key, first)
        try:
            for place in range(first, end):
                entry = await ahead
                if entry is None:
                    return
                ahead = self._fetch(held.key, place + 1 if place + 1 < end else None)
                bars = _decode(asked.kind, entry)
                if place in (first, end - 1):
                    bars = bars.take(_rows(bars.open_time_ns, asked.start_ns, asked.end_ns))
                last = place == end - 1
                if len(bars) or last:
                    yield Chunk(bars, last)
        finally:
            ahead.cancel()

    def _fetch(self, key: str, place: int | None) -> asyncio.Task[memoryview | None]:
        async def fetch() -> memoryview | None:
            return None if place is None else await self._cache.get(_KIND, f"{key}:{place}")

        return asyncio.create_task(fetch(), name="fetch cached bars")

    async def _from_store(
        self, asked: StoredRange[B], state: str, after_ns: int | None
    ) -> AsyncGenerator[Chunk[B]]:
        query = _query(asked, asked.start_ns if after_ns is None else after_ns + 1)
        key, keeps = _range_key(asked, state), after_ns is None
        first_ns: list[int] = []
        async with aclosing(self._streams.read(asked.kind, query)) as chunks:
            begun = False
            async for chunk in chunks:
                if not begun:
                    # What comes is of a state between those before and after this point: of this one, if
                    # they are the same.
                    begun = True
                    is_same = await self._store.state(asked.instrument_no, asked.interval) == state
                    if not is_same and after_ns is not None:
                        raise aborted(
                            "HISTORY_CHANGED", "the bars changed while they were read; read them again"
                        )
                    keeps = keeps and is_same and state != ""
                if keeps and len(chunk.bars):
                    self._cache.put(_KIND, f"{key}:{len(first_ns)}", _encode(chunk.bars))
                    first_ns.append(int(chunk.bars.open_time_ns[0]))
                if keeps and chunk.last and first_ns:
                    # Last, so that it stands for chunks that are there.
                    self._cache.put(_KIND, key, np.array(first_ns, dtype="<i8").tobytes())
                yield chunk


def _query(asked: StoredRange[B], start_ns: int) -> str:
    return range_query(
        asked.kind,
        asked.instrument_no,
        asked.interval,
        start_ns=start_ns,
        end_ns=asked.end_ns,
        as_of_ns=asked.as_of_ns,
    )


def _range_key(asked: StoredRange[B], state: str) -> str:
    return _key(asked, state, asked.start_ns, asked.end_ns)


def _key(asked: StoredRange[B], state: str, start_ns: int, end_ns: int) -> str:
    columns = len(fields(asked.kind))
    return f"{state}:{asked.instrument_no}:{asked.interval:d}:{columns}:{start_ns}:{end_ns}"


def _encode(bars: B) -> bytes:
    """The columns one after another, little-endian."""
    return b"".join(
        np.ascontiguousarray(getattr(bars, name)).view(np.uint8).data for name in columns_of(type(bars))
    )


def _decode(kind: type[B], entry: memoryview) -> B:
    names = columns_of(kind)
    rows = len(entry) // (_WIDTH * len(names))
    return kind(
        *(
            np.frombuffer(
                entry, "<i8" if name == "open_time_ns" else "<f8", rows, offset=_WIDTH * rows * place
            )
            for place, name in enumerate(names)
        )
    )


def _rows(times: Ints, start_ns: int, end_ns: int) -> slice:
    first, end = np.searchsorted(times, (start_ns, end_ns)).tolist()
    return slice(first, end)
