"""Figures of a process for Prometheus (calls, the loop's delay, background tasks), served on /metrics."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final, Protocol

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

_BOUNDS_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LOOP_BOUNDS_S: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_LOOP_CHECK_S: Final = 0.1
_MAX_REQUEST_BYTES: Final = 8192


class MethodStats:
    """Counts of one method. Plain lists: one loop a process, so no locks, a tenth of the library's cost."""

    __slots__ = ("buckets", "codes", "in_flight", "method", "seconds", "service")

    def __init__(self, service: str, method: str) -> None:
        self.service = service
        self.method = method
        self.codes: dict[str, int] = {}
        self.buckets = [0] * (len(_BOUNDS_S) + 1)
        self.seconds = 0.0
        self.in_flight = 0

    def observe(self, code: str, seconds: float) -> None:
        """Count a finished call."""
        self.codes[code] = self.codes.get(code, 0) + 1
        self.buckets[bisect_left(_BOUNDS_S, seconds)] += 1
        self.seconds += seconds


class CallCollector(Collector):
    """The methods' counts in Prometheus' form, converted when scraped."""

    def __init__(self) -> None:
        self._methods: list[MethodStats] = []

    def add(self, service: str, method: str) -> MethodStats:
        """A method's counts, from now on part of every scrape."""
        stats = MethodStats(service, method)
        self._methods.append(stats)
        return stats

    def collect(self) -> Iterator[Metric]:
        """Calls by code, time taken, calls in flight."""
        labels = ["grpc_service", "grpc_method"]
        calls = CounterMetricFamily("bifrost_rpc_calls", "Finished calls.", labels=[*labels, "code"])
        times = HistogramMetricFamily("bifrost_rpc_seconds", "Time of finished calls.", labels=labels)
        flying = Metric("bifrost_rpc_in_flight", "Calls and streams under way.", "gauge")
        for stats in self._methods:
            names = [stats.service, stats.method]
            for code, count in stats.codes.items():
                calls.add_metric([*names, code], count)
            times.add_metric(names, _cumulative(stats.buckets), sum_value=stats.seconds)
            flying.add_sample(flying.name, dict(zip(labels, names, strict=True)), stats.in_flight)
        yield calls
        yield times
        yield flying


def _cumulative(buckets: list[int]) -> list[tuple[str, float]]:
    total = 0
    pairs: list[tuple[str, float]] = []
    for bound, count in zip([*map(str, _BOUNDS_S), "+Inf"], buckets, strict=True):
        total += count
        pairs.append((bound, total))
    return pairs


class Followed(Protocol):
    """What is shown of a follower of another service's log."""

    name: str
    halted: str | None
    has_halted: asyncio.Event
    caught_up: asyncio.Event


class ProcessMetrics:
    """All figures of one Service: its registry, and what the runtime itself counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.calls = CallCollector()
        self.registry.register(self.calls)
        self.task_failures = Counter(
            "bifrost_background_failures",
            "Failures of supervised background tasks.",
            ["task"],
            registry=self.registry,
        )
        self.tasks_up = Gauge(
            "bifrost_background_up",
            "1 while a background task runs, 0 while it waits to be restarted.",
            ["task"],
            registry=self.registry,
        )
        self._halted = Gauge(
            "bifrost_follower_halted",
            "1 once a follower of a log has stopped for good: events are missing or cannot be applied.",
            ["follower"],
            registry=self.registry,
        )
        self._caught_up = Gauge(
            "bifrost_follower_caught_up",
            "1 while a follower's stream is open and it has applied what was there when it was opened.",
            ["follower"],
            registry=self.registry,
        )
        self._loop_delay = Histogram(
            "bifrost_loop_delay_seconds",
            "How late the event loop ran a timer: what blocks it shows here.",
            buckets=_LOOP_BOUNDS_S,
            registry=self.registry,
        )

    def watch_follower(self, follower: Followed) -> None:
        """Show whether it has halted and whether it is caught up."""
        self._halted.labels(follower.name).set_function(lambda: float(follower.halted is not None))
        self._caught_up.labels(follower.name).set_function(lambda: float(follower.caught_up.is_set()))

    def text(self) -> bytes:
        """This service's figures and the process', in Prometheus' text form."""
        return generate_latest(self.registry) + generate_latest(REGISTRY)

    async def watch_loop(self) -> None:
        """Measure the loop's delay, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LOOP_CHECK_S
            await asyncio.sleep(_LOOP_CHECK_S)
            self._loop_delay.observe(max(loop.time() - due, 0.0))


class MetricsEndpoint:
    """GET /metrics on the service's own loop; everything else is 404."""

    def __init__(self, metrics: ProcessMetrics) -> None:
        self._metrics = metrics
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> int:
        """Listen; returns the bound port."""
        self._server = await asyncio.start_server(self._answer, host, port, limit=_MAX_REQUEST_BYTES)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            known = head.split(b" ", 2)[:2] == [b"GET", b"/metrics"]
            body = self._metrics.text() if known else b"only GET /metrics is here\n"
            status = b"200 OK" if known else b"404 Not Found"
            kind = CONTENT_TYPE_LATEST.encode() if known else b"text/plain"
            writer.write(b"HTTP/1.1 %s\r\nContent-Type: %s\r\n" % (status, kind))
            writer.write(b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))
            await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass  # a scraper that does not speak HTTP, or left: nothing to answer
        finally:
            writer.close()
