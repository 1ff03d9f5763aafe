"""SubmitOrder until the venue has acknowledged it, against its hops and commits alone; orders a second."""

from __future__ import annotations

import contextlib
import statistics
from dataclasses import dataclass, field

from tests.bench.measure import Pairs, Report, Result, alternate, percentile, rate, run_async
from tests.bench.mesh import RATE_SCALE, running_mesh
from tests.bench.order_floor import COMMITS, HOPS, Floor, floor
from tests.bench.order_flow import OrderFlow, order_flows

_ORDERS = 100
_LOAD = 640
_IN_FLIGHT = 32
_BATCH = 100
_BATCHES = 6
_RUNS = 5


def run(report: Report) -> list[Result]:
    """Milliseconds of one order at a time, and orders per second."""
    return run_async(lambda: _measure(report))


async def _measure(report: Report) -> list[Result]:
    async with contextlib.AsyncExitStack() as stack:
        mesh = await stack.enter_async_context(running_mesh(report))
        direct, edge = await stack.enter_async_context(order_flows(mesh))
        limit = await stack.enter_async_context(floor(mesh.launcher.database_url("postgres")))
        road = _Road(direct, edge, limit)
        alone = await alternate(road.direct_p50, road.floor_p50, report, runs=7)
        parts = road.parts()
        bare = await alternate(road.direct_p50, road.skeleton_p50, report, runs=_RUNS)
        through_edge = await alternate(road.edge_p50, road.direct_p50, report, runs=_RUNS)
        loaded = await alternate(road.loaded_rate, road.loaded_floor, report, runs=_RUNS)
        batched = await alternate(road.batched_rate, road.batched_floor, report, runs=_RUNS)
    return [
        alone.result(
            "order_p50", "time", "ms", "its hops as bare echoes + its commits", limit=0.5, note=parts
        ),
        bare.result(
            "order_p50_skeleton",
            "time",
            "ms",
            "bare grpc.aio handlers with a one-row commit wherever the order waits for one",
            note="the same hops and commits in their order, and nothing else: no tokens, rules or books",
        ),
        _edge_result(through_edge),
        loaded.result(
            "order_rate",
            "rate",
            "orders/s",
            f"its {len(COMMITS)} commits, one row a transaction, {_IN_FLIGHT} connections",
            note=f"one by one, {_IN_FLIGHT} in flight; p99 {statistics.median(road.p99_ms):.1f} ms",
        ),
        batched.result(
            "order_batch_rate",
            "rate",
            "orders/s",
            f"its {len(COMMITS)} commits, one row a transaction, one connection",
            note=f"SubmitOrders of {_BATCH}, one at a time",
        ),
    ]


def _edge_result(pairs: Pairs) -> Result:
    note = f"through Envoy with all filters, limits a user lifted {RATE_SCALE:.0f}-fold"
    return pairs.result("order_p50_edge", "time", "ms", "the same straight to execution", note=note)


@dataclass
class _Road:
    direct: OrderFlow
    edge: OrderFlow
    floor: Floor
    hops_ms: list[float] = field(default_factory=list)
    commit_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)

    async def direct_p50(self) -> float:
        return 1000 * percentile((await self.direct.submit_many(_ORDERS)).seconds, 0.5)

    async def edge_p50(self) -> float:
        return 1000 * percentile((await self.edge.submit_many(_ORDERS)).seconds, 0.5)

    async def floor_p50(self) -> float:
        await self.direct.refresh()  # so that neither finds the book as the other left it
        hops, commit = await self.floor.p50_ms(_ORDERS)
        self.hops_ms.append(hops)
        self.commit_ms.append(commit)
        return hops + len(COMMITS) * commit

    async def skeleton_p50(self) -> float:
        await self.direct.refresh()
        return await self.floor.skeleton_p50_ms(_ORDERS)

    async def loaded_rate(self) -> float:
        taken = await self.direct.submit_many(_LOAD, _IN_FLIGHT)
        self.p99_ms.append(1000 * percentile(taken.seconds, 0.99))
        return taken.rate

    async def loaded_floor(self) -> float:
        return await self.floor.orders_per_second(_LOAD, _IN_FLIGHT)

    async def batched_rate(self) -> float:
        await self.direct.refresh()
        return _BATCH * await rate(lambda: self.direct.submit_batch(_BATCH), _BATCHES, 1)

    async def batched_floor(self) -> float:
        return await self.floor.orders_per_second(_BATCHES * _BATCH, 1)

    def parts(self) -> str:
        """What the floor is made of."""
        hops, commit = statistics.median(self.hops_ms), statistics.median(self.commit_ms)
        commits = f"{len(COMMITS)} one-row commits of {commit:.2f} ms ({'; '.join(COMMITS)})"
        return f"one at a time; floor: echoes {hops:.2f} ms ({HOPS}) + {commits}"
