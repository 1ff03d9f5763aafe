"""Arrow IPC files by client stream: of every writer, with bad rows, and files that are none or too large."""

from __future__ import annotations

import io
from typing import Any

import grpc
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import feather

from bifrost.data.v1 import bar_pb2, bar_service_pb2
from bifrost.data.v1 import import_service_pb2 as pb
from services.data.imports import arrow_reader
from tests.contract.data.data_harness import RunningData, by_id, failure_of
from tests.contract.data.file_uploads import header_of, send

START = 1_600_000_020  # 2020-09-13 12:27 UTC
CLOSES = [100.0, 100.5, 101.0]


def table_of(rows: int = 3, **columns: Any) -> pa.Table:
    """Minutes with prices that can be true, unless `columns` say otherwise."""
    seconds = pa.array([START + 60 * row for row in range(rows)], pa.int64())
    closes = np.array((CLOSES * rows)[:rows])
    everything = {
        "symbol": pa.array(["MINE"] * rows).dictionary_encode(),
        "time": seconds.cast(pa.timestamp("s", "UTC")),
        "open": pa.array(closes),
        "high": pa.array(closes + 1),
        "low": pa.array(closes - 1),
        "close": pa.array(closes),
        "volume": pa.array([10.0] * rows),
    } | columns
    return pa.table(everything)


def by_arrow(table: pa.Table, compression: str | None = None) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as out:
        out.write_table(table, max_chunksize=1000)
    return sink.getvalue()


def by_polars(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    frame.with_columns(pl.col("time").dt.to_string("%Y-%m-%dT%H:%M:%SZ")).write_ipc(sink, compression="zstd")
    return sink.getvalue()


def by_pandas(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    feather.write_feather(table.to_pandas(), sink)  # lz4
    return sink.getvalue()


async def load(data: RunningData, content: bytes, symbol: str) -> pb.ImportBarsResponse:
    return await send(data, header_of(content, symbol, format=pb.FILE_FORMAT_ARROW), content)


@pytest.mark.parametrize("write", [by_arrow, by_polars, by_pandas])
async def test_files_of_every_writer_become_bars(data: RunningData, write: Any) -> None:
    answer = await load(data, write(table_of(3000)), write.__name__.upper().replace("_", "."))
    assert (answer.rows_read, answer.rows_stored) == (3000, 3000)
    request = bar_service_pb2.ListBarsRequest(
        instrument=by_id(answer.instrument_id), interval=bar_pb2.BAR_INTERVAL_MINUTE, page_size=5000
    )
    bars = (await data.bars.ListBars(request, metadata=data.headers)).bars
    assert list(bars.open_time_ns) == [10**9 * (START + 60 * row) for row in range(3000)]
    assert list(bars.close) == CLOSES * 1000


async def test_bad_rows_go_to_quarantine_by_their_number(data: RunningData) -> None:
    answer = await load(data, by_arrow(table_of(close=pa.array([100.0, None, -5.0]))), "ARROWBAD")
    assert (answer.rows_read, answer.rows_stored, answer.rows_quarantined) == (3, 1, 2)
    assert [problem.line for problem in answer.problems] == [2, 3]
    failure = await failure_of(load(data, by_arrow(table_of(open=pa.array(["1", "2", "3"]))), "ARROWBAD"))
    assert (failure.reason, failure.metadata["column"]) == ("FILE_COLUMN_TYPE_INVALID", "open")
    failure = await failure_of(load(data, by_arrow(table_of().drop_columns(["close"])), "ARROWBAD"))
    assert failure.reason == "FILE_COLUMN_MISSING"


async def test_what_is_no_arrow_file_is_refused(data: RunningData) -> None:
    good = by_arrow(table_of(50), "lz4")
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, table_of().schema) as out:
        out.write_table(table_of())
    for content in (b"time,open\n1,2\n", b"ARROW1", good[:-20], good[20:], stream.getvalue()):
        failure = await failure_of(load(data, content, "BROKEN"))
        assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FILE_UNREADABLE")
    empty = await failure_of(load(data, by_arrow(table_of().slice(0, 0)), "BROKEN"))
    assert empty.reason == "FILE_EMPTY"


async def test_bombs_are_refused_before_they_are_opened(
    data: RunningData, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Rows are counted before columns are looked at.
    bomb = pa.table({"time": np.zeros(25_000_000, np.int8)})
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, bomb.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as out:
        out.write_table(bomb)
    assert len(sink.getvalue()) < 1_000_000
    failure = await failure_of(load(data, sink.getvalue(), "BOMB"))
    assert (failure.code, failure.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "FILE_TOO_LARGE")
    assert failure.metadata["most"] == "20000000"
    content = by_arrow(table_of(5000), "zstd")
    for limit in ("_BATCH_BYTES", "_FILE_BYTES"):
        with monkeypatch.context() as patch:
            patch.setattr(arrow_reader, limit, 9_000)
            failure = await failure_of(load(data, content, "BOMB"))
            assert (failure.reason, failure.metadata["most"]) == ("FILE_TOO_LARGE", "9000")
