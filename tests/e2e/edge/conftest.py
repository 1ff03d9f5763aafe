"""Callers at the edge."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from services.runtime.testing import connect
from tests.e2e.edge.calls import Caller
from tests.e2e.edge.world import World, make_world
from tests.e2e.running_mesh import RunningMesh


@pytest.fixture(scope="package")
async def caller(mesh: RunningMesh) -> AsyncIterator[Caller]:
    """Asks over gRPC and REST."""
    async with httpx.AsyncClient() as http, connect(mesh.edge) as channel:
        yield Caller(mesh.url, http, channel)


@pytest.fixture(scope="package")
async def world(mesh: RunningMesh, caller: Caller) -> World:
    """What bad input is tried on."""
    return await make_world(mesh, caller)
