"""What portfolio asks of other services."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping

from google.protobuf.json_format import MessageToDict

from bifrost.data.v1.market_stream_service_pb2 import StreamQuotesRequest, StreamQuotesResponse
from bifrost.data.v1.market_stream_service_pb2_grpc import MarketStreamServiceStub
from bifrost.execution.v1.order_service_pb2 import StreamOrderLogRequest, StreamOrderLogResponse
from bifrost.execution.v1.order_service_pb2_grpc import OrderServiceStub
from bifrost.identity.v1.token_service_pb2 import GetJwksRequest
from bifrost.identity.v1.token_service_pb2_grpc import TokenServiceStub
from bifrost.type.v1.stream_pb2 import StreamPosition
from services.runtime.channel import Mesh


class Clients:
    """Streams and calls over the mesh."""

    def __init__(self, mesh: Mesh) -> None:
        self._mesh = mesh

    def open_order_log(self, resume_after: StreamPosition | None) -> AsyncIterable[StreamOrderLogResponse]:
        """execution's order log after a position; None is from the first event."""
        stub = OrderServiceStub(self._mesh.channel("execution"))
        return stub.StreamOrderLog(StreamOrderLogRequest(resume_after=resume_after))

    def open_quotes(self, resume_after: StreamPosition | None) -> AsyncIterable[StreamQuotesResponse]:
        """data's live quotes of all instruments."""
        stub = MarketStreamServiceStub(self._mesh.stream_channel("data"))
        return stub.StreamQuotes(StreamQuotesRequest(resume_after=resume_after))

    async def user_keys(self) -> Mapping[str, object]:
        """identity's public keys, as a JWKS document."""
        stub = TokenServiceStub(self._mesh.channel("identity"))
        return dict(MessageToDict(await stub.GetJwks(GetJwksRequest())))
