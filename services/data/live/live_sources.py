"""Following several live sources, of which one serves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import grpc
import structlog

from bifrost.venue.v1.venue_service_pb2 import StreamMarketResponse
from services.data.clients import MarketSource
from services.data.domain.source_choice import SourceChange, SourceChoice
from services.data.live.market_source import follow_market
from services.runtime.clock import NANOS, Clock
from services.runtime.errors import error_from_rpc
from services.runtime.stream_client import Backoff

_log = structlog.get_logger(__name__)
# Silence is looked for this many times in the limit: so late may it be noticed.
_CHECKS_PER_LIMIT = 20

Take: TypeAlias = Callable[[str, StreamMarketResponse], Awaitable[None]]
"""Gets what the serving source says, beginning with a snapshot; and its name."""


class LiveSources:
    """Sources in the order of preference.

    A source being away is no error: it is called again, at least every two seconds. Those after the serving
    one are not followed until it is lost and cost nothing; those before it are, to see when they are well.
    """

    def __init__(
        self,
        sources: Mapping[str, MarketSource],
        *,
        clock: Clock,
        silence_s: float,
        recovery_s: float,
        take: Take,
    ) -> None:
        """``sources`` by name; ``silence_s`` and ``recovery_s`` as of `SourceChoice`."""
        self._sources = sources
        self._clock = clock
        self._check_s = silence_s / _CHECKS_PER_LIMIT
        self._take = take
        self._choice = SourceChoice(
            tuple(sources),
            silence_ns=round(silence_s * NANOS),
            recovery_ns=round(recovery_s * NANOS),
            now_ns=clock.monotonic_ns(),
        )
        self.change: SourceChange | None = None
        """The last change."""
        self._following: dict[str, asyncio.Task[None]] = {}
        self._turned = asyncio.Event()

    async def follow(self) -> None:
        """Follow them for ever."""
        try:
            while True:
                self._choose()
                self._follow_wanted()
                self._turned.clear()
                try:
                    async with asyncio.timeout(self._check_s):
                        await self._turned.wait()
                except TimeoutError:
                    continue
        finally:
            tasks = list(self._following.values())
            self._following.clear()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _choose(self) -> None:
        change = self._choice.choose(self._clock.monotonic_ns())
        if change is None:
            return
        self.change = change
        _log.warning(
            "live_source_changed", source=change.source, previous=change.previous, reason=change.reason.name
        )
        # Opened anew, it begins with a snapshot.
        running = self._following.pop(change.source, None)
        if running is not None:
            running.cancel()

    def _follow_wanted(self) -> None:
        wanted = self._choice.wanted(self._clock.monotonic_ns())
        for name, task in list(self._following.items()):
            if task.done():
                task.result()  # it ends by an error of ours alone
            if name not in wanted:
                self._following.pop(name).cancel()
        for name in wanted - self._following.keys():
            self._following[name] = asyncio.create_task(self._follow_one(name), name=f"live source {name}")

    async def _follow_one(self, name: str) -> None:
        backoff, ended_by = Backoff(longest_s=2.0), ""
        while True:
            try:
                async for message in follow_market(self._sources[name], clock=self._clock):
                    backoff.reset()
                    ended_by = ""
                    self._choice.heard(name, self._clock.monotonic_ns())
                    if name == self._choice.serving:
                        await self._take(name, message)
                    else:
                        self._turned.set()
            except grpc.aio.AioRpcError as error:
                failure = error_from_rpc(error)
                if failure.message != ended_by:  # a source that stays away is told of once
                    ended_by = failure.message
                    _log.info(
                        "live_source_ended", source=name, code=failure.code.name, message=failure.message
                    )
            self._choice.failed(name)
            self._turned.set()
            await backoff.pause()
