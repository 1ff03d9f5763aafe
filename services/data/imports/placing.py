"""Where times lie among the sessions of a market."""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from services.data.domain.bars import BarInterval, Ints, Mask
from services.data.domain.quality import session_of_dates, session_under_way
from services.data.domain.trading_calendar import MarketCalendar

_DAY_NS: Final = 86_400 * 10**9


def bar_opens(
    calendar: MarketCalendar | None,
    interval: BarInterval,
    times_ns: Ints,
    dates: NDArray[np.datetime64] | None,
) -> tuple[Ints, Mask]:
    """When bars of these times open, and which lie on a trading day.

    ``dates`` are local trading days where the times were dates. A day's bar opens with its session; without a
    calendar every time is taken as it is. A daily time at midnight in UTC, outside of sessions, is that date.
    """
    if calendar is None:
        return times_ns, np.ones(len(times_ns), dtype=np.bool_)
    sessions = calendar.sessions
    if dates is not None:
        return session_of_dates(sessions, dates, times_ns)
    under_way, is_open = session_under_way(sessions, times_ns)
    days = local_dates(calendar, times_ns)
    if interval is BarInterval.DAY:
        # Vendors write the day as midnight in UTC, which west of Greenwich is the evening of the day before.
        days = np.where(
            times_ns % _DAY_NS == 0, times_ns.astype("datetime64[ns]").astype("datetime64[D]"), days
        )
    by_date, is_session = session_of_dates(sessions, days, times_ns)
    opens = np.where(is_open, under_way, by_date) if interval is BarInterval.DAY else times_ns
    return opens, is_open | is_session


def session_dates(calendar: MarketCalendar | None, times_ns: Ints) -> list[date]:
    """The session each bar is of; outside of sessions the market's day, or UTC's without a calendar."""
    if calendar is None:
        days = times_ns.astype("datetime64[ns]").astype("datetime64[D]")
    else:
        sessions = calendar.sessions
        place = np.maximum(np.searchsorted(sessions.open_ns, times_ns, side="right") - 1, 0)
        _, is_open = session_under_way(sessions, times_ns)
        days = np.where(is_open, sessions.session_date[place], local_dates(calendar, times_ns))
    return [day.item() for day in days]


def local_dates(calendar: MarketCalendar, times_ns: Ints) -> NDArray[np.datetime64]:
    """The days the market's clocks show at the times, datetime64[D]."""
    local = pl.Series(times_ns).cast(pl.Datetime("ns", "UTC")).dt.convert_time_zone(calendar.time_zone)
    return local.dt.date().to_numpy().astype("datetime64[D]")
