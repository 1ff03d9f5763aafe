"""What makes a row of a file a bar that cannot be true: functions over columns of n rows in file order."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from services.data.domain.bars import Doubles, Ints, Mask, SourceBars
from services.data.domain.trading_calendar import SessionTable

Reasons = NDArray[np.int8]
"""A QuarantineReason a row; 0 for a good one."""

NEIGHBOURS = 20
"""Rows on each side that `check_neighbours` looks at."""
MOST_RUN = 10
"""Bars in a row that `check_neighbours` knows to be in other units; longer runs need the whole history."""
_SIGMA_SPAN = 10
_FEWEST_AROUND = 3
MOST_SIGMAS = 50.0
"""Beyond it a price is no price: the row is refused."""
# Below it quiet prices would make every tick a spike: 50 of it are 10 %.
_LEAST_SIGMA = 0.002
_LEAST_JUMP = MOST_SIGMAS * _LEAST_SIGMA
_FEWEST_RETURNS = 5
UNIT_JUMPS = (float(np.log(50)), float(np.log(200)))
"""Between them the logarithm of a ratio of prices is an error of units: pence for pounds."""
# Sigma over the median absolute deviation, for a normal distribution (Rousseeuw and Croux 1993, eq. 1.2).
_MAD_TO_SIGMA = 1.4826


class QuarantineReason(IntEnum):
    """Why a row was refused, numbered as in the contract; the first that holds is said."""

    PRICE_NOT_NUMBER = 1
    PRICE_NOT_POSITIVE = 2
    OHLC_ORDER = 3
    VOLUME_INVALID = 4
    TIME_IN_FUTURE = 5
    NOT_A_SESSION = 6
    TIME_REPEATED = 7
    UNIT_ERROR = 8
    SPIKE = 9


def check_values(bars: SourceBars, in_session: Mask, *, now_ns: int) -> Reasons:
    """Judge each row by itself; ``in_session`` says which lie on a trading day."""
    low, high = np.fmin(bars.open, bars.close), np.fmax(bars.open, bars.close)
    least = np.fmin(np.fmin(low, bars.low), np.fmin(bars.high, bars.adjusted_close))
    with np.errstate(invalid="ignore", over="ignore"):
        total = bars.open + bars.high + bars.low + bars.close + bars.adjusted_close
        checks: tuple[tuple[QuarantineReason, Mask], ...] = (
            (QuarantineReason.PRICE_NOT_NUMBER, ~np.isfinite(total)),
            (QuarantineReason.PRICE_NOT_POSITIVE, least <= 0),
            (QuarantineReason.OHLC_ORDER, (bars.high < np.fmax(high, bars.low)) | (bars.low > low)),
            (QuarantineReason.VOLUME_INVALID, ~(np.isfinite(bars.volume) & (bars.volume >= 0))),
            (QuarantineReason.TIME_IN_FUTURE, bars.open_time_ns > now_ns),
            (QuarantineReason.NOT_A_SESSION, ~in_session),
        )
    reasons: Reasons = np.zeros(len(bars), dtype=np.int8)
    for reason, is_bad in reversed(checks):
        reasons[is_bad] = reason
    return reasons


def check_neighbours(bars: SourceBars, *, sigmas: float = MOST_SIGMAS) -> Reasons:
    """Judge rows that are good by themselves by the rows before and after them.

    A price is at fault when it is off the closes of both neighbours to the same side: a split or a crash is
    off one of them only. Up to `MOST_RUN` bars in a row are in other units when the closes on both sides, and
    the median of ten on each side, are some 100 times above or below. The first and the last row, and rows
    whose time is not between those of their neighbours, are not judged. A spike is a price off by over
    ``sigmas`` sigma and 10 %. Sigma is that of up to 18 returns around the row, from their median absolute
    size.
    """
    reasons: Reasons = np.zeros(len(bars), dtype=np.int8)
    if len(bars) < 3:
        return reasons
    close = np.log(bars.close)
    prices = np.vstack([np.log(bars.open), np.log(bars.high), np.log(bars.low), close])[:, 1:-1]
    before, after = prices - close[:-2], prices - close[2:]
    jumps = np.where(before * after > 0, np.minimum(np.abs(before), np.abs(after)), 0).max(axis=0)
    steps = np.sign(np.diff(bars.open_time_ns))
    suspects: Ints = np.flatnonzero((steps[:-1] * steps[1:] > 0) & (jumps > _LEAST_JUMP)) + 1
    jump = jumps[suspects - 1]
    sigma, known = _sigma_around(close, suspects)
    reasons[suspects[known & (jump > sigmas * sigma)]] = QuarantineReason.SPIKE
    reasons[suspects[is_unit_jump(jump)]] = QuarantineReason.UNIT_ERROR
    reasons[_in_unit_runs(close, steps)] = QuarantineReason.UNIT_ERROR
    return reasons


def is_unit_jump(log_ratio: Doubles) -> Mask:
    """Whether ratios of prices, as logarithms, are some 100 or 1/100."""
    size = np.abs(log_ratio)
    found: Mask = (size >= UNIT_JUMPS[0]) & (size <= UNIT_JUMPS[1])
    return found


def _in_unit_runs(log_close: Doubles, steps: NDArray[np.int64]) -> Mask:
    """The rows of two to `MOST_RUN` bars whose closes jump by some 100 and back."""
    rows: Mask = np.zeros(len(log_close), dtype=np.bool_)
    jumps = np.diff(log_close)
    edges: Ints = np.flatnonzero(is_unit_jump(jumps))
    first, last = edges[:-1] + 1, edges[1:]
    side = np.sign(jumps[edges])
    walked = np.concatenate(([0], np.cumsum(steps)))
    may_be = (side[:-1] * side[1:] < 0) & (last > first) & (last - first < MOST_RUN)
    may_be &= np.abs(walked[np.minimum(last + 1, len(steps))] - walked[first - 1]) == last - first + 2
    first, last = first[may_be], last[may_be]
    if not len(first):
        return rows
    offsets = np.arange(1, _SIGMA_SPAN + 1)
    places = np.hstack((first[:, None] - offsets, last[:, None] + offsets))
    inside = (places >= 0) & (places < len(log_close))
    around = np.where(inside, log_close[np.clip(places, 0, len(log_close) - 1)], np.nan)
    usual = np.nanmedian(around, axis=1)
    off_first, off_last = log_close[first] - usual, log_close[last] - usual
    is_run = is_unit_jump(off_first) & is_unit_jump(off_last) & (off_first * off_last > 0)
    is_run &= inside.sum(axis=1) >= _FEWEST_AROUND
    change = np.zeros(len(log_close) + 1, dtype=np.int64)
    np.add.at(change, first[is_run], 1)
    np.add.at(change, last[is_run] + 1, -1)
    rows |= np.cumsum(change)[:-1] > 0
    return rows


def _sigma_around(log_close: Doubles, rows: Ints) -> tuple[Doubles, Mask]:
    """Of the returns near the rows but not of the rows, and whether there are enough of them."""
    returns = np.diff(log_close)
    offsets = np.array([at for at in range(-_SIGMA_SPAN, _SIGMA_SPAN) if at not in {-1, 0}])
    places = rows[:, None] + offsets
    inside = (places >= 0) & (places < len(returns))
    known = inside.sum(axis=1) >= _FEWEST_RETURNS
    sizes = np.where(inside, np.abs(returns[np.clip(places, 0, len(returns) - 1)]), np.inf)
    # Those outside sort last, so that the median is the middle one of those inside.
    middle = (inside.sum(axis=1) // 2).clip(0, len(offsets) - 1)
    median = np.take_along_axis(np.sort(sizes, axis=1), middle[:, None], axis=1)[:, 0]
    return np.maximum(_MAD_TO_SIGMA * np.where(known, median, np.inf), _LEAST_SIGMA), known


def column_at_fault(bars: SourceBars, row: int, reason: QuarantineReason) -> str:
    """The first column to which the reason of a row applies; empty when it is several together."""
    prices = ("open", "high", "low", "close", "adjusted_close")
    if reason in {QuarantineReason.PRICE_NOT_NUMBER, QuarantineReason.PRICE_NOT_POSITIVE}:
        is_number = reason is QuarantineReason.PRICE_NOT_POSITIVE
        values = {name: float(getattr(bars, name)[row]) for name in prices}
        bad = [
            name for name, value in values.items() if (value <= 0 if is_number else not np.isfinite(value))
        ]
        return bad[0] if bad else ""
    if reason is QuarantineReason.VOLUME_INVALID:
        return "volume"
    if reason in {
        QuarantineReason.TIME_IN_FUTURE,
        QuarantineReason.NOT_A_SESSION,
        QuarantineReason.TIME_REPEATED,
    }:
        return "time"
    return ""


def session_of_dates(
    table: SessionTable, dates: NDArray[np.datetime64], otherwise_ns: Ints
) -> tuple[Ints, Mask]:
    """The opens of the sessions named after the dates, and which have one; ``otherwise_ns`` where not."""
    place = np.minimum(np.searchsorted(table.session_date, dates), len(table.session_date) - 1)
    is_session: Mask = table.session_date[place] == dates
    return np.where(is_session, table.open_ns[place], otherwise_ns), is_session


def session_under_way(table: SessionTable, times_ns: Ints) -> tuple[Ints, Mask]:
    """The opens of the sessions under way at the times, and which have one; the times where not."""
    place = np.maximum(np.searchsorted(table.open_ns, times_ns, side="right") - 1, 0)
    is_open: Mask = (table.open_ns[place] <= times_ns) & (times_ns < table.close_ns[place])
    return np.where(is_open, table.open_ns[place], times_ns), is_open
