"""Bars as columns, and what makes a bar acceptable."""

from __future__ import annotations

from collections.abc import Sequence
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


@dataclass(frozen=True, slots=True)
class SourceBars(Bars):
    """Unadjusted bars with what the source knows of later splits and dividends."""

    adjusted_close: Doubles
    """The close in today's terms."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why bars were refused, and how many."""

    reason: str
    rows: int


def validate_bars(bars: SourceBars) -> tuple[SourceBars, list[Refusal]]:
    """Keep the bars that can be true, sorted by time; count the others by the first reason found.

    A bar needs finite positive prices, a volume that is not negative, low <= open, close <= high, and a time
    that no earlier row has.
    """
    prices: Doubles = np.vstack([bars.open, bars.high, bars.low, bars.close, bars.adjusted_close])
    with np.errstate(invalid="ignore"):
        checks: Sequence[tuple[str, Mask]] = (
            ("not a number", ~(np.isfinite(prices).all(axis=0) & np.isfinite(bars.volume))),
            ("price not positive", prices.min(axis=0) <= 0),
            ("volume negative", bars.volume < 0),
            (
                "high below open, close or low",
                bars.high < np.maximum(np.maximum(bars.open, bars.close), bars.low),
            ),
            ("low above open or close", bars.low > np.minimum(bars.open, bars.close)),
            ("time repeated", _repeated(bars.open_time_ns)),
        )
    good = np.ones(len(bars), dtype=np.bool_)
    refusals = []
    for reason, is_bad in checks:
        count = int((is_bad & good).sum())
        if count:
            refusals.append(Refusal(reason, count))
        good &= ~is_bad
    kept = bars.take(good)
    return kept.take(np.argsort(kept.open_time_ns, kind="stable")), refusals


def _repeated(times: Ints) -> Mask:
    first = np.unique(times, return_index=True)[1]
    repeated = np.ones(len(times), dtype=np.bool_)
    repeated[first] = False
    return repeated
