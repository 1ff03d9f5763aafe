"""SessionService over a socket and a real database."""

from __future__ import annotations

import asyncio
import uuid
from datetime import date
from decimal import Decimal
from typing import Any

import grpc
import pytest

from bifrost.venue.v1 import session_pb2, venue_order_pb2
from bifrost.venue.v1 import session_service_pb2 as pb
from services.runtime.errors import error_from_rpc
from services.runtime.testing_keys import bearer
from tests.contract.venue.venue_harness import (
    BUY,
    GTC,
    IDS,
    STANDSTILL,
    RunningVenue,
    failure_of,
    order_terms,
)

RUNNING, PAUSED, ENDED = (
    session_pb2.SESSION_STATE_RUNNING,
    session_pb2.SESSION_STATE_PAUSED,
    session_pb2.SESSION_STATE_ENDED,
)


async def update(venue: RunningVenue, **changes: Any) -> session_pb2.Session:
    request = pb.UpdateSessionRequest(**changes)
    return (await venue.sessions.UpdateSession(request, metadata=venue.operator)).session


async def end(venue: RunningVenue) -> session_pb2.Session:
    return (await venue.sessions.EndSession(pb.EndSessionRequest(), metadata=venue.operator)).session


async def test_session_says_what_it_is_made_of(venue: RunningVenue) -> None:
    session = await venue.current()
    assert session.state == RUNNING
    assert list(session.instrument_ids) == [IDS["FB"], IDS["AAPL"]]
    assert (session.start_date, session.end_date) == ("2012-05-18", "2012-05-22")
    assert session.current_date == "2012-05-18"
    assert session.market_time.ToJsonString() == "2012-05-18T13:30:00Z"
    assert (session.seconds_per_day, session.steps_per_day, session.seed) == (STANDSTILL, 30, 1)
    assert (session.step, session.total_steps) == (1, 90)


async def test_same_request_makes_one_session(venue: RunningVenue) -> None:
    await end(venue)
    request_id = str(uuid.uuid4())
    first = await venue.create_session(request_id=request_id)
    again = await venue.create_session(request_id=request_id)
    assert (first.duplicate, again.duplicate) == (False, True)
    assert again.session.session_id == first.session.session_id
    reused = await failure_of(venue.create_session(request_id=request_id, seed=5))
    assert (reused.code, reused.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    await venue.new_session()
    long_ago = await venue.create_session(request_id=request_id)
    assert long_ago.duplicate
    assert (long_ago.session.session_id, long_ago.session.state) == (first.session.session_id, ENDED)


async def test_one_session_at_a_time(venue: RunningVenue) -> None:
    failure = await failure_of(venue.create_session())
    assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "SESSION_RUNNING")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"start_date": "2012-13-01"}, "start_date"),
        ({"end_date": "2012-05-17"}, "start_date"),
        ({"steps_per_day": 3}, "steps_per_day"),
        ({"steps_per_day": 30_000}, "steps_per_day"),
        ({"seconds_per_day": 0.01}, "seconds_per_day"),
        ({"seconds_per_day": float("nan")}, "seconds_per_day"),
        ({"symbols": ["lower"]}, "symbols[0]"),
        ({"request_id": ""}, "request_id"),
    ],
)
async def test_bad_fields_are_named(venue: RunningVenue, changes: dict[str, object], field: str) -> None:
    failure = await failure_of(venue.create_session(**changes))
    assert failure.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [violated for violated, _ in failure.violations] == [field]


@pytest.mark.parametrize(
    ("changes", "symbols"),
    [
        ({"symbols": ["FB", "NONE"]}, "NONE"),
        ({"start_date": "2012-05-15", "end_date": "2012-05-17", "symbols": ["FB"]}, "FB"),
        ({"start_date": "2012-05-19", "end_date": "2012-05-20", "symbols": ["FB"]}, "FB"),
        ({"start_date": "2031-05-19", "end_date": "2031-05-20", "symbols": []}, "AAPL,FB,IBM"),
    ],
)
async def test_window_without_bars_is_refused(
    venue: RunningVenue, changes: dict[str, object], symbols: str
) -> None:
    await end(venue)
    failure = await failure_of(venue.create_session(**changes))
    assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NO_BARS")
    assert failure.metadata["symbols"] == symbols


async def test_dates_no_calendar_reaches_have_no_bars(venue: RunningVenue) -> None:
    await end(venue)
    failure = await failure_of(venue.create_session(start_date="0001-01-02", end_date="0001-01-03"))
    assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NO_BARS")


@pytest.mark.parametrize(
    ("field", "value"), [("volume", "12.5"), ("volume", "3"), ("high", "1"), ("close", "38.23195")]
)
async def test_bar_that_cannot_be_replayed_is_named(venue: RunningVenue, field: str, value: str) -> None:
    await end(venue)
    venue.history.spoilt = {field: Decimal(value)}
    failure = await failure_of(venue.create_session(symbols=["FB"]))
    venue.history.spoilt = {}
    assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NO_BARS")
    assert (failure.metadata["symbols"], failure.metadata["session_date"]) == ("FB", "2012-05-18")


async def test_a_split_within_the_window_is_refused_or_left_out(venue: RunningVenue) -> None:
    """Neither orders nor positions would follow it; the first day may be the first in the new count."""
    await end(venue)
    venue.history.split_on = [date(2012, 5, 18), date(2012, 5, 22)]
    try:
        failure = await failure_of(venue.create_session())
        assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "SPLIT_IN_WINDOW")
        assert failure.metadata == {"symbol": "AAPL", "ex_date": "2012-05-22"}
        all_others = await venue.create_session(symbols=[])
        assert set(all_others.session.instrument_ids) == {IDS["FB"], IDS["IBM"]}
        await end(venue)
        assert (await venue.create_session(end_date="2012-05-21")).session.state != ENDED
    finally:
        venue.history.split_on = []


async def test_of_sessions_asked_for_at_once_one_is_made(venue: RunningVenue) -> None:
    await end(venue)
    request_id = str(uuid.uuid4())
    answers = await asyncio.gather(
        *(venue.create_session(request_id=request_id) for _ in range(3)),
        *(venue.create_session() for _ in range(3)),
        return_exceptions=True,
    )
    made = {each.session.session_id for each in answers if isinstance(each, pb.CreateSessionResponse)}
    failures = [error_from_rpc(each) for each in answers if isinstance(each, grpc.aio.AioRpcError)]
    assert len(made) == 1
    assert {failure.reason for failure in failures} == {"SESSION_RUNNING"}
    assert (await venue.current()).session_id in made


async def test_no_symbols_means_all_with_bars_over_the_whole_window(venue: RunningVenue) -> None:
    await end(venue)
    session = (await venue.create_session(symbols=[], start_date="2012-05-17", end_date="2012-05-18")).session
    assert list(session.instrument_ids) == [IDS["AAPL"], IDS["IBM"]]


async def test_data_away_consumes_no_request(venue: RunningVenue) -> None:
    await end(venue)
    request_id = str(uuid.uuid4())
    venue.history.away = True
    failure = await failure_of(venue.create_session(request_id=request_id))
    assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")
    venue.history.away = False
    assert not (await venue.create_session(request_id=request_id)).duplicate


async def test_speed_pause_and_end_of_the_window(venue: RunningVenue) -> None:
    gtc = await venue.submit(order_terms(BUY, 1, "20", time_in_force=GTC))
    day = await venue.submit(order_terms(BUY, 1, "20"))
    assert (await update(venue, seconds_per_day=0.3)).seconds_per_day == 0.3
    await venue.wait_session(lambda session: session.current_date > "2012-05-18")
    assert (await venue.resolve(gtc.order.client_order_id)).order.state == (
        venue_order_pb2.VENUE_ORDER_STATE_WORKING
    )
    expired = (await venue.resolve(day.order.client_order_id)).order
    assert expired.state == venue_order_pb2.VENUE_ORDER_STATE_EXPIRED
    assert expired.update_time.ToJsonString() == "2012-05-18T20:00:00Z"

    paused = await update(venue, state=PAUSED)
    taken = await venue.submit(order_terms(BUY, 1))
    assert taken.order.state == venue_order_pb2.VENUE_ORDER_STATE_FILLED
    assert (await venue.current()).step == paused.step

    await update(venue, state=RUNNING)
    ended = await venue.wait_session(lambda session: session.state == ENDED)
    assert (ended.step, ended.total_steps) == (90, 90)
    assert ended.market_time.ToJsonString() == "2012-05-22T20:00:00Z"
    assert (await venue.resolve(gtc.order.client_order_id)).order.state == (
        venue_order_pb2.VENUE_ORDER_STATE_EXPIRED
    )
    late = await venue.submit(order_terms(BUY, 1))
    assert late.order.state == venue_order_pb2.VENUE_ORDER_STATE_REJECTED
    assert (await failure_of(update(venue, seconds_per_day=5.0))).reason == "NO_SESSION"


async def test_end_expires_orders_and_may_be_repeated(venue: RunningVenue) -> None:
    open_order = await venue.submit(order_terms(BUY, 1, "20", time_in_force=GTC))
    session = await end(venue)
    assert session.state == ENDED
    assert await end(venue) == session
    order = (await venue.resolve(open_order.order.client_order_id)).order
    assert order.state == venue_order_pb2.VENUE_ORDER_STATE_EXPIRED


async def test_rights(venue: RunningVenue) -> None:
    viewer = bearer(venue.keys.user_token(scope="market:read"))
    failure = await failure_of(venue.sessions.EndSession(pb.EndSessionRequest(), metadata=viewer))
    assert (failure.code, failure.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")
