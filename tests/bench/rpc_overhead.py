"""What the whole call path costs: an echo through it over a bare grpc.aio echo, both in this process."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import grpc

from services.runtime.server import Service
from services.runtime.settings import ServiceSettings
from services.runtime.telemetry import configure_logging
from services.runtime.testing_keys import bearer
from tests.bench.measure import Report, Result, alternate, rate, run_async
from tests.contract.runtime.echo_contract import Keys, echo_pb2, echo_pb2_grpc

_CALLS = 5_000
_IN_FLIGHT = 32
_TIMEOUT_S = 5.0


class _Echo(echo_pb2_grpc.EchoServiceServicer):  # type: ignore[misc]  # compiled at run time
    async def Echo(self, request: Any, _context: object) -> Any:
        return echo_pb2.EchoResponse(text=request.text)


def run(report: Report) -> list[Result]:
    """Calls per second through the chain as shipped over a bare echo's."""
    return run_async(lambda: _measure(report))


async def _measure(report: Report) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="bifrost-bench-") as folder:
        keys = Keys(Path(folder))
        settings = ServiceSettings(
            jwks_file=keys.jwks_file, services_jwks_file=keys.services_jwks_file, drain_delay_s=0
        )
        configure_logging("warning", settings.service)
        bare, bare_port = await _bare_server()
        service = await _service(settings)
        try:
            async with (
                grpc.aio.insecure_channel(f"127.0.0.1:{bare_port}") as bare_channel,
                grpc.aio.insecure_channel(f"127.0.0.1:{service.port}") as channel,
            ):
                peer = echo_pb2_grpc.EchoServiceStub(bare_channel)
                ours = echo_pb2_grpc.EchoServiceStub(channel)
                metadata = bearer(keys.user())
                request = echo_pb2.EchoRequest(text="hello")
                pairs = await alternate(
                    lambda: rate(
                        lambda: ours.Echo(request, metadata=metadata, timeout=_TIMEOUT_S), _CALLS, _IN_FLIGHT
                    ),
                    lambda: rate(lambda: peer.Echo(request, timeout=_TIMEOUT_S), _CALLS, _IN_FLIGHT),
                    report,
                )
        finally:
            await service.stop(0)
            await bare.stop(0)
    note = (
        f"{_IN_FLIGHT} in flight, client and server in one process; {settings.trace_sample_ratio:.0%} of "
        f"calls traced, {settings.log_sample_ratio:.0%} logged (as shipped), token cache warm, "
        "both with a deadline"
    )
    peer_name = "bare grpc.aio + uvloop echo"
    return [pairs.result("rpc_overhead", "rate", "calls/s", peer_name, limit=0.6, note=note)]


async def _bare_server() -> tuple[grpc.aio.Server, int]:
    server = grpc.aio.server()
    echo_pb2_grpc.add_EchoServiceServicer_to_server(_Echo(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server, port


async def _service(settings: ServiceSettings) -> Service:
    service = Service(settings)
    service.add(echo_pb2_grpc.add_EchoServiceServicer_to_server, _Echo())
    service.owner("account.account_id", _owns)
    await service.start()
    return service


async def _owns(_principal: object, _account_id: str) -> None:
    """The contract has a method with an owner; Echo has none."""
