"""CSV files as people have them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.data.imports.csv_header import read_header
from services.data.imports.csv_reader import CsvReader, LineCutter, TextRows
from services.data.imports.times import TimeReader
from services.runtime.errors import ApiError

HEAD = b"time,open,high,low,close,Volume\n"


def refused(content: bytes) -> ApiError:
    with pytest.raises(ApiError) as caught:
        CsvReader({}).read(content)
    return caught.value


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=8))
def test_lines_are_cut_only_at_their_ends(content: bytes, cuts: list[int]) -> None:
    cutter, blocks = LineCutter(), []
    edges = sorted({min(cut, len(content)) for cut in cuts})
    for begin, end in zip([0, *edges], [*edges, len(content)], strict=True):
        blocks.append(cutter.take(content[begin:end]))
    assert all(not block or block.endswith(b"\n") for block in blocks)
    assert b"".join((*blocks, cutter.last())) == content


def read_or_refuse(content: bytes) -> TextRows | ApiError | None:
    try:
        return CsvReader({}).read(content)
    except ApiError as error:
        return error


@given(
    st.one_of(
        st.binary(max_size=200), st.text(alphabet='0123456789,;"=-.e \r\n', max_size=200).map(str.encode)
    )
)
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    found = read_or_refuse(HEAD + content)
    if isinstance(found, ApiError):
        assert found.reason.startswith("FILE_")
        assert int(found.metadata["line"]) > 1
    else:
        assert found is None or len(found.time) == len(found.line) == len(found.numbers["close"])


@pytest.mark.parametrize(
    "content",
    [
        HEAD + b"1600000000,1,3,0.5,2,10\n1600000060,2,3,1,,20\n",
        b"\xef\xbb\xbf" + HEAD + b"1600000000,1,3,0.5,2,10\r\n\r\n1600000060,2,3,1,,20",
        b'"Time";"Open";"High";"Low";"Close";"Vol"\n"1600000000";"1";"3";".5";"2";"10"\n1600000060;2;3;1;;20\n',
        (
            b"Vol\tclose\tlow\thigh\topen\ttime\tVWAP\n"
            b"10\t2\t5e-1\t3\t1\t1600000000\tx\n20\t\t1\t3\t2\t 1600000060\ty\n"
        ),
    ],
)
def test_usual_files_are_read(content: bytes) -> None:
    rows = CsvReader({}).read(content)
    assert rows is not None
    assert rows.time.to_list() == ["1600000000", "1600000060"]
    assert rows.numbers["low"].tolist() == [0.5, 1]
    assert rows.numbers["volume"].tolist() == [10, 20]
    np.testing.assert_array_equal(rows.numbers["close"], [2, np.nan])


@pytest.mark.parametrize(
    ("content", "reason", "line"),
    [
        (HEAD + b"1600000000,1,1,1,1,1\n1600000060,1,1,1,1,\xe4\n", "FILE_ENCODING_INVALID", "3"),
        (HEAD.decode().encode("utf-16"), "FILE_ENCODING_INVALID", "1"),
        (HEAD + b"1600000000,1,1,1,1,1\n\n160000\x000060,1,1,1,1,1\n", "FILE_ENCODING_INVALID", "4"),
        (HEAD + b"1600000000,1,1,1,1\n", "FILE_ROW_INVALID", "2"),
        (HEAD + b"1600000000,1,1,1,1,1,1\n", "FILE_ROW_INVALID", "2"),
        (HEAD + b'1600000000,"1,000",1,1,1,1\n', "FILE_CELL_INVALID", "2"),
        (HEAD + b'1600000000,"1,5",1,1,1,"1,000,000"\n', "FILE_CELL_INVALID", "2"),
        (HEAD + b'1600000000,"1,2345",1,1,1,1\n', "FILE_CELL_INVALID", "2"),
        (HEAD + b'1600000000,"=1+1",1,1,1,1\n', "FILE_CELL_INVALID", "2"),
        (HEAD + b'1600000000,"1"2,1,1,1,1\n', "FILE_ROW_INVALID", "2"),
        (HEAD + b'1600000000,"1,1",1,1,1,1,1\n', "FILE_ROW_INVALID", "2"),
        (HEAD + b'1,1,1,1,1,"\n\n"\n1600000000,1,1,1,"1","1","1"\n', "FILE_ROW_INVALID", "5"),
        (HEAD + b'1600000000,1,1,1,1,"' + b"1" * 70_000 + b'"\n', "FILE_ROW_INVALID", "2"),
        (HEAD + b'1600000000,1,1,1,1,"' + b"1\n" * 40_000 + b'"\n', "FILE_ROW_INVALID", "2"),
        (HEAD + b"\n\n1600000000;1;1;1;1;1\n", "FILE_ROW_INVALID", "4"),
        (HEAD + b"1600000000,1,1,1,1," + b"1" * 70_000 + b"\n", "FILE_ROW_INVALID", "2"),
        (HEAD + b"1600000000,1,=1+1,1,1,1\n", "FILE_CELL_INVALID", "2"),
        (HEAD + b"1600000000,1,$3,1,1,1\n", "FILE_CELL_INVALID", "2"),
        (HEAD + b"1600000000,1,1_000,1,1,1\n", "FILE_CELL_INVALID", "2"),
    ],
)
def test_broken_files_name_the_line(content: bytes, reason: str, line: str) -> None:
    error = refused(content)
    assert (error.reason, error.metadata["line"]) == (reason, line)


def test_lines_are_counted_over_blocks() -> None:
    reader = CsvReader({})
    assert reader.read(HEAD) is None
    assert reader.read(b"\n1600000000,1,1,1,1,1\n") is not None
    with pytest.raises(ApiError) as caught:
        reader.read(b"1600000060,1,1,x,1,1\n")
    assert caught.value.metadata == {"line": "4", "column": "low", "value": "x"}


def test_columns_are_found_by_name() -> None:
    header = read_header("Last;Date;OPEN;High;Low;Adj Close\r", {"close": "last"})
    assert (header.separator, header.width) == (";", 6)
    assert header.places == {"close": 0, "time": 1, "open": 2, "high": 3, "low": 4, "adjusted_close": 5}
    assert header.names["close"] == "Last"
    for line, given_names in (
        ("time,date,open,high,low,close", {}),
        ("time,open,high,low", {}),
        ("time,open,high,low,close", {"volume": "Turnover"}),
    ):
        with pytest.raises(ApiError) as caught:
            read_header(line, given_names)
        assert caught.value.reason == "FILE_COLUMN_MISSING"


QUOTED = (
    b'"Symbol","Company, Inc.","Date","Open","High","Low","Close","Adj Close","Volume"\r\n'
    b'"ABC","A ""B"" C","2024-01-02","1,234.50","1,240.00","1,230","1,236.5","999.5","1,234"\r\n'
    b'ABC,"over\r\ntwo lines",2024-01-03,1234.5,"1,240.00", "1,230",1236.5,"","12,345,678"\r\n'
    b"\r\n"
    b'"ABC","x","2024-01-04","1,234.50","1,240.00","1,230","1,236.5","999.5","5"\r\n'
)


@given(st.lists(st.integers(0, len(QUOTED)), max_size=6))
def test_quoted_cells_are_read_wherever_the_file_is_cut(cuts: list[int]) -> None:
    reader, cutter, found = CsvReader({}), LineCutter(), []
    edges = sorted({*cuts, 0, len(QUOTED)})
    for begin, end in pairwise(edges):
        rows = reader.read(cutter.take(QUOTED[begin:end]))
        found += [] if rows is None else [rows]
    reader.finish()
    assert [time for rows in found for time in rows.time] == ["2024-01-02", "2024-01-03", "2024-01-04"]
    assert [line for rows in found for line in rows.line.tolist()] == [2, 3, 6]
    for name, values in (
        ("open", [1234.5, 1234.5, 1234.5]),
        ("low", [1230, 1230, 1230]),
        ("adjusted_close", [999.5, np.nan, 999.5]),
        ("volume", [1234, 12_345_678, 5]),
    ):
        np.testing.assert_array_equal(np.concatenate([rows.numbers[name] for rows in found]), values)


def test_quotes_of_the_header_alone_cost_the_rows_nothing() -> None:
    reader = CsvReader({})
    assert reader.read(b'\xef\xbb\xbf"time";"open";"high";"low";"close";"volume"\n') is None
    rows = reader.read(b"1600000000;1;1;1;1;1\n")
    assert rows is not None
    assert rows.line.tolist() == [2]


def test_quotes_that_are_never_closed_are_named() -> None:
    reader = CsvReader({})
    rows = reader.read(HEAD + b'1600000000,1,1,1,1,1\n1600000060,1,1,1,1,"1\n')
    assert rows is not None
    assert len(rows.time) == 1
    with pytest.raises(ApiError) as caught:
        reader.finish()
    assert (caught.value.reason, caught.value.metadata["line"]) == ("FILE_ROW_INVALID", "3")
    with pytest.raises(ApiError) as caught:
        reader.read(b"1600000060,1,1,1,1,1\n" * 4000)
    assert (caught.value.reason, caught.value.metadata["line"]) == ("FILE_ROW_INVALID", "3")


@given(st.text(alphabet="01,;.\n\r ", max_size=60))
def test_rows_are_the_same_beside_a_quoted_one(text: str) -> None:
    content = HEAD + b'1,1,1,1,1,"1"\n' + text.encode()
    found = read_or_refuse(content)
    if isinstance(found, TextRows):
        plain = read_or_refuse(HEAD + b"1,1,1,1,1,1\n" + text.encode())
        assert isinstance(plain, TextRows)
        assert found.time.to_list() == plain.time.to_list()
        assert found.line.tolist() == plain.line.tolist()


NEW_YORK = "America/New_York"


@pytest.mark.parametrize(
    ("zone", "text", "expected"),
    [
        ("", "1700000000", "2023-11-14T22:13:20"),
        ("", "1700000000000", "2023-11-14T22:13:20"),
        ("", "2024-01-02T09:30:00Z", "2024-01-02T09:30"),
        (NEW_YORK, "2024-01-02T09:30:00+01:00", "2024-01-02T08:30"),
        (NEW_YORK, "2024-01-02 09:30", "2024-01-02T14:30"),
        (NEW_YORK, "2024-07-02T09:30:00.25", "2024-07-02T13:30:00.25"),
        (NEW_YORK, "2024-07-02", "2024-07-02T04:00"),
        ("", "20240702", "2024-07-02"),
    ],
)
def test_times_are_understood(zone: str, text: str, expected: str) -> None:
    times = TimeReader(zone, daily=True).read(pl.Series([text]), np.array([2]), "time")
    assert times.ns.tolist() == [np.datetime64(expected, "ns").astype(int)]
    assert (times.dates is not None) == (text in {"2024-07-02", "20240702"})


@pytest.mark.parametrize(
    ("zone", "texts", "reason", "line"),
    [
        (NEW_YORK, ["2024-03-10 01:30", "2024-03-10 02:30"], "FILE_TIME_AMBIGUOUS", "3"),
        (NEW_YORK, ["2024-11-03 00:30", "2024-11-03 01:30"], "FILE_TIME_AMBIGUOUS", "3"),
        ("", ["2024-11-03 01:30"], "FILE_TIME_AMBIGUOUS", "2"),
        (NEW_YORK, ["2024-11-01 01:30", "2024-11-01 01:30+00:00"], "FILE_TIME_AMBIGUOUS", "3"),
        (NEW_YORK, ["2024-11-01", "1700000000"], "FILE_TIME_AMBIGUOUS", "3"),
        ("", ["1700000000", "1700000000000"], "FILE_TIME_AMBIGUOUS", "3"),
        ("", ["1700000000", ""], "FILE_CELL_INVALID", "3"),
        ("", ["01/02/2024"], "FILE_CELL_INVALID", "2"),
        ("", ["2024-02-30"], "FILE_CELL_INVALID", "2"),
        ("", ["2024-02-01", "9999-02-01"], "FILE_CELL_INVALID", "3"),
        ("", ["=NOW()"], "FILE_CELL_INVALID", "2"),
    ],
)
def test_times_that_are_not_certain_are_refused(zone: str, texts: list[str], reason: str, line: str) -> None:
    with pytest.raises(ApiError) as caught:
        TimeReader(zone, daily=True).read(pl.Series(texts), np.arange(2, 2 + len(texts)), "time")
    assert (caught.value.reason, caught.value.metadata["line"]) == (reason, line)
