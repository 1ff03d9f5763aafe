"""One service process: registration, start, drain and stop of its gRPC server and what runs beside it."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final

import grpc
import structlog
import uvloop

from services.runtime import decimals
from services.runtime.calls import Chain, OwnerCheck
from services.runtime.clock import Clock, SystemClock
from services.runtime.health import Health
from services.runtime.inventory import load_inventory
from services.runtime.jwks import JwksSource
from services.runtime.metrics import Followed, MetricsEndpoint, ProcessMetrics
from services.runtime.reflection import add_reflection
from services.runtime.registration import HandlerCapture, wrap_handlers
from services.runtime.settings import ServiceSettings
from services.runtime.tasks import OwnedWork, cancel_all, supervise
from services.runtime.telemetry import configure_logging
from services.runtime.tokens import token_verifier
from services.runtime.tracing import Tracing, otlp_exporter

# Handlers end their streams themselves when they see `draining`, with their last position; then we do.
_STREAM_PATIENCE_S: Final = 0.5
_OBJECTS_A_COLLECTION: Final = 10_000
_log = structlog.get_logger(__name__)


class Service:
    """One service; make it, add servicers, then start it. Everything happens on the running loop."""

    def __init__(
        self,
        settings: ServiceSettings,
        *,
        clock: Clock | None = None,
        jwks_source: JwksSource | None = None,
    ) -> None:
        """`jwks_source` asks identity for users' keys; it is used when settings.jwks_file is unset."""
        self.settings = settings
        self.clock = clock or SystemClock()
        self.metrics = ProcessMetrics()
        self.draining = asyncio.Event()
        """Set when the process is about to stop: streams end themselves."""
        self.work = OwnedWork()
        self._verifier = token_verifier(settings, clock=self.clock, jwks_source=jwks_source)
        self._captures: list[HandlerCapture] = []
        self._owner_checks: dict[str, OwnerCheck] = {}
        self._background: list[tuple[str, Callable[[], Awaitable[None]]]] = []
        self._closers: list[Callable[[], Awaitable[None]]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._health = Health()
        self._endpoint = MetricsEndpoint(self.metrics)
        self._tracing: Tracing | None = None
        self._chain: Chain | None = None
        self._server: grpc.aio.Server | None = None
        self._stopped = False
        self.port = 0
        self.metrics_port: int | None = None

    # Any: the generated functions take each their own servicer class.
    def add(self, add_to_server: Callable[[Any, grpc.aio.Server], None], servicer: object) -> None:
        """Serve a contract: `add_to_server` is the generated add_XServicer_to_server."""
        self._captures.append(HandlerCapture.of(add_to_server, servicer))

    def owner(self, field: str, check: OwnerCheck) -> None:
        """Check the owner of what `field` names in every method whose policy has it as owner_field.

        `check(principal, value)` raises ApiError (NOT_FOUND for another's). It is asked for users and for
        services that call for one; a service on its own behalf is trusted.
        """
        self._owner_checks[field] = check

    def background(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run a task beside the server, from start to stop; it is run again with back-off when it fails."""
        self._background.append((name, run))

    def watch(self, follower: Followed) -> None:
        """Show a follower in the metrics, and once it has halted in the health of the process as a whole."""
        self.metrics.watch_follower(follower)
        self.background(f"watch.{follower.name}", partial(self._tell_halt, follower.has_halted))

    def on_stop(self, close: Callable[[], Awaitable[None]]) -> None:
        """Call `close` when everything else has stopped; the last one added is called first."""
        self._closers.append(close)

    async def start(self) -> int:
        """Listen and be SERVING; returns the bound port. ContractError when a contract cannot be served."""
        decimals.install_context()
        settings = self.settings
        self._tracing = self._open_tracing()
        self._chain = chain = Chain(
            domain=f"bifrost.{settings.service}",
            verifier=self._verifier,
            tracing=self._tracing,
            default_deadline_s=settings.default_deadline_s,
            slow_s=settings.slow_call_ms / 1000,
            log_ratio=settings.log_sample_ratio,
            now_ns=self.clock.now_ns,
        )
        server = grpc.aio.server(options=_server_options(settings))
        contracts = [capture.contract for capture in self._captures]
        for capture in self._captures:
            handlers = wrap_handlers(capture, chain, self.metrics.calls, self._owner_checks)
            server.add_generic_rpc_handlers((_generic(capture.contract, handlers),))
            server.add_registered_method_handlers(capture.contract, handlers)
        self._health.add_to(server)
        add_reflection(server, load_inventory(), contracts)
        self.port = server.add_insecure_port(f"{settings.host}:{settings.port}")
        await server.start()
        self._server = server
        if settings.metrics_port is not None:
            self.metrics_port = await self._endpoint.open(settings.host, settings.metrics_port)
        self._tasks.append(asyncio.create_task(self.metrics.watch_loop(), name="watch_loop"))
        for name, run in self._background:
            self._tasks.append(asyncio.create_task(supervise(name, run, self.metrics), name=name))
        await self._health.serving(contracts)
        _log.info("serving", service=settings.service, port=self.port, metrics_port=self.metrics_port)
        return self.port

    async def stop(self, grace_s: float) -> None:
        """Drain and stop: tell balancers, end streams, give calls `grace_s` seconds, close everything."""
        if self._stopped:
            return
        self._stopped = True
        if self._server is not None and self._chain is not None:
            await self._health.draining()
            await asyncio.sleep(min(self.settings.drain_delay_s, grace_s))
            self.draining.set()
            await self._chain.streams.drain(patience_s=min(_STREAM_PATIENCE_S, grace_s))
            await self._server.stop(grace_s)
        await cancel_all(self._tasks)
        await self.work.finish(grace_s)
        for close in reversed(self._closers):
            try:
                await close()
            except Exception:  # noqa: BLE001  the others must be closed all the same
                _log.exception("close_failed", service=self.settings.service)
        await self._endpoint.close()
        if self._tracing is not None:
            await asyncio.to_thread(self._tracing.close)
        _log.info("stopped", service=self.settings.service)

    async def _tell_halt(self, has_halted: asyncio.Event) -> None:
        await has_halted.wait()
        await self._health.halted()

    def _open_tracing(self) -> Tracing:
        settings = self.settings
        exporter = None if settings.otlp_endpoint is None else otlp_exporter(settings.otlp_endpoint)
        return Tracing(settings.service, ratio=settings.trace_sample_ratio, exporter=exporter)


def run(main: Callable[[], Awaitable[Service]]) -> None:
    """Run a service process: `main` composes it, SIGTERM or SIGINT drains it, a second one cuts it."""
    uvloop.run(_run(main))


async def _run(main: Callable[[], Awaitable[Service]]) -> None:
    asked_to_stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        asked_to_stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    configure_logging(ServiceSettings().log_level)
    service = await main()
    configure_logging(service.settings.log_level, service.settings.service)
    try:
        await service.start()
        _collect_seldom()
        await asked_to_stop.wait()
    finally:
        await service.stop(service.settings.drain_grace_s)


def _collect_seldom() -> None:
    """What is loaded by now stays: the garbage collector need not walk it again and again, nor so often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_A_COLLECTION, 10, 10)


def _generic(
    contract: str, handlers: Mapping[str, grpc.RpcMethodHandler[Any, Any]]
) -> grpc.GenericRpcHandler:
    return grpc.method_handlers_generic_handler(contract, dict(handlers))


def _server_options(settings: ServiceSettings) -> list[tuple[str, int]]:
    return [
        # Envoy and our own channels ping quiet streams; without these two the pings end them.
        ("grpc.http2.max_ping_strikes", 0),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 1_000),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.max_receive_message_length", settings.max_message_bytes),
        ("grpc.max_send_message_length", settings.max_message_bytes),
        # A second process on the same port is a mistake, not a worker.
        ("grpc.so_reuseport", 0),
    ]
