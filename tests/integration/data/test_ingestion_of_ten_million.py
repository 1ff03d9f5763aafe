"""Ten million bars, and a kill in the middle: the job goes on by itself and ends with each bar once."""

from __future__ import annotations

import asyncio
import signal
import uuid
from dataclasses import fields
from pathlib import Path

import asyncpg
import numpy as np
import psutil
import pytest

from bifrost.data.v1 import bar_pb2, ingestion_pb2
from bifrost.data.v1 import ingestion_service_pb2 as pb
from bifrost.data.v1.ingestion_service_pb2_grpc import IngestionServiceStub
from bifrost.type.v1 import job_pb2
from services.data.bars.bar_copy import BarReader, columns_of
from services.data.domain.bars import SourceBars
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import new_database
from tests.integration.data.generated_source import ROWS, SYMBOLS, chunk_of, minute_opens
from tests.integration.data.test_ingestion_crash import DataProcess

ROOT = Path(__file__).parents[3]
_MOST_GROWTH = 300 * 2**20


def install(folder: Path) -> str:
    """A package's metadata whose entry point is the generated source; returns the path to it."""
    metadata = folder / "generated_source-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: generated-source\nVersion: 1.0\n")
    point = "generated = tests.integration.data.generated_source:GeneratedSource"
    (metadata / "entry_points.txt").write_text(f"[bifrost.data.sources]\n{point}\n")
    return f"{folder}:{ROOT}"


async def watch_until(
    data: DataProcess, ingestion_id: str, rows: int, process: asyncio.subprocess.Process, sizes: list[int]
) -> ingestion_pb2.Ingestion:
    """Watch until so many rows are stored or the job has ended; ``sizes`` takes the process's memory."""
    async with data.channel() as channel:
        request = pb.WatchIngestionRequest(ingestion_id=ingestion_id)
        stub = IngestionServiceStub(channel)
        seen = None
        async for message in stub.WatchIngestion(
            request, metadata=data.headers, wait_for_ready=True, timeout=300
        ):
            if message.HasField("ingestion"):
                seen = message.ingestion
                sizes.append(psutil.Process(process.pid).memory_info().rss)
                if sum(one.rows_stored for one in seen.results) >= rows:
                    break
    assert seen is not None
    return seen


@pytest.mark.timeout(600)
async def test_ten_million_bars_survive_a_kill(postgres_server: EmbeddedPostgres, tmp_path: Path) -> None:
    url = new_database(postgres_server)
    data = DataProcess(url, tmp_path)
    data.environment["PYTHONPATH"] = install(tmp_path)
    process = await data.start()
    sizes: list[int] = []
    try:
        async with data.channel() as channel:
            created = await IngestionServiceStub(channel).CreateIngestion(
                pb.CreateIngestionRequest(
                    request_id=str(uuid.uuid4()), source="generated", interval=bar_pb2.BAR_INTERVAL_MINUTE
                ),
                metadata=data.headers,
                wait_for_ready=True,
                timeout=60,
            )
        ingestion_id = created.ingestion.ingestion_id
        before = await watch_until(data, ingestion_id, ROWS + ROWS // 2, process, sizes)
        assert [one.state for one in before.results] == [
            job_pb2.JOB_STATE_SUCCEEDED,
            job_pb2.JOB_STATE_RUNNING,
        ]
        assert 0.2 < before.results[1].progress < 1
        process.send_signal(signal.SIGKILL)
        assert await process.wait() == -signal.SIGKILL
        process = await data.start()
        sizes.clear()
        ended = await watch_until(data, ingestion_id, len(SYMBOLS) * ROWS + 1, process, sizes)
    finally:
        if process.returncode is None:
            process.terminate()
            await asyncio.wait_for(process.wait(), 60)
    assert ended.status.state == job_pb2.JOB_STATE_SUCCEEDED, ended.status.error_message
    assert [(one.symbol, one.rows_stored, one.rows_refused, one.rows_revised) for one in ended.results] == [
        (symbol, ROWS, 0, 0) for symbol in SYMBOLS
    ]
    assert ended.results[1].attempts == 2
    assert max(sizes) - sizes[len(sizes) // 4] < _MOST_GROWTH, "memory grows with the rows"
    await assert_stored(url)


async def assert_stored(url: str) -> None:
    """The table holds what the source made, bit by bit, and nothing else."""
    times = minute_opens()
    driver = await asyncpg.connect(url)
    try:
        await driver.execute("SET search_path TO data")
        assert await driver.fetchval("SELECT count(*) FROM bar") == len(SYMBOLS) * ROWS
        columns = ", ".join(f'"{name}"' for name in columns_of(SourceBars))
        for symbol in SYMBOLS:
            reader = BarReader(SourceBars, capacity=ROWS)
            query = (
                f"SELECT {columns} FROM bar WHERE instrument_no = "
                f"(SELECT instrument_no FROM instrument WHERE symbol = '{symbol}') ORDER BY open_time_ns"
            )
            await driver.copy_from_query(query, output=reader.feed, format="binary")
            held, made = reader.bars(), chunk_of(symbol, times, 0, ROWS)
            for column in fields(SourceBars):
                values = getattr(held, column.name)
                expected = times if column.name == "open_time_ns" else getattr(made, column.name)
                assert np.array_equal(values, expected), f"{symbol} {column.name}"
    finally:
        await driver.close()
