"""Quotes of 5,000 instruments to a hundred readers, over bare sends; and how old they are when they come."""

from __future__ import annotations

import asyncio
import contextlib

from tests.bench.children import child
from tests.bench.measure import Report, Result, alternate, percentile, run_async
from tests.bench.peers.quotes import BATCH
from tests.bench.quote_fanout import BARE_METHOD, METHOD, PROCESSES, READERS, Stream

_INSTRUMENTS = 5_000
_PACE_S = 0.02
"""Between batches while ages are measured: a third to a half of what two shared cores deliver at most."""
_AGES_S = 4.0


def run(report: Report) -> list[Result]:
    """Deliveries per second, and ages at delivery."""
    return run_async(lambda: _measure(report))


async def _measure(report: Report) -> list[Result]:
    environment = {"BENCH_INSTRUMENTS": str(_INSTRUMENTS)}
    names = ("quote_server", "bare_quote_server", *["quote_readers"] * PROCESSES)
    async with contextlib.AsyncExitStack() as stack:
        children = [stack.enter_async_context(child(name, **environment)) for name in names]
        server, bare_server, *readers = await asyncio.gather(*children)
        ours, bare = Stream("ours", server, readers), Stream("bare", bare_server, readers)
        await ours.open(METHOD, skip=2)  # the snapshot and where it ends
        await bare.open(BARE_METHOD, skip=1)
        pairs = await alternate(ours.deliveries, bare.deliveries, report, runs=5)
        report("ages")
        ages = await _ages(ours)
    note = (
        f"{_INSTRUMENTS:,} instruments, {READERS} readers of all of them, a connection each, in {PROCESSES} "
        f"processes; {BATCH} quotes a message, each instrument by turns; nothing conflated"
    )
    peer = "one serialisation and plain grpc.aio sends"
    rate = pairs.result("live", "rate", "quotes/s", peer, limit=0.7, note=note)
    offered = READERS * BATCH / _PACE_S
    return [
        rate,
        Result(
            name="live_age_p50",
            value=1000 * percentile(ages, 0.5),
            unit="ms",
            note=f"from the venue's stamp to the reader's hands, at {offered:,.0f} deliveries/s",
        ),
        Result(name="live_age_p99", value=1000 * percentile(ages, 0.99), unit="ms", note="the same"),
    ]


async def _ages(ours: Stream) -> list[float]:
    """Of what one reader of each process gets while all read at a steady pace."""
    for reader in ours.readers:
        await reader.ask(do="watch", name=ours.name, others=True)
    await ours.server.ask(pace_s=_PACE_S)
    await asyncio.gather(*(reader.ask(do="ages", name=ours.name, seconds=1.0) for reader in ours.readers))
    answers = await asyncio.gather(
        *(reader.ask(do="ages", name=ours.name, seconds=_AGES_S) for reader in ours.readers)
    )
    return [age for answer in answers for age in answer["ages"]]
