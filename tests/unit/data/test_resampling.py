"""Longer bars by session: aligned to the open, whole at the edges, never across a close or a break."""

from __future__ import annotations

import datetime as dt
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.data.bars.market_sessions import make_sessions
from services.data.calendars.markets import find_market
from services.data.calendars.source import build_session_table
from services.data.domain.bars import BarInterval, Bars, Ints
from services.data.domain.resampling import (
    SECONDS,
    best_source,
    divides,
    longer_bars,
    whole_bars,
    without_last,
)
from services.data.domain.sessions import Sessions, TradingHours

MINUTE_NS = 60 * 10**9
REGULAR, EXTENDED, ALL = TradingHours


@cache
def sessions_of(mic: str) -> Sessions:
    market = find_market(mic)
    assert market is not None
    return make_sessions(build_session_table(market.mic, 2013), market)


def ns(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).timestamp()) * 10**9


def minutes(*ranges: tuple[str, str], step: int = 1) -> Ints:
    return np.concatenate([np.arange(ns(a), ns(b), step * MINUTE_NS) for a, b in ranges])


def bars_at(times: Ints) -> Bars:
    close = 100 + np.sin(np.arange(len(times)))
    return Bars(times, close - 0.1, close + 1, close - 1, close, np.arange(1.0, len(times) + 1))


def local_times(bars: Bars, zone: str) -> list[str]:
    tz = ZoneInfo(zone)
    return [dt.datetime.fromtimestamp(t // 10**9, tz).strftime("%H:%M") for t in bars.open_time_ns.tolist()]


def test_hours_begin_anew_after_the_break_of_hong_kong() -> None:
    day = bars_at(
        minutes(
            ("2012-06-05T09:30+08:00", "2012-06-05T12:00+08:00"),
            ("2012-06-05T13:00+08:00", "2012-06-05T16:00+08:00"),
        )
    )
    hours = longer_bars(day, BarInterval.HOUR, sessions_of("XHKG"))
    assert local_times(hours, "Asia/Hong_Kong") == ["09:30", "10:30", "11:30", "13:00", "14:00", "15:00"]
    assert hours.volume.tolist()[2] == day.volume[120:150].sum()
    (whole,) = longer_bars(day, BarInterval.DAY, sessions_of("XHKG")).close.tolist()
    assert whole == day.close[-1]


def test_extended_hours_are_counted_from_open_and_close() -> None:
    day = bars_at(minutes(("2012-01-03T08:00-05:00", "2012-01-03T18:00-05:00")))
    hours = longer_bars(day, BarInterval.HOUR, sessions_of("XNYS"))
    assert local_times(hours, "America/New_York") == [
        *("07:30", "08:30"),  # back from the open
        *("09:30", "10:30", "11:30", "12:30", "13:30", "14:30", "15:30"),
        *("16:00", "17:00"),
    ]
    assert hours.volume.tolist()[8] == day.volume[450:480].sum()  # the last half hour before the close


def test_an_early_close_ends_the_bar() -> None:
    day = bars_at(minutes(("2012-11-23T09:30-05:00", "2012-11-23T15:00-05:00")))  # closes at 13:00
    hours = longer_bars(day, BarInterval.TWO_HOURS, sessions_of("XNYS"))
    assert local_times(hours, "America/New_York") == ["09:30", "11:30", "13:00"]


def test_a_bar_without_its_first_minutes_has_the_time_of_its_interval() -> None:
    day = bars_at(minutes(("2012-01-03T10:47-05:00", "2012-01-03T11:05-05:00")))
    hours = longer_bars(day, BarInterval.THIRTY_MINUTES, sessions_of("XNYS"))
    assert local_times(hours, "America/New_York") == ["10:30", "11:00"]


def test_hours_are_told_apart_by_the_calendar() -> None:
    sessions = sessions_of("XNYS")
    times = np.array(
        [
            ns("2012-01-03T04:00-05:00"),
            ns("2012-01-03T09:30-05:00"),
            ns("2012-01-03T15:59-05:00"),
            ns("2012-01-03T16:00-05:00"),
            ns("2012-01-07T12:00-05:00"),  # Saturday
            ns("2012-11-23T13:30-05:00"),  # after an early close
        ]
    )
    assert sessions.within(times, REGULAR).tolist() == [False, True, True, False, False, False]
    assert sessions.within(times, EXTENDED).tolist() == [True, False, False, True, False, True]
    assert sessions.within(times, ALL).tolist() == [True, True, True, True, False, True]
    lunch = np.array([ns("2012-06-05T12:30+08:00")])
    assert sessions_of("XHKG").within(lunch, EXTENDED).all()


def test_a_session_that_opens_the_evening_before_has_it() -> None:
    sessions = sessions_of("CMES")  # Tuesday's opens on Monday at 17:00 in Chicago
    monday_evening = np.array([ns("2012-06-04T18:00-05:00")])
    assert sessions.within(monday_evening, REGULAR).all()
    assert sessions.date[sessions.of(monday_evening)[0]] == np.datetime64("2012-06-05")


@pytest.mark.parametrize("mic", ["XNYS", "XHKG", "CMES", "BVMF", "24/7"])
def test_days_do_not_overlap(mic: str) -> None:
    sessions = sessions_of(mic)
    assert (sessions.day_start_ns <= sessions.open_time_ns).all()
    assert (sessions.close_time_ns <= sessions.day_end_ns).all()
    assert (sessions.day_end_ns[:-1] <= sessions.day_start_ns[1:]).all()


RANGES = st.tuples(st.integers(0, 9 * 1440), st.integers(1, 9 * 1440))


@pytest.mark.parametrize(
    "interval",
    [
        BarInterval.FIFTEEN_MINUTES,
        BarInterval.FOUR_HOURS,
        BarInterval.DAY,
        BarInterval.WEEK,
        BarInterval.MONTH,
    ],
)
@given(bounds=RANGES)
def test_a_range_has_the_whole_bars_that_open_in_it(interval: BarInterval, bounds: tuple[int, int]) -> None:
    """The same as if everything were resampled and then cut."""
    sessions = sessions_of("XNYS")
    start = ns("2012-06-27T00:00-04:00")
    days = bars_at(start + 5 * MINUTE_NS * np.arange(9 * 288))
    regular = days.take(sessions.within(days.open_time_ns, REGULAR))
    everything = longer_bars(regular, interval, sessions)
    first, end = start + bounds[0] * MINUTE_NS, start + (bounds[0] + bounds[1]) * MINUTE_NS
    expected = everything.take((everything.open_time_ns >= first) & (everything.open_time_ns < end))
    low, high = whole_bars(first, end, interval, sessions)
    part = regular.take((regular.open_time_ns >= low) & (regular.open_time_ns < high))
    made = longer_bars(part, interval, sessions)
    made = made.take((made.open_time_ns >= first) & (made.open_time_ns < end))
    for name in ("open_time_ns", "open", "high", "low", "close", "volume"):
        np.testing.assert_array_equal(getattr(made, name), getattr(expected, name))


def test_the_last_longer_bar_is_left_for_the_next_page() -> None:
    times = minutes(("2012-01-03T09:30-05:00", "2012-01-03T11:00-05:00"))
    whole, following = without_last(bars_at(times), BarInterval.HOUR, sessions_of("XNYS"))
    assert len(whole) == 60
    assert following == ns("2012-01-03T10:30-05:00")


def test_the_longest_that_divides_is_the_source() -> None:
    held = [BarInterval.SECOND, BarInterval.FIVE_MINUTES, BarInterval.TEN_MINUTES, BarInterval.WEEK]
    assert best_source(BarInterval.FIFTEEN_MINUTES, held) is BarInterval.FIVE_MINUTES
    assert best_source(BarInterval.HOUR, held) is BarInterval.TEN_MINUTES
    assert best_source(BarInterval.TWO_MINUTES, held) is BarInterval.SECOND
    assert best_source(BarInterval.MONTH, held) is BarInterval.TEN_MINUTES  # never of weeks
    assert best_source(BarInterval.MONTH, [*held, BarInterval.DAY]) is BarInterval.DAY
    assert best_source(BarInterval.WEEK, held) is BarInterval.WEEK
    assert best_source(BarInterval.MINUTE, [BarInterval.DAY, BarInterval.FIVE_MINUTES]) is None


def test_every_interval_has_a_length() -> None:
    assert set(SECONDS) == set(BarInterval)
    assert not any(divides(one, one) for one in BarInterval)
