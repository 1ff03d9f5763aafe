"""Arrow files in which something is harmed are read or refused, and state their sizes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.data.imports.arrow_reader import ArrowReader
from services.data.imports.arrow_sizes import BatchSize, batch_sizes
from services.data.imports.times import TimeReader
from services.runtime.errors import ApiError

ROWS = 40


def file_of(compression: str | None) -> bytes:
    values = pa.array(np.arange(1.0, ROWS + 1))
    columns = dict.fromkeys(("open", "high", "low", "close"), values)
    times = pa.array(np.arange(1_600_000_000, 1_600_000_000 + ROWS))
    names = pa.array(["A", "B"] * (ROWS // 2)).dictionary_encode()
    table = pa.table({"symbol": names, "time": times, **columns})
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_file(sink, table.schema, options=options) as out:
        out.write_table(table, max_chunksize=ROWS // 2)
    return sink.getvalue()


FILES = {compression: file_of(compression) for compression in (None, "lz4", "zstd")}


@pytest.mark.parametrize("compression", FILES)
def test_batches_say_how_large_they_are(compression: str | None) -> None:
    dictionary, *batches = batch_sizes(io.BytesIO(FILES[compression]))
    assert dictionary.rows == 0
    assert 0 < dictionary.size < 200
    # 20 numbers of 4 bytes and five columns of 8, each padded to at most 64 bytes when not compressed.
    assert [batch.rows for batch in batches] == [20, 20]
    assert all(20 * 44 <= batch.size <= 20 * 44 + 6 * 64 for batch in batches)
    assert isinstance(batches[0], BatchSize)


def read(content: bytes, folder: Path) -> int | ApiError:
    file = folder / "file"
    file.write_bytes(content)
    try:
        reader = ArrowReader(file, {}, TimeReader("", daily=False), most_rows=1000)
        rows = [reader.read(batch) for batch in reader.batches()]
        return sum(len(one.line) for one in rows if one is not None)
    except ApiError as error:
        return error


@given(
    st.sampled_from(list(FILES)),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_harmed_files_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, compression: str | None, harm: list[tuple[int, int]]
) -> None:
    content = bytearray(FILES[compression])
    for place, value in harm:
        content[-1 - place % len(content)] = value
    found = read(bytes(content), tmp_path_factory.getbasetemp())
    assert isinstance(found, int) or found.reason.startswith("FILE_")


def test_whole_files_are_read(tmp_path: Path) -> None:
    assert [read(content, tmp_path) for content in FILES.values()] == [ROWS] * 3


def times_file(times: pa.Array) -> bytes:
    values = pa.array(np.arange(1.0, len(times) + 1))
    table = pa.table({"time": times, **dict.fromkeys(("open", "high", "low", "close"), values)})
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema) as out:
        out.write_table(table)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        # The values are UTC whatever the zone is called.
        (times_file(pa.array([1, 2]).cast(pa.timestamp("us", "Mars/Olympus"))), 2),
        (times_file(pa.array([1, 2**62]).cast(pa.timestamp("us", "UTC"))), "FILE_CELL_INVALID"),
        (times_file(pa.array([1, -(2**62)]).cast(pa.timestamp("s"))), "FILE_CELL_INVALID"),
        (times_file(pa.array([1, 2**30], pa.int32()).cast(pa.date32())), "FILE_CELL_INVALID"),
        (FILES[None].replace(b"close", b"\xfflose"), "FILE_UNREADABLE"),
        (
            times_file(pa.array([1]).cast(pa.timestamp("s", "UTC"))).replace(b"UTC", b"\xffTC"),
            "FILE_UNREADABLE",
        ),
        (times_file(pa.array(["2024-01-01 12:00Z"])).replace(b"2024", b"\xff024"), "FILE_UNREADABLE"),
    ],
)
def test_values_that_break_libraries_are_named(content: bytes, found: int | str, tmp_path: Path) -> None:
    answer = read(content, tmp_path)
    assert (answer if isinstance(answer, int) else answer.reason) == found
