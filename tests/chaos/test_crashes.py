"""kill -9 of every process at every point where it could lose or double something.

A failed seed is repeated alone with: SEED=<seed> pytest tests/chaos -k <point>
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections.abc import AsyncIterator

import pytest

from services.cli.client import EdgeClient
from services.cli.launcher import Launcher
from services.runtime.waiting import until
from tests.chaos.conftest import seeds
from tests.chaos.load import Load

ORDERS = 8
PASSAGE_S = 60.0
# Point -> the latest passage to crash at; orders go on until it is reached.
FAILPOINTS = {
    "execution.submit.before_reserve": 12,
    "execution.submit.before_commit": 8,
    "execution.submit.after_commit": 8,
    "execution.submit.after_send": 8,
    "execution.submit.before_reply": 8,
    "execution.report.before_commit": 6,
    "execution.report.after_commit": 6,
    "execution.cancel.after_commit": 1,
    "execution.replace.after_commit": 1,
    "risk.reserve.before_commit": 8,
    "risk.reserve.after_commit": 8,
    "risk.apply.before_commit": 8,
    "risk.apply.after_commit": 8,
    "portfolio.apply.before_commit": 8,
    "portfolio.apply.after_commit": 8,
    "portfolio.deposit.before_commit": 1,
    "portfolio.deposit.after_commit": 1,
    "venue.before_commit": 8,
    "venue.after_commit": 8,
    "venue.after_ack": 8,
}


# Cut off at the same points alone in tests/integration/{risk,portfolio,venue}/test_*_killed.py and
# tests/integration/execution/test_crash_restart.py, so that make test tries the whole mesh at the other
# points only, and make chaos at all of them.
TRIED_ALONE_TOO = {
    "execution.submit.before_reserve",
    "execution.submit.before_reply",
    "execution.report.after_commit",
    "execution.cancel.after_commit",
    "risk.reserve.before_commit",
    "risk.reserve.after_commit",
    "risk.apply.before_commit",
    "portfolio.apply.before_commit",
    "portfolio.deposit.before_commit",
    "portfolio.deposit.after_commit",
    "venue.before_commit",
}


@pytest.mark.parametrize("seed", seeds())
@pytest.mark.parametrize(
    "point",
    [
        pytest.param(point, marks=pytest.mark.slow) if point in TRIED_ALONE_TOO else point
        for point in FAILPOINTS
    ],
)
async def test_a_crash_at_a_named_point_loses_and_doubles_nothing(
    mesh: Launcher, client: EdgeClient, point: str, seed: int
) -> None:
    service = point.split(".", maxsplit=1)[0]
    print(f"seed {seed}")
    passage = random.Random(f"{point}{seed}").randint(1, FAILPOINTS[point])
    process = mesh.processes[service]
    process.set_next_environment({"BIFROST_FAILPOINT": f"{point}:{passage}"})
    # One restart arms it, the crash makes the second: some points are passed before it serves.
    crashed = process.restarts + 2
    process.kill()
    load = Load(client, seed)
    await load.open_account(f"{point}-{seed}-{secrets.token_hex(3)}"[-64:])
    async with _watching(load):
        async with asyncio.timeout(PASSAGE_S):
            while process.restarts < crashed:
                await load.deposit()
                await load.run(ORDERS)
        await load.run(ORDERS)
        proof = await load.settle()
    assert proof.holds, f"seed {seed}: {proof}"
    assert process.restarts == crashed, "it must come back once and stay up"


@pytest.mark.parametrize("seed", seeds())
@pytest.mark.parametrize("victim", ["postgres", "envoy", "data"])
async def test_a_crash_of_an_engine_under_load_loses_and_doubles_nothing(
    mesh: Launcher, client: EdgeClient, victim: str, seed: int
) -> None:
    print(f"seed {seed}")
    load = Load(client, seed)
    await load.open_account(f"{victim}-{seed}-{secrets.token_hex(3)}")
    async with _watching(load):
        trading = asyncio.create_task(load.run(6 * ORDERS))
        reached = random.Random(f"{victim}{seed}").randint(4, 4 * ORDERS)
        await until(lambda: len(load.answers) >= reached, timeout_s=60)
        if victim == "postgres":
            mesh.kill_postgres()
        else:
            mesh.processes[victim].kill()
        await trading
        proof = await load.settle()
    assert proof.holds, f"seed {seed}: {proof}"


@contextlib.asynccontextmanager
async def _watching(load: Load) -> AsyncIterator[None]:
    """The account's events are noted beside the block; a stream that is refused for good fails the test."""
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(load.watch())
        yield
        watch.cancel()
