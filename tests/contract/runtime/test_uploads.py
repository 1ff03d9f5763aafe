"""Methods that stream requests: the same path as all others, with the rules kept by every message."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest

from services.runtime.errors import error_from_rpc, not_found
from services.runtime.server import Service
from tests.contract.runtime.echo_contract import Running, StartEcho, echo_pb2, echo_pb2_grpc

Request = echo_pb2.EchoRequest


class Uploads(echo_pb2_grpc.UploadServiceServicer):  # type: ignore[misc]
    """Joins the texts that come."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.came = asyncio.Event()
        self.left = asyncio.Event()

    async def Upload(self, request_iterator: AsyncIterator[Any], context: object) -> Any:
        try:
            async for request in request_iterator:
                self.texts.append(request.text)
                self.came.set()
                if request.text == "fail":
                    raise not_found("NOT_HERE", "no such thing")
            return echo_pb2.EchoResponse(text=" ".join(self.texts))
        finally:
            self.left.set()


@pytest.fixture
def uploads() -> Uploads:
    return Uploads()


@pytest.fixture
async def running(start_echo: StartEcho, uploads: Uploads) -> Running:
    def prepare(service: Service) -> None:
        service.add(echo_pb2_grpc.add_UploadServiceServicer_to_server, uploads)

    return await start_echo(prepare=prepare)


async def endless(*texts: str) -> AsyncIterator[Any]:
    for text in texts:
        yield Request(text=text)
    await asyncio.Event().wait()


async def refused(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    failure = error_from_rpc(caught.value)
    return failure.code, failure.reason


@pytest.fixture
def upload(running: Running) -> Callable[..., Any]:
    call: Callable[..., Any] = echo_pb2_grpc.UploadServiceStub(running.channel).Upload
    return call


async def test_all_messages_come_in_order(upload: Callable[..., Any]) -> None:
    assert (await upload(iter([Request(text=word) for word in ("one", "two")]))).text == "one two"
    assert (await upload(iter([]))).text == "one two"


async def test_rules_hold_for_every_message(upload: Callable[..., Any], uploads: Uploads) -> None:
    failure = await refused(upload(endless("good", "x" * 65)))
    assert failure == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert uploads.texts == ["good"]


async def test_an_error_is_answered_before_the_end_of_the_stream(upload: Callable[..., Any]) -> None:
    assert await refused(upload(endless("one", "fail"))) == (grpc.StatusCode.NOT_FOUND, "NOT_HERE")


async def test_a_refused_upload_is_read_on_so_that_no_write_fails(upload: Callable[..., Any]) -> None:
    """More than a connection takes unread: grpc.aio would tell of the write that failed instead."""
    sent = []

    async def large(parts: int) -> AsyncIterator[Any]:
        yield Request(text="fail")
        for part in range(parts):
            yield Request(text="x" * 100_000)
            sent.append(part)

    assert await refused(upload(large(50))) == (grpc.StatusCode.NOT_FOUND, "NOT_HERE")
    assert len(sent) == 50


async def test_a_caller_who_leaves_ends_the_handler(upload: Callable[..., Any], uploads: Uploads) -> None:
    call = upload(endless("one"))
    await asyncio.wait_for(uploads.came.wait(), 60)
    call.cancel()
    await asyncio.wait_for(uploads.left.wait(), 60)
    code, _ = await refused(upload(endless("two"), timeout=0.2))
    assert code == grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_drain_ends_the_upload(
    running: Running, upload: Callable[..., Any], uploads: Uploads
) -> None:
    call = upload(endless("one"))
    await asyncio.wait_for(uploads.came.wait(), 60)
    stopping = asyncio.create_task(running.service.stop(5))
    code, _ = await refused(call)
    assert code == grpc.StatusCode.UNAVAILABLE
    await stopping
