"""Rows of a file as its reader gives them, whatever the format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from services.data.domain.bars import Doubles, Ints
from services.data.imports.csv_reader import CsvReader
from services.data.imports.times import TimeReader, Times

Block_contra = TypeVar("Block_contra", contravariant=True)


@dataclass(frozen=True, slots=True)
class FileRows:
    """Columns of equal length."""

    line: Ints
    """Number of the line in the file, or of the row where it has no lines, from 1."""
    times: Times
    numbers: Mapping[str, Doubles]
    """Those there are of open to adjusted_close; NaN for an empty cell."""


class RowReader(Protocol[Block_contra]):
    """Reads a file in blocks."""

    def read(self, block: Block_contra) -> FileRows | None:
        """The rows of the next block; None when it has none. ApiError names line and column."""

    def finish(self) -> None:
        """There are no more blocks; ApiError when a row is not whole."""


class CsvRows:
    """Rows of CSV."""

    def __init__(self, reader: CsvReader, times: TimeReader) -> None:
        self._reader = reader
        self._times = times

    def read(self, block: bytes) -> FileRows | None:
        """Of a block of whole lines."""
        rows = self._reader.read(block)
        if rows is None:
            return None
        times = self._times.read(rows.time, rows.line, self._reader.names["time"])
        return FileRows(rows.line, times, rows.numbers)

    def finish(self) -> None:
        """As of the reader of CSV."""
        self._reader.finish()
