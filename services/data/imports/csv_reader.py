"""CSV text to columns, a block of whole lines at a time: memory does not grow with the file."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from services.data.domain.bars import Doubles, Ints
from services.data.imports.csv_header import (
    BYTE_ORDER_MARK,
    CsvHeader,
    header_of,
    read_header,
    separator_of,
)
from services.data.imports.csv_numbers import NumberReader
from services.data.imports.errors import encoding_error, row_error
from services.data.imports.quoted_csv import LONGEST_ROW, QuotedRows, without_quoted
from services.runtime.errors import ApiError


@dataclass(frozen=True, slots=True)
class TextRows:
    """Rows of the file: numbers read, times not yet; columns of equal length."""

    line: Ints
    """Number of the line in the file, from 1."""
    time: pl.Series
    numbers: Mapping[str, Doubles]
    """Those there are of open to adjusted_close; NaN for an empty cell."""


class LineCutter:
    """Puts chunks together and cuts them at the ends of lines."""

    def __init__(self) -> None:
        self._rest = b""

    def take(self, chunk: bytes) -> bytes:
        """The whole lines that are there now, or nothing; ApiError FILE_ROW_INVALID for an endless one."""
        waiting = self._rest + chunk
        end = waiting.rfind(b"\n") + 1
        self._rest = waiting[end:]
        return waiting[:end]

    @property
    def endless(self) -> bool:
        """What waits for its end is too long for a line."""
        return len(self._rest) > LONGEST_ROW

    def last(self) -> bytes:
        """The line that the file ends in without a line end."""
        return self._rest


class CsvReader:
    """Reads blocks of whole lines in order; the first line names the columns.

    Blocks without a quote, which most files have alone, are taken apart as columns; the others row by row.
    """

    def __init__(self, given: Mapping[str, str]) -> None:
        """``given`` names columns that are not called as usual."""
        self._given = given
        self._header: CsvHeader | None = None
        self._lines = 0
        self._open_row = b""
        self._numbers = NumberReader()

    @property
    def lines(self) -> int:
        """Lines read so far."""
        return self._lines

    @property
    def names(self) -> Mapping[str, str]:
        """The file's names of the columns."""
        return {} if self._header is None else self._header.names

    def read(self, block: bytes) -> TextRows | None:
        """The rows of a block of whole lines; None when it has none. Blank lines are passed over.

        A row whose quotes go on in the next block comes with that one.

        Raises:
            ApiError: FILE_ENCODING_INVALID, FILE_COLUMN_MISSING, FILE_ROW_INVALID, FILE_CELL_INVALID.
        """
        if self._open_row or b'"' in block:
            return self._read_quoted(self._text(self._open_row + block))
        self._text(block)
        return self._read_plain(block)

    def finish(self) -> None:
        """The file has ended; ApiError FILE_ROW_INVALID when its last quotes are not closed."""
        if self._open_row:
            raise row_error(self._lines + 1, "opens quotes that are never closed")

    def _read_plain(self, block: bytes) -> TextRows | None:
        lines = pl.read_lines(io.BytesIO(block)).to_series()
        numbers = np.arange(self._lines + 1, self._lines + 1 + len(lines), dtype=np.int64)
        self._lines += len(lines)
        is_long = lines.str.len_bytes() > LONGEST_ROW
        if is_long.any():
            at = int(is_long.arg_max() or 0)
            raise row_error(int(numbers[at]), f"is longer than {LONGEST_ROW:,} bytes")
        if b"\r" in block:
            lines = lines.str.strip_chars_end("\r")
        filled = lines != ""
        if not filled.all():
            lines, numbers = lines.filter(filled), numbers[filled.to_numpy()]
        if self._header is None and len(lines):
            self._header = read_header(lines[0], self._given)
            lines, numbers = lines[1:], numbers[1:]
        if self._header is None or not len(lines):
            return None
        return self._rows(_columns(lines, numbers, self._header), numbers, self._header)

    def _read_quoted(self, text: str) -> TextRows | None:
        header = self._header
        if header is None:
            text = text.removeprefix(BYTE_ORDER_MARK)
            begin = without_quoted(text[:LONGEST_ROW])
            separator = separator_of(next((line for line in begin.split("\n") if line.strip()), ""))
        else:
            separator = header.separator
        found = QuotedRows(text, separator, line=self._lines + 1)
        numbers: list[int] = []
        kept: list[tuple[str, ...]] = []
        for line, cells in found:
            if header is None:
                header = self._header = header_of(cells, separator, self._given)
                continue
            if len(cells) != header.width:
                raise _width_error(line, len(cells), header)
            numbers.append(line)
            kept.append(tuple([cells[place] for place in header.places.values()]))
        self._lines, self._open_row = found.line - 1, found.rest.encode()
        if header is None or not kept:
            return None
        columns = {
            name: pl.Series(values, dtype=pl.String)
            for name, values in zip(header.places, zip(*kept, strict=True), strict=True)
        }
        return self._rows(columns, np.array(numbers, dtype=np.int64), header)

    def _rows(self, columns: Mapping[str, pl.Series], numbers: Ints, header: CsvHeader) -> TextRows:
        cells = {name: column.str.strip_chars(" ") for name, column in columns.items()}
        time = cells.pop("time")
        return TextRows(numbers, time, self._numbers.read(cells, numbers, header.names))

    def _text(self, block: bytes) -> str:
        try:
            text = block.decode()
        except UnicodeDecodeError as error:
            raise encoding_error(self._lines + 1 + block[: error.start].count(b"\n")) from error
        if "\0" in text:
            raise encoding_error(self._lines + 1 + block[: block.index(b"\0")].count(b"\n"))
        return text


def _columns(lines: pl.Series, numbers: Ints, header: CsvHeader) -> dict[str, pl.Series]:
    cells = lines.str.split_exact(header.separator, header.width).struct.unnest()
    last, beyond = cells.columns[header.width - 1], cells.columns[header.width]
    is_wrong = cells[last].is_null() | cells[beyond].is_not_null()
    if is_wrong.any():
        at = int(is_wrong.arg_max() or 0)
        raise _width_error(int(numbers[at]), lines[at].count(header.separator) + 1, header)
    return {name: cells.to_series(place) for name, place in header.places.items()}


def _width_error(line: int, found: int, header: CsvHeader) -> ApiError:
    return row_error(line, f"has {found} cells, the first line {header.width}")
