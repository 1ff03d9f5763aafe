"""A million bars of a CSV file by client stream, checked and stored, over bare COPY of the same rows.

And what memory ten million take, beside what one million does.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import time
import uuid
from collections.abc import Iterator

import asyncpg
import grpc
import polars as pl
import psutil

from bifrost.data.v1 import bar_pb2
from bifrost.data.v1 import import_service_pb2 as pb
from bifrost.data.v1.import_service_pb2_grpc import ImportServiceStub
from services.data.bars.bar_copy import bar_row_columns, encode_bar_rows
from services.data.domain.bars import SourceBars
from services.runtime.clock import NANOS
from services.runtime.testing import new_database, temporary_postgres
from services.runtime.testing_keys import bearer
from tests.bench.children import Child, child
from tests.bench.measure import Report, Result, alternate, run_async
from tests.bench.peers.bar_rows import made_up_bars

ROWS = 1_000_000
_MANY = 10 * ROWS
_LONG_AGO_NS = 946_909_800 * NANOS  # 2000-01-03 14:30 UTC: none of them may be in the future
_CHUNK_BYTES = 256 * 1024
_MIB = 2**20
_LOOK_S = 0.02


def run(report: Report) -> list[Result]:
    """Rows a second until they are committed."""
    report("PostgreSQL")
    with temporary_postgres() as server:
        url = new_database(server)
        return run_async(lambda: _measure(url, report))


async def _measure(url: str, report: Report) -> list[Result]:
    report(f"{ROWS:,} rows")
    bars = made_up_bars(ROWS)
    content = _csv(bars)
    rows = encode_bar_rows(1, 1, 1, bars)
    async with (
        child("bar_server", url, "1") as server,
        grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        importer = _Importer(channel, server, content, ROWS)
        driver = await asyncpg.connect(url)
        await driver.execute("CREATE TABLE copied (LIKE data.bar INCLUDING ALL)")

        async def copy() -> float:
            await driver.execute("TRUNCATE copied")
            began = time.perf_counter()
            await driver.copy_to_table(
                "copied", source=memoryview(rows), columns=bar_row_columns(), format="binary"
            )
            return ROWS / (time.perf_counter() - began)

        try:
            pairs = await alternate(importer.timed, copy, report, runs=5)
        finally:
            await driver.close()
        report(f"{_MANY:,} rows")
        few = await _most_memory(server, importer)
        importer = _Importer(channel, server, _csv(made_up_bars(_MANY, _LONG_AGO_NS)), _MANY)
        many = await _most_memory(server, importer)
    note = (
        f"{ROWS:,} minute bars as TradingView exports them ({len(content) / ROWS:.0f} bytes a row), a new "
        "instrument each time, until the answer is there; the peer's table is made like that of the bars, "
        "primary key included, and its rows are encoded beforehand"
    )
    peer = "bare binary COPY of the same rows"
    memory = Result(
        "ingest_memory",
        many,
        "MiB",
        f"the same with {ROWS:,} rows",
        few,
        few / many,
        note=f"most memory of the service while it takes {_MANY:,} rows in one file (RSS)",
    )
    return [pairs.result("ingest", "rate", "rows/s", peer, limit=0.5, note=note), memory]


async def _most_memory(server: Child, importer: _Importer) -> float:
    """MiB of the service's process at most during an import."""
    process, most = psutil.Process(server.pid), 0
    importing = asyncio.ensure_future(importer.timed())
    while not importing.done():
        most = max(most, process.memory_info().rss)
        await asyncio.wait([importing], timeout=_LOOK_S)
    await importing
    return most / _MIB


class _Importer:
    """Imports the file again and again, each time as another instrument's."""

    def __init__(self, channel: grpc.aio.Channel, server: Child, content: bytes, rows: int) -> None:
        self._stub = ImportServiceStub(channel)
        self._headers = bearer(server.ready["token"])
        self._content = content
        self._rows = rows
        self._sha256 = hashlib.sha256(content).hexdigest()

    async def timed(self) -> float:
        """Rows a second of one import; RuntimeError when a row is missing."""
        name = uuid.uuid4().hex[:12].upper()
        header = pb.ImportHeader(
            request_id=str(uuid.uuid4()),
            new_instrument=pb.NewInstrument(symbol=name, mic="XXXX", currency="USD"),
            interval=bar_pb2.BAR_INTERVAL_MINUTE,
            format=pb.FILE_FORMAT_CSV,
            sha256=self._sha256,
        )
        began = time.perf_counter()
        answer = await self._stub.ImportBars(self._requests(header), metadata=self._headers)
        seconds = time.perf_counter() - began
        if answer.rows_stored != self._rows:
            raise RuntimeError(f"{answer.rows_stored:,} rows were stored instead of {self._rows:,}: {answer}")
        return self._rows / seconds

    def _requests(self, header: pb.ImportHeader) -> Iterator[pb.ImportBarsRequest]:
        yield pb.ImportBarsRequest(header=header)
        for at in range(0, len(self._content), _CHUNK_BYTES):
            yield pb.ImportBarsRequest(chunk=self._content[at : at + _CHUNK_BYTES])


def _csv(bars: SourceBars) -> bytes:
    file = io.BytesIO()
    prices = {name: getattr(bars, name).round(4) for name in ("open", "high", "low", "close")}
    columns = {"time": bars.open_time_ns // NANOS, **prices, "Volume": bars.volume.astype("int64")}
    pl.DataFrame(columns).write_csv(file)
    return file.getvalue()
