"""Splits, found in the gap between a source's close and its adjusted close."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction

import numpy as np

from services.data.domain.bars import Doubles, Ints, SourceBars

NANOS = 1_000_000_000
DERIVED = "derived: "
"""How the source of a split begins that was found by `derive_splits`, not stated by anyone."""
# The ratios companies use: n for 1, 1 for n, and the small fractions.
_RATIOS = sorted(
    {Fraction(n) for n in range(2, 51)}
    | {Fraction(1, n) for n in range(2, 101)}
    | {
        Fraction(3, 2),
        Fraction(4, 3),
        Fraction(5, 2),
        Fraction(5, 3),
        Fraction(5, 4),
        Fraction(6, 5),
        Fraction(7, 2),
    }
)
_LOG_RATIOS = np.log(np.array([float(ratio) for ratio in _RATIOS]))
# A dividend paid on the same day, or the source's rounding, moves the jump by less than this.
_TOLERANCE = 0.005


@dataclass(frozen=True, slots=True)
class Split:
    """``new_shares`` for ``old_shares`` from the session of ``ex_date`` on."""

    ex_date: date
    ex_time_ns: int
    """Open of that session, nanoseconds since the epoch, UTC."""
    new_shares: int
    old_shares: int


def derive_splits(bars: SourceBars) -> list[Split]:
    """The splits in the bars, oldest first.

    From one bar to the next adjusted_close / close is constant but for splits and dividends. A split n:m
    multiplies it by n/m; a dividend d on a close c by 1/(1 - d/c), which is near 1 and no ratio of small
    numbers. A jump counts as a split only when it is one of the usual ratios and the raw price confirms it:
    the fall from the last close to the open is nearer to n/m than to 1.
    """
    if len(bars) < 2:
        return []
    ratio = bars.adjusted_close / bars.close
    log_jump = np.log(ratio[1:] / ratio[:-1])
    log_fall = np.log(bars.close[:-1] / bars.open[1:])
    splits = []
    for row in np.flatnonzero(np.abs(log_jump) > math.log(6 / 5) - _TOLERANCE):
        ratio_near = nearest_ratio(float(log_jump[row]))
        expected = math.log(ratio_near)
        if abs(log_jump[row] - expected) > _TOLERANCE or abs(log_fall[row] - expected) > abs(log_fall[row]):
            continue
        time_ns = int(bars.open_time_ns[row + 1])
        new_shares, old_shares = ratio_near.as_integer_ratio()
        splits.append(
            Split(datetime.fromtimestamp(time_ns // NANOS, UTC).date(), time_ns, new_shares, old_shares)
        )
    return splits


def nearest_ratio(log_jump: float) -> Fraction:
    """The ratio companies use, new shares for old, whose logarithm is nearest."""
    return _RATIOS[int(np.argmin(np.abs(_LOG_RATIOS - log_jump)))]


def later_split_factor(open_time_ns: Ints, splits: Iterable[Split]) -> Doubles:
    """For each bar, today's shares per share then: the product of the splits that came after it opened."""
    factor = np.ones(len(open_time_ns))
    for split in splits:
        factor[open_time_ns < split.ex_time_ns] *= split.new_shares / split.old_shares
    return factor
