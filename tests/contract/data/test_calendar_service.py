"""CalendarService over a socket."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bifrost.data.v1 import calendar_pb2
from bifrost.data.v1 import calendar_service_pb2 as pb
from services.runtime.clock import SystemClock
from tests.contract.data.data_harness import RunningData, failure_of

NEW_YORK = ZoneInfo("America/New_York")


async def sessions_of(
    data: RunningData, calendar: str, first: str, last: str, *, page_size: int = 0, page_token: str = ""
) -> pb.ListSessionsResponse:
    request = pb.ListSessionsRequest(
        calendar=calendar, start_date=first, end_date=last, page_size=page_size, page_token=page_token
    )
    return await data.calendars.ListSessions(request, metadata=data.reader_headers)


async def status_of(
    data: RunningData, calendar: str, at: dt.datetime | None = None
) -> pb.GetMarketStatusResponse:
    stamp = None
    if at is not None:
        stamp = Timestamp()
        stamp.FromDatetime(at.astimezone(dt.UTC))
    request = pb.GetMarketStatusRequest(calendar=calendar, at_time=stamp)
    return await data.calendars.GetMarketStatus(request, metadata=data.reader_headers)


def local(stamp: Timestamp, zone: str = "America/New_York") -> str:
    return f"{stamp.ToDatetime(dt.UTC).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("day", "opens", "closes", "early"),
    [
        ("2012-07-02", "09:30", "16:00", False),
        ("2012-07-03", "09:30", "13:00", True),
        ("2012-11-23", "09:30", "13:00", True),
        ("2013-03-08", "09:30", "16:00", False),  # summer time began on the 10th
        ("2013-03-11", "09:30", "16:00", False),
        ("2013-11-01", "09:30", "16:00", False),  # and ended on November 3
        ("2013-11-04", "09:30", "16:00", False),
    ],
)
async def test_hours_in_new_york(data: RunningData, day: str, opens: str, closes: str, early: bool) -> None:
    (session,) = (await sessions_of(data, "XNYS", day, day)).sessions
    assert session.session_date == day
    assert local(session.open_time) == f"{day} {opens}"
    assert local(session.close_time) == f"{day} {closes}"
    assert (session.early_close, session.late_open) == (early, False)
    assert not session.HasField("break_start_time")


async def test_times_are_utc_through_a_change_of_the_clocks(data: RunningData) -> None:
    before, after = (await sessions_of(data, "XNYS", "2013-03-08", "2013-03-11")).sessions
    assert before.open_time.ToJsonString() == "2013-03-08T14:30:00Z"
    assert after.open_time.ToJsonString() == "2013-03-11T13:30:00Z"


@pytest.mark.parametrize("calendar", ["XNYS", "XNAS", "nasdaq", "NYSE"])
async def test_closed_days_are_left_out(data: RunningData, calendar: str) -> None:
    # Independence Day; Sandy: the first weather closure of two days since 1888.
    reply = await sessions_of(data, calendar, "2012-07-03", "2012-07-05")
    assert [one.session_date for one in reply.sessions] == ["2012-07-03", "2012-07-05"]
    reply = await sessions_of(data, calendar, "2012-10-26", "2012-10-31")
    assert [one.session_date for one in reply.sessions] == ["2012-10-26", "2012-10-31"]
    assert (reply.calendar.mic, reply.calendar.time_zone) == ("XNYS", "America/New_York")
    assert not (await sessions_of(data, calendar, "2012-10-27", "2012-10-30")).sessions


async def test_noon_break_in_tokyo(data: RunningData) -> None:
    (session,) = (await sessions_of(data, "XTKS", "2013-06-03", "2013-06-03")).sessions
    times = (session.open_time, session.break_start_time, session.break_end_time, session.close_time)
    assert [local(one, "Asia/Tokyo")[-5:] for one in times] == ["09:00", "11:30", "12:30", "15:00"]
    at = dt.datetime(2013, 6, 3, 12, tzinfo=ZoneInfo("Asia/Tokyo"))
    status = await status_of(data, "XTKS", at)
    assert status.state == calendar_pb2.MARKET_STATE_BREAK
    assert status.session == session
    assert status.next_open_time == session.break_end_time
    assert status.next_close_time == session.close_time
    morning = await status_of(data, "XTKS", at - dt.timedelta(hours=1))
    assert morning.state == calendar_pb2.MARKET_STATE_OPEN
    assert morning.next_close_time == session.break_start_time


async def test_a_session_named_after_the_day_it_ends_on(data: RunningData) -> None:
    (session,) = (await sessions_of(data, "CME", "2013-06-03", "2013-06-03")).sessions
    assert local(session.open_time, "America/Chicago") == "2013-06-02 17:00"


async def test_pages_follow_each_other(data: RunningData) -> None:
    whole = await sessions_of(data, "XNYS", "2012-01-01", "2012-12-31", page_size=1000)
    assert len(whole.sessions) == 250
    assert not whole.next_page_token
    parts: list[calendar_pb2.Session] = []
    token, pages = "", 0
    while token or not pages:
        page = await sessions_of(data, "XNYS", "2012-01-01", "2012-12-31", page_size=125, page_token=token)
        parts += page.sessions
        token, pages = page.next_page_token, pages + 1
    assert parts == list(whole.sessions)
    assert pages == 2
    assert len((await sessions_of(data, "XNYS", "2012-01-01", "2012-12-31")).sessions) == 100


async def test_without_dates_the_next_sessions_come(data: RunningData) -> None:
    reply = await sessions_of(data, "XNYS", "", "", page_size=3)
    now_ns = SystemClock().now_ns()
    assert reply.sessions[1].close_time.ToNanoseconds() > now_ns
    assert reply.sessions[0].open_time.ToNanoseconds() < now_ns + 6 * 86_400 * 10**9
    assert reply.next_page_token


@pytest.mark.parametrize(
    ("at", "state", "opens", "closes"),
    [
        ("2012-07-03 09:29", "CLOSED", "2012-07-03 09:30", "2012-07-03 13:00"),
        ("2012-07-03 09:30", "OPEN", "2012-07-05 09:30", "2012-07-03 13:00"),
        ("2012-07-03 12:59", "OPEN", "2012-07-05 09:30", "2012-07-03 13:00"),
        ("2012-07-03 13:00", "CLOSED", "2012-07-05 09:30", "2012-07-05 16:00"),
        ("2012-07-04 12:00", "CLOSED", "2012-07-05 09:30", "2012-07-05 16:00"),
        ("2012-10-29 12:00", "CLOSED", "2012-10-31 09:30", "2012-10-31 16:00"),
    ],
)
async def test_status(data: RunningData, at: str, state: str, opens: str, closes: str) -> None:
    moment = dt.datetime.fromisoformat(at).replace(tzinfo=NEW_YORK)
    status = await status_of(data, "XNAS", moment)
    assert status.state == calendar_pb2.MarketState.Value(f"MARKET_STATE_{state}")
    assert status.HasField("session") == (state == "OPEN")
    assert local(status.at_time) == at
    assert (local(status.next_open_time), local(status.next_close_time)) == (opens, closes)


async def test_status_is_of_now_unless_told_otherwise(data: RunningData) -> None:
    before = SystemClock().now_ns()
    status = await status_of(data, "XNYS")
    assert before <= status.at_time.ToNanoseconds() <= SystemClock().now_ns()
    assert status.next_open_time.ToNanoseconds() > before


async def test_what_never_closes_says_so(data: RunningData) -> None:
    status = await status_of(data, "24/7", dt.datetime(2013, 6, 2, tzinfo=dt.UTC))
    assert status.state == calendar_pb2.MARKET_STATE_OPEN
    assert status.session.session_date == "2013-06-02"
    assert not status.HasField("next_open_time")
    assert not status.HasField("next_close_time")


async def test_unknown_calendar_is_not_found(data: RunningData) -> None:
    for call in (sessions_of(data, "XNYC", "2012-01-01", "2012-01-02"), status_of(data, "XNYC")):
        failure = await failure_of(call)
        assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "CALENDAR_NOT_FOUND")
        assert failure.domain == "bifrost.data"
        assert failure.metadata["calendar"] == "XNYC"
        assert "XNYS" in failure.metadata["nearest"].split(",")


async def test_one_that_cannot_be_made_says_so(data: RunningData) -> None:
    for call in (sessions_of(data, "XTAE", "2012-01-01", "2012-01-02"), status_of(data, "xtae")):
        failure = await failure_of(call)
        assert (failure.code, failure.reason) == (
            grpc.StatusCode.FAILED_PRECONDITION,
            "CALENDAR_UNAVAILABLE",
        )
        assert failure.metadata == {"calendar": "XTAE"}


@pytest.mark.parametrize(
    ("calendar", "first", "last", "field", "known_from"),
    [
        ("XNYS", "1959-12-31", "2012-01-01", "start_date", "1960-01-01"),
        ("XNYS", "2012-01-01", "2099-01-01", "end_date", "1960-01-01"),
        ("XSHG", "1990-12-02", "1999-01-01", "start_date", "1990-12-03"),
    ],
)
async def test_dates_the_calendar_does_not_know(
    data: RunningData, calendar: str, first: str, last: str, field: str, known_from: str
) -> None:
    failure = await failure_of(sessions_of(data, calendar, first, last))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "DATE_OUT_OF_CALENDAR")
    assert [name for name, _ in failure.violations] == [field]
    assert failure.metadata["first"] == known_from
    bounds = await sessions_of(data, calendar, failure.metadata["first"], failure.metadata["last"])
    assert bounds.sessions


@pytest.mark.parametrize("year", [1, 1959, 2050, 9999])
async def test_moments_the_calendar_does_not_know(data: RunningData, year: int) -> None:
    failure = await failure_of(status_of(data, "XNYS", dt.datetime(year, 6, 1, tzinfo=dt.UTC)))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "DATE_OUT_OF_CALENDAR")
    assert [name for name, _ in failure.violations] == ["at_time"]


@pytest.mark.parametrize(
    ("first", "last", "reason", "field"),
    [
        ("2012-02-30", "2012-03-01", "FIELD_INVALID", "start_date"),
        ("2012-01-01", "2012-13-01", "FIELD_INVALID", "end_date"),
        ("yesterday", "", "FIELD_INVALID", "start_date"),
        ("2012-01-02", "2012-01-01", "RANGE_INVALID", "end_date"),
    ],
)
async def test_bad_dates(data: RunningData, first: str, last: str, reason: str, field: str) -> None:
    failure = await failure_of(sessions_of(data, "XNYS", first, last))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    assert [name for name, _ in failure.violations] == [field]


async def test_page_token_of_another_request_is_refused(data: RunningData) -> None:
    token = (await sessions_of(data, "XNYS", "2012-01-01", "2012-12-31", page_size=2)).next_page_token
    for call in (
        sessions_of(data, "XLON", "2012-01-01", "2012-12-31", page_token=token),
        sessions_of(data, "XNYS", "2012-01-01", "2012-12-31", page_token="nonsense"),
    ):
        failure = await failure_of(call)
        assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")


async def test_calendars_are_listed_in_pages(data: RunningData) -> None:
    found: list[calendar_pb2.Calendar] = []
    token, pages = "", 0
    while token or not pages:
        request = pb.ListCalendarsRequest(page_size=50, page_token=token)
        reply = await data.calendars.ListCalendars(request, metadata=data.reader_headers)
        found += reply.calendars
        token, pages = reply.next_page_token, pages + 1
    assert pages == 2
    mics = [one.mic for one in found]
    assert mics == sorted(set(mics))
    new_york = found[mics.index("XNYS")]
    assert (new_york.name, new_york.time_zone) == ("New York Stock Exchange", "America/New_York")
    assert {"XNAS", "NASDAQ"} <= set(new_york.aliases)


async def test_a_token_is_needed(data: RunningData) -> None:
    failure = await failure_of(data.calendars.ListCalendars(pb.ListCalendarsRequest()))
    assert (failure.code, failure.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MISSING")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    calendar=st.sampled_from(["XNYS", "XHKG", "CMES"]),
    minutes=st.integers(0, 65 * 365 * 24 * 60),
)
async def test_status_agrees_with_the_list_of_sessions(
    data: RunningData, calendar: str, minutes: int
) -> None:
    at = dt.datetime(1961, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes)
    status = await status_of(data, calendar, at)
    first, last = (f"{at.date() + dt.timedelta(days)}" for days in (-12, 12))
    sessions = (await sessions_of(data, calendar, first, last)).sessions
    at_ns = status.at_time.ToNanoseconds()
    under_way = [
        one for one in sessions if one.open_time.ToNanoseconds() <= at_ns < one.close_time.ToNanoseconds()
    ]
    assert ([status.session] if status.HasField("session") else []) == under_way
    assert (status.state == calendar_pb2.MARKET_STATE_CLOSED) == (not under_way)
    in_break = any(
        one.HasField("break_start_time")
        and one.break_start_time.ToNanoseconds() <= at_ns < one.break_end_time.ToNanoseconds()
        for one in under_way
    )
    assert (status.state == calendar_pb2.MARKET_STATE_BREAK) == in_break
