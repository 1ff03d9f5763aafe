"""The live market: keeps quotes and bars of the serving source, and hands all on to the streams."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final, Protocol, TypeAlias

from bifrost.data.v1 import market_stream_service_pb2 as pb
from bifrost.venue.v1.venue_service_pb2 import StreamMarketResponse
from services.data.clients import MarketSource
from services.data.convert_market import (
    age_ms,
    bar_message,
    quote_message,
    quote_of_venue,
    source_change_message,
    trade_message,
    trade_of_venue,
)
from services.data.domain.bars import BarInterval
from services.data.domain.live_bars import LIVE_INTERVALS, BarBuilder, LiveBar, Stretch, Trade
from services.data.domain.quotes import Quote, QuoteBoard
from services.data.domain.source_choice import SourceChange, SourceChangeReason
from services.data.live.live_sources import LiveSources
from services.runtime.clock import NANOS, Clock
from services.runtime.fanout import Fanout, Item

# Staleness is looked for this many times in the limit: so late may it be told of.
_CHECKS_PER_LIMIT: Final = 20
_Slot: TypeAlias = tuple[object, ...]


class Stretches(Protocol):
    """Where the bars of an instrument begin."""

    def knows(self, instrument_ids: Iterable[str]) -> bool:
        """Whether all of them were read."""
        ...

    async def read(self, instrument_ids: Iterable[str]) -> None:
        """Read what is needed of them."""
        ...

    def stretch(self, instrument_id: str, at_ns: int) -> Stretch:
        """The part of its market's day at a market time."""
        ...


class MarketFeed:
    """The market data of the sources and its readers. While no source is well, quotes go stale."""

    def __init__(
        self,
        sources: Mapping[str, MarketSource],
        stretches: Stretches,
        *,
        clock: Clock,
        stale_after_s: float,
        silence_s: float = 10.0,
        recovery_s: float = 30.0,
    ) -> None:
        self._clock = clock
        self._stale_after_s = stale_after_s
        self._stretches = stretches
        self._sources = LiveSources(
            sources, clock=clock, silence_s=silence_s, recovery_s=recovery_s, take=self._take
        )
        self._source = next(iter(sources))
        self.board = QuoteBoard(stale_after_ns=round(stale_after_s * NANOS))
        self._builders: dict[str, BarBuilder] = {}
        self._printed_ns: dict[str, int] = {}
        self.follow = self._sources.follow
        self.quotes = Fanout[str](
            pb.StreamQuotesResponse,
            snapshot_field="snapshot",
            update_field="update",
            items_field="quotes",
            clock=clock,
            present=self._present_quotes,
        )
        self.trades = Fanout[str](
            pb.StreamTradesResponse, update_field="trades", items_field="trades", clock=clock
        )
        self.bars = {
            interval: Fanout[str](
                pb.StreamBarsResponse,
                snapshot_field="snapshot",
                update_field="bars",
                items_field="bars",
                clock=clock,
                present=partial(self._present_bars, interval),
            )
            for interval in LIVE_INTERVALS
        }

    def quote(self, instrument_id: str) -> Quote | None:
        """The present quote; None when there never was one."""
        return self.board.get(instrument_id, self._clock.now_ns())

    async def watch_staleness(self) -> None:
        """Tell readers of what goes stale, or is confirmed after all, for ever."""
        while True:
            await asyncio.sleep(self._stale_after_s / _CHECKS_PER_LIMIT)
            now_ns = self._clock.now_ns()
            for quote in self.board.turned(now_ns):
                self._publish_quote(quote, now_ns)
                for interval in self._wanted_intervals():
                    self._publish_bars(self._progress_of(quote.instrument_id, interval), quote.is_stale)

    async def _take(self, source: str, message: StreamMarketResponse) -> None:
        """What the serving source said; an empty update is a sign of life."""
        update = message.snapshot if message.HasField("snapshot") else message.update
        traded = {trade.instrument_id for trade in update.trades}
        if not self._stretches.knows(traded):
            await self._stretches.read(traded)
        now_ns = self._clock.now_ns()
        self.board.heard(now_ns)
        quotes = [quote_of_venue(quote, now_ns, source) for quote in update.quotes]
        if message.HasField("snapshot"):
            self.board.close_others({quote.instrument_id for quote in quotes})
        for quote in quotes:
            self.board.update(quote)
        if source != self._source:
            self._change_to(source)
        else:
            for quote in quotes:
                self._publish_quote(quote, now_ns)
        self._take_trades(map(trade_of_venue, update.trades), now_ns)
        self._close_elapsed(quotes)

    def _change_to(self, source: str) -> None:
        """What the source before began does not go on; all readers are shown what the next one has."""
        last = self._sources.change
        reason = SourceChangeReason.LOST if last is None else last.reason
        change = source_change_message(SourceChange(source, self._source, reason)).SerializeToString()
        self._source = source
        for builder in self._builders.values():
            builder.restart()
        for fanout in (self.quotes, self.trades, *self.bars.values()):
            fanout.announce("source_change", change)

    def _take_trades(self, trades: Iterable[Trade], now_ns: int) -> None:
        wanted = self._wanted_intervals()
        changed: dict[_Slot, LiveBar] = {}
        times: dict[_Slot, int] = {}
        for trade in trades:
            builder = self._builder(trade.instrument_id)
            if builder.has_seen(trade):
                continue
            self._printed_ns[trade.instrument_id] = now_ns
            if self.trades.readers:
                self.trades.publish(
                    trade.instrument_id,
                    trade_message(trade).SerializeToString(),
                    event_time_ns=trade.event_time_ns,
                )
            for bar in builder.add(trade, wanted):
                slot = _slot(bar)
                changed.pop(slot, None)  # a bar that comes again goes to the end: closed before begun
                changed[slot], times[slot] = bar, trade.event_time_ns
        for slot, bar in changed.items():
            self._publish_bar(bar, times[slot])

    def _close_elapsed(self, quotes: Sequence[Quote]) -> None:
        """A quote tells of an open market how late it is there: bars that are over close without a trade."""
        wanted = self._wanted_intervals()
        for quote in quotes:
            builder = self._builders.get(quote.instrument_id) if quote.is_open else None
            if builder is not None:
                for bar in builder.reach(quote.event_time_ns, wanted):
                    self._publish_bar(bar, quote.event_time_ns)

    def _builder(self, instrument_id: str) -> BarBuilder:
        builder = self._builders.get(instrument_id)
        if builder is None:
            stretch_of = partial(self._stretches.stretch, instrument_id)
            builder = self._builders[instrument_id] = BarBuilder(instrument_id, stretch_of)
        return builder

    def _wanted_intervals(self) -> frozenset[BarInterval]:
        return frozenset(interval for interval, fanout in self.bars.items() if fanout.readers)

    def _publish_quote(self, quote: Quote, now_ns: int) -> None:
        message = quote_message(quote, now_ns).SerializeToString()
        self.quotes.publish(quote.instrument_id, message, event_time_ns=quote.event_time_ns)

    def _publish_bar(self, bar: LiveBar, event_time_ns: int) -> None:
        message = bar_message(bar).SerializeToString()
        self.bars[bar.interval].publish(
            bar.instrument_id, message, event_time_ns=event_time_ns, slot=_slot(bar)
        )

    def _publish_bars(self, bars: Iterable[LiveBar], is_stale: bool) -> None:
        for bar in bars:
            item = self._bar_item(bar, is_stale=is_stale)
            self.bars[bar.interval].publish(
                item.topic, item.message, event_time_ns=item.event_time_ns, slot=item.slot
            )

    def _progress_of(self, instrument_id: str, interval: BarInterval) -> Iterator[LiveBar]:
        builder = self._builders.get(instrument_id)
        bar = None if builder is None else builder.forming(interval)
        if bar is not None:
            yield bar

    def _bar_item(self, bar: LiveBar, *, is_stale: bool) -> Item[str]:
        now_ns = self._clock.now_ns()
        age = age_ms(self._printed_ns.get(bar.instrument_id, now_ns), now_ns)
        message = bar_message(bar, is_stale=is_stale, age_ms=age).SerializeToString()
        return Item(bar.instrument_id, message, bar.open_time_ns, _slot(bar))

    def _present_quotes(self, topics: frozenset[str] | None) -> Iterator[Item[str]]:
        now_ns = self._clock.now_ns()
        for instrument_id in self.board.instrument_ids if topics is None else topics:
            quote = self.board.get(instrument_id, now_ns)
            if quote is not None:
                message = quote_message(quote, now_ns).SerializeToString()
                yield Item(instrument_id, message, quote.event_time_ns)

    def _present_bars(self, interval: BarInterval, topics: frozenset[str] | None) -> Iterator[Item[str]]:
        for instrument_id in self._builders if topics is None else topics:
            quote = self.quote(instrument_id)
            for bar in self._progress_of(instrument_id, interval):
                yield self._bar_item(bar, is_stale=quote is not None and quote.is_stale)


def _slot(bar: LiveBar) -> _Slot:
    """What a newer bar replaces: a bar in progress that of its instrument, a closed bar none."""
    if bar.is_closed:
        return bar.instrument_id, bar.interval, bar.open_time_ns
    return bar.instrument_id, bar.interval
