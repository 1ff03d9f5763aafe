"""Brings a local mesh up and down, and tells what it is doing."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from services.cli.edge import EdgePlan, render_edge, write_config
from services.cli.launcher.home import Home
from services.cli.launcher.ports import Ports
from services.cli.launcher.process import SupervisedProcess
from services.cli.launcher.state import MeshState, ProcessState
from services.cli.waiting import until
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.embedded.valkey import EmbeddedValkey
from services.runtime.inventory import Inventory, load_inventory

_SERVICE_GRACE_S = 12.0
_ENGINE_GRACE_S = 5.0
_POSTGRES_WATCH_S = 0.25


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
        running = MeshState.read(self.home.state_file)
        if running is not None:
            raise LaunchError(
                f"a mesh already runs here (process {running.launcher_pid}); stop it with: bifrost down"
            )
        taken = self.ports.taken()
        if taken:
            listed = ", ".join(f"{port} ({name})" for name, port in taken)
            raise LaunchError(
                f"ports in use: {listed}. Stop what holds them, or run: bifrost up --free-ports"
            )
        names = list(self.inventory.services)
        total = len(names) + 3
        is_new = self.home.is_new
        self._passwords = await asyncio.to_thread(self.home.prepare, names)
        self._report("PostgreSQL", 0, total)
        await asyncio.to_thread(self._start_postgres, is_new)
        self._postgres_watch = asyncio.create_task(self._keep_postgres_up(), name="watch postgres")
        self._report("Valkey", 1, total)
        self._valkey = EmbeddedValkey()
        await asyncio.to_thread(self._valkey.start)
        self._report("services", 2, total)
        for name in names:
            self._add_service(name)
        await asyncio.gather(*(process.start() for process in self.processes.values()))
        try:
            async with asyncio.timeout(timeout_s):
                await self._wait_serving(names, total)
                self._report("Envoy", total - 1, total)
                await self._start_edge()
        except TimeoutError:
            raise LaunchError(await asyncio.to_thread(self._explain)) from None
        self._report("ready", total, total)

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
            await asyncio.to_thread(self._valkey.stop)
        if self._postgres is not None:
            await asyncio.to_thread(self._postgres.stop)
        self.home.state_file.unlink(missing_ok=True)

    async def wait_serving(self, service: str, *, timeout_s: float = 30.0) -> None:
        """Wait until a service answers SERVING; TimeoutError when it does not in time."""
        contract = self.inventory.services[service].contracts[0]
        await until(lambda: _is_serving(self.address(service), contract), timeout_s=timeout_s)

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
        self._postgres.start()
        self._postgres.provision({name: self._passwords[name] for name in self.inventory.services})

    async def _keep_postgres_up(self) -> None:
        while True:
            await asyncio.sleep(_POSTGRES_WATCH_S)
            if self._postgres is not None and self._postgres.pid() is None:
                self._postgres_restarts += 1
                await asyncio.to_thread(self._start_postgres)
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
        if name == "identity":
            environment["BIFROST_ADMIN_PASSWORD_FILE"] = str(self.home.admin_password_file)
        return environment | self._settings.get("*", {}) | self._settings.get(name, {})

    async def _wait_serving(self, names: list[str], total: int) -> None:
        tasks = asyncio.as_completed([self._named(name) for name in names])
        for done, task in enumerate(tasks, start=3):
            self._report(await task, done, total)

    async def _named(self, name: str) -> str:
        await self.wait_serving(name, timeout_s=3600)
        return name

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
        await until(lambda: _is_serving(self.edge_address, ""))

    def _write_state(self) -> None:
        processes = {
            name: ProcessState(
                pid=process.pid,
                port=self.ports.services.get(name, self.ports.edge),
                restarts=process.restarts,
                last_exit=process.last_exit,
            )
            for name, process in self.processes.items()
        }
        if self._postgres is not None:
            processes["postgres"] = ProcessState(
                pid=self._postgres.pid(), port=self._postgres.port, restarts=self._postgres_restarts
            )
        if self._valkey is not None:
            processes["valkey"] = ProcessState(pid=self._valkey.pid(), port=self._valkey.port)
        MeshState(
            launcher_pid=os.getpid(),
            edge=self.edge_address,
            addresses={name: self.address(name) for name in self.ports.services},
            metrics={name: f"127.0.0.1:{port}" for name, port in self.ports.metrics.items()},
            processes=processes,
        ).write(self.home.state_file)

    def _explain(self) -> str:
        lines = ["the mesh did not come up in time"]
        for name, process in self.processes.items():
            if process.restarts or process.pid is None:
                log = self.home.logs / f"{name}.log"
                tail = (
                    log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
                    if log.exists()
                    else []
                )
                lines += [f"{name} ended with {process.last_exit or 'nothing'}; its log ends:", *tail]
        return "\n".join(lines)


async def _is_serving(address: str, contract: str) -> bool:
    async with grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
        try:
            reply = await health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service=contract), timeout=1.0
            )
        except grpc.aio.AioRpcError:
            return False
        return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)


def _envoy_program() -> str:
    return str(Path(sys.executable).with_name("envoy"))
