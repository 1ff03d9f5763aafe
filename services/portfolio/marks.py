"""The prices positions are valued at: the last quote of each instrument, in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from bifrost.data.v1.market_stream_service_pb2 import StreamQuotesResponse
from bifrost.data.v1.quote_pb2 import Quote
from bifrost.type.v1.stream_pb2 import StreamPosition
from services.portfolio.domain.valuation import Mark, mark_price
from services.runtime.clock import NANOS, Clock
from services.runtime.stream_client import resuming


@dataclass(frozen=True, slots=True)
class _Heard:
    price: Decimal
    event_time_ns: int
    quoted_at_ns: int
    """Monotonic time at which data had the quote: ages are reckoned on one clock, not across machines."""
    was_stale: bool


class Marks:
    """Marks of all instruments that were ever quoted since this process began."""

    def __init__(self, *, clock: Clock, stale_s: float) -> None:
        self._clock = clock
        self._stale_ns = int(stale_s * NANOS)
        self._heard: dict[str, _Heard] = {}
        self.changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Ends when quotes arrive; take it before looking at marks, then wait for it. Never cancel it."""

    def get(self, instrument_id: str) -> Mark | None:
        """The mark of an instrument, None when there never was one."""
        heard = self._heard.get(instrument_id)
        if heard is None:
            return None
        age_ns = self._clock.monotonic_ns() - heard.quoted_at_ns
        return Mark(heard.price, heard.was_stale or age_ns > self._stale_ns, heard.event_time_ns)

    def take(self, quotes: Iterable[Quote]) -> None:
        """Use these quotes; one without any price leaves the mark as it was."""
        now_ns = self._clock.monotonic_ns()
        for quote in quotes:
            price = mark_price(quote.bid, quote.ask, quote.last)
            if price is not None:
                quoted_at_ns = now_ns - max(quote.age_ms, 0) * 1_000_000
                heard = _Heard(price, quote.event_time_ns, quoted_at_ns, quote.stale)
                self._heard[quote.instrument_id] = heard
        changed, self.changed = self.changed, asyncio.get_running_loop().create_future()
        changed.set_result(None)

    async def follow(
        self, open_quotes: Callable[[StreamPosition | None], AsyncIterable[StreamQuotesResponse]]
    ) -> None:
        """Take quotes for ever, over whatever ends of the stream; old marks stay and grow stale meanwhile."""
        async for response in resuming(open_quotes):
            match response.WhichOneof("event"):
                case "snapshot":
                    self.take(response.snapshot.quotes)
                case "update":
                    self.take(response.update.quotes)
                case _:
                    continue
