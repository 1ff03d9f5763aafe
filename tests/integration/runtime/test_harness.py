"""A service over a real log, served and followed through real channels with the test keys."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Sequence
from pathlib import Path
from typing import TypeAlias

import grpc
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from bifrost.portfolio.v1 import ledger_service_pb2_grpc, portfolio_service_pb2_grpc
from bifrost.portfolio.v1.ledger_service_pb2 import (
    ListLedgerEntriesRequest,
    StreamLedgerLogRequest,
    StreamLedgerLogResponse,
)
from bifrost.type.v1.stream_pb2 import StreamPosition
from services.runtime.auth import Principal
from services.runtime.channel import Mesh
from services.runtime.clock import SystemClock
from services.runtime.database import Database
from services.runtime.errors import error_from_rpc
from services.runtime.event_log import EventLog
from services.runtime.follower import Follower
from services.runtime.server import Service
from services.runtime.settings import ServiceSettings
from services.runtime.stream_client import resuming
from services.runtime.testing import serving
from services.runtime.testing_keys import MeshKeys, bearer
from services.runtime.waiting import until
from tests.integration.runtime.log_streams import append, cursors, effects, fresh_database, open_log, serve

LedgerLog: TypeAlias = grpc.aio.UnaryStreamCall[StreamLedgerLogRequest, StreamLedgerLogResponse]


class Ledger(ledger_service_pb2_grpc.LedgerServiceServicer):
    """Streams the log it is given."""

    def __init__(self, log: EventLog, draining: asyncio.Event) -> None:
        self._log = log
        self._draining = draining

    async def StreamLedgerLog(
        self, request: StreamLedgerLogRequest, _context: object
    ) -> AsyncIterator[bytes]:
        after = request.resume_after if request.HasField("resume_after") else None
        async for message in serve(self._log, after, draining=self._draining):
            yield message


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    database = await fresh_database(postgres_url)
    yield database
    await database.close()


@pytest.fixture
async def log(database: Database) -> AsyncIterator[EventLog]:
    log = await open_log(database)
    yield log
    await log.close()


@contextlib.asynccontextmanager
async def in_background(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def nobody_owns(_principal: Principal, _owner: str) -> None:
    raise PermissionError


def settings(keys: MeshKeys, service: str, **values: object) -> ServiceSettings:
    return ServiceSettings.model_validate({**keys.settings(service), **values})


def portfolio(keys: MeshKeys, log: EventLog, port: int = 0) -> Service:
    service = Service(settings(keys, "portfolio", port=port), clock=SystemClock())
    service.add(ledger_service_pb2_grpc.add_LedgerServiceServicer_to_server, Ledger(log, service.draining))
    # the mesh's channels check the health of the first contract
    nothing = portfolio_service_pb2_grpc.PortfolioServiceServicer()
    service.add(portfolio_service_pb2_grpc.add_PortfolioServiceServicer_to_server, nothing)
    service.owner("account_id", nobody_owns)
    return service


async def test_log_is_followed_over_grpc_through_a_restart(
    log: EventLog, database: Database, tmp_path: Path
) -> None:
    keys = MeshKeys(tmp_path, services=["portfolio", "risk"])
    await append(log, 3)
    async with contextlib.AsyncExitStack() as stack:
        service = portfolio(keys, log)
        port = await service.start()
        stack.push_async_callback(service.stop, 1.0)
        book = {"portfolio": f"127.0.0.1:{port}"}
        mesh = Mesh(settings(keys, "risk", address_book=book), clock=SystemClock())
        stack.push_async_callback(mesh.close)
        stub = ledger_service_pb2_grpc.LedgerServiceStub(mesh.channel("portfolio"))

        async def record(connection: AsyncConnection, responses: Sequence[StreamLedgerLogResponse]) -> None:
            await connection.execute(effects.insert(), [{"sequence": r.header.sequence} for r in responses])

        def open_stream(after: StreamPosition | None) -> LedgerLog:
            return stub.StreamLedgerLog(StreamLedgerLogRequest(resume_after=after))

        following: Follower[AsyncConnection, StreamLedgerLogResponse] = Follower(
            "portfolio.ledger",
            open_stream=open_stream,
            transaction=database.transaction,
            cursors=cursors,
            apply=record,
        )
        viewed: list[int] = []

        async def view() -> None:
            async for response in resuming(open_stream):
                viewed.extend([response.header.sequence] * (response.WhichOneof("event") == "entry"))

        await stack.enter_async_context(in_background(following.run()))
        await stack.enter_async_context(in_background(view()))
        await asyncio.wait_for(following.caught_up.wait(), 60)
        await until(lambda: len(viewed) == 3, timeout_s=60)
        await service.stop(grace_s=1.0)
        await until(lambda: not following.caught_up.is_set(), timeout_s=60)
        await append(log, 2)
        again = portfolio(keys, log, port)
        stack.push_async_callback(again.stop, 1.0)
        await again.start()
        await until(lambda: following.position.sequence == 5 and following.caught_up.is_set(), timeout_s=60)
        await until(lambda: viewed == [1, 2, 3, 4, 5], timeout_s=60)
        assert following.halted is None


async def test_view_of_a_log_that_is_gone_begins_anew(log: EventLog) -> None:
    await append(log, 2)
    asked: list[str] = []

    async def open_stream(after: StreamPosition | None) -> AsyncIterator[StreamLedgerLogResponse]:
        asked.append(after.epoch if after else "")
        if after is not None and after.epoch != log.epoch:
            raise await refused(grpc.StatusCode.FAILED_PRECONDITION, "STREAM_EPOCH_CHANGED")
        async for message in serve(log, after):
            yield StreamLedgerLogResponse.FromString(message)

    stream = resuming(open_stream, resume_after=StreamPosition(epoch="old", sequence=9))
    assert (await anext(stream)).header.sequence == 1
    assert asked == ["old", ""]


async def test_a_view_is_taken_up_after_its_last_event_whatever_marker_came_since(log: EventLog) -> None:
    """So that each event of a filtered log names the one before it, also when other keys moved the head."""
    await append(log, 1, key="mine")
    await append(log, 2, key="other")
    asked: list[int] = []

    async def open_stream(after: StreamPosition | None) -> AsyncIterator[StreamLedgerLogResponse]:
        asked.append(after.sequence if after else 0)
        async for message in serve(log, after, keys={"mine"}):
            response = StreamLedgerLogResponse.FromString(message)
            yield response
            if response.WhichOneof("event") == "replay_end":
                return  # cut

    links: list[tuple[int, int]] = []
    async for response in resuming(open_stream):
        if response.WhichOneof("event") == "entry":
            links.append((response.header.previous_sequence, response.header.sequence))
        elif len(links) == 1:
            await append(log, 1, key="mine")
        else:
            break
    assert links == [(0, 1), (1, 4)]
    assert asked == [0, 1]


async def refused(code: grpc.StatusCode, reason: str) -> grpc.aio.AioRpcError:
    from services.runtime.errors import DETAILS_KEY, ApiError

    status = ApiError(code, reason, "no").to_status("bifrost.test").SerializeToString()
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata((DETAILS_KEY, status)), "no")


async def test_view_ends_when_the_server_refuses_for_good() -> None:
    async def open_stream(after: StreamPosition | None) -> AsyncIterator[StreamLedgerLogResponse]:
        if after is None:
            raise await refused(grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")
        yield StreamLedgerLogResponse()

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await anext(resuming(open_stream))
    assert error_from_rpc(caught.value).reason == "SCOPE_MISSING"


async def test_served_service_knows_the_users_of_the_keys(log: EventLog, tmp_path: Path) -> None:
    keys = MeshKeys(tmp_path, services=["portfolio", "risk"])
    async with serving(portfolio(keys, log)) as channel:
        stub = ledger_service_pb2_grpc.LedgerServiceStub(channel)
        for headers, code in (
            (None, grpc.StatusCode.UNAUTHENTICATED),
            (bearer(keys.user_token("u", exp=1)), grpc.StatusCode.UNAUTHENTICATED),
            (bearer(keys.user_token("u")), grpc.StatusCode.PERMISSION_DENIED),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stub.ListLedgerEntries(ListLedgerEntriesRequest(account_id="a"), metadata=headers)
            assert caught.value.code() is code
        acting = bearer(keys.service_token("risk"), actor=keys.user_token("u", scope="portfolio:read"))
        stream = stub.StreamLedgerLog(StreamLedgerLogRequest(), metadata=acting)
        assert (await anext(aiter(stream))).WhichOneof("event") == "replay_end"
        stream.cancel()
