"""Times of daily bars: however a file writes a day, it is that day."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from services.data.calendars.source import build_session_table
from services.data.domain.bars import BarInterval
from services.data.domain.trading_calendar import MarketCalendar
from services.data.imports.placing import bar_opens, session_dates
from tests.unit.data.sample_bars import new_york

_DAYS = ("2024-01-02", "2024-01-05", "2024-01-08", "2024-07-03")


def _opens(calendar: MarketCalendar, moments: list[dt.datetime]) -> list[str]:
    times = np.array([int(moment.timestamp()) * 10**9 for moment in moments])
    opens, in_session = bar_opens(calendar, BarInterval.DAY, times, None)
    assert in_session.all()
    place = np.searchsorted(calendar.sessions.open_ns, opens)
    return [str(day) for day in calendar.sessions.session_date[place]]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize("clock", ["00:00", "16:00"])
def test_a_day_in_new_york_is_itself_at_midnight_in_utc_and_by_its_own_clocks(zone: str, clock: str) -> None:
    at = dt.time.fromisoformat(clock)
    moments = [dt.datetime.combine(dt.date.fromisoformat(day), at, ZoneInfo(zone)) for day in _DAYS]
    assert _opens(new_york(), moments) == list(_DAYS)


@pytest.mark.parametrize(("mic", "zone"), [("XTKS", "Asia/Tokyo"), ("XASX", "Australia/Sydney")])
def test_a_day_east_of_greenwich_is_itself_at_midnight_in_utc(mic: str, zone: str) -> None:
    days = ["2024-01-05", "2024-01-09"]
    moments = [dt.datetime.fromisoformat(f"{day}T00:00:00+00:00") for day in days]
    assert _opens(MarketCalendar(build_session_table(mic, 2027), zone), moments) == days


def test_a_minute_at_midnight_in_utc_stays_of_the_evening_before() -> None:
    saturday = np.array([int(dt.datetime(2024, 1, 6, tzinfo=dt.UTC).timestamp()) * 10**9])
    opens, on_a_day = bar_opens(new_york(), BarInterval.MINUTE, saturday, None)
    assert opens[0] == saturday[0]
    assert on_a_day.all()


@pytest.mark.parametrize(
    ("mic", "zone", "moment", "day"),
    [
        ("XASX", "Australia/Sydney", "2024-01-03T23:00", "2024-01-04"),  # opens
        ("XASX", "Australia/Sydney", "2024-01-05T15:00", "2024-01-06"),  # no session
        ("XNYS", "America/New_York", "2024-01-05T14:30", "2024-01-05"),
        ("CMES", "America/Chicago", "2024-01-08T00:00", "2024-01-08"),  # since the evening before
        ("", "", "2024-01-03T23:00", "2024-01-03"),
    ],
)
def test_a_bar_is_of_its_session(mic: str, zone: str, moment: str, day: str) -> None:
    calendar = MarketCalendar(build_session_table(mic, 2027), zone) if mic else None
    times = np.array([np.datetime64(moment, "ns").astype(np.int64)])
    assert session_dates(calendar, times) == [dt.date.fromisoformat(day)]
