"""Prices that do not fit the prices around them: spikes, and runs of bars in other units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from services.data.domain.bars import Doubles, Ints, Mask, SourceBars
from services.data.domain.quality import QuarantineReason, check_neighbours, is_unit_jump
from services.data.domain.splits import Split, later_split_factor
from services.data.quality.findings import Finding, FindingKind, Found, Severity, found_in_runs

PRICES = ("open", "high", "low", "close")
UNIT = 100.0
"""Minor units in a major one, as pence in a pound."""
SPIKE_SIGMAS = 12.0
"""Of returns around a bar, by which a price is off both neighbours to be worth a look."""
_AROUND = 10
# Where shares change by a ratio near 100 the volume does too, the other way: then it is a split.
_SPLIT_VOLUME = float(np.log(10))


@dataclass(frozen=True)
class UnitCheck:
    """Which prices are in other units, and what they must be multiplied by."""

    factors: Doubles
    """Of open, high, low, close and adjusted close; shape (5, n); 1 where all is well."""
    spikes: Mask
    """Rows with a price off both neighbours that is no error of units; shape (n,)."""

    @property
    def rows(self) -> Mask:
        """The rows with any price in other units; shape (n,)."""
        found: Mask = (self.factors != 1).any(axis=0)
        return found


def check_units(bars: SourceBars, splits: Sequence[Split]) -> UnitCheck:
    """Compare each bar with those around it; ``bars`` are good by themselves, oldest first.

    First whole stretches, of any length: where the close, adjusted for the recorded splits, jumps by some 100
    the bars after it are in other units than those before, unless the volume jumps the other way, as in a
    split. The units of most bars are taken as right. Then single prices, by `check_neighbours`.
    """
    split_factor = later_split_factor(bars.open_time_ns, splits)
    close = np.log(bars.close / split_factor) if len(bars) else bars.close
    whole = UNIT ** _levels(close, bars.volume * split_factor)
    mended = scaled(bars, np.tile(whole, (len(PRICES) + 1, 1)))
    reasons = check_neighbours(mended, sigmas=SPIKE_SIGMAS)
    factors = np.tile(whole, (len(PRICES) + 1, 1))
    rows: Ints = np.flatnonzero(reasons == QuarantineReason.UNIT_ERROR)
    factors[:, rows] *= _single_factors(mended, rows, good=np.flatnonzero(reasons == 0))
    return UnitCheck(factors, reasons == QuarantineReason.SPIKE)


def _levels(log_close: Doubles, volume: Doubles) -> Ints:
    """Powers of 100 that bring each bar to the units of most; shape (n,)."""
    none: Ints = np.zeros(len(log_close), dtype=np.int64)
    jumps = np.diff(log_close)
    edges: Ints = np.flatnonzero(is_unit_jump(jumps))
    if not len(edges):
        return none
    sides = np.sign(jumps[edges])
    traded = _volume_jumps(volume, edges)
    edges, sides = edges[traded * sides > -_SPLIT_VOLUME], sides[traded * sides > -_SPLIT_VOLUME]
    change = none.copy()
    change[edges + 1] = sides.astype(np.int64)
    level = np.cumsum(change)
    levels, counts = np.unique(level, return_counts=True)
    # Of as many the later: what comes next will be like it.
    most = counts == counts.max()
    usual = level[-1] if level[-1] in levels[most] else levels[most][0]
    powers: Ints = usual - level
    return powers


def _volume_jumps(volume: Doubles, edges: Ints) -> Doubles:
    """Logarithm of the median volume of ten bars after each edge to that of ten up to it."""
    offsets = np.arange(_AROUND)
    before, after = edges[:, None] - offsets, edges[:, None] + 1 + offsets
    last = len(volume) - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        jump = np.log(
            np.median(volume[np.minimum(after, last)], axis=1)
            / np.median(volume[np.maximum(before, 0)], axis=1)
        )
    return np.where(np.isfinite(jump), jump, 0.0)


def _single_factors(bars: SourceBars, rows: Ints, *, good: Ints) -> Doubles:
    """What mends each price of the rows, judged by the closes of the good rows next to them; shape (5, r)."""
    if not len(good) or not len(rows):
        return np.ones((len(PRICES) + 1, len(rows)))
    log_close = np.log(bars.close[good])
    place = np.searchsorted(good, rows)
    usual = (log_close[np.maximum(place - 1, 0)] + log_close[np.minimum(place, len(good) - 1)]) / 2
    off = np.vstack([np.log(getattr(bars, name)[rows]) for name in PRICES]) - usual
    mending = np.where(is_unit_jump(off), UNIT ** -np.sign(off), 1.0)
    return np.vstack([mending, mending[-1]])


def scaled(bars: SourceBars, factors: Doubles) -> SourceBars:
    """The bars with each price multiplied by its factor, as in `UnitCheck`."""
    return SourceBars(
        bars.open_time_ns,
        bars.open * factors[0],
        bars.high * factors[1],
        bars.low * factors[2],
        bars.close * factors[3],
        bars.volume,
        bars.adjusted_close * factors[4],
    )


def found_units(bars: SourceBars, check: UnitCheck) -> Iterator[Found]:
    """The findings of `check_units`: errors of units, then spikes."""
    mended = scaled(bars, check.factors)

    def describe_unit(first: int, last: int) -> Finding:
        column = int(np.flatnonzero(check.factors[:4, first] != 1)[0])
        name, factor = PRICES[column], check.factors[column, first]
        value, right = (float(getattr(one, name)[first]) for one in (bars, mended))
        many = f"{last - first + 1} bars" if last > first else "1 bar"
        which = "prices are" if (check.factors[:4, first] == factor).all() else f"{name} is"
        text = f"{many} whose {which} {max(factor, 1 / factor):g} times too {'low' if factor > 1 else 'high'}"
        return _finding(bars, first, last, value, right, f"{text}: {name} {value:g}, likely {right:g}")

    def describe_spike(first: int, last: int) -> Finding:
        usual = float(mended.close[first - 1])
        prices = np.array([getattr(mended, name)[first] for name in PRICES])
        worst = int(np.argmax(np.abs(np.log(prices / usual))))
        value = float(prices[worst])
        text = f"{PRICES[worst]} {value:g} is {value / usual - 1:+.0%} off the close before, {usual:g}"
        after = float(mended.close[min(last + 1, len(bars) - 1)])
        return _finding(bars, first, last, value, usual, f"{text}, and the next bar is back at {after:g}")

    yield from found_in_runs(FindingKind.UNIT_ERROR, Severity.ERROR, check.rows, describe_unit)
    yield from found_in_runs(FindingKind.SPIKE, Severity.WARNING, check.spikes, describe_spike)


def _finding(bars: SourceBars, first: int, last: int, value: float, expected: float, text: str) -> Finding:
    times = bars.open_time_ns
    return Finding(int(times[first]), int(times[last]), last - first + 1, value, expected, text)
