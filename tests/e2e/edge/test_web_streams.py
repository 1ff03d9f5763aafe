"""Streams over HTTP: live, framed right, resumed, and alive while the market stands still."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

import grpc
import httpx
import pytest
from google.rpc import error_details_pb2, status_pb2

from bifrost.data.v1 import market_stream_service_pb2 as market
from bifrost.venue.v1 import session_pb2, session_service_pb2, session_service_pb2_grpc
from tests.e2e.edge.calls import Caller, Json
from tests.e2e.edge.web import GRPC_WEB, frame, frames, json_lines, sse_events
from tests.e2e.edge.world import World
from tests.e2e.running_mesh import RunningMesh

ORIGIN = "http://localhost:3000"
QUOTES = "/v1/quotes:stream?symbols=AAPL&symbols=IBM"
QUOTES_GRPC = "/bifrost.data.v1.MarketStreamService/StreamQuotes"
QUIET_S = 21.0


@pytest.fixture
async def http(mesh: RunningMesh) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"authorization": f"Bearer {mesh.alice.access_token}"}
    async with httpx.AsyncClient(base_url=mesh.url, headers=headers, timeout=60) as client:
        yield client


async def _updates(messages: AsyncIterator[Json], wanted: int) -> list[Json]:
    """The messages up to the wanted number of updates."""
    seen: list[Json] = []
    async with asyncio.timeout(60), aclosing(messages):  # type: ignore[type-var]
        async for message in messages:
            seen.append(message)
            if sum("update" in one for one in seen) == wanted:
                break
    return seen


@pytest.mark.parametrize("kind", ["sse", "ndjson"])
async def test_live_quotes_over_rest(kind: str, http: httpx.AsyncClient) -> None:
    accept = "text/event-stream" if kind == "sse" else "application/json"
    async with http.stream("GET", QUOTES, headers={"accept": accept}) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith(accept)
        read = sse_events if kind == "sse" else json_lines
        seen = await _updates(read(response), 3)
    assert "snapshot" in seen[0]
    assert any("replay_end" in message for message in seen)
    sequences = [int(message["header"]["sequence"]) for message in seen if "update" in message]
    assert sequences == sorted(set(sequences))
    assert len({message["header"]["epoch"] for message in seen}) == 1
    quotes = [quote for message in seen if "update" in message for quote in message["update"]["quotes"]]
    assert all(0 < quote["bid"] <= quote["ask"] for quote in quotes)
    times = {quote["instrument_id"]: set[str]() for quote in quotes}
    for quote in quotes:
        times[quote["instrument_id"]].add(quote["event_time_ns"])
    assert any(len(moments) > 1 for moments in times.values()), "the quotes stand still"


async def test_an_error_before_a_stream_begins_is_an_error(http: httpx.AsyncClient) -> None:
    for accept in ("text/event-stream", "application/json"):
        response = await http.get("/v1/quotes:stream?symbols=NOPE", headers={"accept": accept})
        assert response.status_code == 404
        assert response.json()["details"][0]["reason"] == "INSTRUMENT_NOT_FOUND"


async def test_live_quotes_over_grpc_web(http: httpx.AsyncClient) -> None:
    body = frame(market.StreamQuotesRequest(symbols=["AAPL"]).SerializeToString())
    headers = {"content-type": GRPC_WEB, "x-grpc-web": "1", "origin": ORIGIN}
    updates = []
    async with http.stream("POST", QUOTES_GRPC, content=body, headers=headers) as response:
        assert response.http_version == "HTTP/1.1"
        assert response.status_code == 200
        assert response.headers["content-type"] == GRPC_WEB
        assert response.headers["access-control-allow-origin"] == ORIGIN
        async with asyncio.timeout(60):
            async for part in frames(response):
                assert not part.is_trailer
                message = market.StreamQuotesResponse.FromString(part.content)
                if message.HasField("update"):
                    updates.append(message.update.quotes[0])
                if len(updates) == 3:
                    break
    assert updates[0].event_time_ns < updates[-1].event_time_ns


async def _web_call(http: httpx.AsyncClient, path: str, message: bytes, token: str) -> dict[str, str]:
    """The trailers of a gRPC-Web call that ends, from its headers or its trailer frame."""
    headers = {"content-type": GRPC_WEB, "x-grpc-web": "1", "authorization": token, "origin": ORIGIN}
    async with http.stream("POST", path, content=frame(message), headers=headers) as response:
        assert response.status_code == 200
        found = {name.lower(): value for name, value in response.headers.items()}
        async for part in frames(response):
            if part.is_trailer:
                found |= part.trailers
    return found


def _reason(trailers: dict[str, str]) -> tuple[int, str]:
    details = trailers["grpc-status-details-bin"]
    status = status_pb2.Status.FromString(base64.b64decode(details + "=" * (-len(details) % 4)))
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert status.code == int(trailers["grpc-status"])
    return status.code, info.reason


async def test_refusals_over_grpc_web_are_trailers(http: httpx.AsyncClient, mesh: RunningMesh) -> None:
    request = market.StreamQuotesRequest(symbols=["AAPL"]).SerializeToString()
    refused = await _web_call(http, QUOTES_GRPC, request, "Bearer garbage")
    assert _reason(refused) == (grpc.StatusCode.UNAUTHENTICATED.value[0], "TOKEN_INVALID")
    assert refused["grpc-message"]
    assert "grpc-status" in refused["access-control-expose-headers"]
    unknown = market.StreamQuotesRequest(symbols=["NOPE"]).SerializeToString()
    token = f"Bearer {mesh.alice.access_token}"
    not_found = await _web_call(http, QUOTES_GRPC, unknown, token)
    assert _reason(not_found) == (grpc.StatusCode.NOT_FOUND.value[0], "INSTRUMENT_NOT_FOUND")


@pytest.mark.parametrize("path", [QUOTES_GRPC, "/v1/accounts", "/v1/tokens", "/v1/users/me"])
async def test_preflight_lets_allowed_origins_in(path: str, mesh: RunningMesh) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    async with httpx.AsyncClient(base_url=mesh.url) as browser:
        allowed = await browser.options(path, headers=asked | {"origin": ORIGIN})
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == ORIGIN
        assert "authorization" in allowed.headers["access-control-allow-headers"]
        assert "POST" in allowed.headers["access-control-allow-methods"]
        foreign = await browser.options(path, headers=asked | {"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in foreign.headers


async def test_only_allowed_origins_may_read_answers(http: httpx.AsyncClient) -> None:
    allowed = await http.get("/v1/accounts", headers={"origin": ORIGIN})
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, ORIGIN)
    refused = await http.get("/v1/accounts", headers={"origin": ORIGIN, "authorization": "Bearer garbage"})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, ORIGIN)
    foreign = await http.get("/v1/accounts", headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in foreign.headers


async def test_order_events_resume_over_sse(world: World, http: httpx.AsyncClient) -> None:
    """Every event after the position, once and in order, by query parameters alone."""
    path = f"/v1/accounts/{world.account_id}/orders:stream"

    async def replayed(query: str = "") -> list[Json]:
        found = []
        headers = {"accept": "text/event-stream"}
        async with http.stream("GET", path + query, headers=headers) as response, asyncio.timeout(60):
            assert response.status_code == 200, await response.aread()
            async for event in sse_events(response):
                if "replay_end" in event:
                    break
                found.append(event)
        return found

    whole = await replayed()
    assert len(whole) >= 4
    for cut, event in enumerate(whole, start=1):
        header = event["header"]
        query = f"?resume_after.epoch={header['epoch']}&resume_after.sequence={header['sequence']}"
        assert [rest["header"]["sequence"] for rest in await replayed(query)] == [
            rest["header"]["sequence"] for rest in whole[cut:]
        ]
    beyond = await http.get(
        path, params={"resume_after.epoch": header["epoch"], "resume_after.sequence": 10**9}
    )
    assert (beyond.status_code, beyond.json()["details"][0]["reason"]) == (400, "STREAM_POSITION_INVALID")
    other = await http.get(path, params={"resume_after.epoch": "another", "resume_after.sequence": 1})
    assert (other.status_code, other.json()["details"][0]["reason"]) == (400, "STREAM_EPOCH_CHANGED")


async def test_quiet_streams_stay_open(world: World, http: httpx.AsyncClient, caller: Caller) -> None:
    """Longer than the deadline of a call, with the market paused: heartbeats come over every road."""
    orders = f"/v1/accounts/{world.account_id}/orders:stream"
    sessions = world.mesh.adam.client.stub(session_service_pb2_grpc.SessionServiceStub)

    async def pause(state: session_pb2.SessionState) -> None:
        await sessions.UpdateSession(session_service_pb2.UpdateSessionRequest(state=state), timeout=60)

    async def over_rest(path: str, accept: str) -> None:
        beats = 0
        async with http.stream("GET", path, headers={"accept": accept}) as response:
            read = sse_events if accept == "text/event-stream" else json_lines
            async for message in read(response):
                beats += "heartbeat" in message
                if beats >= 3 and time.monotonic() > ends:
                    return
        raise AssertionError("the stream ended by itself")

    async def over_grpc_web() -> None:
        beats = 0
        body = frame(market.StreamQuotesRequest(symbols=["AAPL"]).SerializeToString())
        headers = {"content-type": GRPC_WEB}
        async with http.stream("POST", QUOTES_GRPC, content=body, headers=headers) as response:
            async for part in frames(response):
                assert not part.is_trailer, part.trailers
                beats += market.StreamQuotesResponse.FromString(part.content).HasField("heartbeat")
                if beats >= 3 and time.monotonic() > ends:
                    return
        raise AssertionError("the stream ended by itself")

    await pause(session_pb2.SESSION_STATE_PAUSED)
    try:
        ends = time.monotonic() + QUIET_S
        async with asyncio.timeout(QUIET_S + 90):
            await asyncio.gather(
                over_rest(QUOTES, "text/event-stream"),
                over_rest(QUOTES, "application/json"),
                over_rest(orders, "text/event-stream"),
                over_grpc_web(),
            )
    finally:
        await pause(session_pb2.SESSION_STATE_RUNNING)
