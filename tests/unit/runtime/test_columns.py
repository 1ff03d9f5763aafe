"""Columns assembled from arrays equal the library's encoding, byte for byte."""

import numpy as np
import pytest
from google.protobuf.descriptor_pb2 import GeneratedCodeInfo, SourceCodeInfo
from hypothesis import given
from hypothesis import strategies as st

from bifrost.data.v1.bar_pb2 import BarColumns
from bifrost.data.v1.bar_service_pb2 import ListBarsResponse
from bifrost.type.v1.stream_pb2 import StreamHeader
from services.runtime.columns import message_field, packed_doubles, packed_sint64, packed_uint64
from services.runtime.wire import field_bytes, field_number, nested_number, uint_field, varint

SIGNED = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(SIGNED, max_size=50), st.lists(st.floats(), max_size=50))
def test_message_equals_the_librarys(times: list[int], prices: list[float]) -> None:
    expected = BarColumns(open_time_ns=times, close=prices).SerializeToString()
    ours = packed_sint64(field_number(BarColumns, "open_time_ns"), np.array(times, dtype=np.int64))
    ours += packed_doubles(field_number(BarColumns, "close"), np.array(prices, dtype=np.float64))
    assert b"".join(ours) == expected


@given(st.lists(st.integers(0, 2**31 - 1), max_size=50))
def test_unsigned_varints_equal_the_librarys(values: list[int]) -> None:
    annotation = GeneratedCodeInfo.Annotation(path=values)
    assert b"".join(packed_uint64(1, np.array(values, dtype=np.uint64))) == annotation.SerializeToString()


@given(
    st.lists(st.tuples(SIGNED, st.integers(0, 2**40), st.integers(1, 12_000)), min_size=1, max_size=3),
)
def test_long_columns_of_one_length_and_of_many_equal_the_librarys(runs: list[tuple[int, int, int]]) -> None:
    last = np.iinfo(np.int64).max
    times = [min(first + step * row, last) for first, step, rows in runs for row in range(rows)]
    ours = b"".join(packed_sint64(1, np.array(times, dtype=np.int64)))
    assert ours == BarColumns(open_time_ns=times).SerializeToString()


@pytest.mark.parametrize("septets", range(10))
def test_each_length_ends_where_the_librarys_does(septets: int) -> None:
    edge = 1 << 7 * septets
    values = np.array([edge - 1, edge], dtype=np.uint64)
    assert b"".join(packed_uint64(1, values))[2:] == b"".join(map(varint, values.tolist()))
    assert b"".join(packed_uint64(1, values[1:]))[2:] == varint(edge)


def test_strided_columns_are_taken_by_value() -> None:
    table = np.arange(12.0).reshape(6, 2)
    ours = b"".join(packed_doubles(2, table[:, 1]))
    assert ours == BarColumns(open=table[:, 1].tolist()).SerializeToString()


@given(st.lists(st.floats(allow_nan=False), max_size=50))
def test_nested_fields_equal_the_librarys(prices: list[float]) -> None:
    columns = packed_doubles(field_number(BarColumns, "close"), np.array(prices, dtype=np.float64))
    ours = b"".join(message_field(field_number(ListBarsResponse, "bars"), columns))
    assert ours == ListBarsResponse(bars=BarColumns(close=prices)).SerializeToString()


@given(st.integers(0, 2**64 - 1), st.binary(max_size=300))
def test_fields_equal_the_librarys(value: int, content: bytes) -> None:
    small = value % 2**31
    assert varint(small) == b"".join(packed_uint64(1, np.array([small], dtype=np.uint64)))[2:]
    expected = StreamHeader(sequence=value)
    assert uint_field(field_number(StreamHeader, "sequence"), value) == expected.SerializeToString()
    text = SourceCodeInfo.Location(leading_comments=content.hex())
    number = field_number(SourceCodeInfo.Location, "leading_comments")
    encoded = field_bytes(number, content.hex().encode())
    assert SourceCodeInfo.Location.FromString(encoded) == text


def test_fields_are_found_by_name() -> None:
    assert nested_number(SourceCodeInfo, "location", "span") == 2
    with pytest.raises(KeyError):
        nested_number(SourceCodeInfo.Location, "leading_comments", "span")
    with pytest.raises(KeyError):
        field_number(SourceCodeInfo, "nowhere")
