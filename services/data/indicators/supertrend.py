"""SuperTrend whose width follows the market's volatility."""

from __future__ import annotations

from typing import Final

import numpy as np
import talib
from numpy.lib.stride_tricks import sliding_window_view

from services.data.domain.bars import Doubles, Ints

_AT_ONCE: Final = 4_096  # windows clustered at a time
UP, DOWN = 1.0, -1.0


def adaptive_supertrend(
    high: Doubles,
    low: Doubles,
    close: Doubles,
    *,
    atr_period: int,
    training_period: int,
    guesses: tuple[float, float, float],
    factor: float,
) -> tuple[Doubles, Doubles, Doubles, Doubles]:
    """The stop line, its direction (1 up, -1 down), the volatility's cluster (1 low to 3 high), its centre.

    AlgoAlpha, Machine Learning Adaptive SuperTrend (TradingView, 2024): the ATRs of the last
    ``training_period`` bars, this one included, fall into three clusters (`volatility_clusters`); the centre
    nearest to the present ATR takes its place in Seban's SuperTrend. Equally near, the lower one counts.
    """
    atr = talib.ATR(high, low, close, atr_period)
    first = atr_period + training_period - 1
    centres = volatility_clusters(atr[atr_period:], training_period, guesses)
    nearest = np.argmin(np.abs(centres - atr[first:, None]), axis=1)
    volatility = np.full(len(close), np.nan)
    volatility[first:] = np.take_along_axis(centres, nearest[:, None], axis=1)[:, 0]
    cluster = np.full(len(close), np.nan)
    cluster[first:] = nearest + 1
    line, direction = _supertrend((high + low) / 2, close, factor * volatility, first)
    return line, direction, cluster, volatility


def volatility_clusters(values: Doubles, window: int, guesses: tuple[float, float, float]) -> Doubles:
    """The centres of three clusters of each window of ``values``, ascending; shape (n - window + 1, 3).

    Lloyd, Least squares quantization in PCM (1982): begin at min + guess (max - min) for each of the
    ascending ``guesses``, give each value to the nearest centre (equally near: the lower), move centres to
    the means of theirs, until nothing changes. A centre that nothing is near stays.
    """
    windows = sliding_window_view(values, window)
    centres = np.empty((len(windows), 3))
    for at in range(0, len(windows), _AT_ONCE):
        centres[at : at + _AT_ONCE] = _cluster(np.sort(windows[at : at + _AT_ONCE], axis=1), guesses)
    return centres


def _cluster(ordered: Doubles, guesses: tuple[float, float, float]) -> Doubles:
    """As above for rows of ascending values: a cluster is a stretch, its mean a difference of sums."""
    rows, window = ordered.shape
    sums = np.zeros((rows, window + 1))
    np.cumsum(ordered, axis=1, out=sums[:, 1:])
    low, high = ordered[:, :1], ordered[:, -1:]
    centres = low + np.array(guesses) * (high - low)
    edges = np.zeros((rows, 4), dtype=np.int64)
    edges[:, 3] = window
    left = np.arange(rows)  # rows that still change
    while len(left):
        border = (centres[left, :-1] + centres[left, 1:]) / 2
        cuts = _count_up_to(ordered, left, border)
        left, cuts = _moved(left, cuts, edges)
        edges[left, 1:3] = cuts
        centres[left] = _means(sums, edges, centres, left)
    return centres


def _count_up_to(ordered: Doubles, rows: Ints, borders: Doubles) -> Ints:
    """How many values of each row are not above each of its borders, by bisection; shape as ``borders``."""
    count = np.zeros(borders.shape, dtype=np.int64)
    step = 1 << (ordered.shape[1].bit_length() - 1)
    while step:
        further = count + step
        reach = np.minimum(further, ordered.shape[1]) - 1
        fits = (further <= ordered.shape[1]) & (ordered[rows[:, None], reach] <= borders)
        count = np.where(fits, further, count)
        step >>= 1
    return count


def _moved(left: Ints, cuts: Ints, edges: Ints) -> tuple[Ints, Ints]:
    changed = (cuts != edges[left, 1:3]).any(axis=1)
    return left[changed], cuts[changed]


def _means(sums: Doubles, edges: Ints, centres: Doubles, left: Ints) -> Doubles:
    at = np.take_along_axis(sums[left], edges[left], axis=1)
    counts = np.diff(edges[left], axis=1)
    means: Doubles = np.where(counts > 0, np.diff(at, axis=1) / np.maximum(counts, 1), centres[left])
    return means


def _supertrend(middle: Doubles, close: Doubles, width: Doubles, first: int) -> tuple[Doubles, Doubles]:
    """Line and direction from bar ``first`` on.

    Seban, SuperTrend (2008), as in TradingView's ta.supertrend: bands at middle -/+ width that only move
    towards the price until the close passes them; the line is the lower one in an up trend, else the upper.
    Each bar needs the one before: a loop over plain floats, which are quicker there than NumPy's.
    """
    lower_band, upper_band = (middle - width)[first:].tolist(), (middle + width)[first:].tolist()
    closes = close[first:].tolist()
    line, direction = np.full(len(close), np.nan), np.full(len(close), np.nan)
    lines, directions = [], []
    lower, upper, previous = lower_band[0], upper_band[0], closes[0]
    trend = DOWN
    for next_lower, next_upper, last in zip(lower_band, upper_band, closes, strict=True):
        held_lower = next_lower if next_lower > lower or previous < lower else lower
        held_upper = next_upper if next_upper < upper or previous > upper else upper
        if last > held_upper and trend == DOWN:
            trend = UP
        elif last < held_lower and trend == UP:
            trend = DOWN
        lines.append(held_lower if trend == UP else held_upper)
        directions.append(trend)
        lower, upper, previous = held_lower, held_upper, last
    line[first:], direction[first:] = lines, directions
    return line, direction
