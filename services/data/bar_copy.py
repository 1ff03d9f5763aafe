"""PostgreSQL's binary COPY format for rows of bars, to and from NumPy without a loop over rows.

Format: https://www.postgresql.org/docs/current/sql-copy.html (Binary Format). All columns are eight bytes
wide and never null, so every row has the same width and the stream is one array of records.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Final

import numpy as np

from services.data.domain.bars import Bars

COLUMNS: Final = tuple(column.name for column in fields(Bars))
"""The columns, in order: open_time_ns as bigint, all others as double precision."""

_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0"
_HEADER: Final = _SIGNATURE + bytes(8)  # no flags, no extension
_TRAILER: Final = b"\xff\xff"
_ROW: Final = np.dtype(
    [("field_count", ">i2")]
    + [
        part
        for name in COLUMNS
        for part in ((f"{name}_length", ">i4"), (name, ">i8" if name == "open_time_ns" else ">f8"))
    ]
)


def encode_bars(bars: Bars) -> bytes:
    """The bars as the input of COPY ... FROM STDIN (FORMAT binary)."""
    rows = np.empty(len(bars), dtype=_ROW)
    rows["field_count"] = len(COLUMNS)
    for name in COLUMNS:
        rows[f"{name}_length"] = 8
        rows[name] = getattr(bars, name)
    return b"".join((_HEADER, rows.tobytes(), _TRAILER))


def decode_bars(copied: bytes) -> Bars:
    """The output of COPY (SELECT COLUMNS ...) TO STDOUT (FORMAT binary).

    Raises:
        ValueError: it is no such stream: another signature, another width of rows.
    """
    count, rest = divmod(len(copied) - len(_HEADER) - len(_TRAILER), _ROW.itemsize)
    if not copied.startswith(_SIGNATURE) or rest or not copied.endswith(_TRAILER):
        raise ValueError(f"{len(copied)} bytes are no binary COPY of {len(COLUMNS)} columns")
    rows = np.frombuffer(copied, dtype=_ROW, count=count, offset=len(_HEADER))
    return Bars(*(rows[name].astype(_ROW[name].newbyteorder("=")) for name in COLUMNS))
