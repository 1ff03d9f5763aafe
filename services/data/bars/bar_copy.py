"""PostgreSQL's binary COPY format for rows of bars, to and from NumPy without a loop over rows.

Format: https://www.postgresql.org/docs/current/sql-copy.html (Binary Format). All columns are eight bytes
wide and never null, so every row has the same width and the stream is one array of records.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Final, Generic, TypeVar

import numpy as np

from services.data.domain.bars import Bars, SourceBars

B = TypeVar("B", bound=Bars)

HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # signature, no flags, no extension
TRAILER: Final = b"\xff\xff"
_KEYS: Final = ("instrument_no", "interval", "batch_no")
_INTEGERS: Final = ("open_time_ns", "line")
AT_ONCE: Final = 256 * 1024  # bytes decoded at a time: they stay in the processor's cache


def columns_of(kind: type[Bars]) -> list[str]:
    """The columns in order: times and lines as bigint, all others as double precision."""
    return [column.name for column in fields(kind)]


def row_of(kind: type[Bars]) -> np.dtype[np.void]:
    """A row of the stream; its columns are fields of their own names, big-endian."""
    return np.dtype([("field_count", ">i2"), *_fields_of(kind)])


def _fields_of(kind: type[Bars]) -> list[tuple[str, str]]:
    row: list[tuple[str, str]] = []
    for name in columns_of(kind):
        row += [(f"{name}_length", ">i4"), (name, ">i8" if name in _INTEGERS else ">f8")]
    return row


def encode_bars(bars: Bars) -> bytes:
    """The bars as the input of COPY ... FROM STDIN (FORMAT binary)."""
    names = columns_of(type(bars))
    rows = np.empty(len(bars), dtype=row_of(type(bars)))
    rows["field_count"] = len(names)
    for name in names:
        rows[f"{name}_length"] = 8
        rows[name] = getattr(bars, name)
    return b"".join((HEADER, rows.tobytes(), TRAILER))


def encode_bar_rows(instrument_no: int, interval: int, batch_no: int, bars: SourceBars) -> bytes:
    """Whole rows of the table of bars as the input of COPY; their columns are `bar_row_columns`."""
    keys = ((">i4", instrument_no), (">i2", interval), (">i4", batch_no))
    row: list[tuple[str, str]] = [("field_count", ">i2")]
    for name, (kind, _) in zip(_KEYS, keys, strict=True):
        row += [(f"{name}_length", ">i4"), (name, kind)]
    row += _fields_of(SourceBars)
    rows = np.empty(len(bars), dtype=np.dtype(row))
    rows["field_count"] = len(bar_row_columns())
    for name, (kind, value) in zip(_KEYS, keys, strict=True):
        rows[f"{name}_length"] = np.dtype(kind).itemsize
        rows[name] = value
    for name in columns_of(SourceBars):
        rows[f"{name}_length"] = 8
        rows[name] = getattr(bars, name)
    return b"".join((HEADER, rows.tobytes(), TRAILER))


def bar_row_columns() -> list[str]:
    """The columns of `encode_bar_rows` in order."""
    return [*_KEYS, *columns_of(SourceBars)]


class BarReader(Generic[B]):
    """Takes COPY (SELECT columns_of(kind) ...) TO STDOUT (FORMAT binary) in pieces, as they arrive.

    Rows go straight into the columns while PostgreSQL makes the next: the stream is never held whole.
    """

    def __init__(self, kind: type[B], *, capacity: int) -> None:
        """For up to ``capacity`` rows."""
        self._kind = kind
        self._row = row_of(kind)
        self._columns = {
            name: np.empty(capacity, dtype=self._row[name].newbyteorder("=")) for name in columns_of(kind)
        }
        self._capacity = capacity
        self._count = 0
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._skip = len(HEADER)

    async def feed(self, piece: bytes) -> None:
        """Take the next piece, cut anywhere.

        Raises:
            ValueError: it is no such stream.
        """
        self._pieces.append(piece)
        self._waiting += len(piece)
        if self._waiting >= AT_ONCE:
            self._decode()

    def bars(self) -> B:
        """The bars, when all pieces have come.

        Raises:
            ValueError: it is no such stream: another signature, another width of rows, an end too early.
        """
        if self._decode() != TRAILER:
            raise self._refusal()
        return self._kind(*(column[: self._count] for column in self._columns.values()))

    def _decode(self) -> bytes:
        """Decode the rows that are whole; returns, and keeps, the rest."""
        waiting = b"".join(self._pieces)
        skip, self._skip = self._skip, 0
        if skip and not waiting.startswith(HEADER):
            raise self._refusal()
        count = (len(waiting) - skip) // self._row.itemsize
        rows = np.frombuffer(waiting, dtype=self._row, count=count, offset=skip)
        end = self._count + count
        if end > self._capacity or (rows["field_count"] != len(self._columns)).any():
            raise self._refusal()
        for name, column in self._columns.items():
            column[self._count : end] = rows[name]
        self._count = end
        rest = waiting[skip + count * self._row.itemsize :]
        self._pieces, self._waiting = [rest], len(rest)
        return rest

    def _refusal(self) -> ValueError:
        columns = len(self._columns)
        return ValueError(f"no binary COPY of up to {self._capacity} rows of {columns} columns")
