"""ReadBars of a million bars over the fastest way out of PostgreSQL, cached over bare gRPC, and over JSON."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import grpc
import httpx
import numpy as np

from bifrost.data.v1 import history_service_pb2
from bifrost_sdk.reading import READ_BARS, BarReading, Range
from services.data.bars.bar_copy import BarReader, columns_of
from services.data.domain.bars import Bars
from services.runtime.embedded.valkey import EmbeddedValkey
from services.runtime.testing import new_database, temporary_postgres
from services.runtime.testing_keys import bearer
from tests.bench.children import Answer, Child, child
from tests.bench.measure import Report, Result, alternate, run_async
from tests.bench.peers.bar_rows import INTERVAL, LISTING

ROWS = 1_000_000
_JSON_ROWS = 100_000
"""Of the slow peer; its time is scaled."""
_COLUMNS = columns_of(Bars)


def run(report: Report) -> list[Result]:
    """Milliseconds until a client has the columns as arrays."""
    report("PostgreSQL")
    valkey = EmbeddedValkey()
    with temporary_postgres() as server:
        url = new_database(server)
        valkey.start()
        try:
            return run_async(lambda: _measure(url, valkey.url, report))
        finally:
            valkey.stop()


async def _measure(url: str, cache_url: str, report: Report) -> list[Result]:
    report(f"{ROWS:,} bars")
    async with _ways(url, BIFROST_CACHE_LOCAL_BYTES="0") as ways:
        cold = await alternate(ways.history, ways.copy, report)
        json_cold = await alternate(ways.history, ways.json, report, runs=3)
        sizes = await ways.sizes()
    report("the cache")
    async with child("byte_server", *map(str, sizes)) as server, _channel(server) as channel:
        moved = _Moved(channel, sum(sizes))
        async with _ways(url, BIFROST_CACHE_URL=cache_url) as ways:
            cached = await alternate(ways.history, moved.bytes, report)
            json = await alternate(ways.history, ways.json, report, runs=3)
        async with _ways(url, BIFROST_CACHE_URL=cache_url, BIFROST_CACHE_LOCAL_BYTES="0") as ways:
            from_valkey = await alternate(ways.history, moved.bytes, report, warm_up=2)
    note = (
        f"{ROWS:,} minute bars, six columns, until the client has them as NumPy arrays; PostgreSQL's pages "
        "are in memory for both"
    )
    json_note = (
        f"the peer is asked for {_JSON_ROWS:,} bars and its time multiplied; both end with NumPy arrays"
    )
    json_peer = "FastAPI JSON, an object a bar"
    bare = "bare grpc.aio, messages of the same sizes, not parsed"
    return [
        cold.result("history_cold", "time", "ms", "binary COPY into NumPy", limit=0.5, note=note),
        cached.result("history_cached", "time", "ms", bare, limit=0.5, note="from the service's memory"),
        from_valkey.result(
            "history_cached_valkey", "time", "ms", bare, note="nothing in the service's memory"
        ),
        json.result(
            "history_vs_json",
            "time",
            "ms",
            json_peer,
            limit=20,
            note=f"from the cache, as shipped; {json_note}",
        ),
        json_cold.result("history_vs_json_cold", "time", "ms", json_peer, note="without a cache"),
    ]


class _Ways:
    """A client of each way; every call gives the milliseconds until it had all columns as arrays."""

    def __init__(
        self, ready: Answer, *, driver: asyncpg.Connection, channel: grpc.aio.Channel, http: httpx.AsyncClient
    ) -> None:
        self._driver = driver
        # Any: grpc's types do not know methods whose answers stay bytes.
        self._read: Any = channel.unary_stream(
            READ_BARS, request_serializer=history_service_pb2.ReadBarsRequest.SerializeToString
        )
        self._http = http
        self._headers = bearer(ready["token"])
        columns = ", ".join(f'"{name}"' for name in _COLUMNS)
        self._query = (
            f"SELECT {columns} FROM bar WHERE instrument_no = {ready['instrument_no']:d} "
            f"AND interval = {INTERVAL:d} ORDER BY open_time_ns"
        )

    async def history(self) -> float:
        """ReadBars, until the columns are arrays."""
        began = time.perf_counter()
        reading = BarReading(f"{LISTING.symbol}@{LISTING.mic}", Range("1m"))
        stream = self._read(reading.request(), metadata=self._headers)
        async for message in stream:
            reading.take(message)
        return _taken(began, len(reading.frame()), ROWS)

    async def sizes(self) -> list[int]:
        """Bytes of each message of the answer."""
        request = BarReading(f"{LISTING.symbol}@{LISTING.mic}", Range("1m")).request()
        stream = self._read(request, metadata=self._headers)
        return [len(message) async for message in stream]

    async def copy(self) -> float:
        """Binary COPY, until the columns are arrays."""
        began = time.perf_counter()
        reader = BarReader(Bars, capacity=ROWS)
        await self._driver.copy_from_query(self._query, output=reader.feed, format="binary")
        return _taken(began, len(reader.bars()), ROWS)

    async def json(self) -> float:
        """The list of objects, until its columns are arrays; scaled."""
        began = time.perf_counter()
        rows = (await self._http.get("/bars")).json()
        columns = [np.array([row[name] for row in rows]) for name in _COLUMNS]
        return _taken(began, len(columns[-1]), _JSON_ROWS) * ROWS / _JSON_ROWS


class _Moved:
    """The client of the bare stream."""

    def __init__(self, channel: grpc.aio.Channel, size: int) -> None:
        self._stream: Any = channel.unary_stream("/bench.Bytes/Stream")
        self._size = size

    async def bytes(self) -> float:
        """Milliseconds until the last message is there."""
        began = time.perf_counter()
        messages = [message async for message in self._stream(b"")]
        return _taken(began, sum(map(len, messages)), self._size)


def _taken(began: float, rows: int, wanted: int) -> float:
    taken = 1000 * (time.perf_counter() - began)
    if rows != wanted:
        raise RuntimeError(f"{rows:,} came instead of {wanted:,}")
    return taken


def _channel(server: Child) -> grpc.aio.Channel:
    return grpc.aio.insecure_channel(f"127.0.0.1:{server.port}")


@contextlib.asynccontextmanager
async def _ways(url: str, **environment: str) -> AsyncIterator[_Ways]:
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(child("bar_server", url, str(ROWS), **environment))
        rows = await stack.enter_async_context(child("row_server", url, str(server.ready["instrument_no"])))
        channel = await stack.enter_async_context(_channel(server))
        http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{rows.ready['http_port']}", timeout=60)
        await stack.enter_async_context(http)
        driver = await asyncpg.connect(url, server_settings={"search_path": "data"})
        stack.push_async_callback(driver.close)
        yield _Ways(server.ready, driver=driver, channel=channel, http=http)
