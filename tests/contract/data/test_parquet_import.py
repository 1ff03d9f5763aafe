"""Parquet by client stream: types, time zones, other names of columns, and files that are no Parquet."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import grpc
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bifrost.data.v1 import bar_pb2, bar_service_pb2
from bifrost.data.v1 import import_service_pb2 as pb
from services.data.imports import parquet_reader
from tests.contract.data.data_harness import RunningData, by_id, failure_of
from tests.contract.data.file_uploads import header_of, send

MINUTE, DAY = bar_pb2.BAR_INTERVAL_MINUTE, bar_pb2.BAR_INTERVAL_DAY
START = 1_600_000_020  # 2020-09-13 12:27 UTC
PRICES = [100.0, 100.5, 101.0]


def file_of(times: pa.Array | Sequence[object], **columns: Any) -> bytes:
    """With prices that can be true, unless `columns` say otherwise; None leaves a column out."""
    rows = len(times)
    prices = pa.array((PRICES * rows)[:rows], pa.float64())
    everything = {
        "time": times,
        "open": prices,
        "high": pa.array(np.asarray(prices) + 1),
        "low": pa.array(np.asarray(prices) - 1),
        "close": prices,
        "volume": pa.array([10.0] * rows, pa.float64()),
    } | columns
    table = pa.table({name: values for name, values in everything.items() if values is not None})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def minutes(kind: pa.DataType, rows: int = 3) -> pa.Array:
    seconds = pa.array([START + 60 * row for row in range(rows)], pa.int64())
    return seconds.cast(pa.timestamp("s", getattr(kind, "tz", None))).cast(kind)


# Any: fields of the header.
async def load(data: RunningData, content: bytes, symbol: str, **fields: Any) -> pb.ImportBarsResponse:
    header = header_of(content, symbol, format=pb.FILE_FORMAT_PARQUET, **fields)
    return await send(data, header, content)


async def bars(data: RunningData, instrument_id: str, interval: int = MINUTE) -> bar_pb2.BarColumns:
    request = bar_service_pb2.ListBarsRequest(instrument=by_id(instrument_id), interval=interval)  # type: ignore[arg-type]
    return (await data.bars.ListBars(request, metadata=data.headers)).bars


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
async def test_timestamps_of_every_unit_and_zone(data: RunningData, unit: str) -> None:
    for number, zone in enumerate(("UTC", "America/New_York", "+02:00")):
        content = file_of(minutes(pa.timestamp(unit, zone)))
        answer = await load(data, content, f"U{unit.upper()}{number}")
        found = await bars(data, answer.instrument_id)
        assert list(found.open_time_ns) == [10**9 * (START + 60 * row) for row in range(3)]
        assert list(found.close) == PRICES


async def test_numbers_of_other_types(data: RunningData) -> None:
    content = file_of(
        pa.array([START + 60 * row for row in range(3)], pa.int64()),
        open=pa.array([100, 100, 101], pa.int32()),
        close=pa.array([Decimal("100.25")] * 3, pa.decimal128(12, 4)),
        low=pa.array([90.0] * 3, pa.float32()),
        volume=pa.array([2**40, 0, 1], pa.uint64()),
        remark=pa.array([["a"], [], None]),
    )
    found = await bars(data, (await load(data, content, "TYPES")).instrument_id)
    assert list(found.open) == [100, 100, 101]
    assert set(found.close) == {100.25}
    assert list(found.volume) == [2.0**40, 0, 1]


async def test_local_times_need_a_zone(data: RunningData) -> None:
    content = file_of(minutes(pa.timestamp("us")))
    failure = await failure_of(load(data, content, "LOCAL"))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FILE_TIME_AMBIGUOUS")
    answer = await load(data, content, "LOCAL", time_zone="America/New_York")
    assert answer.first_open_time_ns == 10**9 * (START + 4 * 3600)
    lost = dt.datetime(2024, 3, 10, 2, 30)  # noqa: DTZ001  a time that never was
    gap = await failure_of(load(data, file_of([lost]), "GAP", time_zone="America/New_York"))
    assert gap.reason == "FILE_TIME_AMBIGUOUS"
    assert gap.metadata["line"] == "1"


@pytest.mark.parametrize("kind", ["date", "midnight", "text", "pandas"])
async def test_days_are_sessions_however_they_are_written(data: RunningData, kind: str) -> None:
    days = [dt.date(2020, 9, 14), dt.date(2020, 9, 15), dt.date(2020, 9, 16)]
    if kind == "pandas":
        frame = pl.read_parquet(io.BytesIO(file_of(days))).rename({"time": "Date", "close": "Close"})
        sink = io.BytesIO()
        indexed = frame.to_pandas().set_index("Date")
        indexed.to_parquet(sink)
        content = sink.getvalue()
    else:
        times = {
            "date": pa.array(days),
            "midnight": pa.array(days).cast(pa.timestamp("ns")),
            "text": pa.array([day.isoformat() for day in days]),
        }[kind]
        content = file_of(times)
    answer = await load(data, content, f"DAYS{kind.upper()}", mic="XNYS", interval=DAY)
    found = await bars(data, answer.instrument_id, DAY)
    # 9:30 in New York.
    assert list(found.open_time_ns) == [10**9 * (1_600_090_200 + 86_400 * row) for row in range(3)]


async def test_columns_by_other_names(data: RunningData) -> None:
    table = pq.read_table(io.BytesIO(file_of(minutes(pa.timestamp("s", "UTC")))))
    renamed = table.rename_columns(["When", "O", "high", "low", "Last", "volume"])
    sink = io.BytesIO()
    pq.write_table(renamed, sink)
    missing = await failure_of(load(data, sink.getvalue(), "NAMES"))
    assert missing.reason == "FILE_COLUMN_MISSING"
    assert "When" in missing.metadata["found"]
    names = pb.BarColumnNames(time="when", open="o", close="LAST")
    answer = await load(data, sink.getvalue(), "NAMES", columns=names)
    assert answer.rows_stored == 3


async def test_bad_rows_go_to_quarantine_by_their_number(data: RunningData) -> None:
    content = file_of(minutes(pa.timestamp("s", "UTC")), close=pa.array([100.0, None, -5.0]), volume=None)
    answer = await load(data, content, "BADROWS")
    assert (answer.rows_read, answer.rows_stored, answer.rows_quarantined) == (3, 1, 2)
    assert [problem.line for problem in answer.problems] == [2, 3]
    nothing = await failure_of(load(data, file_of(pa.array([None, START], pa.int64())), "NULLTIME"))
    assert (nothing.reason, nothing.metadata["line"]) == ("FILE_CELL_INVALID", "1")


async def test_types_that_are_no_numbers_and_no_times_are_named(data: RunningData) -> None:
    for columns, column in (
        ({"open": pa.array(["1", "2", "3"])}, "open"),
        ({"high": pa.array([True] * 3)}, "high"),
        ({"close": pa.array([[1.0]] * 3)}, "close"),
    ):
        content = file_of(minutes(pa.timestamp("s", "UTC")), **columns)
        failure = await failure_of(load(data, content, "KINDS"))
        assert (failure.reason, failure.metadata["column"]) == ("FILE_COLUMN_TYPE_INVALID", column)
    failure = await failure_of(load(data, file_of(pa.array([1.5, 2.5])), "KINDS"))
    assert (failure.reason, failure.metadata["column"]) == ("FILE_COLUMN_TYPE_INVALID", "time")


async def test_what_is_no_parquet_is_refused(data: RunningData) -> None:
    good = file_of(minutes(pa.timestamp("s", "UTC"), 50))
    for content in (b"time,open\n1,2\n", good[:-20], good[20:], b"PAR1" + bytes(40) + b"PAR1"):
        failure = await failure_of(load(data, content, "BROKEN"))
        assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FILE_UNREADABLE")
    harmed = good[:4] + bytes(200) + good[204:]
    failure = await failure_of(load(data, harmed, "BROKEN"))
    assert (failure.reason, failure.metadata["row_group"]) == ("FILE_UNREADABLE", "0")
    empty = await failure_of(load(data, file_of(pa.array([], pa.int64())), "BROKEN"))
    assert empty.reason == "FILE_EMPTY"
    cut = header_of(good, "BROKEN", format=pb.FILE_FORMAT_PARQUET)
    assert (await failure_of(send(data, cut, good[:-1]))).reason == "FILE_INCOMPLETE"


async def test_bombs_are_refused_before_they_are_opened(
    data: RunningData, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 25 million equal rows in half a megabyte.
    rows = 25_000_000
    same = pa.DictionaryArray.from_arrays(np.zeros(rows, np.int8), pa.array([1.0]))
    times = pa.DictionaryArray.from_arrays(np.zeros(rows, np.int8), pa.array([START]))
    sink = io.BytesIO()
    names = ("time", "open", "high", "low", "close")
    pq.write_table(pa.table(dict(zip(names, (times, same, same, same, same), strict=True))), sink)
    assert len(sink.getvalue()) < 1_000_000
    failure = await failure_of(load(data, sink.getvalue(), "BOMB"))
    assert (failure.code, failure.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "FILE_TOO_LARGE")
    assert failure.metadata["most"] == "20000000"
    monkeypatch.setattr(parquet_reader, "_GROUP_BYTES", 100)
    failure = await failure_of(load(data, file_of(minutes(pa.timestamp("s", "UTC"), 50)), "BOMB"))
    assert (failure.reason, failure.metadata["row_group"]) == ("FILE_TOO_LARGE", "0")
