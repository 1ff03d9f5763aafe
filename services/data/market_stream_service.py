"""MarketStreamService: live quotes, trades, bars, market status and indicators."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from bifrost.data.v1 import market_stream_service_pb2 as pb
from bifrost.data.v1 import market_stream_service_pb2_grpc as pb_grpc
from services.data.convert_market import quote_message
from services.data.domain.adjustment import Adjustment
from services.data.domain.bars import BarInterval
from services.data.indicators.indicator_requests import requested_selections
from services.data.instruments.directory import InstrumentDirectory
from services.data.live.live_indicators import LiveIndicators, LiveQuestion
from services.data.live.live_statuses import LiveStatuses
from services.data.live.market_feed import MarketFeed
from services.data.live.subscriptions import Subscriptions, change
from services.runtime.clock import Clock
from services.runtime.errors import unavailable
from services.runtime.fanout import Fanout, Subscription
from services.runtime.wire import field_bytes, field_number

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from grpc.aio import ServicerContext


class MarketStreamService(pb_grpc.MarketStreamServiceServicer):
    """The servicer."""

    def __init__(
        self,
        directory: InstrumentDirectory,
        feed: MarketFeed,
        statuses: LiveStatuses,
        indicators: LiveIndicators,
        *,
        clock: Clock,
        draining: asyncio.Event,
        heartbeat_s: float,
    ) -> None:
        self._directory = directory
        self._feed = feed
        self._statuses = statuses
        self._indicators = indicators
        self._subscriptions = Subscriptions(clock=clock)
        self._clock = clock
        self._draining = draining
        self._heartbeat_s = heartbeat_s

    async def GetQuote(
        self, request: pb.GetQuoteRequest, _context: ServicerContext[pb.GetQuoteRequest, pb.GetQuoteResponse]
    ) -> pb.GetQuoteResponse:
        """The present quote, stale or not."""
        instrument = await self._directory.resolve(request.instrument)
        quote = self._feed.quote(instrument.instrument_id)
        if quote is None:
            message = f"there was no quote of {instrument.symbol} yet: the live feed has not begun"
            raise unavailable("FEED_UNAVAILABLE", message, symbol=instrument.symbol)
        return pb.GetQuoteResponse(quote=quote_message(quote, self._clock.now_ns()))

    async def StreamQuotes(
        self,
        request: pb.StreamQuotesRequest,
        _context: ServicerContext[pb.StreamQuotesRequest, pb.StreamQuotesResponse],
    ) -> AsyncIterator[bytes]:
        """The present quotes, then every change."""
        wanted = await self._directory.resolve_filter(request.instrument_ids, request.symbols)
        async for message in self._subscribe(self._feed.quotes, wanted, pb.StreamQuotesResponse):
            yield message

    async def StreamTrades(
        self,
        request: pb.StreamTradesRequest,
        _context: ServicerContext[pb.StreamTradesRequest, pb.StreamTradesResponse],
    ) -> AsyncIterator[bytes]:
        """Every trade from now on."""
        wanted = await self._directory.resolve_filter(request.instrument_ids, request.symbols)
        async for message in self._subscribe(self._feed.trades, wanted, pb.StreamTradesResponse):
            yield message

    async def StreamBars(
        self,
        request: pb.StreamBarsRequest,
        _context: ServicerContext[pb.StreamBarsRequest, pb.StreamBarsResponse],
    ) -> AsyncIterator[bytes]:
        """Bars in progress and closed bars."""
        wanted = await self._directory.resolve_filter(request.instrument_ids, request.symbols)
        fanout = self._feed.bars[BarInterval(request.interval)]
        async for message in self._subscribe(fanout, wanted, pb.StreamBarsResponse):
            yield message

    async def UpdateSubscription(
        self,
        request: pb.UpdateSubscriptionRequest,
        _context: ServicerContext[pb.UpdateSubscriptionRequest, pb.UpdateSubscriptionResponse],
    ) -> pb.UpdateSubscriptionResponse:
        """Other instruments on a running stream."""
        self._subscriptions.find(request.subscription_id)
        add = await self._named(request.add_instrument_ids, request.add_symbols)
        drop = await self._named(request.drop_instrument_ids, request.drop_symbols)
        subscription = self._subscriptions.find(request.subscription_id)  # it may have ended meanwhile
        return pb.UpdateSubscriptionResponse(instrument_ids=sorted(change(subscription, add, drop)))

    async def StreamMarketStatus(
        self,
        request: pb.StreamMarketStatusRequest,
        _context: ServicerContext[pb.StreamMarketStatusRequest, pb.StreamMarketStatusResponse],
    ) -> AsyncIterator[bytes]:
        """What markets do, then every change."""
        for mic in request.mics:
            await self._statuses.ask(mic)
        await self._statuses.look()
        async for message in self._statuses.fanout.subscribe(
            request.mics or None, draining=self._draining, heartbeat_s=self._heartbeat_s
        ):
            yield message

    async def StreamLiveIndicators(
        self,
        request: pb.StreamLiveIndicatorsRequest,
        _context: ServicerContext[pb.StreamLiveIndicatorsRequest, pb.StreamLiveIndicatorsResponse],
    ) -> AsyncIterator[pb.StreamLiveIndicatorsResponse]:
        """Indicators at each live bar."""
        interval = BarInterval(request.interval)
        named = await self._named(request.instrument_ids, request.symbols)
        question = LiveQuestion(
            instruments=[await self._directory.by_id(one) for one in named],
            interval=interval,
            adjustment=Adjustment(request.adjustment or Adjustment.RAW),
            selections=await requested_selections(request.indicators, interval),
        )
        async for message in self._indicators.stream(question):
            yield message

    async def _subscribe(
        self, fanout: Fanout[str], wanted: frozenset[str] | None, response_type: type[Message]
    ) -> AsyncIterator[bytes]:
        """The stream of a subscription that the caller may change; its first message says its id."""
        subscription_id = self._subscriptions.new_id()
        tag = field_bytes(field_number(response_type, "subscription_id"), subscription_id.encode())
        subscription = Subscription(
            fanout, wanted, draining=self._draining, heartbeat_s=self._heartbeat_s, tag=tag
        )
        with self._subscriptions.running(subscription_id, subscription):
            async for message in subscription.messages():
                yield message

    async def _named(self, instrument_ids: Sequence[str], symbols: Sequence[str]) -> frozenset[str]:
        """Those named, none when none is."""
        return await self._directory.resolve_filter(instrument_ids, symbols) or frozenset()
