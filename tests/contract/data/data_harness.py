"""A running data service over a database of its own, and a user who may read and load."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import Awaitable, Sequence

import grpc

from bifrost.data.v1 import ingestion_pb2, ingestion_service_pb2
from bifrost.data.v1.bar_service_pb2_grpc import BarServiceStub
from bifrost.data.v1.calendar_service_pb2_grpc import CalendarServiceStub
from bifrost.data.v1.fundamental_service_pb2_grpc import FundamentalServiceStub
from bifrost.data.v1.indicator_service_pb2_grpc import IndicatorServiceStub
from bifrost.data.v1.ingestion_service_pb2_grpc import IngestionServiceStub
from bifrost.data.v1.instrument_service_pb2_grpc import InstrumentServiceStub
from bifrost.data.v1.market_stream_service_pb2_grpc import MarketStreamServiceStub
from bifrost.type.v1 import job_pb2, value_pb2
from services.data.__main__ import compose
from services.data.config import DataSettings
from services.data.sources.source import Sources
from services.runtime.clock import Clock
from services.runtime.errors import RpcFailure, error_from_rpc
from services.runtime.server import Service
from services.runtime.testing import connect
from services.runtime.testing_keys import MeshKeys, bearer

ENDED = {job_pb2.JOB_STATE_SUCCEEDED, job_pb2.JOB_STATE_FAILED, job_pb2.JOB_STATE_CANCELLED}


@dataclasses.dataclass
class RunningData:
    service: Service
    channel: grpc.aio.Channel
    headers: list[tuple[str, str]]
    """Of a user with the scopes market:read and data:write."""
    reader_headers: list[tuple[str, str]]
    """Of a user who may only read."""

    def __post_init__(self) -> None:
        self.instruments = InstrumentServiceStub(self.channel)
        self.fundamentals = FundamentalServiceStub(self.channel)
        self.bars = BarServiceStub(self.channel)
        self.calendars = CalendarServiceStub(self.channel)
        self.indicators = IndicatorServiceStub(self.channel)
        self.ingestions = IngestionServiceStub(self.channel)
        self.market = MarketStreamServiceStub(self.channel)

    async def create_ingestion(
        self, *, source: str = "sample", symbols: Sequence[str] = (), request_id: str | None = None
    ) -> ingestion_service_pb2.CreateIngestionResponse:
        request = ingestion_service_pb2.CreateIngestionRequest(
            request_id=request_id or str(uuid.uuid4()), source=source, symbols=symbols
        )
        return await self.ingestions.CreateIngestion(request, metadata=self.headers)

    async def wait_ended(self, ingestion_id: str) -> ingestion_pb2.Ingestion:
        request = ingestion_service_pb2.WatchIngestionRequest(ingestion_id=ingestion_id)
        ingestion = None
        async with asyncio.timeout(60):
            async for message in self.ingestions.WatchIngestion(request, metadata=self.headers):
                if message.WhichOneof("event") == "ingestion":
                    ingestion = message.ingestion
        assert ingestion is not None
        assert ingestion.status.state in ENDED
        return ingestion

    async def ingest(self, *, source: str = "sample", symbols: Sequence[str] = ()) -> ingestion_pb2.Ingestion:
        created = await self.create_ingestion(source=source, symbols=symbols)
        return await self.wait_ended(created.ingestion.ingestion_id)

    async def stop(self) -> None:
        await self.channel.close()
        await self.service.stop(0)


async def start_data(
    url: str,
    keys: MeshKeys,
    *,
    clock: Clock | None = None,
    sources: Sources | None = None,
    **settings: object,
) -> RunningData:
    values = {**keys.settings("data"), "database_url": url, **settings}
    service = await compose(DataSettings.model_validate(values), clock=clock, sources=sources)
    port = await service.start()
    channel = connect(f"127.0.0.1:{port}", ("grpc.max_receive_message_length", -1))
    writer = bearer(keys.user_token(scope="market:read data:write"))
    return RunningData(service, channel, writer, bearer(keys.user_token(scope="market:read")))


def listed(symbol: str, mic: str = "") -> value_pb2.InstrumentRef:
    return value_pb2.InstrumentRef(listed=value_pb2.ListedSymbol(symbol=symbol, mic=mic))


def by_id(instrument_id: str) -> value_pb2.InstrumentRef:
    return value_pb2.InstrumentRef(instrument_id=instrument_id)


async def failure_of(call: Awaitable[object]) -> RpcFailure:
    """What the call fails with; an AssertionError when it does not."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error_from_rpc(error)
    raise AssertionError("the call was answered")
