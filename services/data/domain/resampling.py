"""Longer bars made of shorter ones, session by session."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

import numpy as np

from services.data.domain.bars import BarInterval, Bars, Ints
from services.data.domain.sessions import Sessions

_DAY_SECONDS: Final = 86_400
SECONDS: Final = {
    BarInterval.SECOND: 1,
    BarInterval.FIVE_SECONDS: 5,
    BarInterval.FIFTEEN_SECONDS: 15,
    BarInterval.THIRTY_SECONDS: 30,
    BarInterval.MINUTE: 60,
    BarInterval.TWO_MINUTES: 120,
    BarInterval.FIVE_MINUTES: 300,
    BarInterval.TEN_MINUTES: 600,
    BarInterval.FIFTEEN_MINUTES: 900,
    BarInterval.THIRTY_MINUTES: 1_800,
    BarInterval.HOUR: 3_600,
    BarInterval.TWO_HOURS: 7_200,
    BarInterval.FOUR_HOURS: 14_400,
    BarInterval.DAY: _DAY_SECONDS,
    BarInterval.WEEK: 7 * _DAY_SECONDS,
    BarInterval.MONTH: 31 * _DAY_SECONDS,
}
"""Length at most."""
_NANOS: Final = 10**9
_MONDAY_OFFSET: Final = 3  # 1970-01-01 was a Thursday


def is_intraday(interval: BarInterval) -> bool:
    """Whether its bars are shorter than a day."""
    return SECONDS[interval] < _DAY_SECONDS


def divides(interval: BarInterval, longer: BarInterval) -> bool:
    """Whether bars of ``longer`` are made of whole bars of ``interval``, which is shorter."""
    if is_intraday(longer):
        return interval is not longer and SECONDS[longer] % SECONDS[interval] == 0
    if longer is BarInterval.DAY:
        return is_intraday(interval)
    return is_intraday(interval) or interval is BarInterval.DAY


def best_source(wanted: BarInterval, held: Collection[BarInterval]) -> BarInterval | None:
    """The interval to make bars of: the wanted one, or the longest that divides it; None when none does."""
    if wanted in held:
        return wanted
    return max((one for one in held if divides(one, wanted)), key=SECONDS.__getitem__, default=None)


def most_bars(interval: BarInterval, longer: BarInterval) -> int:
    """How many bars of ``interval`` one of ``longer`` has at most; 1 or 0 when it is not longer."""
    return SECONDS[longer] // SECONDS[interval]


def group_bars(open_time_ns: Ints, interval: BarInterval, sessions: Sessions) -> Ints:
    """Number of the longer bar that each bar is in: 0, 1, … without gaps, never falling; shape (n,)."""
    if interval in (BarInterval.WEEK, BarInterval.MONTH):
        key = _period(interval, sessions)[sessions.of(open_time_ns)]
    else:
        key = _starts(open_time_ns, interval, sessions)
    changes = np.diff(key, prepend=key[:1]) != 0
    return np.cumsum(changes)


def resample(bars: Bars, group: Ints) -> Bars:
    """One bar for each number in ``group``; it opens when its first does."""
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    ends = np.append(starts[1:], len(group)) - 1
    return Bars(
        bars.open_time_ns[starts],
        bars.open[starts],
        np.maximum.reduceat(bars.high, starts),
        np.minimum.reduceat(bars.low, starts),
        bars.close[ends],
        np.add.reduceat(bars.volume, starts),
    )


def longer_bars(bars: Bars, interval: BarInterval, sessions: Sessions) -> Bars:
    """Bars of ``interval`` made of shorter ones; times are those of the interval, not of the first trade.

    A day opens with its session, a week or month with the session of its first bar; others begin at the
    session's open and each multiple of their length after it, after the end of the break and the close anew.
    """
    if not len(bars):
        return bars
    longer = resample(bars, group_bars(bars.open_time_ns, interval, sessions))
    within_day = BarInterval.DAY if interval in (BarInterval.WEEK, BarInterval.MONTH) else interval
    return replace(longer, open_time_ns=_starts(longer.open_time_ns, within_day, sessions))


def whole_bars(start_ns: int, end_ns: int, interval: BarInterval, sessions: Sessions) -> tuple[int, int]:
    """A range with all bars that longer ones opening from ``start_ns`` and before ``end_ns`` are made of.

    It begins where a bar of a day or longer does, or at ``start_ns``: a shorter one that opened earlier is
    not wanted, and is known by its time when its last bars are read.
    """
    first = int(np.searchsorted(sessions.day_end_ns, start_ns, side="right"))
    last = int(np.searchsorted(sessions.day_start_ns, end_ns, side="left")) - 1
    if first > last:
        return start_ns, start_ns
    if interval in (BarInterval.WEEK, BarInterval.MONTH):
        period = _period(interval, sessions)
        first = int(np.searchsorted(period, period[first], side="left"))
        last = int(np.searchsorted(period, period[last], side="right")) - 1
    begin = start_ns if is_intraday(interval) else int(sessions.day_start_ns[first])
    return begin, int(sessions.day_end_ns[last])


def without_last(bars: Bars, interval: BarInterval, sessions: Sessions) -> tuple[Bars, int]:
    """The bars but those of the last longer one, which may go on; and when that opens."""
    group = group_bars(bars.open_time_ns, interval, sessions)
    kept = int(np.searchsorted(group, group[-1], side="left"))
    return bars.take(slice(kept)), int(
        longer_bars(bars.take(slice(kept, None)), interval, sessions).open_time_ns[0]
    )


def _period(interval: BarInterval, sessions: Sessions) -> Ints:
    """Number of the week or month of each session."""
    if interval is BarInterval.WEEK:
        return (sessions.date.astype(np.int64) + _MONDAY_OFFSET) // 7
    return sessions.date.astype("datetime64[M]").astype(np.int64)


def _starts(open_time_ns: Ints, interval: BarInterval, sessions: Sessions) -> Ints:
    """When the bar of ``interval``, a day at most, that each bar is in opens."""
    place = sessions.of(open_time_ns)
    if interval is BarInterval.DAY:
        return sessions.open_time_ns[place]
    origin, length_ns = sessions.part_starts(open_time_ns), SECONDS[interval] * _NANOS
    starts = origin + (open_time_ns - origin) // length_ns * length_ns
    return np.maximum(starts, np.minimum(sessions.day_start_ns[place], open_time_ns))
