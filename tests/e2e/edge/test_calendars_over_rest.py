"""Calendars and instrument search as curl asks for them."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.e2e.edge.calls import Caller
from tests.e2e.edge.world import World

SESSIONS = "data.v1.CalendarService/ListSessions"


async def test_sessions_are_a_plain_get(world: World, caller: Caller) -> None:
    path = "/v1/calendars/XNAS/sessions?start_date=2012-07-02&end_date=2012-07-05"
    answer = await caller.http("GET", path, None, world.headers("alice"))
    assert answer.http == 200
    assert answer.reply["calendar"]["time_zone"] == "America/New_York"
    assert [one["session_date"] for one in answer.reply["sessions"]] == [
        "2012-07-02",
        "2012-07-03",
        "2012-07-05",
    ]
    half_day = answer.reply["sessions"][1]
    assert half_day["early_close"] is True
    assert (half_day["open_time"], half_day["close_time"]) == ("2012-07-03T13:30:00Z", "2012-07-03T17:00:00Z")


async def test_status_at_a_moment(world: World, caller: Caller) -> None:
    path = "/v1/calendars/XNYS/status?at_time=2012-10-29T15:00:00Z"
    answer = await caller.http("GET", path, None, world.headers("alice"))
    assert answer.reply["state"] == "MARKET_STATE_CLOSED"
    assert answer.reply["next_open_time"] == "2012-10-31T13:30:00Z"
    assert (await caller.http("GET", "/v1/calendars/XNYS/status", None, world.headers("alice"))).http == 200


async def test_a_name_with_a_slash_goes_into_the_query(world: World, caller: Caller) -> None:
    for path in ("/v1/calendars:status?calendar=24/7", "/v1/calendars:sessions?calendar=24%2F7"):
        answer = await caller.http("GET", path, None, world.headers("alice"))
        assert answer.reply["calendar"]["mic"] == "24/7"


async def test_errors_are_the_same_over_grpc_and_rest(world: World, caller: Caller) -> None:
    for request, reason, http in (
        ({"calendar": "XNYC", "start_date": "2012-01-01"}, "CALENDAR_NOT_FOUND", 404),
        ({"calendar": "XNYS", "start_date": "1900-01-01"}, "DATE_OUT_OF_CALENDAR", 400),
    ):
        over_grpc = await caller.grpc(SESSIONS, request, world.headers("alice"))
        over_rest = await caller.rest(SESSIONS, request, world.headers("alice"))
        assert (over_rest.http, over_rest.reason) == (http, reason)
        assert over_rest.content == over_grpc.content


@pytest.mark.parametrize(
    ("typed", "symbol"), [("aapl", "AAPL"), ("Microsfot", "MSFT"), ("busines machines", "IBM")]
)
async def test_search_is_a_plain_get(world: World, caller: Caller, typed: str, symbol: str) -> None:
    path = f"/v1/instruments:search?query={quote(typed)}&limit=1"
    answer = await caller.http("GET", path, None, world.headers("alice"))
    assert [one["instrument"]["symbol"] for one in answer.reply["matches"]] == [symbol]


async def test_a_query_of_metacharacters_finds_nothing(world: World, caller: Caller) -> None:
    for typed in ("%", "_", "%25", "\\", "💥"):
        path = f"/v1/instruments:search?query={quote(typed)}"
        answer = await caller.http("GET", path, None, world.headers("alice"))
        assert answer.http == 200
        assert not answer.reply.get("matches")
