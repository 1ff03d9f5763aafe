"""Orders that are accepted and rest: bids so far below the market that nothing trades with them."""

from __future__ import annotations

import contextlib
import itertools
import secrets
from collections.abc import AsyncIterator
from decimal import Decimal

import grpc

from bifrost.data.v1 import market_stream_service_pb2, market_stream_service_pb2_grpc
from bifrost.execution.v1 import order_service_pb2, order_service_pb2_grpc
from bifrost.risk.v1 import limit_service_pb2, limit_service_pb2_grpc
from bifrost.type.v1 import order_terms_pb2, value_pb2
from services.cli.bootstrap import open_paper_account
from services.runtime.waiting import until
from tests.bench.measure import Load, load
from tests.bench.mesh import Mesh

_SYMBOL = "IBM"
_CASH = Decimal(900_000_000)
_CALL_S = 30.0
_LIMITS = {"max_orders_per_second": 10_000, "duplicate_window_ms": 0, "max_position_quantity": "1000000"}
# Below the market by these shares of it: deep enough to rest, inside the collar of a tenth.
_NEAREST, _STEPS = Decimal("0.05"), 300
_TICK = Decimal("0.01")


class OrderFlow:
    """One account's orders through one door: the edge, or execution itself."""

    def __init__(self, channel: grpc.aio.Channel, mesh: Mesh, account_id: str) -> None:
        self._mesh = mesh
        self._account_id = account_id
        self._orders = order_service_pb2_grpc.OrderServiceStub(channel)
        self._run = secrets.token_hex(4)
        self._numbers = itertools.count()
        self._price = Decimal(0)
        self._headers: list[tuple[str, str]] = []

    async def refresh(self) -> None:
        """Cancel what rests, take a fresh token and the present price: before each measurement."""
        self._headers = await self._mesh.headers()
        await self._orders.CancelAllOrders(
            order_service_pb2.CancelAllOrdersRequest(account_id=self._account_id, all_instruments=True),
            metadata=self._headers,
            timeout=_CALL_S,
        )
        await until(self._is_quoted, timeout_s=_CALL_S)

    async def _is_quoted(self) -> bool:
        """Take the present price; there is none until the session has opened."""
        market = self._mesh.client.stub(market_stream_service_pb2_grpc.MarketStreamServiceStub)
        listed = value_pb2.InstrumentRef(listed=value_pb2.ListedSymbol(symbol=_SYMBOL))
        try:
            reply = await market.GetQuote(
                market_stream_service_pb2.GetQuoteRequest(instrument=listed), timeout=_CALL_S
            )
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            return False
        self._price = Decimal(repr(reply.quote.bid))
        return self._price > 0

    async def submit(self) -> None:
        """One order. RuntimeError when it is not accepted."""
        reply = await self._orders.SubmitOrder(self._request(), metadata=self._headers, timeout=_CALL_S)
        _check(reply)

    async def submit_batch(self, size: int) -> None:
        """A batch by one SubmitOrders. RuntimeError when one is not accepted."""
        request = order_service_pb2.SubmitOrdersRequest(
            account_id=self._account_id, orders=[self._request() for _ in range(size)]
        )
        reply = await self._orders.SubmitOrders(request, metadata=self._headers, timeout=_CALL_S)
        for result in reply.results:
            if not result.HasField("response"):
                raise RuntimeError(f"{result.error_reason}: {result.error_message}")
            _check(result.response)

    async def submit_many(self, orders: int, in_flight: int = 1) -> Load:
        """So many orders one by one, after a refresh."""
        await self.refresh()
        return await load(self.submit, orders, in_flight)

    def _request(self) -> order_service_pb2.SubmitOrderRequest:
        number = next(self._numbers)
        below = self._price * _NEAREST + _TICK * (number % _STEPS)
        return order_service_pb2.SubmitOrderRequest(
            account_id=self._account_id,
            request_id=f"{self._run}-{number}",
            instrument=value_pb2.InstrumentRef(listed=value_pb2.ListedSymbol(symbol=_SYMBOL)),
            terms=order_terms_pb2.OrderTerms(
                side=order_terms_pb2.SIDE_BUY,
                type=order_terms_pb2.ORDER_TYPE_LIMIT,
                time_in_force=order_terms_pb2.TIME_IN_FORCE_GTC,
                quantity=str(1 + number % 9),
                limit_price=f"{self._price - below:.2f}",
            ),
        )


def _check(reply: order_service_pb2.SubmitOrderResponse) -> None:
    if reply.outcome != order_service_pb2.SUBMIT_OUTCOME_ACCEPTED:
        raise RuntimeError(f"an order was not accepted: {reply}")


@contextlib.asynccontextmanager
async def order_flows(mesh: Mesh) -> AsyncIterator[tuple[OrderFlow, OrderFlow]]:
    """Flows straight to execution and through the edge, of a rich account whose limits are not in the way."""
    account = await open_paper_account(mesh.client, "bench", _CASH)
    limits = mesh.client.stub(limit_service_pb2_grpc.LimitServiceStub)

    async def lifted() -> bool:
        """Risk knows the account once it has read of it in portfolio's log."""
        try:
            await _lift(limits, account.account_id)
        except grpc.aio.AioRpcError as error:
            if error.code() not in {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAVAILABLE}:
                raise
            return False
        return True

    await until(lifted, timeout_s=_CALL_S)
    async with (
        grpc.aio.insecure_channel(mesh.launcher.address("execution")) as direct,
        grpc.aio.insecure_channel(mesh.launcher.edge_address) as edge,
    ):
        yield OrderFlow(direct, mesh, account.account_id), OrderFlow(edge, mesh, account.account_id)


async def _lift(limits: limit_service_pb2_grpc.LimitServiceStub, account_id: str) -> None:
    present = await limits.GetLimits(
        limit_service_pb2.GetLimitsRequest(account_id=account_id), timeout=_CALL_S
    )
    request = limit_service_pb2.UpdateLimitsRequest(account_id=account_id, etag=present.limits.etag)
    for name, value in _LIMITS.items():
        setattr(request.limits, name, value)
        request.update_mask.paths.append(name)
    await limits.UpdateLimits(request, timeout=_CALL_S)
