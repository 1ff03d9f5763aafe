"""The market stream of the data service over a source of the benchmark's own that runs when told to."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from bifrost.data.v1.market_stream_service_pb2_grpc import add_MarketStreamServiceServicer_to_server
from bifrost.venue.v1.venue_service_pb2 import StreamMarketResponse
from services.data.config import DataSettings
from services.data.domain.live_bars import Stretch
from services.data.instruments.directory import InstrumentDirectory
from services.data.live.market_feed import MarketFeed
from services.data.market_stream_service import MarketStreamService
from services.runtime.clock import SystemClock
from services.runtime.fanout import Fanout
from services.runtime.fanout_reader import Reader
from services.runtime.server import Service
from services.runtime.telemetry import configure_logging
from services.runtime.testing_keys import MeshKeys
from tests.bench.children import Answer, answer, questions, serve_child
from tests.bench.peers.quotes import venue_update

if TYPE_CHECKING:
    from services.data.clients import MarketCall
    from services.data.instruments.instrument_store import InstrumentStore
    from services.data.live.live_indicators import LiveIndicators
    from services.data.live.live_statuses import LiveStatuses

_AHEAD = 8
"""Most batches that wait for a reader while it is driven as fast as readers take; half of its queue."""
_PAUSE_S = 0.001
_QUIET_S = 3600.0


class Source:
    """A venue that quotes all instruments again and again: so many batches as asked, or at a steady pace."""

    def __init__(self) -> None:
        self.fanout: Fanout[str] | None = None
        """Where the quotes go; its readers are watched."""
        self._left = 0
        self._pace_s: float | None = None
        self._asked = asyncio.Event()

    def send(self, batches: int) -> None:
        """Quote so many times, as fast as the readers take it."""
        self._left, self._pace_s = batches, None
        self._asked.set()

    def keep_pace(self, pace_s: float) -> None:
        """Quote once in `pace_s` seconds, for ever."""
        self._left, self._pace_s = 2**62, pace_s
        self._asked.set()

    def stream_market(self) -> MarketCall:
        """The data service follows this."""
        return cast("MarketCall", _Call(self._messages()))

    async def _messages(self) -> AsyncIterator[StreamMarketResponse]:
        yield StreamMarketResponse(snapshot=venue_update(0))
        number = 0
        while True:
            await self._asked.wait()
            due = time.monotonic()
            while self._left:
                number += 1
                self._left -= 1
                yield StreamMarketResponse(update=venue_update(number))
                if self._pace_s is None:
                    await self._room()
                else:
                    due += self._pace_s
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
            self._asked.clear()

    def conflated(self) -> int:
        """Readers that do not keep up."""
        return sum(bool(reader.newest) for reader in self._readers())

    async def _room(self) -> None:
        """Until the batch has gone to all readers' queues and none of them is long."""
        if self.fanout is None:
            return
        sequence = self.fanout.sequence
        # There is no event for readers' progress.
        while self.fanout.sequence == sequence or self._longest_queue() >= _AHEAD:  # noqa: ASYNC110
            await asyncio.sleep(_PAUSE_S)

    def _longest_queue(self) -> int:
        return max((len(reader.queued) for reader in self._readers()), default=0)

    def _readers(self) -> list[Reader[str]]:
        groups = [] if self.fanout is None else self.fanout._groups.values()
        return [reader for group in groups for reader in group]


class _Call:
    """Of a call the follower of a market asks no more than to be iterated and cancelled."""

    def __init__(self, messages: AsyncIterator[StreamMarketResponse]) -> None:
        self._messages = messages

    def __aiter__(self) -> AsyncIterator[StreamMarketResponse]:
        return self._messages

    def cancel(self) -> None:
        """It ends with the process."""


class _NoStretches:
    """The source trades nothing, so there are no bars that begin anywhere."""

    def knows(self, instrument_ids: Iterable[str]) -> bool:
        return True

    async def read(self, instrument_ids: Iterable[str]) -> None:
        pass

    def stretch(self, instrument_id: str, at_ns: int) -> Stretch:
        return Stretch(at_ns, at_ns, at_ns)


async def main() -> None:
    """Serve quotes; say port and token; then do what the parent asks."""
    with tempfile.TemporaryDirectory(prefix="bifrost-bench-") as folder:
        keys = MeshKeys(Path(folder))
        clock = SystemClock()
        service = Service(DataSettings.model_validate(keys.settings("data")), clock=clock)
        configure_logging("warning", "data")
        source = Source()
        feed = MarketFeed(
            {"venue": source}, _NoStretches(), clock=clock, stale_after_s=_QUIET_S, silence_s=_QUIET_S
        )
        source.fanout = feed.quotes
        # Readers ask for all instruments, for which the directory asks no store.
        directory = InstrumentDirectory(cast("InstrumentStore", None))
        streams = MarketStreamService(
            directory,
            feed,
            cast("LiveStatuses", None),
            cast("LiveIndicators", None),
            clock=clock,
            draining=service.draining,
            heartbeat_s=_QUIET_S,
        )
        service.add(add_MarketStreamServiceServicer_to_server, streams)
        service.background("market_feed", feed.follow)
        await service.start()
        try:
            answer(port=service.port, token=keys.user_token(scope="market:read"))
            async for question in questions():
                _do(question, source, feed)
        finally:
            await service.stop(0)


def _do(question: Answer, source: Source, feed: MarketFeed) -> None:
    match question:
        case {"send": batches}:
            source.send(batches)
        case {"pace_s": pace_s}:
            source.keep_pace(pace_s)
    answer(
        now_ns=time.monotonic_ns(),
        cpu_s=time.process_time(),
        readers=feed.quotes.readers,
        conflated=source.conflated(),
    )


if __name__ == "__main__":
    serve_child(main)
