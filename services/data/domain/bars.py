"""Bars as columns, and what makes a bar acceptable."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Doubles = NDArray[np.float64]
Mask = NDArray[np.bool_]


class BarInterval(IntEnum):
    """Length of a bar, numbered as in the contract."""

    DAY = 1
    MINUTE = 2
    FIVE_MINUTES = 3
    FIFTEEN_MINUTES = 4
    THIRTY_MINUTES = 5
    HOUR = 6
    FOUR_HOURS = 7
    WEEK = 8
    MONTH = 9
    SECOND = 10
    FIVE_SECONDS = 11
    FIFTEEN_SECONDS = 12
    THIRTY_SECONDS = 13
    TWO_MINUTES = 14
    TEN_MINUTES = 15
    TWO_HOURS = 16


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars of one instrument as columns of equal length n, oldest first."""

    open_time_ns: Ints
    """Start of each bar, nanoseconds since the epoch, UTC."""
    open: Doubles
    high: Doubles
    low: Doubles
    close: Doubles
    volume: Doubles
    """Shares."""

    def __len__(self) -> int:
        return len(self.open_time_ns)

    def take(self, rows: Mask | Ints | slice) -> Self:
        """The bars at these rows."""
        return type(self)(*(getattr(self, column.name)[rows] for column in fields(self)))

    def followed_by(self, later: Self) -> Self:
        """These bars and then those."""
        names = (column.name for column in fields(self))
        return type(self)(*(np.concatenate((getattr(self, name), getattr(later, name))) for name in names))


@dataclass(frozen=True, slots=True)
class SourceBars(Bars):
    """Unadjusted bars with what the source knows of later splits and dividends."""

    adjusted_close: Doubles
    """The close in today's terms."""


@dataclass(frozen=True, slots=True)
class FileBars(SourceBars):
    """Bars as a file has them, in its order."""

    line: Ints
    """Number of the line in the file, from 1."""
