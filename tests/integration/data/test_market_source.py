"""The market is followed from stream to stream without a gap: over a socket, from the venue's own stream."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest

from bifrost.venue.v1 import market_pb2, venue_service_pb2, venue_service_pb2_grpc
from services.data.clients import MarketCall
from services.data.live.market_source import follow_market
from services.runtime.clock import SystemClock
from services.runtime.testing import connect, peer_server
from services.venue.market_stream import MarketStream

CLOCK = SystemClock()


class MarketServer(venue_service_pb2_grpc.VenueServiceServicer):
    def __init__(self) -> None:
        self.stream = MarketStream(clock=CLOCK)
        self.draining = asyncio.Event()
        self.opened = 0

    async def StreamMarket(
        self,
        request: venue_service_pb2.StreamMarketRequest,
        context: grpc.aio.ServicerContext[
            venue_service_pb2.StreamMarketRequest, venue_service_pb2.StreamMarketResponse
        ],
    ) -> AsyncIterator[venue_service_pb2.StreamMarketResponse]:
        self.opened += 1
        async for message in self.stream.read(draining=self.draining, heartbeat_s=0.05):
            yield venue_service_pb2.StreamMarketResponse.FromString(message)

    def trade(self, number: int) -> None:
        trade = market_pb2.VenueTrade(instrument_id="a", trade_number=number)
        self.stream.publish([], [trade], event_time_ns=number)


class Source:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = venue_service_pb2_grpc.VenueServiceStub(channel)

    def stream_market(self) -> MarketCall:
        return self._stub.StreamMarket(venue_service_pb2.StreamMarketRequest())


@pytest.fixture
async def market() -> AsyncIterator[tuple[MarketServer, Source]]:
    servicer = MarketServer()
    server = peer_server()
    venue_service_pb2_grpc.add_VenueServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with connect(f"127.0.0.1:{port}") as channel:
        yield servicer, Source(channel)
    await server.stop(0)


async def test_nothing_is_lost_between_streams(market: tuple[MarketServer, Source]) -> None:
    server, source = market
    numbers, snapshots = [], 0
    last = 0

    async def trade() -> None:
        # Until the market has been followed from stream to stream a few times, however fast the machine is.
        nonlocal last
        while last < 300 or server.opened <= 5:
            last += 1
            server.trade(last)
            if last % 3 == 0:
                await asyncio.sleep(0)

    messages = follow_market(source, clock=CLOCK, renew_after_s=0)
    assert (await anext(messages)).HasField("snapshot")
    trading = asyncio.create_task(trade())
    async with asyncio.timeout(60):
        async for message in messages:
            snapshots += message.HasField("snapshot")
            numbers += [trade.trade_number for trade in message.update.trades]
            if trading.done() and numbers and numbers[-1] == last:
                break
    await trading
    await messages.aclose()
    # What a slow stream gathered into one message may come twice; the numbers tell.
    assert list(dict.fromkeys(numbers)) == list(range(1, last + 1))
    assert server.opened > 5
    assert snapshots == 0


async def test_quiet_streams_are_replaced_too(market: tuple[MarketServer, Source]) -> None:
    server, source = market
    messages = follow_market(source, clock=CLOCK, renew_after_s=0)
    async with asyncio.timeout(60):
        while server.opened < 3:
            await anext(messages)
        server.trade(1)
        while not (message := await anext(messages)).update.trades:
            pass
    assert message.update.trades[0].trade_number == 1
    await messages.aclose()


async def test_the_end_of_the_source_is_raised(market: tuple[MarketServer, Source]) -> None:
    server, source = market
    messages = follow_market(source, clock=CLOCK)
    assert (await anext(messages)).HasField("snapshot")
    server.draining.set()
    with pytest.raises(grpc.aio.AioRpcError):
        async for _ in messages:
            pass
