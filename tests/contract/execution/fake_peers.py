"""The services execution calls, as small servers on real sockets whose behaviour a test sets.

Each keeps what it was told as durably as its contract promises: it outlives execution's restarts.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from decimal import Decimal

import grpc
from google.protobuf.message import Message

from bifrost.data.v1 import instrument_pb2, instrument_service_pb2, instrument_service_pb2_grpc
from bifrost.portfolio.v1 import portfolio_pb2, portfolio_service_pb2, portfolio_service_pb2_grpc
from bifrost.risk.v1 import check_pb2, error_reason_pb2, pre_trade_service_pb2, pre_trade_service_pb2_grpc
from bifrost.type.v1 import order_terms_pb2, stream_pb2
from bifrost.venue.v1 import error_reason_pb2 as venue_reasons
from bifrost.venue.v1 import venue_order_pb2, venue_service_pb2, venue_service_pb2_grpc
from services.runtime.clock import to_timestamp
from services.runtime.errors import DETAILS_KEY, ApiError, failed_precondition, not_found, unavailable

MARKET_NS = 1_340_000_000_000_000_000  # 2012-06-18
STATES = venue_order_pb2
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


async def abort(context: grpc.aio.ServicerContext, domain: str, error: ApiError) -> None:
    status = error.to_status(domain)
    await context.abort(error.code, status.message, ((DETAILS_KEY, status.SerializeToString()),))


class Peer:
    """A server on a free port. `away`: every call is UNAVAILABLE."""

    domain = ""

    def __init__(self) -> None:
        self.server = grpc.aio.server()
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.away = False
        self.calls: Counter[str] = Counter()
        self.headers: list[dict[str, str]] = []

    async def enter(self, name: str, context: grpc.aio.ServicerContext) -> None:
        self.calls[name] += 1
        self.headers.append(dict(context.invocation_metadata()))
        if self.away:
            await abort(
                context, self.domain, unavailable("DEPENDENCY_UNAVAILABLE", "away", retry_after_s=0.01)
            )


class FakeData(Peer, instrument_service_pb2_grpc.InstrumentServiceServicer):
    domain = "bifrost.data"

    def __init__(self) -> None:
        super().__init__()
        instrument_service_pb2_grpc.add_InstrumentServiceServicer_to_server(self, self.server)

    async def GetInstrument(self, request, context):
        await self.enter("GetInstrument", context)
        asked = request.instrument
        if asked.listed.symbol == "TWIN":
            error = ApiError(grpc.StatusCode.INVALID_ARGUMENT, "SYMBOL_AMBIGUOUS", "TWIN is listed twice")
            await abort(context, self.domain, error)
        names = asked.instrument_id, asked.listed.symbol
        found = [known for known in (AAPL, GOOG) if {known.instrument_id, known.symbol} & set(names)]
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

    async def GetAccount(self, request, context):
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
        self.released: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.not_caught_up = False
        pre_trade_service_pb2_grpc.add_PreTradeServiceServicer_to_server(self, self.server)

    async def ReserveOrder(self, request, context):
        await self.enter("ReserveOrder", context)
        await self.gate.wait()
        await self._check(context)
        return self._answer(request)

    async def ReserveOrders(self, request, context):
        await self.enter("ReserveOrders", context)
        await self.gate.wait()
        await self._check(context)
        return pre_trade_service_pb2.ReserveOrdersResponse(
            results=[self._answer(one) for one in request.reservations]
        )

    async def ReleaseReservation(self, request, context):
        await self.enter("ReleaseReservation", context)
        self.released.append(request.order_id)
        return pre_trade_service_pb2.ReleaseReservationResponse()

    async def _check(self, context) -> None:
        if self.not_caught_up:
            await abort(context, self.domain, unavailable("NOT_CAUGHT_UP", "reading", retry_after_s=0.01))

    def _answer(self, request):
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


@dataclass
class Behaviour:
    """How the exchange meets the next calls of one method.

    `lose_request`: the call never reaches it; `lose_answer`: it acts, its answer is lost; `hang`: it acts,
    then says nothing; `refuse`: the error it ends in; `gate`: it waits before it acts.
    """

    lose_request: bool = False
    lose_answer: bool = False
    hang: bool = False
    refuse: ApiError | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()


class FakeVenue(Peer, venue_service_pb2_grpc.VenueServiceServicer):
    """Keeps orders and an execution log; matches nothing by itself."""

    domain = "bifrost.venue"

    def __init__(self) -> None:
        super().__init__()
        self.orders: dict[str, venue_order_pb2.VenueOrder] = {}
        self.submissions: Counter[str] = Counter()
        self.protection: dict[str, str] = {}
        self.fenced: set[str] = set()
        self.fence_all = False
        self.garble = False
        self.log: list[venue_order_pb2.ExecutionReport] = []
        self.epoch = "venue-1"
        self.submit, self.cancel, self.replace, self.resolve = (Behaviour() for _ in range(4))
        self.reject: venue_reasons.RejectReason | None = None
        self.shown = 0
        """The log is streamed up to here while `hold_log`."""
        self.hold_log = False
        self.time_ns = MARKET_NS
        self._executions = 0
        self._changed = asyncio.Event()
        self._generation = 0
        venue_service_pb2_grpc.add_VenueServiceServicer_to_server(self, self.server)

    # What a test makes happen.

    def fill(self, order_id: str, quantity: object, price: object = "10", fee: str = "0.01") -> str:
        """A fill in the log; returns its execution id."""
        order = self.orders[order_id]
        self._executions += 1
        self.time_ns += 1_000_000
        filled = Decimal(order.filled_quantity) + Decimal(str(quantity))
        order.filled_quantity = f"{filled:f}"
        if filled >= Decimal(order.terms.quantity):
            order.state = STATES.VENUE_ORDER_STATE_FILLED
        execution = venue_order_pb2.Execution(
            execution_id=f"X{self._executions}",
            client_order_id=order_id,
            account_id=order.account_id,
            instrument_id=order.instrument_id,
            side=order.terms.side,
            quantity=f"{quantity}",
            price=f"{price}",
            fee=fee,
            currency="USD",
            event_time=to_timestamp(self.time_ns),
        )
        self.report(STATES.EXECUTION_REPORT_TYPE_FILL, order, execution)
        return execution.execution_id

    def end(
        self, order_id: str, kind: int = STATES.EXECUTION_REPORT_TYPE_CANCELLED, message: str = ""
    ) -> None:
        """End an order on the venue's own account."""
        order = self.orders[order_id]
        expired = kind == STATES.EXECUTION_REPORT_TYPE_EXPIRED
        order.state = STATES.VENUE_ORDER_STATE_EXPIRED if expired else STATES.VENUE_ORDER_STATE_CANCELLED
        order.message = message
        self.report(kind, order)

    def report(self, kind: int, order, execution=None) -> None:
        order.update_time.CopyFrom(to_timestamp(self.time_ns))
        entry = venue_order_pb2.ExecutionReport(type=kind, execution=execution)
        entry.order.CopyFrom(order)
        self.log.append(entry)
        self.wake()

    def release_log(self) -> None:
        self.hold_log = False
        self.wake()

    def pause_log(self) -> None:
        self.shown, self.hold_log = len(self.log), True

    def cut_streams(self) -> None:
        self._generation += 1
        self.wake()

    def wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    # The contract.

    async def SubmitOrder(self, request, context):
        await self._meet("SubmitOrder", self.submit, context)
        self.submissions[request.client_order_id] += 1
        duplicate = request.client_order_id in self.orders
        if request.client_order_id in self.fenced or self.fence_all:
            return venue_service_pb2.SubmitOrderResponse(
                order=venue_order_pb2.VenueOrder(
                    client_order_id=request.client_order_id,
                    state=STATES.VENUE_ORDER_STATE_REJECTED,
                    reject_reason=venue_reasons.REJECT_REASON_ORDER_ID_FENCED,
                    message="the id is refused",
                )
            )
        if not duplicate:
            self._enter_order(request)
        order = self.orders[request.client_order_id]
        response = venue_service_pb2.SubmitOrderResponse(duplicate=duplicate)
        response.order.CopyFrom(order)
        if self.garble:
            response.order.terms.quantity = "many"
        return await self._leave(self.submit, context, response)

    def _enter_order(self, request) -> None:
        order = venue_order_pb2.VenueOrder(
            venue_order_id=f"V{len(self.orders)}",
            client_order_id=request.client_order_id,
            account_id=request.account_id,
            instrument_id=request.instrument_id,
            terms=request.terms,
            state=STATES.VENUE_ORDER_STATE_WORKING,
            filled_quantity="0",
            terms_version=1,
        )
        self.orders[request.client_order_id] = order
        self.protection[request.client_order_id] = request.protection_price
        if self.reject is not None:
            order.state = STATES.VENUE_ORDER_STATE_REJECTED
            order.reject_reason = self.reject
            order.message = "the exchange refuses"
            self.report(STATES.EXECUTION_REPORT_TYPE_REJECTED, order)
        else:
            self.report(STATES.EXECUTION_REPORT_TYPE_ACCEPTED, order)

    async def CancelOrder(self, request, context):
        await self._meet("CancelOrder", self.cancel, context)
        order = await self._find(request, context)
        if order.state == STATES.VENUE_ORDER_STATE_WORKING:
            order.state = STATES.VENUE_ORDER_STATE_CANCELLED
            order.message = "cancelled on request"
            self.report(STATES.EXECUTION_REPORT_TYPE_CANCELLED, order)
        elif order.state != STATES.VENUE_ORDER_STATE_CANCELLED:
            await abort(context, self.domain, failed_precondition("ORDER_ENDED", "it has ended"))
        response = venue_service_pb2.CancelOrderResponse(order=order)
        return await self._leave(self.cancel, context, response)

    async def ReplaceOrder(self, request, context):
        await self._meet("ReplaceOrder", self.replace, context)
        order = await self._find(request, context)
        if order.state != STATES.VENUE_ORDER_STATE_WORKING:
            await abort(context, self.domain, failed_precondition("ORDER_ENDED", "it has ended"))
        if Decimal(request.terms.quantity) <= Decimal(order.filled_quantity):
            await abort(context, self.domain, failed_precondition("QUANTITY_FILLED", "so much is filled"))
        if request.terms.limit_price == "66.66":  # a price this exchange does not like
            answer = venue_order_pb2.VenueOrder()
            answer.CopyFrom(order)
            answer.message = "66.66 is refused"
            return venue_service_pb2.ReplaceOrderResponse(order=answer)
        if request.terms_version == order.terms_version + 1:
            order.terms.CopyFrom(request.terms)
            order.terms_version = request.terms_version
            self.protection[request.client_order_id] = request.protection_price
            self.report(STATES.EXECUTION_REPORT_TYPE_REPLACED, order)
        response = venue_service_pb2.ReplaceOrderResponse(order=order)
        return await self._leave(self.replace, context, response)

    async def ResolveOrder(self, request, context):
        await self._meet("ResolveOrder", self.resolve, context)
        order = self.orders.get(request.client_order_id)
        if order is None:
            self.fenced.add(request.client_order_id)
        response = venue_service_pb2.ResolveOrderResponse(not_seen=order is None, order=order)
        return await self._leave(self.resolve, context, response)

    async def StreamExecutions(self, request, context) -> AsyncIterator[Message]:
        await self.enter("StreamExecutions", context)
        generation, sent = self._generation, request.resume_after.sequence
        replay_end = len(self.log)
        replaying = True
        while generation == self._generation:
            changed = self._changed
            end = self.shown if self.hold_log else len(self.log)
            while sent < end:
                sent += 1
                yield self._response(sent, report=self.log[sent - 1])
            if replaying and sent >= (min(replay_end, self.shown) if self.hold_log else replay_end):
                replaying = False
                yield self._response(sent, replay_end=stream_pb2.ReplayEnd())
            await changed.wait()

    def _response(self, sequence: int, **event: Message) -> venue_service_pb2.StreamExecutionsResponse:
        header = stream_pb2.StreamHeader(epoch=self.epoch, sequence=sequence)
        return venue_service_pb2.StreamExecutionsResponse(header=header, **event)

    async def _find(self, request, context) -> venue_order_pb2.VenueOrder:
        if request.client_order_id not in self.orders:
            await abort(context, self.domain, not_found("ORDER_NOT_FOUND", "no such order"))
        return self.orders[request.client_order_id]

    async def _meet(self, name: str, behaviour: Behaviour, context) -> None:
        await self.enter(name, context)
        await behaviour.gate.wait()
        if behaviour.lose_request:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset on the way there")
        if behaviour.refuse is not None:
            await abort(context, self.domain, behaviour.refuse)

    async def _leave(self, behaviour: Behaviour, context, response: Message) -> Message:
        self.wake()
        if behaviour.hang:
            await asyncio.Event().wait()
        if behaviour.lose_answer:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset on the way back")
        copy = type(response)()
        copy.CopyFrom(response)
        return copy


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
    side: int = order_terms_pb2.SIDE_BUY,
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
