"""One mesh for all chaos tests: what crashes in one must be whole again in the next."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bifrost.venue.v1 import session_service_pb2, session_service_pb2_grpc
from services.cli.bootstrap import Replay, load_prices, start_session
from services.cli.client import EdgeClient
from services.cli.launcher import Home, Launcher, Ports
from services.cli.session import Session
from services.runtime.inventory import load_inventory

# What waits a minute by default, so that a settled account is seen within seconds. Their order stays: an
# intent is committed within 2 s of its reservation or not at all, and asked for after 6 s.
_SHORT_WAITS = {
    "risk": {"BIFROST_UNCONFIRMED_AFTER_S": "6", "BIFROST_UNCONFIRMED_CHECK_S": "1"},
    "execution": {"BIFROST_RESERVATION_VALID_S": "2"},
}

_REPLAY = Replay(seconds_per_day=4.0, seed=11)


@pytest.fixture(scope="module")
async def mesh() -> AsyncIterator[Launcher]:
    """A whole mesh with prices."""
    # CHAOS_HOME keeps logs and data of a failed run.
    kept = os.environ.get("CHAOS_HOME")
    with contextlib.nullcontext(Home(Path(kept))) if kept else Home.temporary("chaos") as home:
        launcher = Launcher(home, Ports.free(load_inventory()), settings=_SHORT_WAITS, rate_scale=100.0)
        try:
            await launcher.start()
            session = Session(launcher.home, launcher.edge_address)
            async with EdgeClient(launcher.edge_address, session) as client:
                await load_prices(client, lambda _share, _stage: None)
            yield launcher
        finally:
            await launcher.stop()


@pytest.fixture
async def client(mesh: Launcher) -> AsyncIterator[EdgeClient]:
    """A client at the mesh's edge, and a session that goes on for longer than a test."""
    async with EdgeClient(mesh.edge_address, Session(mesh.home, mesh.edge_address)) as connected:
        await _trade_for_long(connected)
        yield connected


async def _trade_for_long(client: EdgeClient) -> None:
    """Begin a session, a new one when the present one has few days left: all of them take 13 minutes."""
    current = await start_session(client, _REPLAY, request_id="chaos")
    if current.step > current.total_steps / 2:
        sessions = client.stub(session_service_pb2_grpc.SessionServiceStub)
        await sessions.EndSession(session_service_pb2.EndSessionRequest(), timeout=60)
        await start_session(client, _REPLAY, request_id="chaos")


def seeds() -> list[int]:
    """Seeds to run: SEED alone, or 1..SEEDS (one in make test)."""
    if "SEED" in os.environ:
        return [int(os.environ["SEED"])]
    return list(range(1, int(os.environ.get("SEEDS", "1")) + 1))
