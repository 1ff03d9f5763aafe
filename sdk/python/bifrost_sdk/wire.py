"""Columnar messages to NumPy without a step a row: a packed fixed-width field's bytes are the array's own.

Wire format: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bifrost.data.v1.history_service_pb2 import ReadBarsResponse

_VARINT: Final = 0
_BYTES: Final = 2
_FIXED: Final = {1: 8, 5: 4}
_NUMBER: Final = {field.name: field.number for field in ReadBarsResponse.DESCRIPTOR.fields}
# Any: times are integers, the others doubles.
_COLUMNS: Final[dict[int, tuple[str, np.dtype[Any]]]] = {
    _NUMBER["open_time_ns"]: ("open_time_ns", np.dtype("<i8")),
    **{_NUMBER[name]: (name, np.dtype("<f8")) for name in ("open", "high", "low", "close", "volume")},
}
_TIMES: Final = np.empty(0, dtype=np.int64)
_VALUES: Final = np.empty(0, dtype=np.float64)

Column = npt.NDArray[np.int64] | npt.NDArray[np.float64]


@dataclass(slots=True)
class BarChunk:
    """Some bars of one instrument; the columns are views of the message's bytes, not copies."""

    place: int
    last: bool
    instrument_id: str
    columns: dict[str, Column]

    def __len__(self) -> int:
        return len(self.columns["open_time_ns"])


def read_bar_chunk(message: bytes) -> BarChunk:
    """A serialised ReadBarsResponse; fields of later versions are passed over.

    Raises:
        ValueError: the bytes are no such message.
    """
    columns: dict[str, Column] = dict.fromkeys(("open", "high", "low", "close", "volume"), _VALUES)
    chunk = BarChunk(0, False, "", {"open_time_ns": _TIMES, **columns})
    for number, value, at, size in _fields(message):
        if number == _NUMBER["place"]:
            chunk.place = value
        elif number == _NUMBER["last"]:
            chunk.last = bool(value)
        elif number == _NUMBER["instrument_id"]:
            chunk.instrument_id = message[at : at + size].decode()
        elif number in _COLUMNS:
            name, dtype = _COLUMNS[number]
            column: Column = np.frombuffer(message, dtype, count=size // 8, offset=at)
            chunk.columns[name] = column
    if len({len(column) for column in chunk.columns.values()}) != 1:
        raise ValueError("columns of different lengths")
    return chunk


def _fields(message: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Of each field its number, its value if it is a varint, where its content begins, its length."""
    at, end = 0, len(message)
    while at < end:
        tag, at = _varint(message, at)
        kind, value, size = tag & 7, 0, 0
        if kind == _VARINT:
            value, at = _varint(message, at)
        elif kind == _BYTES:
            size, at = _varint(message, at)
        elif kind in _FIXED:
            size = _FIXED[kind]
        else:
            raise ValueError(f"a field of wire type {kind}")
        if at + size > end:
            raise ValueError("the message is cut")
        yield tag >> 3, value, at, size
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message):
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("the message is cut")
