"""When schedules are due."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.data.calendars.source import build_session_table
from services.data.domain.bars import BarInterval
from services.data.domain.schedule import Schedule, missed_ns, next_due_ns, request_id_of
from services.data.domain.trading_calendar import SessionTable

NEW_YORK = ZoneInfo("America/New_York")
YEAR_S = (1_704_067_200, 1_735_689_600)


@pytest.fixture(scope="module")
def table() -> SessionTable:
    return build_session_table("XNYS", 2025)


def ns(local: str, zone: ZoneInfo = NEW_YORK) -> int:
    return int(dt.datetime.fromisoformat(local).replace(tzinfo=zone).timestamp()) * 10**9


def schedule(
    *, minutes: int | None = None, at: dt.time | None = None, last_due_ns: int = 0, calendar: str = "XNYS"
) -> Schedule:
    return Schedule("id", "sample", (), BarInterval.DAY, calendar, minutes, at, 0, last_due_ns)


@pytest.mark.parametrize(
    ("after", "due"),
    [
        ("2024-07-01T12:00", "2024-07-01T16:30"),
        ("2024-07-01T16:30", "2024-07-02T16:30"),  # after means after
        ("2024-07-03T09:00", "2024-07-03T13:30"),  # an early close
        ("2024-07-03T14:00", "2024-07-05T16:30"),  # a holiday
        ("2024-07-05T17:00", "2024-07-08T16:30"),  # a weekend
    ],
)
def test_after_the_close(table: SessionTable, after: str, due: str) -> None:
    assert next_due_ns(schedule(minutes=30), table, NEW_YORK, ns(after)) == ns(due)


def test_at_a_time_of_the_markets_clocks(table: SessionTable) -> None:
    early = schedule(at=dt.time(7, 15))
    assert next_due_ns(early, table, NEW_YORK, ns("2024-03-08T08:00")) == ns("2024-03-11T07:15")
    # Clocks were put forward in between: 12:15 UTC before, 11:15 after.
    assert ns("2024-03-11T07:15") - ns("2024-03-08T07:15") == (3 * 24 - 1) * 3600 * 10**9


def test_a_time_that_clocks_leave_out_is_after_the_gap() -> None:
    always, zone = build_session_table("24/7", 2025), NEW_YORK
    due = next_due_ns(schedule(at=dt.time(2, 30)), always, zone, ns("2024-03-09T12:00"))
    assert due == ns("2024-03-10T03:00")
    # A time that is shown twice counts once.
    twice = schedule(at=dt.time(1, 30))
    first = next_due_ns(twice, always, zone, ns("2024-11-02T12:00"))
    assert first == ns("2024-11-03T01:30")
    assert next_due_ns(twice, always, zone, first) == ns("2024-11-04T01:30")


def test_of_missed_due_times_the_last_is_made_up_for(table: SessionTable) -> None:
    missed = schedule(minutes=30, last_due_ns=ns("2024-06-28T16:30"))
    assert missed_ns(missed, table, NEW_YORK, ns("2024-07-03T13:29")) == ns("2024-07-02T16:30")
    assert missed_ns(missed, table, NEW_YORK, ns("2024-07-01T16:29")) is None


def test_a_calendar_that_ends_has_no_due_time(table: SessionTable) -> None:
    assert next_due_ns(schedule(minutes=30), table, NEW_YORK, ns("2026-06-01T12:00")) is None


@given(st.integers(*YEAR_S), st.integers(0, 1440))
def test_nothing_is_missed_between_one_due_time_and_the_next(
    table: SessionTable, at_s: int, minutes: int
) -> None:
    now_ns = at_s * 10**9
    due = next_due_ns(schedule(minutes=minutes), table, NEW_YORK, now_ns)
    assert due is not None
    assert due > now_ns
    waiting = schedule(minutes=minutes, last_due_ns=now_ns)
    assert missed_ns(waiting, table, NEW_YORK, due - 1) is None
    assert missed_ns(waiting, table, NEW_YORK, due) == due
    assert request_id_of("id", due) != request_id_of("id", due + 60 * 10**9)
