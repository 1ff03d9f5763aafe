"""The first line of a CSV file: what separates cells, and which column is which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.data.imports.errors import column_error

BYTE_ORDER_MARK: Final = "\ufeff"
_SEPARATORS: Final = (",", ";", "\t")
USUAL_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "time": ("time", "date", "datetime", "timestamp"),
    "open": ("open",),
    "high": ("high",),
    "low": ("low",),
    "close": ("close",),
    "volume": ("volume", "vol"),
    "adjusted_close": ("adjusted_close", "adjusted close", "adj close", "adj. close", "adjclose"),
}
OPTIONAL: Final = frozenset({"volume", "adjusted_close"})


@dataclass(frozen=True, slots=True)
class CsvHeader:
    """Where the columns of bars are."""

    separator: str
    width: int
    """Cells a line."""
    places: Mapping[str, int]
    """Of the columns there are, by our name."""
    names: Mapping[str, str]
    """Their names in the file."""


def separator_of(line: str) -> str:
    """What separates the cells of the first line, less what is quoted in it."""
    return max(_SEPARATORS, key=line.count)


def read_header(line: str, given: Mapping[str, str]) -> CsvHeader:
    """Read the first line, in which nothing is quoted; ``given`` names columns that are not called as usual.

    Raises:
        ApiError: FILE_COLUMN_MISSING.
    """
    line = line.removeprefix(BYTE_ORDER_MARK).strip("\r")
    separator = separator_of(line)
    return header_of(line.split(separator), separator, given)


def header_of(cells: Sequence[str], separator: str, given: Mapping[str, str]) -> CsvHeader:
    """The header of the first line's cells; otherwise as `read_header`."""
    found = [name.strip() for name in cells]
    places = find_columns(found, given)
    return CsvHeader(separator, len(found), places, {column: found[at] for column, at in places.items()})


def find_columns(found: list[str], given: Mapping[str, str]) -> dict[str, int]:
    """Which of the columns ``found`` are ours, by our name; ``given`` as of `read_header`.

    Raises:
        ApiError: FILE_COLUMN_MISSING.
    """
    places = {}
    for column, usual in USUAL_NAMES.items():
        wanted = (given[column].strip().lower(),) if given.get(column) else usual
        at = [place for place, name in enumerate(found) if name.lower() in wanted]
        if len(at) > 1:
            raise column_error(column, f"there are {len(at)} columns for {column}; name one", found)
        if at:
            places[column] = at[0]
        elif column not in OPTIONAL or given.get(column):
            raise column_error(column, f"there is no column {wanted[0]}", found)
    return places
