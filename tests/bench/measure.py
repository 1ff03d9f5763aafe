"""What every benchmark is measured with: alternating pairs, medians of their ratios, load and latencies."""

from __future__ import annotations

import asyncio
import itertools
import signal
import statistics
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias, TypeVar

import uvloop

T = TypeVar("T")
Report: TypeAlias = Callable[[str], None]
"""Told what goes on now."""
Measurement: TypeAlias = Callable[[], Awaitable[float]]
Call: TypeAlias = Callable[[], Awaitable[object]]
Kind: TypeAlias = Literal["rate", "time"]

RUNS = 7


@dataclass(frozen=True)
class Result:
    """One figure; `ratio` is better when larger, whatever the unit."""

    name: str
    value: float
    unit: str
    peer: str = ""
    """What it is held against; empty when it is only reported."""
    peer_value: float | None = None
    ratio: float | None = None
    """Median over the pairs of peer's time over ours, or of our rate over the peer's."""
    spread: tuple[float, float] | None = None
    """Smallest and largest ratio of the pairs."""
    limit: float | None = None
    """What the ratio must reach; None where the figure is only reported."""
    runs: int = 1
    note: str = ""

    @property
    def missed(self) -> bool:
        """Whether it has a limit and does not reach it."""
        return self.limit is not None and (self.ratio is None or self.ratio < self.limit)

    def as_json(self) -> dict[str, object]:
        """The entry of build/bench.json."""
        return asdict(self)


@dataclass(frozen=True)
class Pairs:
    """Ours and the peer's figures, measured by turns: entry i of both belong together."""

    ours: list[float]
    peer: list[float]

    def ratios(self, kind: Kind) -> list[float]:
        """Of each pair, better when larger."""
        pairs = zip(self.ours, self.peer, strict=True)
        return [ours / peer if kind == "rate" else peer / ours for ours, peer in pairs]

    def result(
        self, name: str, kind: Kind, unit: str, peer: str, *, limit: float | None = None, note: str = ""
    ) -> Result:
        """The medians of both, and the median of the pairs' ratios with its spread."""
        ratios = self.ratios(kind)
        return Result(
            name=name,
            value=statistics.median(self.ours),
            unit=unit,
            peer=peer,
            peer_value=statistics.median(self.peer),
            ratio=statistics.median(ratios),
            spread=(min(ratios), max(ratios)),
            limit=limit,
            runs=len(ratios),
            note=note,
        )


async def alternate(
    ours: Measurement, peer: Measurement, report: Report, *, runs: int = RUNS, warm_up: int = 1
) -> Pairs:
    """Measure both by turns, the first of a pair being the second of the next; what warms up is dropped."""
    pairs = Pairs([], [])
    for number in range(-warm_up, runs):
        report("warming up" if number < 0 else f"pair {number + 1} of {runs}")
        if number % 2:
            second, first = await peer(), await ours()
        else:
            first, second = await ours(), await peer()
        if number >= 0:
            pairs.ours.append(first)
            pairs.peer.append(second)
    return pairs


@dataclass(frozen=True)
class Load:
    """What came of calls under load."""

    rate: float
    """Calls per second."""
    seconds: list[float]
    """Of each call, in order of their ends."""


async def load(call: Call, calls: int, in_flight: int = 1) -> Load:
    """Make so many calls with so many in flight all the time, and time each."""
    seconds: list[float] = []

    async def timed() -> None:
        began = time.perf_counter()
        await call()
        seconds.append(time.perf_counter() - began)

    began = time.perf_counter()
    await _spread_over(timed, calls, in_flight)
    return Load(calls / (time.perf_counter() - began), seconds)


async def rate(call: Call, calls: int, in_flight: int) -> float:
    """Calls per second with so many in flight all the time."""
    began = time.perf_counter()
    await _spread_over(call, calls, in_flight)
    return calls / (time.perf_counter() - began)


async def _spread_over(call: Call, calls: int, in_flight: int) -> None:
    turns = itertools.repeat(None, calls)

    async def worker() -> None:
        for _ in turns:
            await call()

    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(worker())


def percentile(values: list[float], share: float) -> float:
    """The value that this share of them does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def run_async(main: Callable[[], Coroutine[None, None, T]]) -> T:
    """Run a benchmark on its own loop. Ctrl-C and SIGTERM cancel it, so that it stops what it started.

    Raises:
        KeyboardInterrupt: it was asked to stop.
    """
    asked = False

    async def cancellable() -> T:
        loop = asyncio.get_running_loop()
        task = loop.create_task(main())

        def stop() -> None:
            nonlocal asked
            asked = True
            task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
        return await task

    try:
        return uvloop.run(cancellable())
    except asyncio.CancelledError:
        if asked:
            raise KeyboardInterrupt from None
        raise
