"""Services call one another through Envoy: with the address book at a mesh listener an order still trades."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx

from services.cli.edge import EdgePlan, render_mesh
from services.cli.launcher import Ports
from services.runtime.embedded.ports import free_port
from services.runtime.inventory import load_inventory
from services.runtime.waiting import until
from tests.e2e.edge.envoys import run_envoy
from tests.e2e.running_mesh import run_mesh


async def test_an_order_trades_through_the_mesh_listener(tmp_path: Path) -> None:
    inventory = load_inventory()
    ports = Ports.free(inventory)
    plan = EdgePlan(
        inventory=inventory,
        addresses={name: f"127.0.0.1:{port}" for name, port in ports.services.items()},
        jwks_file=tmp_path / "jwks.json",
        port=free_port(),
        admin_port=free_port(),
    )
    book = json.dumps(dict.fromkeys(inventory.services, f"127.0.0.1:{plan.port}"))
    settings = {"*": {"BIFROST_ADDRESS_BOOK": book}}
    async with (
        run_envoy(render_mesh(plan), tmp_path, plan.port),
        run_mesh(settings=settings, ports=ports) as mesh,
        httpx.AsyncClient(base_url=mesh.url, timeout=60) as http,
    ):
        http.headers["authorization"] = f"Bearer {mesh.alice.access_token}"
        account = f"/v1/accounts/{mesh.account.account_id}"
        order = {
            "request_id": "through-the-mesh",
            "instrument": {"listed": {"symbol": "AAPL"}},
            "terms": {
                "side": "SIDE_BUY",
                "type": "ORDER_TYPE_MARKET",
                "time_in_force": "TIME_IN_FORCE_IOC",
                "quantity": "3",
            },
        }

        async def filled() -> bool:
            # Refused until every log and the live prices have come through.
            reply = await http.post(f"{account}/orders", json=order)
            order["request_id"] = f"{order['request_id']}+"
            return reply.status_code == 200 and reply.json()["outcome"] == "SUBMIT_OUTCOME_ACCEPTED"

        await until(filled, timeout_s=60)

        async def held() -> bool:
            positions = (await http.get(f"{account}/positions")).json()["positions"]
            return [position["quantity"] for position in positions] == ["3"]

        await until(held, timeout_s=60)
        async with asyncio.timeout(60):
            stats = await http.get(
                f"http://127.0.0.1:{plan.admin_port}/stats?filter=cluster.*SubmitOrder.*success"
            )
    carried = [line for line in stats.text.splitlines() if "venue.v1.VenueService.SubmitOrder" in line]
    assert any(int(line.rsplit(":", 1)[1]) > 0 for line in carried), stats.text
