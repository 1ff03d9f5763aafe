"""MarketStreamService: live quotes, trades and bars."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from bifrost.data.v1 import market_stream_service_pb2 as pb
from bifrost.data.v1 import market_stream_service_pb2_grpc as pb_grpc
from services.data.convert_market import age_ms, quote_message
from services.data.domain.bars import BarInterval
from services.data.instruments import InstrumentDirectory
from services.data.market_feed import MarketFeed
from services.runtime.clock import Clock
from services.runtime.errors import unavailable

if TYPE_CHECKING:
    from grpc.aio import ServicerContext


class MarketStreamService(pb_grpc.MarketStreamServiceServicer):
    """The servicer."""

    def __init__(
        self,
        directory: InstrumentDirectory,
        feed: MarketFeed,
        *,
        clock: Clock,
        draining: asyncio.Event,
        heartbeat_s: float,
    ) -> None:
        self._directory = directory
        self._feed = feed
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
    ) -> AsyncIterator[pb.StreamQuotesResponse | bytes]:
        """The present quotes, then every change."""
        wanted = await self._directory.resolve_filter(request.instrument_ids, request.symbols)
        messages = self._feed.quotes.subscribe(wanted, draining=self._draining, heartbeat_s=self._heartbeat_s)
        yield self._aged(await anext(messages))
        async for message in messages:
            yield message

    async def StreamTrades(
        self,
        request: pb.StreamTradesRequest,
        _context: ServicerContext[pb.StreamTradesRequest, pb.StreamTradesResponse],
    ) -> AsyncIterator[pb.StreamTradesResponse | bytes]:
        """Every trade from now on."""
        wanted = await self._directory.resolve_filter(request.instrument_ids, request.symbols)
        async for message in self._feed.trades.subscribe(
            wanted, draining=self._draining, heartbeat_s=self._heartbeat_s
        ):
            yield message

    async def StreamBars(
        self,
        request: pb.StreamBarsRequest,
        _context: ServicerContext[pb.StreamBarsRequest, pb.StreamBarsResponse],
    ) -> AsyncIterator[pb.StreamBarsResponse | bytes]:
        """Bars in progress and closed bars."""
        wanted = await self._directory.resolve_filter(request.instrument_ids, request.symbols)
        fanout = self._feed.bars[BarInterval(request.interval)]
        async for message in fanout.subscribe(wanted, draining=self._draining, heartbeat_s=self._heartbeat_s):
            yield message

    def _aged(self, serialised: bytes) -> pb.StreamQuotesResponse:
        """The snapshot with ages as of now: its quotes were serialised when they came."""
        response = pb.StreamQuotesResponse.FromString(serialised)
        now_ns = self._clock.now_ns()
        for quote in response.snapshot.quotes:
            quote.age_ms = age_ms(quote.receive_time_ns, now_ns)
        return response
