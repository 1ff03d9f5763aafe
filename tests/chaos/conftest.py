"""One mesh for all chaos tests: what crashes in one must be whole again in the next."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

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


@pytest.fixture(scope="session")
async def mesh() -> AsyncIterator[Launcher]:
    """A whole mesh with prices and a fast replay."""
    # CHAOS_HOME keeps logs and data of a failed run.
    kept = os.environ.get("CHAOS_HOME")
    with contextlib.nullcontext(Home(Path(kept))) if kept else Home.temporary("chaos") as home:
        launcher = Launcher(home, Ports.free(load_inventory()), settings=_SHORT_WAITS, rate_scale=100.0)
        try:
            await launcher.start()
            session = Session(launcher.home, launcher.edge_address)
            async with EdgeClient(launcher.edge_address, session) as client:
                await load_prices(client, lambda _share, _stage: None)
                await start_session(client, Replay(seconds_per_day=4.0, seed=11), request_id="chaos")
            yield launcher
        finally:
            await launcher.stop()


@pytest.fixture
async def client(mesh: Launcher) -> AsyncIterator[EdgeClient]:
    """A client at the mesh's edge."""
    async with EdgeClient(mesh.edge_address, Session(mesh.home, mesh.edge_address)) as connected:
        yield connected


def seeds() -> list[int]:
    """Seeds to run: SEED alone, or 1..SEEDS (one in make test)."""
    if "SEED" in os.environ:
        return [int(os.environ["SEED"])]
    return list(range(1, int(os.environ.get("SEEDS", "1")) + 1))
