"""REST through Envoy over the old design: the same small resource, the same client."""

from __future__ import annotations

import contextlib
import json

import httpx

from bifrost.data.v1 import instrument_service_pb2, instrument_service_pb2_grpc
from tests.bench.children import child
from tests.bench.http_client import http_rate
from tests.bench.measure import Report, Result, alternate, run_async
from tests.bench.mesh import RATE_SCALE, Mesh, running_mesh
from tests.bench.peers.old_design import old_token

_CALLS = 3_000
_IN_FLIGHT = 32


def run(report: Report) -> list[Result]:
    """Calls per second."""
    return run_async(lambda: _measure(report))


async def _measure(report: Report) -> list[Result]:
    async with contextlib.AsyncExitStack() as stack:
        mesh = await stack.enter_async_context(running_mesh(report))
        path = await _instrument_path(mesh)
        token = await mesh.client.session.access_token(mesh.client.anonymous)
        body = await _body(f"http://{mesh.client.edge}{path}", token)
        service = await stack.enter_async_context(child("old_design", "service", json.dumps(body)))
        gateway = await stack.enter_async_context(child("old_design", "gateway", str(service.port)))
        old_body = await _body(f"http://127.0.0.1:{gateway.port}{path}", old_token())
        if old_body != body:
            raise RuntimeError(f"the two answer differently: {body} and {old_body}")
        edge_port = mesh.launcher.ports.edge
        pairs = await alternate(
            lambda: http_rate(edge_port, path, token, calls=_CALLS, in_flight=_IN_FLIGHT),
            lambda: http_rate(gateway.port, path, old_token(), calls=_CALLS, in_flight=_IN_FLIGHT),
            report,
        )
    note = (
        f"GetInstrument, {_IN_FLIGHT} in flight over keep-alive connections of one raw asyncio client; ours: "
        "all filters of the edge, ES256 checked there and in the service, limits a user lifted "
        f"{RATE_SCALE:.0f}-fold; old: uvicorn as installed, HS256 checked in the gateway and in the service"
    )
    peer = "FastAPI gateway, httpx, FastAPI service"
    return [pairs.result("rest_vs_gateway", "rate", "calls/s", peer, limit=2.0, note=note)]


async def _instrument_path(mesh: Mesh) -> str:
    stub = mesh.client.stub(instrument_service_pb2_grpc.InstrumentServiceStub)
    reply = await stub.ListInstruments(instrument_service_pb2.ListInstrumentsRequest(), timeout=10)
    return f"/v1/instruments/{reply.instruments[0].instrument_id}"


async def _body(url: str, token: str) -> object:
    async with httpx.AsyncClient() as http:
        reply = await http.get(url, headers={"authorization": f"Bearer {token}"})
        reply.raise_for_status()
        return reply.json()
