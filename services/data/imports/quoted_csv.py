"""CSV in which cells are quoted, by RFC 4180: separators, line ends and "" within quotes are text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Final

from services.data.imports.errors import row_error

LONGEST_ROW: Final = 64 * 1024
_QUOTED: Final = re.compile(r'"[^"]*("|$)')


def without_quoted(text: str) -> str:
    """The text less what stands in quotes, for looking at its separators."""
    return _QUOTED.sub("", text)


class QuotedRows:
    """The rows of a block of whole lines; iterate once."""

    def __init__(self, text: str, separator: str, *, line: int) -> None:
        """``line`` is the number of the text's first line in the file."""
        self._lines = io.StringIO(text, newline="\n")
        self._separator = separator
        self._row: list[str] = []
        self._row_size = 0
        self._ended = False
        self.line = line
        """Where the next row begins; after the last, the line behind the text without its rest."""
        self.rest = ""
        """Known at the end: the lines of a row whose quotes are still open."""

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """The number of each row's first line, and its cells; blank lines are passed over.

        Raises:
            ApiError: FILE_ROW_INVALID.
        """
        reader = csv.reader(self._feed(), delimiter=self._separator, skipinitialspace=True, strict=True)
        while True:
            try:
                cells = next(reader, None)
            except csv.Error as error:
                if self._ended:
                    self.rest = "".join(self._row)
                    return
                raise row_error(self.line, f"is not quoted as CSV is: {error}") from error
            if cells is None:
                return
            line = self.line
            self.line += len(self._row)
            self._row, self._row_size = [], 0
            if cells:
                yield line, cells

    def _feed(self) -> Iterator[str]:
        for line in self._lines:
            self._row.append(line)
            self._row_size += len(line)
            if self._row_size > LONGEST_ROW:
                why = ", or its quotes are not closed" if len(self._row) > 1 else ""
                raise row_error(self.line, f"is longer than {LONGEST_ROW:,} bytes{why}")
            yield line
        # Asked for more within a row: its quotes are open.
        self._ended = True
