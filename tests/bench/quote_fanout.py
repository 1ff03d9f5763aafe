"""Quote deliveries per second from one data process to a hundred readers, over what bare sends would do."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
from dataclasses import dataclass, field

from tests.bench.children import Child, child
from tests.bench.measure import Report, Result, alternate, run_async
from tests.bench.peers.quotes import BATCH

READERS = 100
PROCESSES = 2
BATCHES = 150
METHOD = "/bifrost.data.v1.MarketStreamService/StreamQuotes"
BARE_METHOD = "/bench.Quotes/Stream"


@dataclass
class Stream:
    """One server with its hundred readers."""

    name: str
    server: Child
    readers: list[Child]
    cpu_us: list[float] = field(default_factory=list)
    """The server's own CPU time a message, of each run."""

    async def open(self, method: str, *, skip: int) -> None:
        """Connect all readers; the first `skip` messages are the stream's own beginning."""
        token = {"token": self.server.ready["token"]} if "token" in self.server.ready else {}
        share = len(self.readers)
        for reader in self.readers:
            await reader.ask(
                do="open",
                name=self.name,
                port=self.server.port,
                method=method,
                readers=READERS // share,
                skip=skip,
                **token,
            )

    async def deliveries(self) -> float:
        """Quotes that reached readers, per second, from the word to send until the last has all."""
        for reader in self.readers:
            reader.say(do="count", name=self.name, messages=BATCHES)
        started = await self.server.ask(send=BATCHES)
        counted = [await reader.hear() for reader in self.readers]
        ended = await self.server.ask()
        if any(count["quotes"] != BATCHES * BATCH for count in counted):
            raise RuntimeError(f"readers missed quotes: {[count['quotes'] for count in counted]}")
        self.cpu_us.append(1e6 * (ended["cpu_s"] - started["cpu_s"]) / (BATCHES * READERS))
        seconds = (max(count["now_ns"] for count in counted) - started["now_ns"]) / 1e9
        return float(READERS * BATCHES * BATCH / seconds)


def run(report: Report) -> list[Result]:
    """Deliveries per second."""
    return run_async(lambda: _measure(report))


async def _measure(report: Report) -> list[Result]:
    async with contextlib.AsyncExitStack() as stack:
        server, bare_server, *readers = await asyncio.gather(
            *(
                stack.enter_async_context(child(name))
                for name in ("quote_server", "bare_quote_server", *["quote_readers"] * PROCESSES)
            )
        )
        ours, bare = Stream("ours", server, readers), Stream("bare", bare_server, readers)
        await ours.open(METHOD, skip=2)  # the snapshot and where it ends
        await bare.open(BARE_METHOD, skip=1)
        pairs = await alternate(ours.deliveries, bare.deliveries, report)
    note = (
        f"{READERS} readers, a connection each, in {PROCESSES} processes; {BATCH} quotes a message; the "
        "data service's own feed and servicer over a made-up venue, nothing conflated; the server's CPU "
        f"a message {statistics.median(ours.cpu_us):.0f} us, bare {statistics.median(bare.cpu_us):.0f} us"
    )
    peer = "one serialisation and plain grpc.aio sends"
    return [pairs.result("quote_fanout", "rate", "quotes/s", peer, limit=0.7, note=note)]
