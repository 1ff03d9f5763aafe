"""The service is killed in the middle of an ingestion; started again, it ends it with every bar once."""

import asyncio
import os
import signal
import sys
import uuid
from pathlib import Path

import grpc
import pytest

from bifrost.data.v1 import bar_pb2, bar_service_pb2
from bifrost.data.v1 import ingestion_service_pb2 as pb
from bifrost.data.v1.bar_service_pb2_grpc import BarServiceStub
from bifrost.data.v1.ingestion_service_pb2_grpc import IngestionServiceStub
from bifrost.type.v1 import job_pb2
from services.runtime.embedded.ports import free_port
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import connect, new_database
from services.runtime.testing_keys import MeshKeys, bearer
from tests.contract.data.data_harness import listed

BARS = {"AAPL": 3270, "FB": 196, "GOOG": 2148, "IBM": 3270, "MSFT": 3270}


class DataProcess:
    """The service as its own process."""

    def __init__(self, url: str, folder: Path) -> None:
        keys = MeshKeys(folder, services=())
        self.port = free_port()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("BIFROST_")},
            "BIFROST_DATABASE_URL": url,
            "BIFROST_PORT": str(self.port),
            "BIFROST_JWKS_FILE": str(keys.jwks_file),
        }
        self.headers = bearer(keys.user_token(scope="market:read data:write"))

    async def start(self, *, failpoint: str = "") -> asyncio.subprocess.Process:
        environment = {**self.environment, "BIFROST_FAILPOINT": failpoint}
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.data", env=environment, stdout=asyncio.subprocess.DEVNULL
        )

    def channel(self) -> grpc.aio.Channel:
        return connect(f"127.0.0.1:{self.port}")


@pytest.mark.parametrize(
    "failpoint",
    [pytest.param("data.ingest.after_copy:3", marks=pytest.mark.slow), "data.ingest.before_commit:2"],
)
async def test_killed_ingestion_is_resumed(
    postgres_server: EmbeddedPostgres, tmp_path: Path, failpoint: str
) -> None:
    data = DataProcess(new_database(postgres_server), tmp_path)
    killed = await data.start(failpoint=failpoint)
    try:
        async with data.channel() as channel:
            created = await IngestionServiceStub(channel).CreateIngestion(
                pb.CreateIngestionRequest(request_id=str(uuid.uuid4()), source="sample"),
                metadata=data.headers,
                wait_for_ready=True,
                timeout=60,
            )
        assert await asyncio.wait_for(killed.wait(), 60) == -signal.SIGKILL
    finally:
        if killed.returncode is None:
            killed.kill()
            await killed.wait()

    again = await data.start()
    try:
        async with data.channel() as channel:
            watch = IngestionServiceStub(channel).WatchIngestion(
                pb.WatchIngestionRequest(ingestion_id=created.ingestion.ingestion_id),
                metadata=data.headers,
                wait_for_ready=True,
                timeout=60,
            )
            seen = [message.ingestion async for message in watch if message.HasField("ingestion")]
            assert seen[-1].status.state == job_pb2.JOB_STATE_SUCCEEDED
            # Each symbol has its result once, as of the transaction that stored its bars.
            assert {one.symbol: one.rows_stored for one in seen[-1].results} == BARS
            for symbol, count in BARS.items():
                request = bar_service_pb2.ListBarsRequest(
                    instrument=listed(symbol), interval=bar_pb2.BAR_INTERVAL_DAY
                )
                answer = await BarServiceStub(channel).ListBars(request, metadata=data.headers)
                assert len(answer.bars.open_time_ns) == len(set(answer.bars.open_time_ns)) == count
    finally:
        again.terminate()
        assert await asyncio.wait_for(again.wait(), 60) == 0
