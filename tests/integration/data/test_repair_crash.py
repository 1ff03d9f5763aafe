"""The service is killed in the middle of a repair and of its revert: each is made once, or not at all."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from bifrost.data.v1 import bar_pb2
from bifrost.data.v1 import quality_service_pb2 as pb
from bifrost.data.v1.import_service_pb2_grpc import ImportServiceStub
from bifrost.data.v1.quality_service_pb2_grpc import QualityServiceStub
from services.data import tables
from services.data.bars.bar_copy import columns_of
from services.data.domain.bars import SourceBars
from services.runtime.database import Database
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import new_database
from tests.contract.data.data_harness import listed
from tests.contract.data.file_uploads import csv_of, header_of, requests_of
from tests.contract.data.planted_faults import HEAD, in_pence, real_bars
from tests.integration.data.test_ingestion_crash import DataProcess

DAY = bar_pb2.BAR_INTERVAL_DAY


@asynccontextmanager
async def running(data: DataProcess, *, killed_at: str = "") -> AsyncIterator[grpc.aio.Channel]:
    """The service, which ends as told: killed at the failpoint, or stopped."""
    process = await data.start(failpoint=killed_at)
    try:
        async with data.channel() as channel:
            yield channel
        if not killed_at:
            process.terminate()
        assert await asyncio.wait_for(process.wait(), 60) == (-signal.SIGKILL if killed_at else 0)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def load(data: DataProcess, channel: grpc.aio.Channel, bars: SourceBars) -> pb.ApplyRepairsRequest:
    """Import the bars; returns the request that repairs them."""
    columns = [getattr(bars, name).tolist() for name in columns_of(SourceBars)[1:]]
    lines = [
        ",".join((str(time // 10**9), *map(repr, values)))
        for time, *values in zip(bars.open_time_ns.tolist(), *columns, strict=True)
    ]
    content = csv_of(lines, head=HEAD)
    header = header_of(content, "MINE", mic="XNYS", interval=DAY)
    await ImportServiceStub(channel).ImportBars(
        requests_of(header, content), metadata=data.headers, wait_for_ready=True, timeout=60
    )
    request = pb.ProposeRepairsRequest(instrument=listed("MINE"), interval=DAY)
    proposed = await QualityServiceStub(channel).ProposeRepairs(request, metadata=data.headers)
    return pb.ApplyRepairsRequest(
        request_id="apply",
        instrument=listed("MINE"),
        interval=DAY,
        proposal_ids=[one.proposal_id for one in proposed.proposals],
        etag=proposed.etag,
    )


async def closes(database: Database) -> list[float]:
    async with database.raw() as driver:
        return [row[0] for row in await driver.fetch("SELECT close FROM bar ORDER BY open_time_ns")]


@pytest.mark.parametrize(
    ("at_apply", "at_revert"),
    [
        pytest.param("data.repair.after_bars", "data.repair.after_revert", marks=pytest.mark.slow),
        # The second that comes to this point is the revert.
        ("data.repair.before_commit", "data.repair.before_commit:2"),
    ],
)
async def test_a_killed_repair_left_nothing(
    postgres_server: EmbeddedPostgres, tmp_path: Path, at_apply: str, at_revert: str
) -> None:
    url = new_database(postgres_server)
    data = DataProcess(url, tmp_path)
    # A run too long for the import to see.
    wrong = in_pence(real_bars(), slice(100, 140))
    async with running(data, killed_at=at_apply) as channel:
        apply = await load(data, channel, wrong)
        with pytest.raises(grpc.aio.AioRpcError):
            await QualityServiceStub(channel).ApplyRepairs(apply, metadata=data.headers, timeout=60)

    database = await Database.connect(url, schema=tables.SCHEMA)
    assert await closes(database) == wrong.close.tolist()
    async with running(data, killed_at=at_revert) as channel:
        stub = QualityServiceStub(channel)
        applied = await stub.ApplyRepairs(apply, metadata=data.headers, wait_for_ready=True, timeout=60)
        assert (applied.duplicate, applied.repair.rows) == (False, 40)
        right = await closes(database)
        revert = pb.RevertRepairRequest(request_id="revert", repair_id=applied.repair.repair_id)
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.RevertRepair(revert, metadata=data.headers, timeout=60)

    assert await closes(database) == right
    async with running(data) as channel:
        stub = QualityServiceStub(channel)
        again = await stub.ApplyRepairs(apply, metadata=data.headers, wait_for_ready=True, timeout=60)
        assert (again.duplicate, again.repair.HasField("revert_time")) == (True, False)
        assert not (await stub.RevertRepair(revert, metadata=data.headers, timeout=60)).duplicate
    assert await closes(database) == wrong.close.tolist()
    await database.close()
