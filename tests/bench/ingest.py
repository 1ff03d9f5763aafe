"""A million bars of a CSV file by client stream, checked and stored, over bare COPY of the same rows."""

from __future__ import annotations

import hashlib
import io
import itertools
import time
import uuid
from collections.abc import Iterator

import asyncpg
import grpc
import polars as pl

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
_CHUNK_BYTES = 256 * 1024


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
        importer = _Importer(channel, server, content)
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
    note = (
        f"{ROWS:,} minute bars as TradingView exports them ({len(content) / ROWS:.0f} bytes a row), a new "
        "instrument each time, until the answer is there; the peer's table is made like that of the bars, "
        "primary key included, and its rows are encoded beforehand"
    )
    peer = "bare binary COPY of the same rows"
    return [pairs.result("ingest", "rate", "rows/s", peer, limit=0.5, note=note)]


class _Importer:
    """Imports the file again and again, each time as another instrument's."""

    def __init__(self, channel: grpc.aio.Channel, server: Child, content: bytes) -> None:
        self._stub = ImportServiceStub(channel)
        self._headers = bearer(server.ready["token"])
        self._content = content
        self._sha256 = hashlib.sha256(content).hexdigest()
        self._numbers = itertools.count()

    async def timed(self) -> float:
        """Rows a second of one import; RuntimeError when a row is missing."""
        header = pb.ImportHeader(
            request_id=str(uuid.uuid4()),
            new_instrument=pb.NewInstrument(symbol=f"I{next(self._numbers)}", mic="XXXX", currency="USD"),
            interval=bar_pb2.BAR_INTERVAL_MINUTE,
            format=pb.FILE_FORMAT_CSV,
            sha256=self._sha256,
        )
        began = time.perf_counter()
        answer = await self._stub.ImportBars(self._requests(header), metadata=self._headers)
        seconds = time.perf_counter() - began
        if answer.rows_stored != ROWS:
            raise RuntimeError(f"{answer.rows_stored:,} rows were stored instead of {ROWS:,}: {answer}")
        return ROWS / seconds

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
