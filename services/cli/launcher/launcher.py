"""Brings a local mesh up and down, and tells what it is doing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from services.cli.edge import EdgePlan, render_edge, write_config
from services.cli.launcher.diagnosis import explain, is_hopeless
from services.cli.launcher.health import is_serving
from services.cli.launcher.home import Home
from services.cli.launcher.leftovers import end_leftovers
from services.cli.launcher.ports import Ports
from services.cli.launcher.process import SupervisedProcess
from services.cli.launcher.state import MeshState, ProcessState, start_ticks
from services.cli.waiting import in_thread
from services.runtime.embedded.postgres import BACKUP_ROLE, EmbeddedPostgres, PostgresStartError
from services.runtime.embedded.valkey import EmbeddedValkey, ValkeyStartError
from services.runtime.inventory import Inventory, load_inventory
from services.runtime.waiting import until

_SERVICE_GRACE_S = 12.0
_ENGINE_GRACE_S = 5.0
_POSTGRES_WATCH_S = 0.25
EXTENSIONS = {"pg_trgm": "data"}
"""Extensions of PostgreSQL, each with the schema of the service that uses it."""


class LaunchError(RuntimeError):
    """The mesh could not be started; the message says what to do."""


class Launcher:
    """One local mesh. `report(stage, done, total)` is told of progress."""

    def __init__(
        self,
        home: Home,
        ports: Ports,
        *,
        inventory: Inventory | None = None,
        settings: dict[str, dict[str, str]] | None = None,
        rate_scale: float = 1.0,
        report: Callable[[str, int, int], None] | None = None,
    ) -> None:
        """`settings` adds environment variables by service name; "*" is for all."""
        self.home = home
        self.ports = ports
        self.inventory = inventory or load_inventory()
        self.processes: dict[str, SupervisedProcess] = {}
        self._settings = settings or {}
        self._rate_scale = rate_scale
        self._report = report or (lambda _stage, _done, _total: None)
        self._postgres: EmbeddedPostgres | None = None
        self._valkey: EmbeddedValkey | None = None
        self._postgres_watch: asyncio.Task[None] | None = None
        self._postgres_restarts = 0
        self._passwords: dict[str, str] = {}
        self._serving: set[str] = set()
        self._lock: BinaryIO | None = None

    @property
    def _total(self) -> int:
        """Steps of a start: every service, PostgreSQL, Valkey and Envoy."""
        return len(self.inventory.services) + 3

    @property
    def edge_address(self) -> str:
        """host:port of the edge."""
        return f"127.0.0.1:{self.ports.edge}"

    def address(self, service: str) -> str:
        """host:port of a service."""
        return f"127.0.0.1:{self.ports.services[service]}"

    async def start(self, *, timeout_s: float = 60.0) -> None:
        """Start everything; returns when every service is SERVING and the edge answers.

        Raises LaunchError: a port is taken, another mesh runs on this home, or a process does not come up.
        """
        try:
            self._take_home()
            await self._end_leftovers()
            self._check_ports()
            await self._start_stores()
            await self._start_services(timeout_s)
        except (OSError, PostgresStartError, ValkeyStartError) as error:
            raise LaunchError(str(error)) from error

    def _take_home(self) -> None:
        try:
            self._lock = self.home.lock()
        except BlockingIOError:
            running = MeshState.read(self.home.state_file)
            whose = f" (process {running.launcher_pid})" if running else ""
            raise LaunchError(
                f"a mesh already runs on {self.home.root}{whose}; stop it with: bifrost down"
            ) from None

    async def _end_leftovers(self) -> None:
        """What a killed launcher left, but PostgreSQL: its new one takes it over."""
        state = MeshState.load(self.home.state_file)
        if state is not None:
            self._report("what was left", 0, self._total)
            await in_thread(end_leftovers, state, keep={"postgres"})

    def _check_ports(self) -> None:
        taken = self.ports.taken()
        if taken:
            listed = ", ".join(f"{port} ({name})" for name, port in taken)
            raise LaunchError(
                f"ports in use: {listed}. Stop what holds them, or run: bifrost up --free-ports"
            )

    async def _start_stores(self) -> None:
        is_new = self.home.is_new
        self._passwords = await asyncio.to_thread(self.home.prepare, self.inventory.services)
        self._report("PostgreSQL", 0, self._total)
        await in_thread(self._start_postgres, is_new)
        self._postgres_watch = asyncio.create_task(self._keep_postgres_up(), name="watch postgres")
        self._report("Valkey", 1, self._total)
        self._valkey = EmbeddedValkey()
        await in_thread(self._valkey.start)

    async def _start_services(self, timeout_s: float) -> None:
        self._report("services", 2, self._total)
        for name in self.inventory.services:
            self._add_service(name)
        await asyncio.gather(*(process.start() for process in self.processes.values()))
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.gather(*(self._named(name) for name in self.inventory.services))
                self._report("Envoy", self._total - 1, self._total)
                await self._start_edge()
        except TimeoutError:
            raise LaunchError(self._explain()) from None
        self._report("ready", self._total, self._total)

    async def stop(self) -> None:
        """Stop everything: the edge first, then services, then the stores. Safe to call twice."""
        edge = self.processes.get("envoy")
        if edge is not None:
            await edge.stop(_ENGINE_GRACE_S)
        await asyncio.gather(*(process.stop(_SERVICE_GRACE_S) for process in self.processes.values()))
        if self._postgres_watch is not None:
            self._postgres_watch.cancel()
            await asyncio.gather(self._postgres_watch, return_exceptions=True)
        if self._valkey is not None:
            await in_thread(self._valkey.stop)
        if self._postgres is not None:
            await in_thread(self._postgres.stop)
        # Without the lock the state is another launcher's.
        if self._lock is not None:
            self.home.state_file.unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    async def wait_serving(self, service: str, *, timeout_s: float = 30.0) -> None:
        """Wait until a service answers SERVING; TimeoutError when it does not in time."""
        contract = self.inventory.services[service].contracts[0]
        await until(lambda: is_serving(self.address(service), contract), timeout_s=timeout_s)

    def database_url(self, role: str) -> str:
        """URL of a service's own schema, or of the superuser ("postgres")."""
        if self._postgres is None:
            raise LaunchError("PostgreSQL does not run yet")
        return self._postgres.url(role, self._passwords[role])

    def kill_postgres(self) -> None:
        """SIGKILL the postmaster, as a crash would; the supervisor brings it back."""
        if self._postgres is not None and (pid := self._postgres.pid()) is not None:
            os.kill(pid, 9)

    def _start_postgres(self, is_new: bool = False) -> None:
        port = self._postgres.port if self._postgres else 0
        self._postgres = EmbeddedPostgres(
            self.home.postgres, port=port, superuser_password=self._passwords["postgres"]
        )
        if is_new:
            self._postgres.set_aside()
        self._link_log(self._postgres.log_file)
        self._postgres.start()
        self._postgres.provision(
            {name: self._passwords[name] for name in self.inventory.services}, extensions=EXTENSIONS
        )
        self._postgres.provision_backup(self._passwords[BACKUP_ROLE])

    async def _keep_postgres_up(self) -> None:
        while True:
            await asyncio.sleep(_POSTGRES_WATCH_S)
            if self._postgres is not None and self._postgres.pid() is None:
                self._postgres_restarts += 1
                # What keeps it from starting is in its log; it is tried again until it does.
                with contextlib.suppress(PostgresStartError):
                    await in_thread(self._start_postgres)
                self._write_state()

    def _add_service(self, name: str) -> None:
        self.processes[name] = SupervisedProcess(
            name,
            [sys.executable, "-m", f"services.{name}"],
            environment=self._environment(name),
            log_file=self.home.logs / f"{name}.log",
            changed=self._write_state,
        )

    def _environment(self, name: str) -> dict[str, str]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("BIFROST_")}
        environment |= {
            "BIFROST_PORT": str(self.ports.services[name]),
            "BIFROST_METRICS_PORT": str(self.ports.metrics[name]),
            "BIFROST_DATABASE_URL": self.database_url(name),
            "BIFROST_CACHE_URL": self._valkey.url if self._valkey is not None else "",
            "BIFROST_ADDRESS_BOOK": json.dumps({other: self.address(other) for other in self.ports.services}),
            "BIFROST_JWKS_FILE": str(self.home.jwks_file),
            "BIFROST_SERVICES_JWKS_FILE": str(self.home.services_jwks_file),
            "BIFROST_CREDENTIAL_FILE": str(self.home.credential_file(name)),
            "BIFROST_RUN_DIR": str(self.home.run),
        }
        if name == "data":
            # No other service may read what is not its own.
            environment["BIFROST_BACKUP_DATABASE_URL"] = self.database_url(BACKUP_ROLE)
            environment["BIFROST_BACKUP_DIR"] = str(self.home.backups)
        if name == "identity":
            environment["BIFROST_ADMIN_PASSWORD_FILE"] = str(self.home.admin_password_file)
        return environment | self._settings.get("*", {}) | self._settings.get(name, {})

    def _link_log(self, log_file: Path) -> None:
        """PostgreSQL's log among the others; under root it lies elsewhere."""
        link = self.home.logs / "postgres.log"
        link.unlink(missing_ok=True)
        link.symlink_to(log_file)

    async def _named(self, name: str) -> None:
        contract = self.inventory.services[name].contracts[0]
        await until(lambda: self._has_come_up(self.address(name), contract))
        self._serving.add(name)
        self._report(name, 2 + len(self._serving), self._total)

    async def _has_come_up(self, address: str, contract: str) -> bool:
        if is_hopeless(self.processes.values()):
            raise LaunchError(self._explain())
        return await is_serving(address, contract)

    async def _start_edge(self) -> None:
        await until(self.home.jwks_file.exists)
        plan = EdgePlan(
            inventory=self.inventory,
            addresses={name: self.address(name) for name in self.ports.services},
            jwks_file=self.home.jwks_file,
            port=self.ports.edge,
            admin_port=self.ports.edge_admin,
            rate_scale=self._rate_scale,
        )
        config = self.home.run / "envoy.json"
        write_config(render_edge(plan), config)
        self.processes["envoy"] = SupervisedProcess(
            "envoy",
            [
                _envoy_program(),
                "-c",
                str(config),
                "--concurrency",
                "2",
                "--disable-hot-restart",
                "-l",
                "warning",
            ],
            environment=dict(os.environ),
            log_file=self.home.logs / "envoy.log",
            changed=self._write_state,
        )
        await self.processes["envoy"].start()
        await until(lambda: self._has_come_up(self.edge_address, ""))

    def _write_state(self) -> None:
        processes = {
            name: ProcessState(
                pid=process.pid,
                port=self.ports.services.get(name, self.ports.edge),
                restarts=process.restarts,
                last_exit=process.last_exit,
                started=process.started,
            )
            for name, process in self.processes.items()
        }
        if self._postgres is not None:
            processes["postgres"] = _store_state(
                self._postgres.pid(), self._postgres.port, self._postgres_restarts
            )
        if self._valkey is not None:
            processes["valkey"] = _store_state(self._valkey.pid(), self._valkey.port)
        MeshState(
            launcher_pid=os.getpid(),
            launcher_started=start_ticks(os.getpid()),
            edge=self.edge_address,
            edge_admin=f"127.0.0.1:{self.ports.edge_admin}",
            addresses={name: self.address(name) for name in self.ports.services},
            metrics={name: f"127.0.0.1:{port}" for name, port in self.ports.metrics.items()},
            processes=processes,
        ).write(self.home.state_file)

    def _explain(self) -> str:
        return explain(self.processes.values(), self._serving, self.home.logs)


def _store_state(pid: int | None, port: int, restarts: int = 0) -> ProcessState:
    started = start_ticks(pid) if pid is not None else None
    return ProcessState(pid=pid, port=port, restarts=restarts, started=started)


def _envoy_program() -> str:
    return str(Path(sys.executable).with_name("envoy"))
