"""Bars in which nothing happens: stale prices, and no volume."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from services.data.domain.bars import BarInterval, Mask, SourceBars
from services.data.quality.findings import (
    Finding,
    FindingKind,
    Found,
    Severity,
    found_in_runs,
)

_DAILY = (BarInterval.DAY, BarInterval.WEEK, BarInterval.MONTH)
STALE_DAYS = 5
STALE_INTRADAY = 30
# Without volume in nearly all bars there is none in the source: that is said once.
_NEARLY_ALL = 0.95


def stale_after(interval: BarInterval) -> int:
    """How many bars may repeat their price."""
    return STALE_DAYS if interval in _DAILY else STALE_INTRADAY


def found_quiet(bars: SourceBars, interval: BarInterval, *, has_volume: bool) -> Iterator[Found]:
    """Runs of bars with one unchanged price and no or always the same volume; then bars without volume.

    ``has_volume`` is false for instruments that have none, as indices: then it is not missed.
    """
    fewest = stale_after(interval)
    stale = _stale(bars, fewest)

    def describe_stale(first: int, last: int) -> Finding:
        count, close = last - first + 1, float(bars.close[first])
        volume = (
            f"no volume in {count} bars" if bars.volume[last] == 0 else f"the same volume in {count} bars"
        )
        return _finding(bars, first, last, close, f"the price stays {close:g} with {volume}")

    yield from found_in_runs(FindingKind.STALE, Severity.WARNING, stale, describe_stale)
    if not has_volume:
        return
    silent: Mask = bars.volume == 0
    is_all = bool(len(bars)) and float(silent.mean()) >= _NEARLY_ALL
    if is_all:
        silent = np.ones_like(silent)

    def describe_silent(first: int, last: int) -> Finding:
        if is_all:
            return _finding(bars, first, last, 0.0, "the source gives no volume")
        moved = f"close {bars.close[last]:g}"
        return _finding(bars, first, last, 0.0, f"{last - first + 1} bars without volume, {moved}")

    severity = Severity.INFO if is_all or interval not in _DAILY else Severity.WARNING
    yield from found_in_runs(FindingKind.ZERO_VOLUME, severity, silent & ~stale | is_all, describe_silent)


def _stale(bars: SourceBars, fewest: int) -> Mask:
    """The bars of runs of ``fewest`` and more that repeat the bar before them."""
    stale: Mask = np.zeros(len(bars), dtype=np.bool_)
    if len(bars) < fewest:
        return stale
    flat = (bars.high == bars.low) & (bars.open == bars.close) & (bars.open == bars.high)
    again = flat[1:] & flat[:-1] & (bars.close[1:] == bars.close[:-1])
    again &= (bars.volume[1:] == 0) | (bars.volume[1:] == bars.volume[:-1])
    run = np.cumsum(np.concatenate(([0], ~again)))
    stale |= np.bincount(run)[run] >= fewest
    return stale


def _finding(bars: SourceBars, first: int, last: int, value: float, text: str) -> Finding:
    times = bars.open_time_ns
    nothing = float("nan")
    return Finding(int(times[first]), int(times[last]), last - first + 1, value, nothing, text)
