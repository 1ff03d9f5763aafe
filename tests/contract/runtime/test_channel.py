"""The mesh channel: who calls for whom, how long, retried when; against real servers."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest

from services.runtime.auth import Call, Principal, current_call
from services.runtime.channel import Mesh
from services.runtime.clock import NANOS, SystemClock
from services.runtime.embedded.ports import ReservedPorts
from services.runtime.errors import error_from_rpc, unavailable
from services.runtime.inventory import Inventory, ServiceEntry
from services.runtime.service_config import service_config
from services.runtime.settings import ServiceSettings
from services.runtime.testing_keys import bearer
from tests.contract.runtime.echo_contract import (
    CONTRACT,
    EchoService,
    Keys,
    Running,
    StartEcho,
    echo_pb2,
    echo_pb2_grpc,
)

Request = echo_pb2.EchoRequest
Connect = Callable[..., Mesh]
INVENTORY = Inventory({"echo": ServiceEntry("echo", 1, 2, (CONTRACT,))}, 8080, 9901)


@pytest.fixture
async def connect(keys: Keys) -> AsyncIterator[Connect]:
    """Make a mesh of the service `execution` whose address book has echo at this target."""
    made: list[Mesh] = []

    def connect(target: int | str, **settings: object) -> Mesh:
        address = target if isinstance(target, str) else f"127.0.0.1:{target}"
        values = {"service": "execution", "credential_file": keys.credential_file("execution"), **settings}
        mesh = Mesh(
            ServiceSettings.model_validate({"address_book": {"echo": address}, **values}),
            clock=SystemClock(),
            inventory=INVENTORY,
        )
        made.append(mesh)
        return mesh

    yield connect
    for mesh in made:
        await mesh.close()


def stub_of(mesh: Mesh) -> Any:
    return echo_pb2_grpc.EchoServiceStub(mesh.channel("echo"))


class CallOf:
    """Runs a block as if inside a call of this principal."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def __enter__(self) -> None:
        self._token = current_call.set(self._call)

    def __exit__(self, *_: object) -> None:
        current_call.reset(self._token)


def user_principal(token: str) -> Principal:
    return Principal(subject="user-1", kind="user", token=token, expires_at_ns=time.time_ns() + 900 * NANOS)


async def test_a_call_carries_the_services_token(echo: Running, connect: Connect) -> None:
    mesh = connect(echo.service.port)
    assert mesh.channel("echo") is mesh.channel("echo")
    reply = await stub_of(mesh).Internal(Request(text="x"))
    assert reply.text == "x"
    (principal,) = echo.servicer.principals
    assert (principal.service_name, principal.user_id) == ("execution", None)


async def test_a_call_for_a_user_carries_user_and_trace(echo: Running, connect: Connect) -> None:
    mesh = connect(echo.service.port)
    trace = f"00-{'a' * 32}-{'b' * 16}-00"
    user = user_principal(echo.keys.user())
    with CallOf(Call(user, None, trace)):
        await stub_of(mesh).Echo(Request())
    service = Principal(subject="service:risk", kind="service", actor=user)
    with CallOf(Call(service, None, None)):
        await stub_of(mesh).Echo(Request(), metadata=(("x-extra", "1"),))
    assert [principal.user_id for principal in echo.servicer.principals] == ["user-1", "user-1"]
    assert echo.servicer.calls[0].traceparent == trace


async def test_without_a_credential_only_public_methods_answer(echo: Running, connect: Connect) -> None:
    mesh = connect(echo.service.port, credential_file=None)
    with CallOf(Call(user_principal(echo.keys.user()))):
        await stub_of(mesh).Open(Request())
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub_of(mesh).Echo(Request())
    assert error_from_rpc(caught.value).reason == "TOKEN_MISSING"


async def test_the_deadline_passed_on_is_what_is_left_at_most(echo: Running, connect: Connect) -> None:
    stub = stub_of(connect(echo.service.port, default_deadline_s=700))
    await stub.Internal(Request())
    await stub.Internal(Request(), timeout=300)
    with CallOf(Call(deadline=time.monotonic() + 200)):
        await stub.Internal(Request(), timeout=300)
        await stub.Internal(Request(), timeout=100)
    now = time.monotonic()
    left = [(call.deadline or 0) - now for call in echo.servicer.calls]
    for seen, asked in zip(left, [700, 300, 200, 100], strict=True):
        assert asked - 90 < seen <= asked + 5
    with CallOf(Call(deadline=time.monotonic() - 1)), pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Internal(Request())
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert len(echo.servicer.calls) == 4


async def test_streams_flow_over_both_channels_without_a_deadline(echo: Running, connect: Connect) -> None:
    mesh = connect(echo.service.port)
    assert mesh.channel("echo") is not mesh.stream_channel("echo")
    for channel in (mesh.channel("echo"), mesh.stream_channel("echo")):
        await channel.channel_ready()
        call = echo_pb2_grpc.EchoServiceStub(channel).Count(echo_pb2.CountRequest(to=3))
        assert [message.number async for message in call] == [1, 2, 3]


async def test_only_what_may_be_repeated_is_retried(echo: Running, connect: Connect) -> None:
    stub = stub_of(connect(echo.service.port))
    away = unavailable("DEPENDENCY_UNAVAILABLE", "away")
    echo.servicer.failures.extend([away, away])
    await stub.Internal(Request())
    assert len(echo.servicer.principals) == 3
    echo.servicer.failures.append(away)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Mutate(Request())
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert len(echo.servicer.principals) == 4


async def test_a_draining_instance_gets_no_new_calls(start_echo: StartEcho, connect: Connect) -> None:
    one, two = await start_echo(), await start_echo()
    target = f"ipv4:127.0.0.1:{one.service.port},127.0.0.1:{two.service.port}"
    stub = stub_of(connect(target))
    async with asyncio.timeout(60):
        while not (one.servicer.principals and two.servicer.principals):
            await stub.Internal(Request(), wait_for_ready=True)
    await one.service.stop(1)
    before = len(one.servicer.principals)
    for _ in range(10):
        await stub.Mutate(Request())
    assert len(one.servicer.principals) == before


async def test_a_restarted_instance_is_found_again(start_echo: StartEcho, connect: Connect) -> None:
    echo = await start_echo()
    stub = stub_of(connect(echo.service.port))
    await stub.Internal(Request())
    await echo.service.stop(0)
    again = await start_echo(port=echo.service.port)
    await stub.Internal(Request(), wait_for_ready=True, timeout=60)
    assert len(again.servicer.principals) == 1


async def test_the_channels_surface(echo: Running, connect: Connect) -> None:
    async with connect(echo.service.port).channel("echo") as channel:
        state = channel.get_state(try_to_connect=True)
        while state is not grpc.ChannelConnectivity.READY:
            await asyncio.wait_for(channel.wait_for_state_change(state), 60)
            state = channel.get_state()
        for streaming in (channel.stream_unary, channel.stream_stream):
            with pytest.raises(NotImplementedError, match="/a/B"):
                streaming("/a/B")


def test_a_service_that_nobody_knows(connect: Connect) -> None:
    with pytest.raises(KeyError):
        connect(1).channel("nowhere")


async def test_a_mesh_does_not_wait_for_what_another_one_found(
    start_echo: StartEcho, connect: Connect
) -> None:
    """Not that of a closed one either, whose connections live as long as its calls are referred to."""
    reserved = ReservedPorts(1)
    (port,) = reserved.numbers
    earlier = connect(port)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub_of(earlier).Open(Request(), timeout=60)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    await earlier.close()
    await start_echo(port=port)
    await stub_of(connect(port)).Open(Request(), timeout=60)


async def test_the_inventory_is_the_default_address_book(keys: Keys) -> None:
    mesh = Mesh(ServiceSettings(), clock=SystemClock(), inventory=INVENTORY)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub_of(mesh).Open(Request(), timeout=60)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "127.0.0.1:1" in str(caught.value.details())
    await mesh.close()


def test_the_service_config_comes_from_the_policies() -> None:
    config = json.loads(service_config([CONTRACT]))
    assert config["healthCheckConfig"] == {"serviceName": CONTRACT}
    (method,) = config["methodConfig"]
    assert {name["method"] for name in method["name"]} == {"Echo", "Internal", "Count"}
    assert "methodConfig" not in json.loads(service_config([]))


async def test_a_chain_of_services_keeps_user_and_deadline(start_echo: StartEcho, connect: Connect) -> None:
    back = await start_echo()
    stub = stub_of(connect(back.service.port))

    class Front(EchoService):
        async def Echo(self, request: Any, context: object) -> Any:
            return await stub.Echo(request)

    front = await start_echo(servicer=Front())
    token = front.keys.user()
    await front.stub.Echo(Request(text="through"), metadata=bearer(token), timeout=60)
    (principal,) = back.servicer.principals
    assert (principal.service_name, principal.user_id) == ("execution", "user-1")
    assert 0 < (back.servicer.calls[0].deadline or 0) - time.monotonic() <= 65
