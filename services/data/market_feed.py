"""The live market: follows the source, keeps the present quotes, and hands everything on to the streams."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable

import grpc
import structlog

from bifrost.data.v1 import market_stream_service_pb2 as pb
from bifrost.venue.v1 import market_pb2
from services.data.clients import MarketSource
from services.data.convert_market import (
    bar_message,
    quote_message,
    quote_of_venue,
    trade_message,
    trade_of_venue,
)
from services.data.domain.bars import BarInterval
from services.data.domain.live_bars import BarBuilder, LiveBar, Trade
from services.data.domain.quotes import Quote, QuoteBoard
from services.data.market_source import follow_market
from services.runtime.clock import NANOS, Clock
from services.runtime.errors import error_from_rpc
from services.runtime.fanout import Fanout
from services.runtime.stream_client import Backoff

_log = structlog.get_logger(__name__)
# Staleness is looked for this many times in the limit: so late may it be told of.
_CHECKS_PER_LIMIT = 20


class MarketFeed:
    """One source's market data and its readers.

    The source being away is no error: quotes go stale, and it is called again, at least every two seconds.
    """

    def __init__(self, source: MarketSource, *, clock: Clock, stale_after_s: float) -> None:
        self._source = source
        self._clock = clock
        self._stale_after_s = stale_after_s
        self._board = QuoteBoard(stale_after_ns=round(stale_after_s * NANOS))
        self._builders: defaultdict[str, BarBuilder] = defaultdict(BarBuilder)
        self.quotes = Fanout[str](
            pb.StreamQuotesResponse,
            snapshot_field="snapshot",
            update_field="update",
            items_field="quotes",
            clock=clock,
        )
        self.trades = Fanout[str](
            pb.StreamTradesResponse, update_field="trades", items_field="trades", clock=clock
        )
        self.bars = {
            interval: Fanout[str](pb.StreamBarsResponse, update_field="bars", items_field="bars", clock=clock)
            for interval in BarInterval
        }

    def quote(self, instrument_id: str) -> Quote | None:
        """The present quote; None when there never was one."""
        return self._board.get(instrument_id, self._clock.now_ns())

    async def follow(self) -> None:
        """Follow the source for ever."""
        backoff, ended_by = Backoff(longest_s=2.0), ""
        while True:
            try:
                async for message in follow_market(self._source, clock=self._clock):
                    backoff.reset()
                    ended_by = ""
                    if message.HasField("snapshot"):
                        self._begin(message.snapshot)
                    else:
                        self._take(message.update)
            except grpc.aio.AioRpcError as error:
                failure = error_from_rpc(error)
                if failure.message != ended_by:  # a source that stays away is told of once
                    ended_by = failure.message
                    _log.info("market_feed_ended", code=failure.code.name, message=failure.message)
            await backoff.pause()

    async def watch_staleness(self) -> None:
        """Tell readers of quotes that go stale, or are confirmed after all, for ever."""
        while True:
            await asyncio.sleep(self._stale_after_s / _CHECKS_PER_LIMIT)
            now_ns = self._clock.now_ns()
            for quote in self._board.turned(now_ns):
                self._publish_quote(quote, now_ns)

    def _begin(self, snapshot: market_pb2.MarketUpdate) -> None:
        self._board.close_others({quote.instrument_id for quote in snapshot.quotes})
        self._take(snapshot)

    def _take(self, update: market_pb2.MarketUpdate) -> None:
        """What the source said; an empty update is a sign of life."""
        now_ns = self._clock.now_ns()
        self._board.heard(now_ns)
        for venue_quote in update.quotes:
            quote = quote_of_venue(venue_quote, now_ns)
            self._board.update(quote)
            self._publish_quote(quote, now_ns)
        self._take_trades(map(trade_of_venue, update.trades))

    def _take_trades(self, trades: Iterable[Trade]) -> None:
        changed: dict[tuple[object, ...], tuple[LiveBar, int]] = {}
        for trade in trades:
            builder = self._builders[trade.instrument_id]
            if builder.has_seen(trade):
                continue
            if self.trades.readers:
                self.trades.publish(
                    trade.instrument_id,
                    trade_message(trade).SerializeToString(),
                    event_time_ns=trade.event_time_ns,
                )
            for bar in builder.add(trade):
                slot = _slot(bar)
                changed.pop(slot, None)  # a bar that comes again goes to the end: closed before begun
                changed[slot] = bar, trade.event_time_ns
        for slot, (bar, event_time_ns) in changed.items():
            self._publish_bar(slot, bar, event_time_ns)

    def _publish_quote(self, quote: Quote, now_ns: int) -> None:
        message = quote_message(quote, now_ns).SerializeToString()
        self.quotes.publish(quote.instrument_id, message, event_time_ns=quote.event_time_ns)

    def _publish_bar(self, slot: tuple[object, ...], bar: LiveBar, event_time_ns: int) -> None:
        fanout = self.bars[bar.interval]
        if fanout.readers:
            message = bar_message(bar).SerializeToString()
            fanout.publish(bar.instrument_id, message, event_time_ns=event_time_ns, slot=slot)


def _slot(bar: LiveBar) -> tuple[object, ...]:
    """What a newer bar replaces: a bar in progress that of its instrument, a closed bar none."""
    if bar.is_closed:
        return bar.instrument_id, bar.interval, bar.open_time_ns
    return bar.instrument_id, bar.interval
