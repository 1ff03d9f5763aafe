"""The other services data calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from bifrost.venue.v1 import venue_service_pb2_grpc
from bifrost.venue.v1.venue_service_pb2 import StreamMarketRequest, StreamMarketResponse
from services.runtime.channel import Mesh

if TYPE_CHECKING:
    import grpc

MarketCall: TypeAlias = "grpc.aio.UnaryStreamCall[StreamMarketRequest, StreamMarketResponse]"


class MarketSource(Protocol):
    """Where live quotes and trades come from."""

    def stream_market(self) -> MarketCall:
        """A snapshot of the quotes, then what happens, until the source ends it (AioRpcError)."""
        ...


class VenueClient:
    """The simulated exchange."""

    def __init__(self, mesh: Mesh) -> None:
        self._stub = venue_service_pb2_grpc.VenueServiceStub(mesh.stream_channel("venue"))

    def stream_market(self) -> MarketCall:
        """A snapshot of the quotes, then what happens, until the source ends it (AioRpcError)."""
        return self._stub.StreamMarket(StreamMarketRequest())
