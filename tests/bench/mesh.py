"""A whole mesh in a temporary home on free ports, with prices, a session and a client."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from services.cli.bootstrap import Replay, load_prices, start_session
from services.cli.client import EdgeClient
from services.cli.launcher import Home, Launcher, Ports
from services.cli.session import Session
from services.runtime.inventory import load_inventory
from services.runtime.testing_keys import bearer
from tests.bench.measure import Report

RATE_SCALE = 1000.0
"""The edge's limits a user are lifted a thousandfold: the road is measured, not the limit."""
# So slow that the day does not end under an order that rests.
_SECONDS_PER_DAY = 600.0


@dataclass
class Mesh:
    """What runs, and the administrator's client at its edge."""

    launcher: Launcher
    client: EdgeClient

    async def headers(self) -> list[tuple[str, str]]:
        """Call metadata with a token that is good for a while."""
        return bearer(await self.client.session.access_token(self.client.anonymous))


def launcher_of(home: Home, report: Report) -> Launcher:
    """A launcher on free ports that tells what it does."""
    return Launcher(
        home,
        Ports.free(load_inventory()),
        rate_scale=RATE_SCALE,
        report=lambda stage, _done, _total: report(f"starting {stage}"),
    )


@contextlib.asynccontextmanager
async def running_mesh(report: Report) -> AsyncIterator[Mesh]:
    """A mesh on a home that is thrown away at the end of the block."""
    with Home.temporary("bench") as home:
        async with prepared_mesh(home, report) as mesh:
            yield mesh


@contextlib.asynccontextmanager
async def prepared_mesh(home: Home, report: Report) -> AsyncIterator[Mesh]:
    """Start a mesh, load prices, begin a session; stop it at the end of the block, whatever happens."""
    launcher = launcher_of(home, report)
    try:
        await launcher.start()
        async with EdgeClient(launcher.edge_address, Session(home, launcher.edge_address)) as client:
            await load_prices(client, lambda _share, stage: report(f"prices: {stage}"))
            replay = Replay(seconds_per_day=_SECONDS_PER_DAY, seed=3)
            await start_session(client, replay, request_id="bench")
            yield Mesh(launcher, client)
    finally:
        report("stopping")
        await launcher.stop()
