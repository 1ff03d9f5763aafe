"""Server streams: their messages, and every way in which they end."""

import asyncio
import contextlib
import time
from typing import Any

import grpc

from services.runtime.errors import RpcFailure, error_from_rpc
from services.runtime.testing_keys import bearer
from tests.contract.runtime.echo_contract import (
    Running,
    StartEcho,
    echo_pb2,
)

Request = echo_pb2.CountRequest
# The first that a machine, however busy, does not use up before the first message.
LIVES_S = (0.3, 2.0, 30.0)


async def numbers_and_failure(call: Any) -> tuple[list[int], RpcFailure]:
    numbers = []
    try:
        async for message in call:
            numbers.append(message.number)  # noqa: PERF401  what came before the error is kept
    except grpc.aio.AioRpcError as error:
        return numbers, error_from_rpc(error)
    raise AssertionError("the stream ended well")


async def first(call: Any) -> int:
    async for message in call:
        return int(message.number)
    raise AssertionError("the stream was empty")


async def test_messages_and_bytes_arrive_alike(echo: Running) -> None:
    call = echo.stub.Count(Request(to=3), metadata=bearer(echo.keys.user()))
    assert [message.number async for message in call] == [1, 2, 3]
    assert await call.code() is grpc.StatusCode.OK
    assert echo.servicer.principals[0].user_id == "user-1"
    assert b'grpc_method="Count",grpc_service="bifrosttest' in echo.service.metrics.text()


async def test_a_stream_asks_for_token_and_scope(echo: Running) -> None:
    numbers, failure = await numbers_and_failure(echo.stub.Count(Request(to=3)))
    assert (numbers, failure.reason) == ([], "TOKEN_MISSING")
    token = echo.keys.user(scope="echo:loud")
    _, failure = await numbers_and_failure(echo.stub.Count(Request(to=3), metadata=bearer(token)))
    assert failure.reason == "SCOPE_MISSING"


async def test_an_error_in_mid_stream_has_its_details(echo: Running) -> None:
    call = echo.stub.Count(Request(to=7), metadata=bearer(echo.keys.user()))
    numbers, failure = await numbers_and_failure(call)
    assert numbers == [1, 2, 3]
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "ECHO_NOT_FOUND")
    assert echo.servicer.count_closed.is_set()


async def test_a_stream_ends_with_its_token(echo: Running) -> None:
    for life_s in LIVES_S:
        ends = time.time() + life_s
        call = echo.stub.Count(Request(to=1), metadata=bearer(echo.keys.user(exp=ends)))
        numbers, failure = await numbers_and_failure(call)
        assert (failure.code, failure.reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_EXPIRED")
        assert time.time() > ends - 0.1
        if numbers:
            break
    assert numbers == [1]
    assert echo.servicer.count_closed.is_set()


async def test_a_service_stream_for_a_user_ends_with_the_users_token(echo: Running) -> None:
    metadata = bearer(echo.keys.service(), echo.keys.user(exp=time.time() + 0.3))
    _, failure = await numbers_and_failure(echo.stub.Count(Request(to=1), metadata=metadata))
    assert failure.reason == "TOKEN_EXPIRED"


async def test_a_reader_that_leaves_closes_the_handler(echo: Running) -> None:
    call = echo.stub.Count(Request(to=1), metadata=bearer(echo.keys.user()))
    assert await first(call) == 1
    call.cancel()
    await asyncio.wait_for(echo.servicer.count_closed.wait(), 60)
    await echo.metrics_show('code="CANCELLED"')


async def test_a_clients_deadline_ends_a_stream(echo: Running) -> None:
    for life_s in LIVES_S:
        call = echo.stub.Count(Request(to=1), metadata=bearer(echo.keys.user()), timeout=life_s)
        numbers, failure = await numbers_and_failure(call)
        assert failure.code is grpc.StatusCode.DEADLINE_EXCEEDED
        if numbers:
            break
    assert numbers == [1]
    await asyncio.wait_for(echo.servicer.count_closed.wait(), 60)


async def test_draining_ends_streams_and_takes_no_new_ones(start_echo: StartEcho) -> None:
    echo = await start_echo()
    user = bearer(echo.keys.user())
    call = echo.stub.Count(Request(to=1), metadata=user)
    reader = asyncio.create_task(numbers_and_failure(call))
    await asyncio.wait_for(echo.servicer.entered.wait(), 60)
    # A unary call under way keeps the server in its grace while a new stream is tried.
    echo.servicer.entered.clear()
    unary = echo.stub.Open(echo_pb2.EchoRequest(text="hang"))
    await asyncio.wait_for(echo.servicer.entered.wait(), 60)
    stopping = asyncio.create_task(echo.service.stop(3))
    await asyncio.wait_for(echo.service.draining.wait(), 60)
    _, late = await numbers_and_failure(echo.stub.Count(Request(to=1), metadata=user))
    numbers, failure = await reader
    for ended in (failure, late):
        assert (ended.code, ended.reason) == (grpc.StatusCode.UNAVAILABLE, "DRAINING")
        assert ended.retry_after_s == 1.0
    assert numbers == [1]
    unary.cancel()
    await asyncio.wait_for(stopping, 60)


async def test_a_stalled_reader_does_not_hold_up_the_stop(start_echo: StartEcho) -> None:
    echo = await start_echo()
    call = echo.stub.Count(Request(to=2000, size=100_000), metadata=bearer(echo.keys.user()))
    assert await first(call) == 1
    await asyncio.wait_for(echo.service.stop(1), 60)
    await asyncio.wait_for(echo.servicer.count_closed.wait(), 60)


async def test_a_stalled_reader_is_cut_when_its_token_ends(echo: Running) -> None:
    for life_s in LIVES_S:
        token = echo.keys.user(exp=time.time() + life_s)
        call = echo.stub.Count(Request(to=2000, size=100_000), metadata=bearer(token))
        with contextlib.suppress(grpc.aio.AioRpcError):
            assert await first(call) == 1
            break
    await asyncio.wait_for(echo.servicer.count_closed.wait(), 60)
    assert not echo.servicer.entered.is_set()
