"""PostgreSQL's binary COPY format for rows of bars, to and from NumPy without a loop over rows.

Format: https://www.postgresql.org/docs/current/sql-copy.html (Binary Format). All columns are eight bytes
wide and never null, so every row has the same width and the stream is one array of records.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Final, TypeVar

import numpy as np

from services.data.domain.bars import Bars

B = TypeVar("B", bound=Bars)

_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0"
_HEADER: Final = _SIGNATURE + bytes(8)  # no flags, no extension
_TRAILER: Final = b"\xff\xff"


def columns_of(kind: type[Bars]) -> list[str]:
    """The columns in order: open_time_ns as bigint, all others as double precision."""
    return [column.name for column in fields(kind)]


def _row_of(kind: type[Bars]) -> np.dtype[np.void]:
    row: list[tuple[str, str]] = [("field_count", ">i2")]
    for name in columns_of(kind):
        row += [(f"{name}_length", ">i4"), (name, ">i8" if name == "open_time_ns" else ">f8")]
    return np.dtype(row)


def encode_bars(bars: Bars) -> bytes:
    """The bars as the input of COPY ... FROM STDIN (FORMAT binary)."""
    names = columns_of(type(bars))
    rows = np.empty(len(bars), dtype=_row_of(type(bars)))
    rows["field_count"] = len(names)
    for name in names:
        rows[f"{name}_length"] = 8
        rows[name] = getattr(bars, name)
    return b"".join((_HEADER, rows.tobytes(), _TRAILER))


def decode_bars(copied: bytes, kind: type[B]) -> B:
    """The output of COPY (SELECT columns_of(kind) ...) TO STDOUT (FORMAT binary).

    Raises:
        ValueError: it is no such stream: another signature, another width of rows.
    """
    names, row = columns_of(kind), _row_of(kind)
    count, rest = divmod(len(copied) - len(_HEADER) - len(_TRAILER), row.itemsize)
    if not copied.startswith(_SIGNATURE) or rest or not copied.endswith(_TRAILER):
        raise ValueError(f"{len(copied)} bytes are no binary COPY of {len(names)} columns")
    rows = np.frombuffer(copied, dtype=row, count=count, offset=len(_HEADER))
    return kind(*(rows[name].astype(row[name].newbyteorder("=")) for name in names))
