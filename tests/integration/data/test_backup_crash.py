"""The service is killed when a backup is written and not yet named; started again, it makes a whole one."""

import asyncio
import os
import signal
import sys
import uuid
from pathlib import Path

from bifrost.data.v1 import backup_service_pb2 as pb
from bifrost.data.v1.backup_service_pb2_grpc import BackupServiceStub
from bifrost.type.v1 import job_pb2
from services.runtime.backup.archives import Archives, verify_files
from services.runtime.embedded.ports import free_port
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import connect, new_database
from services.runtime.testing_keys import MeshKeys, bearer
from tests.contract.data.test_backup_service import backup_role


async def _start(environment: dict[str, str], failpoint: str = "") -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.data",
        env={**environment, "BIFROST_FAILPOINT": failpoint},
        stdout=asyncio.subprocess.DEVNULL,
    )


async def test_killed_backup_leaves_nothing_that_looks_whole(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    url, keys = new_database(postgres_server), MeshKeys(tmp_path, services=())
    port = free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("BIFROST_")},
        "BIFROST_DATABASE_URL": url,
        "BIFROST_BACKUP_DATABASE_URL": backup_role(postgres_server, url),
        "BIFROST_BACKUP_DIR": str(tmp_path / "backups"),
        "BIFROST_BACKUP_SPARE_MIB": "0",
        "BIFROST_PORT": str(port),
        "BIFROST_JWKS_FILE": str(keys.jwks_file),
    }
    headers = bearer(keys.user_token(scope="backup:write"))
    archives = Archives(tmp_path / "backups")
    process = await _start(environment, "backup.before_rename")
    try:
        async with connect(f"127.0.0.1:{port}") as channel:
            request = pb.CreateBackupRequest(request_id=str(uuid.uuid4()))
            stub = BackupServiceStub(channel)
            made = (await stub.CreateBackup(request, metadata=headers, wait_for_ready=True, timeout=60)).job
        assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL
        assert archives.list_all() == []
        assert len(list((archives.root).iterdir())) == 1
        process = await _start(environment)
        async with connect(f"127.0.0.1:{port}") as channel:
            watch = pb.WatchBackupRequest(backup_job_id=made.backup_job_id)
            stream = BackupServiceStub(channel).WatchBackup(
                watch, metadata=headers, wait_for_ready=True, timeout=60
            )
            jobs = [message.job async for message in stream if message.HasField("job")]
        assert jobs[-1].status.state == job_pb2.JOB_STATE_SUCCEEDED
        (whole,) = archives.list_all()
        assert whole.backup_id == jobs[-1].backup_id
        verify_files(whole.folder)
        assert [path.name for path in archives.root.iterdir()] == [whole.backup_id]
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
