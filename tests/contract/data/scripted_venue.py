"""A venue whose market a test writes: a real gRPC server of VenueService.StreamMarket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import grpc

from bifrost.type.v1 import stream_pb2
from bifrost.venue.v1 import market_pb2, venue_service_pb2, venue_service_pb2_grpc
from services.runtime.embedded.ports import ReservedPorts
from services.runtime.testing import peer_server

Response = venue_service_pb2.StreamMarketResponse


class ScriptedVenue(venue_service_pb2_grpc.VenueServiceServicer):
    def __init__(self) -> None:
        self.snapshot = market_pb2.MarketUpdate()
        self.connections = 0
        self._streams: list[asyncio.Queue[Response | None]] = []
        self._connected = asyncio.Event()
        self._server: grpc.aio.Server | None = None
        self._reserved = ReservedPorts(1)  # kept while it is away
        self.port = self._reserved.numbers[0]

    async def StreamMarket(
        self,
        request: venue_service_pb2.StreamMarketRequest,
        context: grpc.aio.ServicerContext[venue_service_pb2.StreamMarketRequest, Response],
    ) -> AsyncIterator[Response]:
        stream: asyncio.Queue[Response | None] = asyncio.Queue()
        yield Response(snapshot=self.snapshot)
        self._streams.append(stream)
        self.connections += 1
        self._connected.set()
        try:
            while (response := await stream.get()) is not None:
                yield response
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the venue stops")
        finally:
            self._streams.remove(stream)

    async def start(self) -> None:
        self._server = peer_server()
        venue_service_pb2_grpc.add_VenueServiceServicer_to_server(self, self._server)
        self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()

    async def stop(self) -> None:
        self.cut()
        if self._server is not None:
            await self._server.stop(0)

    async def connected(self) -> None:
        """Wait until data follows the market."""
        async with asyncio.timeout(60):
            while not self._streams:
                self._connected.clear()
                await self._connected.wait()

    def send(
        self, *, quotes: Sequence[market_pb2.VenueQuote] = (), trades: Sequence[market_pb2.VenueTrade] = ()
    ) -> None:
        """Say this to all who follow."""
        self._say(Response(update=market_pb2.MarketUpdate(quotes=quotes, trades=trades)))

    def heartbeat(self) -> None:
        self._say(Response(heartbeat=stream_pb2.Heartbeat()))

    def cut(self) -> None:
        """End all streams."""
        self._say(None)

    def _say(self, response: Response | None) -> None:
        for stream in self._streams:
            stream.put_nowait(response)


def quote(
    instrument_id: str, bid: float, *, is_open: bool = True, event_time_ns: int = 1
) -> market_pb2.VenueQuote:
    return market_pb2.VenueQuote(
        instrument_id=instrument_id,
        bid=bid,
        bid_size=100,
        ask=bid + 0.01,
        ask_size=200,
        last=bid,
        event_time_ns=event_time_ns,
        open=is_open,
    )


async def beating(venue: ScriptedVenue) -> None:
    """The venue is heard all the time, so that what it said stays fresh."""
    while True:
        venue.heartbeat()
        await asyncio.sleep(0.05)
