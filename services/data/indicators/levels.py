"""Support and resistance from the turning points of prices, each known only when it is confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from services.data.domain.bars import Doubles, Ints, Mask

_AT_ONCE: Final = 256  # confirmations worked on at a time
_PIVOT_STRENGTH: Final = 20  # what a turning point counts more than a bar that touches


def pivot_highs(high: Doubles, left: int, right: int) -> Ints:
    """Bars whose high is above those of ``left`` bars before and not below those of ``right`` bars after.

    The bar at p is known to be one at the close of p + right. Shape (number found,), ascending.
    """
    if len(high) < left + right + 1:
        return np.empty(0, dtype=np.int64)
    middle = high[left : len(high) - right]
    before = sliding_window_view(high, left)[: len(middle)].max(axis=1)
    after = sliding_window_view(high[left + 1 :], right).max(axis=1)
    return np.flatnonzero((middle > before) & (middle >= after)) + left


def rs_bands(high: Doubles, low: Doubles, left: int, right: int, count: int) -> tuple[Doubles, ...]:
    """Resistance maximum and minimum, support maximum and minimum.

    Smart Trader's two bands of a watched symbol: the highest and lowest of the last ``count`` confirmed pivot
    highs (Pine's ta.pivothigh), and of the last ``count`` pivot lows. NaN until there are so many.
    """
    highs, lows = pivot_highs(high, left, right), pivot_highs(-low, left, right)
    resistance = _last_extremes(high, highs, right, count)
    support = _last_extremes(low, lows, right, count)
    return *resistance, *support


def _last_extremes(price: Doubles, pivots: Ints, right: int, count: int) -> tuple[Doubles, Doubles]:
    maximum, minimum = np.full(len(price), np.nan), np.full(len(price), np.nan)
    if len(pivots) >= count:
        windows = sliding_window_view(price[pivots], count)
        confirmed = pivots[count - 1 :] + right
        last = np.searchsorted(confirmed, np.arange(len(price)), side="right") - 1
        known = last >= 0
        maximum[known] = windows.max(axis=1)[last[known]]
        minimum[known] = windows.min(axis=1)[last[known]]
    return maximum, minimum


@dataclass(frozen=True, slots=True)
class _Channels:
    """Channels as of each confirmation, strongest first, else NaN: shapes (events, channels)."""

    row: Ints
    """The bar at whose close they are known, shape (events,)."""
    high: Doubles
    low: Doubles


def sr_channels(
    high: Doubles, low: Doubles, close: Doubles, *, period: int, loopback: int, width: float, most: int
) -> tuple[Doubles, ...]:
    """The nearest channel above the close (top, bottom), the nearest below it, and the one that it is in.

    LonesomeTheBlue, Support Resistance Channels (TradingView, 2020). Turning points of highs and lows within
    ``period`` bars to either side, of the last ``loopback`` bars, form channels: beginning at each, newest
    first, others join while the channel stays within ``width`` per cent of the range of ``loopback`` bars. A
    channel's strength is 20 a turning point and 1 a bar of ``loopback`` whose high or low lies in it. The
    strongest counts, then the strongest of those that do not overlap it, up to ``most``. They are made anew
    when a turning point is confirmed, ``period`` bars after it. NaN where there is no such channel.
    """
    channels = _channels(high, low, period=period, loopback=loopback, width=width, most=most)
    columns = tuple(np.full(len(close), np.nan) for _ in range(6))
    last = np.searchsorted(channels.row, np.arange(len(close)), side="right") - 1
    rows = np.flatnonzero(last >= 0)
    if not len(rows):
        return columns
    top, bottom, price = channels.high[last[rows]], channels.low[last[rows]], close[rows, None]
    above, below = bottom > price, top < price  # NaN is neither
    inside = (bottom <= price) & (price <= top)
    for at, (is_candidate, distance) in enumerate(
        ((above, bottom - price), (below, price - top), (inside, np.zeros_like(top)))
    ):
        nearest = np.argmin(np.where(is_candidate, distance, np.inf), axis=1)[:, None]
        found = np.take_along_axis(is_candidate, nearest, axis=1)[:, 0]
        columns[2 * at][rows] = np.where(found, np.take_along_axis(top, nearest, axis=1)[:, 0], np.nan)
        columns[2 * at + 1][rows] = np.where(found, np.take_along_axis(bottom, nearest, axis=1)[:, 0], np.nan)
    return columns


def _channels(
    high: Doubles, low: Doubles, *, period: int, loopback: int, width: float, most: int
) -> _Channels:
    highs, lows = pivot_highs(high, period, period), pivot_highs(-low, period, period)
    # A bar that turns both ways gives both; its low counts as the newer.
    bars = np.concatenate((highs, lows))
    prices = np.concatenate((high[highs], low[lows]))
    order = np.argsort(bars, kind="stable")
    bars, prices = bars[order], prices[order]
    rows = np.unique(bars + period)
    rows = rows[rows >= loopback - 1]
    tops, bottoms = np.full((len(rows), most), np.nan), np.full((len(rows), most), np.nan)
    if not len(rows):
        return _Channels(rows, tops, bottoms)
    high_windows, low_windows = sliding_window_view(high, loopback), sliding_window_view(low, loopback)
    for at in range(0, len(rows), _AT_ONCE):
        some = rows[at : at + _AT_ONCE]
        highs_seen, lows_seen = high_windows[some - loopback + 1], low_windows[some - loopback + 1]
        widest = (highs_seen.max(axis=1) - lows_seen.min(axis=1)) * width / 100
        pivots = _recent(bars, prices, some, period, loopback)
        top, bottom, joined = _grow(pivots, widest)
        strength = _PIVOT_STRENGTH * joined + _touches(highs_seen, lows_seen, top, bottom)
        strength[np.isnan(pivots)] = -1
        tops[at : at + _AT_ONCE], bottoms[at : at + _AT_ONCE] = _strongest(top, bottom, strength, most)
    return _Channels(rows, tops, bottoms)


def _recent(bars: Ints, prices: Doubles, rows: Ints, period: int, loopback: int) -> Doubles:
    """Prices of the turning points known at each row and in its ``loopback``: (rows, most), newest first."""
    end = np.searchsorted(bars, rows - period, side="right")
    start = np.searchsorted(bars, rows - loopback, side="right")
    place = end[:, None] - 1 - np.arange(int((end - start).max()))
    return np.where(place >= start[:, None], prices[np.maximum(place, 0)], np.nan)


def _grow(pivots: Doubles, widest: Doubles) -> tuple[Doubles, Doubles, Doubles]:
    """Top, bottom and number of turning points of the channel that begins at each; shapes as ``pivots``."""
    top, bottom = pivots.copy(), pivots.copy()
    joined = np.zeros_like(pivots)
    for other in pivots.T[:, :, None]:
        under = other <= top
        span = np.where(under, top - other, other - bottom)
        joins = span <= widest[:, None]
        joined += joins
        bottom = np.where(joins & under, np.minimum(bottom, other), bottom)
        top = np.where(joins & ~under, np.maximum(top, other), top)
    return top, bottom, joined


def _touches(highs: Doubles, lows: Doubles, top: Doubles, bottom: Doubles) -> Doubles:
    touches = np.zeros_like(top)
    for high, low in zip(highs.T[:, :, None], lows.T[:, :, None], strict=True):
        touches += _lies_in(high, top, bottom) | _lies_in(low, top, bottom)
    return touches


def _lies_in(price: Doubles, top: Doubles, bottom: Doubles) -> Mask:
    return (price >= bottom) & (price <= top)


def _strongest(top: Doubles, bottom: Doubles, strength: Doubles, most: int) -> tuple[Doubles, Doubles]:
    """The strongest that do not overlap, strongest first: shapes (rows, most), NaN beyond the last."""
    tops, bottoms = np.full((len(top), most), np.nan), np.full((len(top), most), np.nan)
    strength = strength.copy()
    for place in range(most):
        best = np.argmax(strength, axis=1)[:, None]
        is_left = np.take_along_axis(strength, best, axis=1)[:, 0] > 0
        chosen_top = np.where(is_left, np.take_along_axis(top, best, axis=1)[:, 0], np.nan)
        chosen_bottom = np.where(is_left, np.take_along_axis(bottom, best, axis=1)[:, 0], np.nan)
        tops[:, place], bottoms[:, place] = chosen_top, chosen_bottom
        strength[(bottom <= chosen_top[:, None]) & (top >= chosen_bottom[:, None])] = -1
    return tops, bottoms
