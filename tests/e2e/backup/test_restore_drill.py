"""The restore drill: trade, back up while trading goes on, destroy the database, restore, trade on."""

from __future__ import annotations

import asyncio
import shutil
import stat
import uuid
from pathlib import Path

import grpc
import pytest

from bifrost.data.v1 import backup_pb2, backup_service_pb2, backup_service_pb2_grpc
from bifrost.execution.v1 import order_service_pb2, order_service_pb2_grpc
from bifrost.type.v1 import job_pb2, order_terms_pb2, stream_pb2
from services.cli.client import EdgeClient
from services.cli.demo.tally import Tally
from services.cli.demo.traders import GrpcTrader, Terms
from services.cli.launcher import Home, Launcher, LaunchError
from services.cli.launcher.recovery import restore_home
from services.cli.proof import check, read_records
from services.cli.waiting import in_thread
from services.runtime.backup.archives import verify_files
from services.runtime.backup.manifest import Manifest
from services.runtime.backup.restore import database_url, read_tables
from services.runtime.embedded.postgres import DATABASE, EmbeddedPostgres
from services.runtime.embedded.unprivileged import data_folder, server_user
from services.runtime.errors import error_from_rpc
from services.runtime.waiting import until
from tests.e2e.running_mesh import run_mesh

# The restore gives these new epochs; their rows are the same otherwise.
_WITH_EPOCHS = {"event_log_head", "stream_cursor"}
_SUCCEEDED = job_pb2.JOB_STATE_SUCCEEDED


async def test_everything_is_there_after_the_database_was_destroyed() -> None:
    async with run_mesh() as mesh:
        launcher, account_id = mesh.launcher, mesh.account.account_id
        trader = GrpcTrader(mesh.alice.client, account_id, Tally(), run="before")
        trading = asyncio.create_task(_trade(trader))
        await _enough_traded(trader, mesh.alice.client, account_id, orders=10)
        backups = mesh.adam.client.stub(backup_service_pb2_grpc.BackupServiceStub)
        backup = await _back_up(backups)
        assert (await _end(backups, await _drill(backups, backup.backup_id))).status.state == _SUCCEEDED
        trading.cancel()
        await asyncio.gather(trading, return_exceptions=True)
        seen = await _events(mesh.alice.client, account_id)
        with pytest.raises(LaunchError, match="bifrost down"):
            await restore_home(launcher.home, Path(backup.folder), _unheard)
        await launcher.stop()
        _destroy_database(launcher.home)

        restored = await restore_home(launcher.home, Path(backup.folder), _unheard)

        assert restored.previous == ""
        assert len(restored.epochs) >= 4
        await _assert_equal(launcher.home, verify_files(Path(backup.folder)))
        again = Launcher(launcher.home, launcher.ports, rate_scale=50.0)
        try:
            await again.start()
            await _assert_goes_on(mesh.alice.client, account_id, seen)
        finally:
            await again.stop()


def _unheard(_stage: str, _share: float) -> None:
    return


async def _trade(trader: GrpcTrader) -> None:
    while True:
        for side in (order_terms_pb2.SIDE_BUY, order_terms_pb2.SIDE_SELL):
            await trader.submit("IBM", _terms(side))


def _terms(side: order_terms_pb2.Side) -> Terms:
    return Terms(
        side=side,
        type=order_terms_pb2.ORDER_TYPE_MARKET,
        time_in_force=order_terms_pb2.TIME_IN_FORCE_IOC,
        quantity="5",
    )


async def _enough_traded(trader: GrpcTrader, client: EdgeClient, account_id: str, *, orders: int) -> None:
    stub = client.stub(order_service_pb2_grpc.OrderServiceStub)
    request = order_service_pb2.ListFillsRequest(account_id=account_id, page_size=100)

    async def enough() -> bool:
        return len((await stub.ListFills(request, timeout=60)).fills) >= orders

    await until(enough, timeout_s=60)


async def _back_up(stub: backup_service_pb2_grpc.BackupServiceStub) -> backup_pb2.Backup:
    request = backup_service_pb2.CreateBackupRequest(request_id=str(uuid.uuid4()))
    job = await _end(stub, (await stub.CreateBackup(request, timeout=60)).job)
    assert job.status.state == _SUCCEEDED, job
    found = backup_service_pb2.GetBackupRequest(backup_id=job.backup_id)
    backup = (await stub.GetBackup(found, timeout=60)).backup
    assert _is_private(Path(backup.folder))
    schemas = {table.schema for table in backup.tables}
    assert schemas == {"identity", "data", "venue", "execution", "risk", "portfolio"} == set(backup.revisions)
    return backup


def _is_private(folder: Path) -> bool:
    return all(
        stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
        for path in (folder.parent, folder, *folder.rglob("*"))
    )


async def _drill(stub: backup_service_pb2_grpc.BackupServiceStub, backup_id: str) -> backup_pb2.BackupJob:
    request = backup_service_pb2.RestoreBackupRequest(request_id=str(uuid.uuid4()), backup_id=backup_id)
    return (await stub.RestoreBackup(request, timeout=60)).job


async def _end(
    stub: backup_service_pb2_grpc.BackupServiceStub, job: backup_pb2.BackupJob
) -> backup_pb2.BackupJob:
    async for message in stub.WatchBackup(
        backup_service_pb2.WatchBackupRequest(backup_job_id=job.backup_job_id), timeout=60
    ):
        if message.WhichOneof("event") == "job":
            job = message.job
    return job


async def _events(client: EdgeClient, account_id: str) -> list[stream_pb2.StreamHeader]:
    """Headers of the account's order events up to now."""
    request = order_service_pb2.StreamOrderEventsRequest(account_id=account_id)
    stub, headers = client.stub(order_service_pb2_grpc.OrderServiceStub), []
    async for message in stub.StreamOrderEvents(request, timeout=60, wait_for_ready=True):
        if message.HasField("replay_end"):
            break
        if message.HasField("order_event"):
            headers.append(message.header)
    return headers


def _destroy_database(home: Home) -> None:
    shutil.rmtree(data_folder(server_user(), home.postgres))


async def _assert_equal(home: Home, manifest: Manifest) -> None:
    """By a reading of its own, after the databases have changed places."""
    passwords = home.prepare(())
    postgres = EmbeddedPostgres(home.postgres, superuser_password=passwords["postgres"])
    await in_thread(postgres.start)
    try:
        tables = await read_tables(database_url(postgres.superuser_url, DATABASE))
    finally:
        await in_thread(postgres.stop)
    assert len(tables) == len(manifest.tables) > 30
    for found, expected in zip(tables, manifest.tables, strict=True):
        if found.table in _WITH_EPOCHS:
            assert found.rows == expected.rows
        else:
            assert found == expected


async def _assert_goes_on(client: EdgeClient, account_id: str, seen: list[stream_pb2.StreamHeader]) -> None:
    """Whoever saw what is no more is told; the rest agrees to the cent, and orders are taken again."""
    stub = client.stub(order_service_pb2_grpc.OrderServiceStub)
    trader = GrpcTrader(client, account_id, Tally(), run="after")
    position = stream_pb2.StreamPosition(epoch=seen[-1].epoch, sequence=seen[-1].sequence)
    request = order_service_pb2.StreamOrderEventsRequest(account_id=account_id, resume_after=position)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await anext(aiter(stub.StreamOrderEvents(request, timeout=60, wait_for_ready=True)))
    assert error_from_rpc(refused.value).reason == "STREAM_EPOCH_CHANGED"

    reply = await trader.submit("IBM", _terms(order_terms_pb2.SIDE_BUY))
    assert reply.outcome == order_service_pb2.SUBMIT_OUTCOME_ACCEPTED

    async def agrees() -> bool:
        if await trader.open_orders():
            return False
        headers = await _events(client, account_id)
        events = [(header.sequence, header.previous_sequence) for header in headers]
        records = await read_records(client, account_id, events)
        return reply.order.order_id in {order.order_id for order in records.orders} and check(records).holds

    await until(agrees, timeout_s=60)
    headers = await _events(client, account_id)
    # Some of what was seen came after the backup.
    assert headers[0].epoch != seen[0].epoch
    assert headers[0].sequence == seen[0].sequence
