"""The edge as an operator with grpcurl sees it: reflection and health."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from services.runtime.inventory import load_inventory
from services.runtime.testing import connect
from tests.e2e.running_mesh import RunningMesh

_BUILT = Path(__file__).parents[3] / "build" / "tools" / "grpcurl"
GRPCURL = str(_BUILT) if _BUILT.exists() else shutil.which("grpcurl")
needs_grpcurl = pytest.mark.skipif(GRPCURL is None, reason="grpcurl is neither built (make up) nor on PATH")
SUBMIT = "bifrost.execution.v1.OrderService.SubmitOrder"


async def _grpcurl(*arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        str(GRPCURL),
        "-plaintext",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, output.decode()


@needs_grpcurl
async def test_list_and_describe(mesh: RunningMesh) -> None:
    status, listed = await _grpcurl(mesh.edge, "list")
    assert status == 0, listed
    assert set(load_inventory().contracts) <= set(listed.split())
    assert "grpc.health.v1.Health" in listed
    status, methods = await _grpcurl(mesh.edge, "list", "bifrost.execution.v1.OrderService")
    assert (status, SUBMIT in methods.split()) == (0, True)
    status, described = await _grpcurl(mesh.edge, "describe", SUBMIT)
    assert (status, "rpc SubmitOrder" in described) == (0, True), described
    status, message = await _grpcurl(mesh.edge, "describe", "bifrost.type.v1.OrderTerms")
    assert (status, "limit_price" in message) == (0, True), message


@needs_grpcurl
async def test_calls(mesh: RunningMesh) -> None:
    token = f"authorization: Bearer {mesh.alice.access_token}"
    status, reply = await _grpcurl(
        "-H", token, mesh.edge, "bifrost.portfolio.v1.PortfolioService/ListAccounts"
    )
    assert status == 0, reply
    assert mesh.account.account_id in reply
    assert len(json.loads(reply)["accounts"]) == 1
    status, refused = await _grpcurl(mesh.edge, "bifrost.portfolio.v1.PortfolioService/ListAccounts")
    assert status != 0
    assert "TOKEN_MISSING" in refused
    status, health = await _grpcurl(mesh.edge, "grpc.health.v1.Health/Check")
    assert (status, "SERVING" in health) == (0, True), health


def test_reflection_lists_the_whole_mesh(mesh: RunningMesh) -> None:
    with grpc.insecure_channel(mesh.edge) as channel:
        reflected = ProtoReflectionDescriptorDatabase(channel)
        assert set(load_inventory().contracts) <= set(reflected.get_services())
        file = reflected.FindFileContainingSymbol("bifrost.execution.v1.OrderService")
    assert file.service[0].name == "OrderService"


async def test_health_watch_through_the_edge(mesh: RunningMesh) -> None:
    async with connect(mesh.edge) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=60)
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        watch.cancel()
