"""An edge whose services are all away: who is missing is told, the same over gRPC and REST."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.cli.edge import EdgePlan, render_edge
from services.runtime.embedded.ports import free_port
from services.runtime.inventory import load_inventory
from services.runtime.testing import connect
from services.runtime.testing_keys import MeshKeys, bearer
from tests.e2e.edge.calls import Caller, Json
from tests.e2e.edge.envoys import run_envoy
from tests.e2e.edge.kinds import SUBMIT
from tests.e2e.edge.world import AAPL, LIMIT, UNKNOWN_ID

ACCOUNT: Json = {"account_id": UNKNOWN_ID}
ASKED: dict[str, tuple[str, Json]] = {
    # service: method, request
    "identity": ("identity.v1.TokenService/CreateToken", {"user_name": "alice", "password": "x"}),
    "data": ("data.v1.MarketStreamService/StreamQuotes", {"symbols": ["AAPL"]}),
    "venue": ("venue.v1.VenueService/ListVenueOrders", ACCOUNT),
    "execution": (SUBMIT, ACCOUNT | {"request_id": "away", "instrument": AAPL, "terms": LIMIT}),
    "risk": ("risk.v1.LimitService/GetLimits", ACCOUNT),
    "portfolio": ("portfolio.v1.PortfolioService/ListPositions", ACCOUNT),
}


@pytest.fixture(scope="module")
async def lonely(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Caller, dict[str, str]]]:
    """A caller at the edge of nothing, and headers with every scope the calls ask for."""
    folder: Path = tmp_path_factory.mktemp("lonely-edge")
    keys = MeshKeys(folder)
    inventory = load_inventory()
    assert ASKED.keys() == inventory.services.keys()
    plan = EdgePlan(
        inventory=inventory,
        addresses={name: f"127.0.0.1:{free_port()}" for name in inventory.services},
        jwks_file=keys.jwks_file,
        port=free_port(),
        admin_port=free_port(),
    )
    address = f"127.0.0.1:{plan.port}"
    scope = "orders:read orders:write portfolio:read market:read risk:read"
    async with (
        run_envoy(render_edge(plan), folder, plan.port),
        httpx.AsyncClient() as http,
        connect(address) as channel,
    ):
        yield Caller(f"http://{address}", http, channel), dict(bearer(keys.user_token(scope=scope)))


@pytest.mark.parametrize("service", ASKED)
async def test_the_refusal_names_the_service_that_is_away(
    service: str, lonely: tuple[Caller, dict[str, str]]
) -> None:
    caller, headers = lonely
    method, request = ASKED[service]
    over_grpc = await caller.grpc(method, request, headers)
    over_rest = await caller.rest(method, request, headers)
    expected = ("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE", "bifrost.edge", service, 1.0)
    for answer in (over_grpc, over_rest):
        told = (
            answer.code,
            answer.reason,
            answer.domain,
            answer.metadata["dependency"],
            answer.retry_after_s,
        )
        assert told == expected
        assert service in answer.message
    assert over_grpc.content == over_rest.content
    assert over_rest.http == 503
