"""The other services data calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, TypeAlias

from google.protobuf.json_format import MessageToDict

from bifrost.identity.v1.token_service_pb2 import GetJwksRequest
from bifrost.identity.v1.token_service_pb2_grpc import TokenServiceStub
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
    """The simulated exchange, or what else serves its contract under this name of the address book."""

    def __init__(self, mesh: Mesh, name: str = "venue") -> None:
        self._stub = venue_service_pb2_grpc.VenueServiceStub(mesh.stream_channel(name))

    def stream_market(self) -> MarketCall:
        """A snapshot of the quotes, then what happens, until the source ends it (AioRpcError)."""
        return self._stub.StreamMarket(StreamMarketRequest())


class IdentityClient:
    """Users' keys, when no file holds them."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh

    async def user_keys(self) -> Mapping[str, object]:
        """identity's public keys, as a JWKS document."""
        stub = TokenServiceStub(self._mesh.channel("identity"))
        return dict(MessageToDict(await stub.GetJwks(GetJwksRequest())))
