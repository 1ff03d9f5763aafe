"""Limits per user and class, at an edge of its own that has the shipped rates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bifrost.auth.v1 import policy_pb2
from services.cli.edge import EdgePlan, render_edge
from services.cli.edge.rights import RATES
from services.runtime.embedded.ports import free_port
from services.runtime.testing import connect
from services.runtime.waiting import until
from tests.e2e.edge.calls import Answer, Caller, Json
from tests.e2e.edge.envoys import run_envoy
from tests.e2e.running_mesh import PASSWORD, RunningMesh

READ = "portfolio.v1.PortfolioService/ListAccounts"
STREAM = "data.v1.MarketStreamService/StreamQuotes"
LOGIN = "identity.v1.TokenService/CreateToken"


@pytest.fixture(scope="module")
async def strict(mesh: RunningMesh, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Caller]:
    """A caller at an edge with the shipped limits."""
    folder: Path = tmp_path_factory.mktemp("strict-edge")
    plan = EdgePlan(
        inventory=mesh.launcher.inventory,
        addresses={name: mesh.launcher.address(name) for name in mesh.launcher.inventory.services},
        jwks_file=mesh.launcher.home.jwks_file,
        port=free_port(),
        admin_port=free_port(),
    )
    address = f"127.0.0.1:{plan.port}"
    async with (
        run_envoy(render_edge(plan), folder, plan.port),
        httpx.AsyncClient() as http,
        connect(address) as channel,
    ):
        caller = Caller(f"http://{address}", http, channel)

        async def answers() -> bool:
            return (await caller.grpc(READ, {}, _token(mesh, "alice"))).code == "OK"

        await until(answers, timeout_s=60)
        yield caller


def _token(mesh: RunningMesh, name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {mesh.people[name].access_token}"}


async def _flood(caller: Caller, way: str, method: str, request: Json, headers: dict[str, str]) -> Answer:
    """Call until refused; more than the burst and what is refilled meanwhile."""
    ask = caller.grpc if way == "grpc" else caller.rest
    async with asyncio.timeout(60):
        while True:
            answers = await asyncio.gather(*(ask(method, request, headers) for _ in range(50)))
            refused = [answer for answer in answers if answer.reason == "RATE_LIMITED"]
            if refused:
                return refused[0]


@pytest.mark.parametrize("way", ["grpc", "rest"])
async def test_a_flood_is_refused_and_touches_nobody_else(
    way: str, mesh: RunningMesh, strict: Caller
) -> None:
    refused = await _flood(strict, way, STREAM, {"symbols": ["AAPL"]}, _token(mesh, "mallory"))
    assert (refused.code, refused.domain) == ("RESOURCE_EXHAUSTED", "bifrost.edge")
    assert refused.http in {0, 429}
    ask = strict.grpc if way == "grpc" else strict.rest
    others = await ask(STREAM, {"symbols": ["AAPL"]}, _token(mesh, "alice"))
    assert others.code == "OK"
    other_class = await ask(READ, {}, _token(mesh, "mallory"))
    assert other_class.code == "OK"


async def test_the_refusal_says_when_to_try_again(mesh: RunningMesh, strict: Caller) -> None:
    over_rest = await _flood(strict, "rest", STREAM, {"symbols": ["AAPL"]}, _token(mesh, "vera"))
    over_grpc = await _flood(strict, "grpc", STREAM, {"symbols": ["AAPL"]}, _token(mesh, "vera"))
    assert over_rest.retry_after_s == over_grpc.retry_after_s == 1.0
    assert over_rest.content == over_grpc.content
    assert over_rest.message == over_grpc.message

    async def let_in() -> bool:
        return (await strict.rest(STREAM, {"symbols": ["AAPL"]}, _token(mesh, "vera"))).code == "OK"

    await until(let_in, timeout_s=60)


async def test_logins_are_limited_by_address(mesh: RunningMesh, strict: Caller) -> None:
    """Guessing passwords is slow whoever is named; another token does not help."""
    burst = 2 * RATES[policy_pb2.RATE_CLASS_LOGIN]
    # An empty password is refused before it costs a hash.
    guesses = [strict.rest(LOGIN, {"user_name": f"nobody{n}", "password": ""}, {}) for n in range(3 * burst)]
    answers = await asyncio.gather(*guesses)
    assert {answer.reason for answer in answers} == {"FIELD_INVALID", "RATE_LIMITED"}
    good = {"user_name": "alice", "password": PASSWORD}

    async def let_in() -> bool:
        return (await strict.rest(LOGIN, good, {})).code == "OK"

    await until(let_in, timeout_s=60)
