"""The venue's market data and its readers: every trade, and the newest quote of each instrument.

What is published is serialised once for all readers that keep up. For one that does not, quotes are folded
into the newest of each instrument and trades are kept; one that falls too many trades behind is ended.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from bifrost.type.v1.stream_pb2 import Heartbeat, StreamHeader
from bifrost.venue.v1.market_pb2 import MarketUpdate, VenueQuote, VenueTrade
from bifrost.venue.v1.venue_service_pb2 import StreamMarketResponse
from services.runtime.clock import Clock, to_timestamp
from services.runtime.errors import resource_exhausted, unavailable

MOST_TRADES_BEHIND = 100_000
_MOST_QUEUED = 64


@dataclass(slots=True)
class _Publication:
    quotes: Sequence[VenueQuote]
    trades: Sequence[VenueTrade]
    message: bytes


class _Reader:
    """What waits for one reader."""

    def __init__(self) -> None:
        self.queued: deque[_Publication] = deque()
        self.quotes: dict[str, VenueQuote] = {}
        self.trades: list[VenueTrade] = []
        self.conflated = 0
        self.too_far_behind = False
        self.arrived = asyncio.Event()

    def offer(self, publication: _Publication) -> None:
        """Add a publication; never waits."""
        if not self.quotes and not self.trades and len(self.queued) < _MOST_QUEUED:
            self.queued.append(publication)
        else:
            while self.queued:
                self._fold(self.queued.popleft())
            self._fold(publication)
            self.too_far_behind = len(self.trades) > MOST_TRADES_BEHIND
        self.arrived.set()

    def _fold(self, publication: _Publication) -> None:
        for quote in publication.quotes:
            if self.quotes.pop(quote.instrument_id, None) is not None:
                self.conflated += 1
            self.quotes[quote.instrument_id] = quote
        self.trades.extend(publication.trades)

    def take_folded(self) -> tuple[MarketUpdate, int] | None:
        """All trades that wait, the newest quotes, and the count of those folded away; or None."""
        if not self.quotes and not self.trades:
            return None
        update, conflated = MarketUpdate(quotes=self.quotes.values(), trades=self.trades), self.conflated
        self.quotes, self.trades, self.conflated = {}, [], 0
        return update, conflated


class MarketStream:
    """One stream of market data, its present quotes and its readers."""

    def __init__(self, *, clock: Clock) -> None:
        self.epoch = secrets.token_hex(8)
        self.sequence = 0
        self._clock = clock
        self._event_time_ns = 0
        self._quotes: dict[str, VenueQuote] = {}
        self._readers: set[_Reader] = set()

    def publish(
        self, quotes: Sequence[VenueQuote], trades: Sequence[VenueTrade], *, event_time_ns: int
    ) -> None:
        """Tell all readers; never waits. `quotes` holds an instrument once at most."""
        if not quotes and not trades:
            return
        self.sequence += 1
        self._event_time_ns = event_time_ns
        self._quotes.update((quote.instrument_id, quote) for quote in quotes)
        if self._readers:
            update = MarketUpdate(quotes=quotes, trades=trades)
            response = StreamMarketResponse(header=self._header(), update=update)
            publication = _Publication(quotes, trades, response.SerializeToString())
            for reader in self._readers:
                reader.offer(publication)

    async def read(self, *, draining: asyncio.Event, heartbeat_s: float) -> AsyncIterator[bytes]:
        """Serialised responses for one reader: a snapshot of the quotes, then what happens.

        Raises:
            ApiError: UNAVAILABLE (DRAINING), RESOURCE_EXHAUSTED (READER_TOO_SLOW).
        """
        reader = _Reader()
        self._readers.add(reader)
        drained = asyncio.get_running_loop().create_task(draining.wait())
        drained.add_done_callback(lambda _task: reader.arrived.set())
        try:
            snapshot = MarketUpdate(quotes=self._quotes.values())
            yield StreamMarketResponse(header=self._header(), snapshot=snapshot).SerializeToString()
            while not draining.is_set():
                if reader.too_far_behind:
                    raise resource_exhausted(
                        "READER_TOO_SLOW",
                        f"more than {MOST_TRADES_BEHIND} trades wait for this reader; open the stream again",
                    )
                if reader.queued:
                    yield reader.queued.popleft().message
                elif (folded := reader.take_folded()) is not None:
                    header = self._header(conflated=folded[1])
                    yield StreamMarketResponse(header=header, update=folded[0]).SerializeToString()
                elif not await self._wait(reader, heartbeat_s):
                    response = StreamMarketResponse(header=self._header(), heartbeat=Heartbeat())
                    yield response.SerializeToString()
        finally:
            drained.cancel()
            self._readers.discard(reader)
        raise unavailable("DRAINING", "the service is stopping; open the stream again")

    async def _wait(self, reader: _Reader, heartbeat_s: float) -> bool:
        reader.arrived.clear()
        try:
            async with asyncio.timeout(heartbeat_s):
                await reader.arrived.wait()
        except TimeoutError:
            return False
        return True

    def _header(self, *, conflated: int = 0) -> StreamHeader:
        return StreamHeader(
            epoch=self.epoch,
            sequence=self.sequence,
            event_time=to_timestamp(self._event_time_ns),
            publish_time=to_timestamp(self._clock.now_ns()),
            conflated=conflated,
        )
