"""A running execution service over its own database, among fake peers; it can be crashed and restarted."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import TypedDict, TypeVar, Unpack

import grpc

from bifrost.execution.v1 import order_pb2
from bifrost.execution.v1 import order_service_pb2 as pb
from bifrost.execution.v1.order_service_pb2_grpc import OrderServiceStub
from bifrost.type.v1 import order_terms_pb2, stream_pb2, value_pb2
from services.execution.__main__ import compose
from services.execution.config import ExecutionSettings
from services.execution.reports import VenueReports
from services.execution.resolver import Resolver
from services.runtime.channel import Mesh
from services.runtime.database import Database
from services.runtime.errors import RpcFailure, error_from_rpc
from services.runtime.event_log import EventLog
from services.runtime.server import Service
from services.runtime.testing import connect
from services.runtime.testing_keys import MeshKeys, bearer
from services.runtime.waiting import until
from tests.contract.execution.fake_peers import AAPL, Peers, limit_order

SCOPES = "orders:read orders:write"
Headers = list[tuple[str, str]]
Owner = TypeVar("Owner")
_numbers = itertools.count(1)


class SubmitFields(TypedDict, total=False):
    """What a submission may name beside its terms."""

    request_id: str | None
    instrument_id: str
    account_id: str | None
    tag: str


class Execution:
    """One service process after another over the same database."""

    def __init__(self, url: str, folder: Path, peers: Peers, **settings: object) -> None:
        self.peers = peers
        self.keys = MeshKeys(folder)
        self.settings = ExecutionSettings.model_validate(
            {
                **self.keys.settings("execution"),
                "database_url": url,
                "address_book": peers.address_book,
                "risk_timeout_s": 60.0,
                "venue_timeout_s": 60.0,
                "venue_log_wait_s": 60.0,
                **settings,
            }
        )
        self.user: Headers = bearer(self.keys.user_token("user-1", scope=SCOPES))
        self.account_id = peers.portfolio.open_account("user-1")
        self.service: Service | None = None
        self.channel: grpc.aio.Channel | None = None
        self.stub: OrderServiceStub

    async def start(self, *, wait: bool = True) -> None:
        """Start a process; `wait` until it trades."""
        self.service = await compose(self.settings)
        port = await self.service.start()
        self.channel = connect(f"127.0.0.1:{port}")
        self.stub = OrderServiceStub(self.channel)
        if wait:
            await until(self.is_open, timeout_s=60)

    async def is_open(self) -> bool:
        """Whether orders are taken; asked with an order that fails after that check."""
        failure = await self.failure(self.submit(limit_order(price="10.001")))
        return failure.reason != "ACCOUNT_RECONCILING"

    async def stop(self) -> None:
        if self.channel is not None:
            await self.channel.close()
        if self.service is not None:
            await self.service.stop(grace_s=1.0)
            self.service = None

    async def crash(self) -> None:
        """Abandon the process as a power cut would: connections end, tasks stop, nothing more is written."""
        service, self.service = self.service, None
        if service is None or service._server is None or self.channel is None:
            raise AssertionError("nothing runs")
        tasks = [*service._tasks, *service.work._tasks]
        for task in tasks:
            task.cancel()
        log = _owner(service._closers, EventLog)
        await _owner(service._closers, Resolver).close()
        await service._server.stop(None)
        await asyncio.gather(*tasks, return_exceptions=True)
        for finishing in list(log._finishing):
            finishing.cancel()
        await log._writer.close()
        await _owner(service._closers, Database).close()
        await _owner(service._closers, Mesh).close()
        await self.channel.close()

    @property
    def log(self) -> EventLog:
        """The service's event log."""
        if self.service is None:
            raise AssertionError("nothing runs")
        return _owner(self.service._closers, EventLog)

    def venue_cursor(self) -> int:
        """Sequence of the last entry of the venue's log that has had its effect."""
        if self.service is None:
            raise AssertionError("nothing runs")
        run = dict(self.service._background)["reports.XSIM"]
        return _owner([run], VenueReports).follower.position.sequence

    def in_flight(self, method: str) -> int:
        """How many calls of a method the service is at."""
        if self.service is None:
            raise AssertionError("nothing runs")
        return sum(stats.in_flight for stats in self.service.metrics.calls._methods if stats.method == method)

    # Calls.

    def request(
        self,
        terms: order_terms_pb2.OrderTerms | None = None,
        *,
        request_id: str | None = None,
        instrument_id: str = AAPL.instrument_id,
        account_id: str | None = None,
        tag: str = "",
    ) -> pb.SubmitOrderRequest:
        return pb.SubmitOrderRequest(
            account_id=account_id or self.account_id,
            request_id=request_id or f"r{next(_numbers)}",
            instrument=value_pb2.InstrumentRef(instrument_id=instrument_id),
            terms=terms or limit_order(),
            tag=tag,
        )

    async def submit(
        self, terms: order_terms_pb2.OrderTerms | None = None, **fields: Unpack[SubmitFields]
    ) -> pb.SubmitOrderResponse:
        return await self.stub.SubmitOrder(self.request(terms, **fields), metadata=self.user, timeout=60)

    async def order(
        self, terms: order_terms_pb2.OrderTerms | None = None, **fields: Unpack[SubmitFields]
    ) -> str:
        """Submit; the order id."""
        return (await self.submit(terms, **fields)).order.order_id

    async def get(self, order_id: str) -> order_pb2.Order:
        request = pb.GetOrderRequest(account_id=self.account_id, order_id=order_id)
        return (await self.stub.GetOrder(request, metadata=self.user)).order

    async def cancel(self, order_id: str, etag: str = "") -> order_pb2.Order:
        request = pb.CancelOrderRequest(account_id=self.account_id, order_id=order_id, etag=etag)
        return (await self.stub.CancelOrder(request, metadata=self.user, timeout=60)).order

    async def replace(
        self,
        order_id: str,
        terms: order_terms_pb2.OrderTerms,
        *,
        request_id: str | None = None,
        etag: str = "",
    ) -> pb.ReplaceOrderResponse:
        request = pb.ReplaceOrderRequest(
            account_id=self.account_id,
            order_id=order_id,
            request_id=request_id or f"r{next(_numbers)}",
            terms=terms,
            etag=etag,
        )
        return await self.stub.ReplaceOrder(request, metadata=self.user, timeout=60)

    async def until(self, order_id: str, state: int) -> order_pb2.Order:
        """The order once it is in the state."""

        async def reached() -> bool:
            return (await self.get(order_id)).state == state

        await until(reached, timeout_s=60)
        return await self.get(order_id)

    async def events(self) -> list[order_pb2.OrderEvent]:
        """Every event of the account so far; their sequences are checked."""
        request = pb.StreamOrderEventsRequest(account_id=self.account_id)
        events: list[order_pb2.OrderEvent] = []
        previous = 0
        call = self.stub.StreamOrderEvents(request, metadata=self.user)
        async for response in call:
            if response.WhichOneof("event") == "replay_end":
                call.cancel()
                return events
            assert response.header.previous_sequence == previous
            previous = response.header.sequence
            events.append(response.order_event)
        raise AssertionError("the stream ended before its replay")

    async def story(self, order_id: str) -> list[str]:
        """The types of the order's events; their versions are checked to have no gap."""
        mine = [event for event in await self.events() if event.order.order_id == order_id]
        assert [int(event.order.etag) for event in mine] == list(range(1, len(mine) + 1))
        name = order_pb2.OrderEventType.Name
        return [name(event.type).removeprefix("ORDER_EVENT_TYPE_") for event in mine]

    async def fills(self, order_id: str = "") -> list[order_pb2.Fill]:
        request = pb.ListFillsRequest(account_id=self.account_id, order_id=order_id)
        return list((await self.stub.ListFills(request, metadata=self.user)).fills)

    @staticmethod
    async def failure(call: Awaitable[object]) -> RpcFailure:
        """What a call fails with; it must fail."""
        try:
            await call
        except grpc.aio.AioRpcError as error:
            return error_from_rpc(error)
        raise AssertionError("the call succeeded")


@contextlib.asynccontextmanager
async def running(url: str, folder: Path, **settings: object) -> AsyncIterator[Execution]:
    """Peers and a service that trades."""
    peers = Peers()
    await peers.start()
    execution = Execution(url, folder, peers, **settings)
    try:
        await execution.start()
        yield execution
    finally:
        await execution.stop()
        await peers.stop()


def _owner(methods: Iterable[Callable[[], Awaitable[None]]], kind: type[Owner]) -> Owner:
    """The object of this kind that one of the methods is bound to."""
    owners = (getattr(method, "__self__", None) for method in methods)
    return next(owner for owner in owners if isinstance(owner, kind))


def position(epoch: str, sequence: int) -> stream_pb2.StreamPosition:
    return stream_pb2.StreamPosition(epoch=epoch, sequence=sequence)
