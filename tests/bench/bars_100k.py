"""ListBars of 100,000 rows over the fastest way out of PostgreSQL, and the ways it used to be done."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import grpc
import httpx
import numpy as np

from bifrost.data.v1 import bar_pb2, bar_service_pb2
from bifrost.data.v1.bar_service_pb2_grpc import BarServiceStub
from bifrost.type.v1 import value_pb2
from services.data.bars.bar_copy import BarReader, columns_of
from services.data.domain.bars import Bars
from services.runtime.testing import new_database, temporary_postgres
from services.runtime.testing_keys import bearer
from tests.bench.children import Answer, child
from tests.bench.measure import Report, Result, alternate, run_async
from tests.bench.peers.bar_rows import INTERVAL, ROWS

_UNLIMITED = (("grpc.max_receive_message_length", -1),)


def run(report: Report) -> list[Result]:
    """Milliseconds until a client has the rows."""
    report("PostgreSQL")
    with temporary_postgres() as server:
        url = new_database(server)
        return run_async(lambda: _measure(url, report))


async def _measure(url: str, report: Report) -> list[Result]:
    async with _ways(url) as ways:
        as_arrays = await alternate(ways.arrays, ways.copy, report)
        as_message = await alternate(ways.columns, ways.copy, report)
        as_rows = await alternate(ways.columns, ways.messages, report, runs=5)
        as_json = await alternate(ways.columns, ways.json, report, runs=5)
    note = (
        f"{ROWS:,} minute bars, six columns, until the client has them as NumPy arrays; the service caches "
        "nothing, PostgreSQL's pages are in memory for all; the limit needs no second process"
    )
    copy = "binary COPY into NumPy, in the client"
    message = "until the client has parsed the message"
    return [
        as_arrays.result("bars_100k", "time", "ms", copy, limit=0.5, note=note),
        as_message.result("bars_100k_message", "time", "ms", copy, note=message),
        as_rows.result("bars_100k_rows", "time", "ms", "a stream of one message a bar", note=message),
        as_json.result("bars_100k_json", "time", "ms", "FastAPI JSON, an object a bar", note=message),
    ]


class _Ways:
    """A client of each way; every call gives the milliseconds until it had all rows."""

    def __init__(
        self,
        ready: Answer,
        *,
        driver: asyncpg.Connection,
        channel: grpc.aio.Channel,
        row_channel: grpc.aio.Channel,
        http: httpx.AsyncClient,
    ) -> None:
        self._driver = driver
        self._bars = BarServiceStub(channel)
        # Any: grpc's types do not know methods whose requests stay bytes.
        self._rows: Any = row_channel.unary_stream(
            "/bench.Bars/Stream", response_deserializer=bar_pb2.Bar.FromString
        )
        self._http = http
        self._headers = bearer(ready["token"])
        self._request = bar_service_pb2.ListBarsRequest(
            instrument=value_pb2.InstrumentRef(instrument_id=ready["instrument_id"]),
            interval=bar_pb2.BAR_INTERVAL_MINUTE,
            page_size=ROWS,
        )
        columns = ", ".join(f'"{name}"' for name in columns_of(Bars))
        self._query = (
            f"SELECT {columns} FROM bar WHERE instrument_no = {ready['instrument_no']:d} "
            f"AND interval = {INTERVAL:d} ORDER BY open_time_ns LIMIT {ROWS:d}"
        )

    async def columns(self) -> float:
        """ListBars, until the message is parsed."""
        began = time.perf_counter()
        reply = await self._bars.ListBars(self._request, metadata=self._headers)
        return _taken(began, len(reply.bars.close))

    async def arrays(self) -> float:
        """ListBars, until the columns are arrays."""
        began = time.perf_counter()
        bars = (await self._bars.ListBars(self._request, metadata=self._headers)).bars
        columns = [np.array(getattr(bars, name)) for name in columns_of(Bars)]
        return _taken(began, len(columns[-1]))

    async def copy(self) -> float:
        """Binary COPY, until the columns are arrays."""
        began = time.perf_counter()
        reader = BarReader(Bars, capacity=ROWS)
        await self._driver.copy_from_query(self._query, output=reader.feed, format="binary")
        return _taken(began, len(reader.bars()))

    async def messages(self) -> float:
        """The stream of rows, until the last is parsed."""
        began = time.perf_counter()
        rows = [row async for row in self._rows(b"")]
        return _taken(began, len(rows))

    async def json(self) -> float:
        """The list of objects, until it is parsed."""
        began = time.perf_counter()
        reply = await self._http.get("/bars")
        return _taken(began, len(reply.json()))


def _taken(began: float, rows: int) -> float:
    taken = 1000 * (time.perf_counter() - began)
    if rows != ROWS:
        raise RuntimeError(f"{rows:,} rows came instead of {ROWS:,}")
    return taken


@contextlib.asynccontextmanager
async def _ways(url: str) -> AsyncIterator[_Ways]:
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(child("bar_server", url))
        ready = server.ready
        rows = await stack.enter_async_context(child("row_server", url, str(ready["instrument_no"])))
        channel, row_channel = (
            grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=_UNLIMITED)
            for port in (server.port, rows.port)
        )
        for one in (channel, row_channel):
            await stack.enter_async_context(one)
        http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{rows.ready['http_port']}", timeout=60)
        await stack.enter_async_context(http)
        driver = await asyncpg.connect(url, server_settings={"search_path": "data"})
        stack.push_async_callback(driver.close)
        yield _Ways(ready, driver=driver, channel=channel, row_channel=row_channel, http=http)
