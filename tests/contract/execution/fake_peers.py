"""The services execution calls, as small servers on real sockets whose behaviour a test sets.

Each keeps what it was told as durably as its contract promises: it outlives execution's restarts.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable

import grpc
from grpc.aio import ServicerContext

from bifrost.data.v1 import instrument_pb2, instrument_service_pb2, instrument_service_pb2_grpc
from bifrost.portfolio.v1 import portfolio_pb2, portfolio_service_pb2, portfolio_service_pb2_grpc
from bifrost.risk.v1 import check_pb2, error_reason_pb2, pre_trade_service_pb2, pre_trade_service_pb2_grpc
from bifrost.type.v1 import order_terms_pb2
from services.runtime.errors import ApiError, not_found, unavailable
from tests.contract.execution.fake_venue import FakeVenue
from tests.contract.execution.peer import Peer, Request, Response, abort

AAPL = instrument_pb2.Instrument(
    instrument_id=str(uuid.uuid5(uuid.NAMESPACE_DNS, "AAPL")),
    symbol="AAPL",
    mic="XNAS",
    currency="USD",
    tick_size="0.01",
    lot_size="1",
)
GOOG = instrument_pb2.Instrument(
    instrument_id=str(uuid.uuid5(uuid.NAMESPACE_DNS, "GOOG")),
    symbol="GOOG",
    mic="XNAS",
    currency="USD",
    tick_size="0.05",
    lot_size="10",
)
HSBC = instrument_pb2.Instrument(
    instrument_id=str(uuid.uuid5(uuid.NAMESPACE_DNS, "HSBC")),
    symbol="0005",
    mic="XHKG",
    currency="USD",
    tick_size="0.01",
    lot_size="1",
    tick_bands=[
        instrument_pb2.TickBand(from_price=start, tick_size=tick)
        for start, tick in (("0", "0.01"), ("10", "0.02"), ("20", "0.05"))
    ],
)


class FakeData(Peer, instrument_service_pb2_grpc.InstrumentServiceServicer):
    domain = "bifrost.data"

    def __init__(self) -> None:
        super().__init__()
        self.instruments = [AAPL, GOOG, HSBC]
        self.gate = asyncio.Event()
        self.gate.set()
        instrument_service_pb2_grpc.add_InstrumentServiceServicer_to_server(self, self.server)

    async def GetInstrument(
        self,
        request: instrument_service_pb2.GetInstrumentRequest,
        context: ServicerContext[
            instrument_service_pb2.GetInstrumentRequest, instrument_service_pb2.GetInstrumentResponse
        ],
    ) -> instrument_service_pb2.GetInstrumentResponse:
        await self.enter("GetInstrument", context)
        await self.gate.wait()
        asked = request.instrument
        if asked.listed.symbol == "TWIN":
            error = ApiError(grpc.StatusCode.INVALID_ARGUMENT, "SYMBOL_AMBIGUOUS", "TWIN is listed twice")
            await abort(context, self.domain, error)
        names = asked.instrument_id, asked.listed.symbol
        found = [known for known in self.instruments if {known.instrument_id, known.symbol} & set(names)]
        if not found:
            await abort(context, self.domain, not_found("INSTRUMENT_NOT_FOUND", "no such instrument"))
        return instrument_service_pb2.GetInstrumentResponse(instrument=found[0])


class FakePortfolio(Peer, portfolio_service_pb2_grpc.PortfolioServiceServicer):
    domain = "bifrost.portfolio"

    def __init__(self) -> None:
        super().__init__()
        self.accounts: dict[str, portfolio_pb2.Account] = {}
        portfolio_service_pb2_grpc.add_PortfolioServiceServicer_to_server(self, self.server)

    def open_account(self, owner: str = "user-1", venue: str = "XSIM") -> str:
        account_id = str(uuid.uuid4())
        self.accounts[account_id] = portfolio_pb2.Account(
            account_id=account_id, owner_user_id=owner, currency="USD", venue=venue
        )
        return account_id

    async def GetAccount(
        self,
        request: portfolio_service_pb2.GetAccountRequest,
        context: ServicerContext[
            portfolio_service_pb2.GetAccountRequest, portfolio_service_pb2.GetAccountResponse
        ],
    ) -> portfolio_service_pb2.GetAccountResponse:
        await self.enter("GetAccount", context)
        if request.account_id not in self.accounts:
            await abort(context, self.domain, not_found("ACCOUNT_NOT_FOUND", "no such account"))
        return portfolio_service_pb2.GetAccountResponse(account=self.accounts[request.account_id])


class FakeRisk(Peer, pre_trade_service_pb2_grpc.PreTradeServiceServicer):
    domain = "bifrost.risk"

    def __init__(self) -> None:
        super().__init__()
        self.refuse: Callable[[pre_trade_service_pb2.ReserveOrderRequest], bool] = lambda _request: False
        self.held: dict[tuple[str, int], pre_trade_service_pb2.ReserveOrderRequest] = {}
        self.released: list[tuple[str, int]] = []
        """Order and version of the terms."""
        self.gate = asyncio.Event()
        self.gate.set()
        self.not_caught_up = False
        pre_trade_service_pb2_grpc.add_PreTradeServiceServicer_to_server(self, self.server)

    async def ReserveOrder(
        self,
        request: pre_trade_service_pb2.ReserveOrderRequest,
        context: ServicerContext[
            pre_trade_service_pb2.ReserveOrderRequest, pre_trade_service_pb2.ReserveOrderResponse
        ],
    ) -> pre_trade_service_pb2.ReserveOrderResponse:
        await self.enter("ReserveOrder", context)
        await self.gate.wait()
        await self._check(context)
        return self._answer(request)

    async def ReserveOrders(
        self,
        request: pre_trade_service_pb2.ReserveOrdersRequest,
        context: ServicerContext[
            pre_trade_service_pb2.ReserveOrdersRequest, pre_trade_service_pb2.ReserveOrdersResponse
        ],
    ) -> pre_trade_service_pb2.ReserveOrdersResponse:
        await self.enter("ReserveOrders", context)
        await self.gate.wait()
        await self._check(context)
        return pre_trade_service_pb2.ReserveOrdersResponse(
            results=[self._answer(one) for one in request.reservations]
        )

    async def ReleaseReservation(
        self,
        request: pre_trade_service_pb2.ReleaseReservationRequest,
        context: ServicerContext[
            pre_trade_service_pb2.ReleaseReservationRequest, pre_trade_service_pb2.ReleaseReservationResponse
        ],
    ) -> pre_trade_service_pb2.ReleaseReservationResponse:
        await self.enter("ReleaseReservation", context)
        self.released.append((request.order_id, request.terms_version))
        return pre_trade_service_pb2.ReleaseReservationResponse()

    async def _check(self, context: ServicerContext[Request, Response]) -> None:
        if self.not_caught_up:
            await abort(context, self.domain, unavailable("NOT_CAUGHT_UP", "reading", retry_after_s=0.01))

    def _answer(
        self, request: pre_trade_service_pb2.ReserveOrderRequest
    ) -> pre_trade_service_pb2.ReserveOrderResponse:
        refused = self.refuse(request)
        cash = check_pb2.RuleResult(
            rule=error_reason_pb2.RULE_BUYING_POWER,
            verdict=check_pb2.VERDICT_FAIL if refused else check_pb2.VERDICT_PASS,
            value="1000",
            limit="10",
            message="the order takes 1000 USD of 10 USD" if refused else "",
        )
        tradable = check_pb2.RuleResult(
            rule=error_reason_pb2.RULE_INSTRUMENT_TRADABLE, verdict=check_pb2.VERDICT_PASS
        )
        check = check_pb2.CheckResult(passed=not refused, rules=[tradable, cash])
        if not refused:
            self.held[request.order_id, request.terms_version] = request
        worst = request.terms.limit_price or "99.99"
        return pre_trade_service_pb2.ReserveOrderResponse(
            reserved=not refused, result=check, worst_price="" if refused else worst
        )


class Peers:
    """All of them."""

    def __init__(self) -> None:
        self.data, self.portfolio, self.risk, self.venue = (
            FakeData(),
            FakePortfolio(),
            FakeRisk(),
            FakeVenue(),
        )

    @property
    def all(self) -> dict[str, Peer]:
        return {"data": self.data, "portfolio": self.portfolio, "risk": self.risk, "venue": self.venue}

    @property
    def address_book(self) -> dict[str, str]:
        return {name: f"127.0.0.1:{peer.port}" for name, peer in self.all.items()}

    async def start(self) -> None:
        for peer in self.all.values():
            await peer.server.start()

    async def stop(self) -> None:
        for peer in self.all.values():
            await peer.server.stop(None)


def limit_order(
    quantity: object = 100,
    price: object = "10.00",
    side: order_terms_pb2.Side = order_terms_pb2.SIDE_BUY,
) -> order_terms_pb2.OrderTerms:
    return order_terms_pb2.OrderTerms(
        side=side,
        type=order_terms_pb2.ORDER_TYPE_LIMIT,
        time_in_force=order_terms_pb2.TIME_IN_FORCE_DAY,
        quantity=str(quantity),
        limit_price=str(price),
    )


def market_order(quantity: object = 100) -> order_terms_pb2.OrderTerms:
    return order_terms_pb2.OrderTerms(
        side=order_terms_pb2.SIDE_BUY,
        type=order_terms_pb2.ORDER_TYPE_MARKET,
        time_in_force=order_terms_pb2.TIME_IN_FORCE_IOC,
        quantity=str(quantity),
    )
