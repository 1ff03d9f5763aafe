"""Orders of every kind against a running mesh; each call is repeated until it is answered."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterable, Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

import grpc

from bifrost.data.v1 import market_stream_service_pb2, market_stream_service_pb2_grpc
from bifrost.execution.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from bifrost.portfolio.v1 import (
    ledger_service_pb2,
    ledger_service_pb2_grpc,
    portfolio_service_pb2,
    portfolio_service_pb2_grpc,
)
from bifrost.risk.v1 import pre_trade_service_pb2, pre_trade_service_pb2_grpc
from bifrost.type.v1 import order_terms_pb2, stream_pb2, value_pb2
from services.cli.bootstrap import open_paper_account
from services.cli.client import EdgeClient
from services.cli.proof import Proof, Records, check, read_records
from services.runtime.stream_client import resuming
from services.runtime.waiting import until

Request = TypeVar("Request")
Reply = TypeVar("Reply")
SYMBOLS = ("AAPL", "GOOG", "IBM", "MSFT", "FB")
_AWAY = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}
_RESTING = {order_pb2.ORDER_STATE_ACCEPTED, order_pb2.ORDER_STATE_PARTIALLY_FILLED}
_DEADLINE_S = 90.0
_CALL_S = 5.0


@dataclass
class Load:
    """One account's orders, driven by one seed."""

    client: EdgeClient
    seed: int
    account_id: str = ""
    events: list[tuple[int, int]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    """request_id -> order_id of the first answer."""

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.orders = self.client.stub(order_service_pb2_grpc.OrderServiceStub)
        self.portfolio = self.client.stub(portfolio_service_pb2_grpc.PortfolioServiceStub)
        self.ledger = self.client.stub(ledger_service_pb2_grpc.LedgerServiceStub)
        self.risk = self.client.stub(pre_trade_service_pb2_grpc.PreTradeServiceStub)
        self.market = self.client.stub(market_stream_service_pb2_grpc.MarketStreamServiceStub)
        self.deposits = 0
        self.submitted = 0

    async def open_account(self, name: str) -> None:
        """An account of its own with a million dollars."""
        account = await repeated(lambda: open_paper_account(self.client, name, Decimal(1_000_000)))
        self.account_id = account.account_id

    async def run(self, count: int) -> None:
        """Submit `count` orders, four at a time, cancelling and replacing some."""
        gate = asyncio.Semaphore(4)

        async def one(number: int) -> None:
            async with gate:
                await self._trade(number)

        async with asyncio.timeout(_DEADLINE_S), asyncio.TaskGroup() as group:
            for number in range(self.submitted, self.submitted + count):
                group.create_task(one(number))
        self.submitted += count

    async def deposit(self) -> None:
        """One more deposit, answered in the end."""
        self.deposits += 1
        await answered(
            self.ledger.CreateDeposit,
            ledger_service_pb2.CreateDepositRequest(
                account_id=self.account_id,
                request_id=f"{self.account_id}-{self.deposits}",
                amount=value_pb2.Money(currency="USD", amount="1234.56"),
            ),
        )

    async def watch(self) -> None:
        """Note every order event of the account, through whatever happens."""

        def open_stream(
            after: stream_pb2.StreamPosition | None,
        ) -> AsyncIterable[order_service_pb2.StreamOrderEventsResponse]:
            return self.orders.StreamOrderEvents(
                order_service_pb2.StreamOrderEventsRequest(account_id=self.account_id, resume_after=after)
            )

        async for message in resuming(open_stream):
            if message.HasField("order_event"):
                self.events.append((message.header.sequence, message.header.previous_sequence))

    async def settle(self) -> Proof:
        """Cancel what is open, wait until every service has caught up, and compare all records."""
        async with asyncio.timeout(_DEADLINE_S):
            await until(self._all_ended)
            await until(self._portfolio_agrees)
            await until(self._risk_agrees)
            await until(self._stream_is_complete)
        return check(await self._records(self.events))

    async def _records(self, events: list[tuple[int, int]]) -> Records:
        return await repeated(lambda: read_records(self.client, self.account_id, events))

    async def _trade(self, number: int) -> None:
        symbol = self.random.choice(SYMBOLS)
        terms = await self._terms(symbol)
        request = order_service_pb2.SubmitOrderRequest(
            account_id=self.account_id,
            request_id=f"r{number}",
            instrument=value_pb2.InstrumentRef(listed=value_pb2.ListedSymbol(symbol=symbol)),
            terms=terms,
        )
        reply = await answered(self.orders.SubmitOrder, request)
        first = self.answers.setdefault(request.request_id, reply.order.order_id)
        assert first == reply.order.order_id
        if reply.order.state not in _RESTING:
            return
        if self.random.random() < 0.4:
            smaller = order_terms_pb2.OrderTerms()
            smaller.CopyFrom(reply.order.terms)
            smaller.quantity = str(max(2, int(Decimal(smaller.quantity)) - 1))
            await self._attempt(
                self.orders.ReplaceOrder,
                order_service_pb2.ReplaceOrderRequest(
                    account_id=self.account_id,
                    order_id=reply.order.order_id,
                    request_id=f"replace-{number}",
                    terms=smaller,
                ),
            )
        if self.random.random() < 0.7:
            await self._attempt(
                self.orders.CancelOrder,
                order_service_pb2.CancelOrderRequest(
                    account_id=self.account_id, order_id=reply.order.order_id
                ),
            )

    async def _terms(self, symbol: str) -> order_terms_pb2.OrderTerms:
        buy, sell = order_terms_pb2.SIDE_BUY, order_terms_pb2.SIDE_SELL
        quantity = str(self.random.randint(3, 20))
        if self.random.random() < 0.6:
            return order_terms_pb2.OrderTerms(
                side=self.random.choice((buy, buy, sell)),
                type=order_terms_pb2.ORDER_TYPE_MARKET,
                time_in_force=order_terms_pb2.TIME_IN_FORCE_IOC,
                quantity=quantity,
            )
        quote = await answered(
            self.market.GetQuote,
            market_stream_service_pb2.GetQuoteRequest(
                instrument=value_pb2.InstrumentRef(listed=value_pb2.ListedSymbol(symbol=symbol))
            ),
        )
        price = quote.quote.last * self.random.uniform(0.96, 1.01)
        return order_terms_pb2.OrderTerms(
            side=buy,
            type=order_terms_pb2.ORDER_TYPE_LIMIT,
            time_in_force=order_terms_pb2.TIME_IN_FORCE_GTC,
            quantity=quantity,
            limit_price=f"{price:.2f}",
        )

    async def _attempt(self, method: Callable[..., Awaitable[Reply]], request: object) -> None:
        """A change that may come too late: the order has ended, or another change is under way."""
        try:
            await answered(method, request)
        except grpc.aio.AioRpcError as error:
            if error.code() not in {grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.ABORTED}:
                raise

    async def _all_ended(self) -> bool:
        await answered(
            self.orders.CancelAllOrders,
            order_service_pb2.CancelAllOrdersRequest(account_id=self.account_id, all_instruments=True),
        )
        open_orders = await answered(
            self.orders.ListOrders,
            order_service_pb2.ListOrdersRequest(account_id=self.account_id, open_only=True),
        )
        return not open_orders.orders

    async def _portfolio_agrees(self) -> bool:
        records = await self._records([])
        balance = await answered(
            self.portfolio.GetBalance, portfolio_service_pb2.GetBalanceRequest(account_id=self.account_id)
        )
        proof = check(records)
        # What differs for good shows in the proof: here the books are only given the time to catch up.
        caught_up = bool(self.events) and balance.balance.order_log_sequence >= self.events[-1][0]
        return caught_up and not proof.cash_difference

    async def _risk_agrees(self) -> bool:
        """Risk holds nothing for orders that have ended, and knows the same cash as portfolio."""
        power = await answered(
            self.risk.GetBuyingPower, pre_trade_service_pb2.GetBuyingPowerRequest(account_id=self.account_id)
        )
        balance = await answered(
            self.portfolio.GetBalance, portfolio_service_pb2.GetBalanceRequest(account_id=self.account_id)
        )
        return Decimal(power.reserved) == 0 and Decimal(power.cash) == Decimal(balance.balance.cash)

    async def _stream_is_complete(self) -> bool:
        records = await self._records(self.events)
        return len(self.events) >= len(records.orders) and not check(records).event_gaps


async def answered(method: Callable[..., Awaitable[Reply]], request: object) -> Reply:
    """Repeat a call until it is answered; errors that are answers pass through."""
    return await repeated(lambda: method(request, timeout=_CALL_S))


async def repeated(attempt: Callable[[], Awaitable[Reply]]) -> Reply:
    """Repeat an attempt while what it needs is away."""
    pause = 0.05
    while True:
        try:
            return await attempt()
        except grpc.aio.AioRpcError as error:
            if error.code() not in _AWAY:
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, 0.5)
