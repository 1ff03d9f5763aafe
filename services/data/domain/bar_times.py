"""Where bars begin and end among the sessions of a market: functions over columns of n bars."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.data.domain.bars import BarInterval, Ints, Mask
from services.data.domain.trading_calendar import SessionTable

_SECOND: Final = 10**9
LENGTH_NS: Final = {
    BarInterval.MINUTE: 60 * _SECOND,
    BarInterval.FIVE_MINUTES: 300 * _SECOND,
    BarInterval.FIFTEEN_MINUTES: 900 * _SECOND,
    BarInterval.THIRTY_MINUTES: 1800 * _SECOND,
    BarInterval.HOUR: 3600 * _SECOND,
    BarInterval.FOUR_HOURS: 14_400 * _SECOND,
    BarInterval.DAY: 86_400 * _SECOND,
    BarInterval.WEEK: 7 * 86_400 * _SECOND,
    BarInterval.MONTH: 31 * 86_400 * _SECOND,
}
"""Of a month: the longest."""
_OVERLAP_BARS: Final = 30
_LONG = (BarInterval.WEEK, BarInterval.MONTH)


def overlap_ns(interval: BarInterval) -> int:
    """How far before the last bar held a source is asked again: corrections of late bars are seen.

    At least thirty bars, and for bars within a day a week: enough for the rules that compare neighbours.
    """
    return max(_OVERLAP_BARS * LENGTH_NS[interval], LENGTH_NS[BarInterval.WEEK])


def period_opens(
    table: SessionTable, interval: BarInterval, dates: NDArray[np.datetime64], otherwise_ns: Ints
) -> tuple[Ints, Mask]:
    """The opens of the first sessions of the weeks or months that hold the dates, and which have one."""
    first = _period_start(interval, dates)
    place = np.minimum(np.searchsorted(table.session_date, first), len(table.session_date) - 1)
    found: Mask = _period_start(interval, table.session_date[place]) == first
    return np.where(found, table.open_ns[place], otherwise_ns), found


def bar_ends(table: SessionTable | None, interval: BarInterval, open_time_ns: Ints) -> Ints:
    """When the bars are complete: at the close of their last session, or when their time is over."""
    ends: Ints = open_time_ns + LENGTH_NS[interval]
    if table is None or interval not in {BarInterval.DAY, *_LONG} or not len(open_time_ns):
        return ends
    place = np.searchsorted(table.open_ns, open_time_ns, side="right") - 1
    known = place >= 0
    place = np.maximum(place, 0)
    if interval in _LONG:
        following = _next_period(interval, table.session_date[place])
        place = np.maximum(np.searchsorted(table.session_date, following) - 1, 0)
    return np.where(known, table.close_ns[place], ends)


def _period_start(interval: BarInterval, dates: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """The Mondays, or the firsts of the months."""
    if interval is BarInterval.MONTH:
        return dates.astype("datetime64[M]").astype("datetime64[D]")
    days = dates.astype("datetime64[D]").astype(np.int64)
    # The epoch began on a Thursday.
    return (days - (days + 3) % 7).astype("datetime64[D]")


def _next_period(interval: BarInterval, dates: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    if interval is BarInterval.MONTH:
        return (dates.astype("datetime64[M]") + 1).astype("datetime64[D]")
    return _period_start(interval, dates) + 7
