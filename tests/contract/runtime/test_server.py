"""Start and stop of a service, what it refuses to serve, and what it serves beside its contracts."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import pytest
import structlog
import structlog.testing
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from services.runtime import decimals
from services.runtime.auth import current_call, current_principal
from services.runtime.contracts import load_contracts
from services.runtime.inventory import load_inventory
from services.runtime.policy import ContractError
from services.runtime.server import Service, _run
from services.runtime.settings import ServiceSettings
from services.runtime.tasks import OwnedWork
from services.runtime.testing import connect
from services.runtime.testing_keys import bearer
from tests.contract.runtime.echo_contract import (
    CONTRACT,
    EchoService,
    Running,
    StartEcho,
    echo_pb2,
    echo_pb2_grpc,
    only_a1,
)

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def test_health_is_kept_for_every_contract_and_told_when_draining(start_echo: StartEcho) -> None:
    echo = await start_echo()
    health = health_pb2_grpc.HealthStub(echo.channel)
    for name in ("", CONTRACT):
        assert (await health.Check(health_pb2.HealthCheckRequest(service=name))).status == SERVING
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await health.Check(health_pb2.HealthCheckRequest(service="bifrosttest.Other"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    watch = health.Watch(health_pb2.HealthCheckRequest(service=CONTRACT))
    assert (await watch.read()).status == SERVING
    stopping = asyncio.create_task(echo.service.stop(0.5))
    assert (await watch.read()).status == NOT_SERVING
    await stopping


async def reflect(echo: Running, request: Any) -> Any:
    stub = reflection_pb2_grpc.ServerReflectionStub(echo.channel)
    async for response in stub.ServerReflectionInfo(iter([request])):
        return response
    raise AssertionError("no answer")


async def test_reflection_lists_the_whole_mesh(echo: Running) -> None:
    assert "bifrost.identity.v1.token_service_pb2" in load_contracts()
    response = await reflect(echo, reflection_pb2.ServerReflectionRequest(list_services=""))
    names = {service.name for service in response.list_services_response.service}
    assert {CONTRACT, "grpc.health.v1.Health", *load_inventory().services["identity"].contracts} <= names
    request = reflection_pb2.ServerReflectionRequest(
        file_containing_symbol="bifrost.identity.v1.TokenService"
    )
    response = await reflect(echo, request)
    assert response.file_descriptor_response.file_descriptor_proto


def add_loose(servicer: object, server: grpc.aio.Server) -> None:
    echo_pb2_grpc.add_LooseServiceServicer_to_server(servicer, server)


async def refused(prepare: Callable[[Service], None]) -> str:
    service = Service(ServiceSettings(drain_delay_s=0))
    prepare(service)
    with pytest.raises(ContractError) as caught:
        await service.start()
    await service.stop(0)
    return str(caught.value)


async def test_a_method_without_a_policy_stops_the_start() -> None:
    message = await refused(lambda service: service.add(add_loose, echo_pb2_grpc.LooseServiceServicer()))
    assert "bifrosttest.echo.v1.LooseService.Loose" in message
    assert "policy" in message


async def test_an_owner_that_nobody_checks_stops_the_start() -> None:
    message = await refused(
        lambda service: service.add(echo_pb2_grpc.add_EchoServiceServicer_to_server, EchoService())
    )
    assert "/bifrosttest.echo.v1.EchoService/Owned" in message
    assert "account.account_id" in message


async def test_a_method_that_streams_both_ways_stops_the_start() -> None:
    message = await refused(
        lambda service: service.add(
            echo_pb2_grpc.add_TalkServiceServicer_to_server, echo_pb2_grpc.TalkServiceServicer()
        )
    )
    assert "TalkService.Talk" in message


async def test_a_stream_written_as_a_coroutine_stops_the_start() -> None:
    class Coroutine(EchoService):
        async def Count(self, request: Any, context: object) -> Any:  # type: ignore[override]
            return None

    def prepare(service: Service) -> None:
        service.owner("account.account_id", only_a1)
        service.add(echo_pb2_grpc.add_EchoServiceServicer_to_server, Coroutine())

    assert "EchoService.Count" in await refused(prepare)


async def test_two_processes_cannot_share_a_port(start_echo: StartEcho) -> None:
    echo = await start_echo()
    with pytest.raises(RuntimeError):
        await start_echo(port=echo.service.port)


async def http_get(port: int | None, path: str, method: str = "GET") -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    return answer


async def test_metrics_are_served(start_echo: StartEcho) -> None:
    echo = await start_echo(metrics_port=0)
    for _ in range(3):
        await echo.stub.Open(echo_pb2.EchoRequest())
    answer = await http_get(echo.service.metrics_port, "/metrics")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    labels = f'grpc_method="Open",grpc_service="{CONTRACT}"'.encode()
    code = f'bifrost_rpc_calls_total{{code="OK",grpc_method="Open",grpc_service="{CONTRACT}"}} 3.0'
    assert code.encode() in answer
    assert b'bifrost_rpc_seconds_bucket{%s,le="+Inf"} 3.0' % labels in answer
    assert b"bifrost_loop_delay_seconds_count" in answer
    assert b"process_resident_memory_bytes" in answer
    assert b" 404 " in await http_get(echo.service.metrics_port, "/")
    assert b" 404 " in await http_get(echo.service.metrics_port, "/metrics", "POST")


async def test_a_failing_background_task_is_counted_and_run_again(start_echo: StartEcho) -> None:
    ran: list[int] = []
    recovered = asyncio.Event()

    async def fragile() -> None:
        assert current_principal().kind == "anonymous"
        ran.append(1)
        if len(ran) == 1:
            raise ValueError("the first time fails")
        recovered.set()
        await asyncio.Event().wait()

    echo = await start_echo(prepare=lambda service: service.background("fragile", fragile))
    await asyncio.wait_for(recovered.wait(), 60)
    text = echo.service.metrics.text()
    assert b'bifrost_background_failures_total{task="fragile"} 1.0' in text
    assert b'bifrost_background_up{task="fragile"} 1.0' in text
    await echo.service.stop(0)
    assert b'bifrost_background_up{task="fragile"} 0.0' in echo.service.metrics.text()


async def test_a_background_task_that_fails_at_its_cancellation_is_not_run_again(
    start_echo: StartEcho,
) -> None:
    ran: list[int] = []
    running = asyncio.Event()

    async def stubborn() -> None:
        ran.append(1)
        running.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ConnectionError("cut while it was read") from None

    echo = await start_echo(prepare=lambda service: service.background("stubborn", stubborn))
    await asyncio.wait_for(running.wait(), 60)
    await asyncio.wait_for(echo.service.stop(0), 60)
    assert ran == [1]
    assert "stubborn" not in {task.get_name() for task in asyncio.all_tasks()}


async def test_what_does_not_end_is_named_and_does_not_hold_up_the_stop(start_echo: StartEcho) -> None:
    running, release = asyncio.Event(), asyncio.Event()
    closed: list[str] = []

    async def deaf() -> None:
        running.set()
        while not release.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await release.wait()

    async def close() -> None:
        closed.append("database")

    def prepare(service: Service) -> None:
        service.background("deaf", deaf)
        service.on_stop(close)

    echo = await start_echo(prepare=prepare)
    await asyncio.wait_for(running.wait(), 60)
    work = echo.service.work.start(deaf())
    with structlog.testing.capture_logs() as logs:
        await asyncio.wait_for(echo.service.stop(0), 60)
    release.set()
    await work
    stuck = [entry for entry in logs if entry["event"] == "task_stuck"]
    assert [entry["task"].rpartition(".")[2] for entry in stuck] == ["deaf", "deaf"]
    assert closed == ["database"]


async def test_owned_work_that_fails_or_is_late_does_not_hold_up_the_stop(start_echo: StartEcho) -> None:
    echo = await start_echo()

    async def fail() -> None:
        raise ValueError("lost")

    failed = echo.service.work.start(fail(), deadline_s=1)
    late = echo.service.work.start(asyncio.Event().wait())
    with pytest.raises(ValueError, match="lost"):
        await failed
    await asyncio.wait_for(echo.service.stop(0.05), 60)
    assert late.cancelled()


async def test_a_scraper_that_says_nothing_is_let_go(start_echo: StartEcho) -> None:
    echo = await start_echo(metrics_port=0)
    reader, writer = await asyncio.open_connection("127.0.0.1", echo.service.metrics_port)
    writer.write(b"GET /metrics")
    writer.write_eof()
    assert await asyncio.wait_for(reader.read(), 60) == b""
    writer.close()


async def test_a_background_task_may_end() -> None:
    service = Service(ServiceSettings(drain_delay_s=0))
    done = asyncio.Event()

    async def once() -> None:
        done.set()

    service.background("once", once)
    await service.start()
    await asyncio.wait_for(done.wait(), 60)
    await service.stop(0)
    assert b'bifrost_background_failures_total{task="once"}' not in service.metrics.text()


async def test_stop_closes_in_reverse_whatever_fails(start_echo: StartEcho) -> None:
    closed: list[str] = []

    def closer(name: str, error: Exception | None = None) -> Callable[[], Awaitable[None]]:
        async def close() -> None:
            closed.append(name)
            if error is not None:
                raise error

        return close

    def prepare(service: Service) -> None:
        service.on_stop(closer("database"))
        service.on_stop(closer("mesh", RuntimeError("stuck")))

    echo = await start_echo(prepare=prepare)
    await echo.service.stop(0)
    await echo.service.stop(0)
    assert closed == ["mesh", "database"]


async def test_owned_work_outlives_its_caller_and_its_deadline(start_echo: StartEcho) -> None:
    finished = asyncio.Event()
    release = asyncio.Event()
    seen: list[object] = []

    async def work() -> None:
        await release.wait()
        call = current_call.get()
        assert call is not None
        seen.extend([call.deadline, current_principal().user_id])
        finished.set()

    class Owning(EchoService):
        work: OwnedWork

        async def Mutate(self, request: Any, context: object) -> Any:
            self.entered.set()
            await asyncio.shield(self.work.start(work()))

    servicer = Owning()

    service = Service(ServiceSettings(drain_delay_s=0, jwks_file=(await start_echo()).keys.jwks_file))
    servicer.work = service.work
    service.owner("account.account_id", only_a1)
    service.add(echo_pb2_grpc.add_EchoServiceServicer_to_server, servicer)
    port = await service.start()
    keys = (await start_echo()).keys
    async with connect(f"127.0.0.1:{port}") as channel:
        stub = echo_pb2_grpc.EchoServiceStub(channel)
        call = stub.Mutate(echo_pb2.EchoRequest(), metadata=bearer(keys.user()), timeout=60)
        await asyncio.wait_for(servicer.entered.wait(), 60)
        call.cancel()
        asyncio.get_running_loop().call_later(0.05, release.set)
        await service.stop(5)
    assert finished.is_set()
    assert seen == [None, "user-1"]


async def test_the_decimal_context_is_installed_for_handlers(start_echo: StartEcho) -> None:
    import decimal

    seen: list[bool] = []

    class Counting(EchoService):
        async def Open(self, request: Any, context: object) -> Any:
            seen.append(decimal.getcontext().traps[decimal.Inexact])
            return echo_pb2.EchoResponse()

    service = Service(ServiceSettings(drain_delay_s=0))
    service.owner("account.account_id", only_a1)
    service.add(echo_pb2_grpc.add_EchoServiceServicer_to_server, Counting())
    port = await service.start()
    async with connect(f"127.0.0.1:{port}") as channel:
        await echo_pb2_grpc.EchoServiceStub(channel).Open(echo_pb2.EchoRequest())
    await service.stop(0)
    assert seen == [True]
    assert decimals.CONTEXT.prec == 60


async def test_a_process_drains_on_a_signal() -> None:
    served: list[Service] = []

    async def compose() -> Service:
        service = Service(ServiceSettings(drain_delay_s=0, drain_grace_s=0))

        async def terminate() -> None:
            os.kill(os.getpid(), signal.SIGTERM)

        service.background("terminate", terminate)
        served.append(service)
        return service

    before, handlers = structlog.get_config(), logging.getLogger().handlers[:]
    try:
        await asyncio.wait_for(_run(compose), 60)
    finally:
        structlog.configure(**before)
        logging.getLogger().handlers[:] = handlers
    assert served[0].draining.is_set()


PROGRAM = """
from tests.contract.runtime.echo_contract import EchoService, echo_pb2_grpc, only_a1
from services.runtime.server import Service, run
from services.runtime.settings import ServiceSettings

async def main():
    service = Service(ServiceSettings(drain_delay_s=0))
    service.owner("account.account_id", only_a1)
    service.add(echo_pb2_grpc.add_EchoServiceServicer_to_server, EchoService())
    return service

run(main)
"""


async def test_a_process_serves_until_sigterm() -> None:
    import json

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    assert process.stdout is not None
    try:
        line = json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
        assert (line["event"], line["level"], line["service"]) == ("serving", "info", "test")
        async with connect(f"127.0.0.1:{line['port']}") as channel:
            stub = echo_pb2_grpc.EchoServiceStub(channel)
            with pytest.raises(grpc.aio.AioRpcError):
                await stub.Open(echo_pb2.EchoRequest(text="bug"))
        process.send_signal(signal.SIGTERM)
        rest = (await asyncio.wait_for(process.stdout.read(), 60)).decode().splitlines()
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
    logged = [json.loads(text) for text in rest]
    by_event = {entry["event"]: entry for entry in logged}
    assert "KeyError" in by_event["unexpected_error"]["exception"]
    call = by_event["call"]
    assert (call["code"], call["method"], call["user"]) == ("INTERNAL", "Open", "")
    assert call["ms"] >= 0
    assert "stopped" in by_event
