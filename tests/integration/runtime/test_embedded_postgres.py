"""PostgreSQL from its wheel: made, killed, adopted, stopped; each role in its own schema."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from services.runtime.embedded.postgres import EmbeddedPostgres, PostgresStartError
from services.runtime.embedded.unprivileged import SHARED_ROOT, can_reach, data_folder, server_user
from services.runtime.testing import temporary_postgres
from services.runtime.waiting import until


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    with temporary_postgres() as server:
        server.provision({"execution": "it's a secret", "risk": "other"})
        yield server


async def fetch(
    server: EmbeddedPostgres, sql: str, role: str = "execution", password: str = "it's a secret"
) -> object:
    connection = await asyncpg.connect(server.url(role, password))
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_commits_are_durable_and_the_server_is_no_root(server: EmbeddedPostgres) -> None:
    for setting in ("fsync", "synchronous_commit", "full_page_writes", "data_checksums"):
        assert await fetch(server, f"SHOW {setting}") == "on"
    assert await fetch(server, "SHOW listen_addresses") == "127.0.0.1"
    assert os.stat(f"/proc/{server.pid()}").st_uid != 0  # noqa: PTH116  # two microseconds
    assert server.data_dir.stat().st_mode & 0o077 == 0


async def test_role_owns_its_schema_and_sees_no_other(server: EmbeddedPostgres) -> None:
    server.provision({"execution": "it's a secret", "risk": "other"})
    await fetch(server, "CREATE TABLE IF NOT EXISTS secret (n int)")
    assert await fetch(server, "SELECT 'execution.secret'::regclass::text") == "secret"
    for sql in ("SELECT * FROM execution.secret", "CREATE TABLE public.t (n int)", "CREATE SCHEMA mine"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await fetch(server, sql, "risk", "other")


async def test_wrong_password_is_refused_and_a_new_one_taken(server: EmbeddedPostgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await fetch(server, "SELECT 1", "risk", "wrong")
    server.provision({"risk": "changed"})
    assert await fetch(server, "SELECT 1", "risk", "changed") == 1
    server.provision({"risk": "other"})


def test_schema_names_are_plain(server: EmbeddedPostgres) -> None:
    with pytest.raises(ValueError, match="schema name"):
        server.provision({"x; DROP": "p"})
    with pytest.raises(RuntimeError, match="nowhere"):
        server.psql("SELECT nowhere")


async def test_killed_server_starts_again_on_its_port_with_what_was_committed() -> None:
    with temporary_postgres() as server:
        server.provision({"execution": "p"})
        await fetch(server, "CREATE TABLE kept AS SELECT 7 AS n", password="p")
        port, pid = server.port, server.pid()
        os.kill(pid or 0, signal.SIGKILL)
        await until(lambda: server.pid() is None, timeout_s=60)
        assert (server.data_dir / "postmaster.pid").exists()
        server.start()
        assert (server.port, await fetch(server, "SELECT n FROM kept", password="p")) == (port, 7)
        other = EmbeddedPostgres(server.data_dir, superuser_password="unused")
        other.start()
        assert (other.port, other.pid()) == (port, server.pid())
        other.stop()
        await until(lambda: server.pid() is None, timeout_s=60)
        server.stop()
        server.start()
        assert await fetch(server, "SELECT n FROM kept", password="p") == 7


def test_server_that_cannot_start_says_why() -> None:
    with temporary_postgres() as server:
        server.stop()
        (server.data_dir / "global" / "pg_control").unlink()
        with pytest.raises(PostgresStartError, match="pg_control"):
            server.start(timeout_s=0.5)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
def test_data_the_servers_user_cannot_reach_lies_elsewhere(tmp_path: Path) -> None:
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    user = server_user()
    assert not can_reach(user, closed / "postgres")
    server = EmbeddedPostgres(closed / "postgres", superuser_password="s")
    try:
        assert server.data_dir.parent == SHARED_ROOT
        assert server.data_dir == data_folder(user, closed / "postgres")
        assert server.data_dir != data_folder(user, tmp_path / "other" / "postgres")
        server.start()
        assert server.psql("SELECT 1").strip() == "1"
    finally:
        server.stop()
        shutil.rmtree(server.data_dir, ignore_errors=True)
        server.log_file.unlink(missing_ok=True)
