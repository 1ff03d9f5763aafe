"""An upload that is refused while it is being sent ends with the service's reason."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import pytest

from bifrost.data.v1.import_service_pb2 import ImportBarsRequest, ImportBarsResponse
from services.cli.client import EdgeClient
from services.cli.session import Session
from services.cli.uploads import upload
from services.runtime.testing import peer_server

_METHOD = "/bifrost.data.v1.ImportService/ImportBars"


class GivenToken(Session):
    def __init__(self) -> None:
        """Of somebody who is logged in."""

    async def access_token(self, channel: grpc.aio.Channel) -> str:
        return "token"


class Service:
    """Refuses at the first message, answers at the end, or does not answer."""

    def __init__(self) -> None:
        self.manner = ""
        self.cancelled = asyncio.Event()
        self.begun = asyncio.Event()

    async def upload(self, requests: AsyncIterator[bytes], context: Any) -> bytes:
        assert ("authorization", "Bearer token") in tuple(context.invocation_metadata())
        count = 0
        async for _ in requests:
            count += 1
            self.begun.set()
            if self.manner == "refuse":
                await context.abort(
                    grpc.StatusCode.INVALID_ARGUMENT, "line 3 is too long", (("why", "line"),)
                )
            if self.manner == "wait":
                try:
                    await asyncio.Event().wait()
                finally:
                    self.cancelled.set()
        return ImportBarsResponse(rows_read=count).SerializeToString()


@pytest.fixture
async def service() -> AsyncIterator[tuple[Service, EdgeClient]]:
    service = Service()
    handler: Any = grpc.stream_unary_rpc_method_handler(service.upload)
    server = peer_server()
    contract, name = _METHOD[1:].split("/")
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(contract, {name: handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with EdgeClient(f"127.0.0.1:{port}", GivenToken()) as client:
        yield service, client
    await server.stop(0)


def chunks(count: int) -> Iterator[ImportBarsRequest]:
    for _ in range(count):
        yield ImportBarsRequest(chunk=bytes(256 * 1024))


async def test_the_answer_comes_back(service: tuple[Service, EdgeClient]) -> None:
    answer = await upload(service[1], _METHOD, chunks(8), ImportBarsResponse, timeout_s=60)
    assert answer.rows_read == 8


async def test_a_refusal_amid_the_upload_keeps_its_reason(service: tuple[Service, EdgeClient]) -> None:
    service[0].manner = "refuse"
    for _ in range(10):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await upload(service[1], _METHOD, chunks(80), ImportBarsResponse, timeout_s=60)
        error = caught.value
        assert (error.code(), error.details()) == (grpc.StatusCode.INVALID_ARGUMENT, "line 3 is too long")
        assert error.trailing_metadata().get("why") == "line"


async def test_an_upload_that_is_given_up_ends_the_call(service: tuple[Service, EdgeClient]) -> None:
    service[0].manner = "wait"
    task = asyncio.ensure_future(upload(service[1], _METHOD, chunks(80), ImportBarsResponse, timeout_s=60))
    await asyncio.wait_for(service[0].begun.wait(), 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(service[0].cancelled.wait(), 60)
