"""The service is killed just before it commits an import; the same request again stores the file once."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import grpc
import pytest

from bifrost.data.v1.import_service_pb2_grpc import ImportServiceStub
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import new_database
from tests.contract.data.file_uploads import csv_of, header_of, minute_bars, requests_of
from tests.integration.data.test_ingestion_crash import DataProcess


async def test_a_killed_import_left_nothing(postgres_server: EmbeddedPostgres, tmp_path: Path) -> None:
    data = DataProcess(new_database(postgres_server), tmp_path)
    content = csv_of(minute_bars(60_000))
    header = header_of(content, "MINE")
    killed = await data.start(failpoint="data.import.before_commit")
    try:
        async with data.channel() as channel:
            with pytest.raises(grpc.aio.AioRpcError):
                await ImportServiceStub(channel).ImportBars(
                    requests_of(header, content), metadata=data.headers, wait_for_ready=True, timeout=60
                )
        assert await asyncio.wait_for(killed.wait(), 60) == -signal.SIGKILL
    finally:
        if killed.returncode is None:
            killed.kill()
            await killed.wait()

    again = await data.start()
    try:
        async with data.channel() as channel:
            stub = ImportServiceStub(channel)
            first = await stub.ImportBars(
                requests_of(header, content), metadata=data.headers, wait_for_ready=True, timeout=60
            )
            assert (first.rows_stored, first.duplicate) == (60_000, False)
            second = await stub.ImportBars(requests_of(header, content), metadata=data.headers, timeout=60)
            assert (second.rows_stored, second.duplicate) == (60_000, True)
            assert second.ingestion_id == first.ingestion_id
    finally:
        again.terminate()
        assert await asyncio.wait_for(again.wait(), 60) == 0
