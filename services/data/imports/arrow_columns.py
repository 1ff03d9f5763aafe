"""Arrow's columns to rows of bars, whatever file they come from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from services.data.domain.bars import Doubles, Ints
from services.data.imports.csv_header import find_columns
from services.data.imports.errors import cell_error, file_error, type_error
from services.data.imports.rows import FileRows
from services.data.imports.times import TimeReader, Times

_MOST_COLUMNS: Final = 10_000
_FIRST_DAY: Final = (dt.date(1800, 1, 1) - dt.date(1970, 1, 1)).days
_DAY_AFTER_LAST: Final = (dt.date(2201, 1, 1) - dt.date(1970, 1, 1)).days
_A_DAY: Final = {"D": 1, "s": 86_400, "ms": 86_400 * 10**3, "us": 86_400 * 10**6, "ns": 86_400 * 10**9}


class ArrowColumns:
    """The columns of one file that are ours, and their batches as rows. Blocks: call it in a thread."""

    def __init__(self, schema: pa.Schema, given: Mapping[str, str], times: TimeReader) -> None:
        """``given`` names columns that are not called as usual.

        Raises:
            ApiError: FILE_UNREADABLE, FILE_COLUMN_MISSING, FILE_COLUMN_TYPE_INVALID.
        """
        if len(schema) > _MOST_COLUMNS:
            raise file_error(f"the file has {len(schema):,} columns")
        try:
            names: list[str] = schema.names
            places = find_columns(names, given)
            for place in places.values():
                _check_type(schema.field(place), is_time=place == places["time"])
        except UnicodeDecodeError as error:
            raise file_error("what the file says of its columns is not UTF-8") from error
        self.names = {column: names[place] for column, place in places.items()}
        self.places = sorted(places.values())
        self._times = times
        self._rows = 0

    def read(self, block: pa.RecordBatch) -> FileRows | None:
        """The rows of a batch; ApiError FILE_UNREADABLE, FILE_CELL_INVALID, FILE_TIME_AMBIGUOUS."""
        count = block.num_rows
        if not count:
            return None
        try:
            # Arrow takes what a file states of its columns on trust.
            block.validate(full=True)
        except pa.ArrowException as error:
            message = f"the rows from {self._rows + 1:,} on cannot be read: {first_line(error)}"
            raise file_error(message) from error
        line = np.arange(self._rows + 1, self._rows + 1 + count, dtype=np.int64)
        self._rows += count
        columns = {column: block.column(name) for column, name in self.names.items()}
        cells, name = columns.pop("time"), self.names["time"]
        if cells.null_count:
            at = int(np.argmax(cells.is_null().to_numpy(zero_copy_only=False)))
            raise cell_error(int(line[at]), name, "", "a time")
        return FileRows(
            line, self._read_times(cells, line, name), {k: _doubles(v) for k, v in columns.items()}
        )

    def finish(self) -> None:
        """Batches have whole rows."""

    def _read_times(self, cells: pa.Array, line: Ints, name: str) -> Times:
        if pa.types.is_integer(cells.type) or _is_text(cells.type):
            text = pl.Series(pl.from_arrow(cells.cast(pa.string())))
            return self._times.read(text.str.strip_chars(" "), line, name)
        _check_range(cells, line, name)
        if pa.types.is_timestamp(cells.type) and cells.type.tz is not None:
            # Whatever the zone, which may be none that is known, the values are UTC.
            cells = cells.view(pa.timestamp(cells.type.unit, "UTC"))
        return self._times.read_typed(pl.Series(pl.from_arrow(cells)), line, name)


def first_line(error: Exception) -> str:
    """What Arrow says of a file, for a person."""
    return str(error).partition("\n")[0][:200]


def _doubles(cells: pa.Array) -> Doubles:
    if not pa.types.is_float64(cells.type):
        cells = pc.cast(cells, pa.float64(), safe=False)
    values: Doubles = cells.fill_null(float("nan")).to_numpy(zero_copy_only=False)
    return values


def _check_range(cells: pa.Array, line: Ints, name: str) -> None:
    """That no time is beyond what calendars can show."""
    kind = cells.type
    unit = kind.unit if pa.types.is_timestamp(kind) else "ms" if pa.types.is_date64(kind) else "D"
    numbers = cells.cast(pa.int32() if unit == "D" else pa.int64()).to_numpy(zero_copy_only=False)
    wrong = (numbers < _FIRST_DAY * _A_DAY[unit]) | (numbers >= _DAY_AFTER_LAST * _A_DAY[unit])
    if wrong.any():
        at = int(np.argmax(wrong))
        raise cell_error(int(line[at]), name, str(numbers[at]), "a time of the years 1800 to 2200")


def _check_type(field: pa.Field, *, is_time: bool) -> None:
    types, kind = pa.types, field.type
    if is_time:
        if types.is_timestamp(kind):
            str(kind.tz)  # may be no text
        fits = types.is_timestamp(kind) or types.is_date(kind) or types.is_int64(kind) or _is_text(kind)
        wanted = "a timestamp, a date, 64-bit seconds or milliseconds, or text"
    else:
        fits = types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind)
        wanted = "a number"
    if not fits:
        raise type_error(field.name, str(kind), wanted)


def _is_text(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))
