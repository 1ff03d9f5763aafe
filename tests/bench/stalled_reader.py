"""How old quotes are at a reader that keeps up, alone and with twenty beside it that do not read."""

from __future__ import annotations

import asyncio
import contextlib
import statistics

from services.runtime.waiting import until
from tests.bench.children import Child, child
from tests.bench.measure import Pairs, Report, Result, percentile, run_async
from tests.bench.peers.quotes import BATCH

_STALLED = 20
_PACE_S = 0.005
_SECONDS = 4.0
_RUNS = 6
_METHOD = "/bifrost.data.v1.MarketStreamService/StreamQuotes"


def run(report: Report) -> list[Result]:
    """The healthy reader's p99 age alone over its p99 beside stalled readers."""
    return run_async(lambda: _measure(report))


async def _measure(report: Report) -> list[Result]:
    async with contextlib.AsyncExitStack() as stack:
        server, healthy, stalled = await asyncio.gather(
            *(
                stack.enter_async_context(child(name))
                for name in ("quote_server", "quote_readers", "quote_readers")
            )
        )
        await _open(healthy, server, count=1)
        await healthy.ask(do="watch", name="ours")
        await server.ask(pace_s=_PACE_S)
        beside, alone, again = Pairs([], []), [], []
        await _p99_ms(healthy)  # warms up
        for number in range(_RUNS):
            report(f"round {number + 1} of {_RUNS}")
            alone.append(await _p99_ms(healthy))
            beside.ours.append(await _beside_stalled(server, healthy, stalled))
            again.append(await _p99_ms(healthy))
        # Each round lies between two baselines: it is held against their mean.
        beside.peer.extend(statistics.fmean(pair) for pair in zip(alone, again, strict=True))
    apart = [one / other for one, other in zip(alone, again, strict=True)]
    note = (
        f"{_STALLED} readers opened and never read, conflated before the measurement; {BATCH} quotes each "
        f"{1000 * _PACE_S:.0f} ms; the two baselines of a round over one another: "
        f"{statistics.median(apart):.2f} ({min(apart):.2f} to {max(apart):.2f})"
    )
    return [
        beside.result("stalled_reader", "time", "ms p99 age", "the same reader alone", limit=0.7, note=note)
    ]


async def _beside_stalled(server: Child, healthy: Child, stalled: Child) -> float:
    await _open(stalled, server, count=_STALLED)

    async def all_stalled() -> bool:
        return int((await server.ask())["conflated"]) == _STALLED

    await until(all_stalled, timeout_s=10)
    try:
        return await _p99_ms(healthy)
    finally:
        await stalled.ask(do="close", name="ours")


async def _open(readers: Child, server: Child, *, count: int) -> None:
    await readers.ask(
        do="open",
        name="ours",
        port=server.port,
        token=server.ready["token"],
        method=_METHOD,
        readers=count,
        skip=0,
    )


async def _p99_ms(healthy: Child) -> float:
    ages = (await healthy.ask(do="ages", name="ours", seconds=_SECONDS))["ages"]
    return 1000 * percentile(ages, 0.99)
