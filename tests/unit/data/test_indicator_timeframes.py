"""Longer bars by session, and when their values are seen."""

from __future__ import annotations

import datetime as dt
from functools import cache

import numpy as np
import pytest

from services.data.bars.market_sessions import make_sessions
from services.data.calendars.markets import find_market
from services.data.calendars.source import build_session_table
from services.data.domain.bars import BarInterval, Bars, Ints
from services.data.domain.resampling import group_bars, most_bars, resample
from services.data.domain.sessions import Sessions
from services.data.indicators.computation import Computation
from services.data.indicators.selection import Asked, select
from services.data.indicators.timeframes import last_closed
from tests.unit.data.made_up_bars import DAY_NS, FIRST_NS, made_up_bars

MINUTE_NS = 60 * 10**9


def ns(*moments: str) -> Ints:
    return np.array([int(dt.datetime.fromisoformat(one).timestamp()) for one in moments]) * 10**9


@cache
def sessions_of(mic: str) -> Sessions:
    market = find_market(mic)
    assert market is not None
    return make_sessions(build_session_table(market.mic, 2013), market)


def new_york() -> Sessions:
    return sessions_of("XNYS")


def test_hours_are_counted_from_the_open_and_end_with_the_session() -> None:
    minutes = ns(
        "2012-01-03T14:30:00+00:00",
        "2012-01-03T15:29:00+00:00",
        "2012-01-03T15:30:00+00:00",
        "2012-01-03T20:59:00+00:00",  # the last half hour
        "2012-01-04T14:30:00+00:00",
    )
    assert group_bars(minutes, BarInterval.HOUR, new_york()).tolist() == [0, 0, 1, 2, 3]
    assert group_bars(minutes, BarInterval.DAY, new_york()).tolist() == [0, 0, 0, 0, 1]


def test_weeks_and_months_are_those_of_the_sessions() -> None:
    days = ns(
        "2012-06-28T13:30:00+00:00",  # Thursday
        "2012-06-29T13:30:00+00:00",
        "2012-07-02T13:30:00+00:00",  # Monday, another month
        "2012-07-06T13:30:00+00:00",
        "2012-07-09T13:30:00+00:00",
    )
    assert group_bars(days, BarInterval.WEEK, new_york()).tolist() == [0, 0, 1, 1, 2]
    assert group_bars(days, BarInterval.MONTH, new_york()).tolist() == [0, 0, 1, 1, 1]


def test_a_session_that_opens_the_evening_before_in_utc_is_of_its_own_day() -> None:
    """Sydney opens at 23:00 UTC in summer: Monday's session begins on Sunday in UTC."""
    sydney = sessions_of("XASX")
    opens = ns("2012-01-12T23:00:00+00:00", "2012-01-15T23:00:00+00:00", "2012-01-16T23:00:00+00:00")
    assert group_bars(opens, BarInterval.WEEK, sydney).tolist() == [0, 1, 1]


def test_a_market_without_calendar_has_days_in_utc() -> None:
    hours = ns("2012-01-01T22:00:00+00:00", "2012-01-01T23:00:00+00:00", "2012-01-02T00:00:00+00:00")
    sessions = Sessions.around_the_clock(int(hours[0]), int(hours[-1]))
    assert group_bars(hours, BarInterval.DAY, sessions).tolist() == [0, 0, 1]
    assert group_bars(hours, BarInterval.WEEK, sessions).tolist() == [0, 0, 1]


def test_before_the_calendar_begins_days_are_in_utc() -> None:
    days = ns("1950-01-06T14:30:00+00:00", "1950-01-09T14:30:00+00:00", "2012-01-03T14:30:00+00:00")
    sessions = new_york().covering(int(days[0]), int(days[2]))
    assert (np.diff(sessions.open_time_ns) > 0).all()
    assert group_bars(days, BarInterval.WEEK, sessions).tolist() == [0, 1, 2]
    assert new_york().covering(int(days[2]), int(days[2])).date[0] == new_york().date[0]


def test_after_the_calendar_ends_days_are_in_utc() -> None:
    days = ns("2012-01-03T14:30:00+00:00", "2040-01-06T14:30:00+00:00", "2040-01-09T14:30:00+00:00")
    sessions = new_york().covering(int(days[0]), int(days[2]))
    assert (np.diff(sessions.day_start_ns) > 0).all()
    assert group_bars(days, BarInterval.WEEK, sessions).tolist() == [0, 1, 2]
    assert len(sessions.date) == len(set(sessions.date.tolist()))


def test_a_longer_bar_holds_what_its_bars_held() -> None:
    bars = made_up_bars(23)
    group = np.arange(23) // 5
    longer = resample(bars, group)
    assert len(longer) == 5
    for at in range(5):
        own = bars.take(group == at)
        assert longer.open_time_ns[at] == own.open_time_ns[0]
        assert longer.open[at] == own.open[0]
        assert longer.high[at] == own.high.max()
        assert longer.low[at] == own.low.min()
        assert longer.close[at] == own.close[-1]
        assert longer.volume[at] == own.volume.sum()


def test_a_value_is_seen_from_the_first_bar_after_the_close() -> None:
    seen = last_closed(np.array([10.0, 11.0, 12.0]), np.array([0, 0, 1, 2, 2, 2]))
    np.testing.assert_array_equal(seen, [np.nan, np.nan, 10.0, 11.0, 11.0, 11.0])


def test_how_many_bars_a_longer_one_holds() -> None:
    assert most_bars(BarInterval.MINUTE, BarInterval.HOUR) == 60
    assert most_bars(BarInterval.DAY, BarInterval.MONTH) == 31
    assert most_bars(BarInterval.DAY, BarInterval.HOUR) == 0
    assert set(BarInterval) == {one for one in BarInterval if most_bars(one, one) == 1}


def test_minutes_see_the_day_before() -> None:
    """The close of yesterday, all through today."""
    minutes = made_up_bars(900, step_ns=MINUTE_NS)
    days = [minutes.take(slice(at, at + 300)) for at in (0, 300, 600)]
    times = [FIRST_NS + day * DAY_NS + MINUTE_NS * np.arange(300) for day in range(3)]
    bars = Bars(
        np.concatenate(times),
        *(
            np.concatenate([getattr(day, name) for day in days])
            for name in ("open", "high", "low", "close", "volume")
        ),
    )
    asked = [Asked("", "SMA", {"timeperiod": 1}, BarInterval.DAY, ())]
    (one,), _ = select(asked, BarInterval.MINUTE)
    (column,) = Computation(bars, new_york()).columns(one)
    np.testing.assert_allclose(column[300:600], bars.close[299])
    np.testing.assert_allclose(column[600:], bars.close[599])
    assert np.isnan(column[:300]).all()
    with pytest.raises(ValueError, match="sessions"):
        Computation(bars, None).columns(one)
