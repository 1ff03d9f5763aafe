"""The other services data calls."""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Protocol

from bifrost.venue.v1 import venue_service_pb2, venue_service_pb2_grpc
from services.runtime.channel import Mesh


class MarketSource(Protocol):
    """Where live quotes and trades come from."""

    def stream_market(self) -> AsyncIterable[venue_service_pb2.StreamMarketResponse]:
        """A snapshot of the quotes, then what happens, until the source ends it (AioRpcError)."""
        ...


class VenueClient:
    """The simulated exchange."""

    def __init__(self, mesh: Mesh) -> None:
        self._stub = venue_service_pb2_grpc.VenueServiceStub(mesh.stream_channel("venue"))

    def stream_market(self) -> AsyncIterable[venue_service_pb2.StreamMarketResponse]:
        """A snapshot of the quotes, then what happens, until the source ends it (AioRpcError)."""
        return self._stub.StreamMarket(venue_service_pb2.StreamMarketRequest())
