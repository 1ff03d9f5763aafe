"""The data service in this process, with the sample bars loaded."""

from __future__ import annotations

import uuid

from bifrost.data.v1 import ingestion_service_pb2 as pb
from bifrost.data.v1.ingestion_service_pb2_grpc import IngestionServiceStub
from services.data.__main__ import compose
from services.data.config import DataSettings
from services.runtime.server import Service
from services.runtime.testing import connect
from services.runtime.testing_keys import MeshKeys, bearer


async def start_data(url: str, keys: MeshKeys) -> tuple[Service, str]:
    """Start it and ingest; returns the service and its address."""
    service = await compose(DataSettings.model_validate({**keys.settings("data"), "database_url": url}))
    address = f"127.0.0.1:{await service.start()}"
    headers = bearer(keys.user_token(scope="data:write market:read"))
    async with connect(address) as channel:
        stub = IngestionServiceStub(channel)
        request = pb.CreateIngestionRequest(request_id=str(uuid.uuid4()), source="sample")
        made = await stub.CreateIngestion(request, metadata=headers)
        watch = pb.WatchIngestionRequest(ingestion_id=made.ingestion.ingestion_id)
        async for _ in stub.WatchIngestion(watch, metadata=headers):
            pass
    return service, address
