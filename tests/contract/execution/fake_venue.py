"""The exchange as a small server: it keeps orders, fences and a log, and matches nothing by itself."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal

import grpc
from grpc.aio import ServicerContext

from bifrost.type.v1 import stream_pb2
from bifrost.venue.v1 import error_reason_pb2 as venue_reasons
from bifrost.venue.v1 import venue_order_pb2, venue_service_pb2, venue_service_pb2_grpc
from services.runtime.clock import to_timestamp
from services.runtime.errors import ApiError, failed_precondition, not_found
from tests.contract.execution.peer import Peer, Request, Response, abort

MARKET_NS = 1_340_000_000_000_000_000  # 2012-06-18
STATES = venue_order_pb2


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
        self,
        order_id: str,
        kind: venue_order_pb2.ExecutionReportType = STATES.EXECUTION_REPORT_TYPE_CANCELLED,
        message: str = "",
    ) -> None:
        """End an order on the venue's own account."""
        order = self.orders[order_id]
        expired = kind == STATES.EXECUTION_REPORT_TYPE_EXPIRED
        order.state = STATES.VENUE_ORDER_STATE_EXPIRED if expired else STATES.VENUE_ORDER_STATE_CANCELLED
        order.message = message
        self.report(kind, order)

    def report(
        self,
        kind: venue_order_pb2.ExecutionReportType,
        order: venue_order_pb2.VenueOrder,
        execution: venue_order_pb2.Execution | None = None,
    ) -> None:
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

    async def SubmitOrder(
        self,
        request: venue_service_pb2.SubmitOrderRequest,
        context: ServicerContext[venue_service_pb2.SubmitOrderRequest, venue_service_pb2.SubmitOrderResponse],
    ) -> venue_service_pb2.SubmitOrderResponse:
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

    def _enter_order(self, request: venue_service_pb2.SubmitOrderRequest) -> None:
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

    async def CancelOrder(
        self,
        request: venue_service_pb2.CancelOrderRequest,
        context: ServicerContext[venue_service_pb2.CancelOrderRequest, venue_service_pb2.CancelOrderResponse],
    ) -> venue_service_pb2.CancelOrderResponse:
        await self._meet("CancelOrder", self.cancel, context)
        order = await self._find(request.client_order_id, context)
        if order.state == STATES.VENUE_ORDER_STATE_WORKING:
            order.state = STATES.VENUE_ORDER_STATE_CANCELLED
            order.message = "cancelled on request"
            self.report(STATES.EXECUTION_REPORT_TYPE_CANCELLED, order)
        elif order.state != STATES.VENUE_ORDER_STATE_CANCELLED:
            await abort(context, self.domain, failed_precondition("ORDER_ENDED", "it has ended"))
        response = venue_service_pb2.CancelOrderResponse(order=order)
        return await self._leave(self.cancel, context, response)

    async def ReplaceOrder(
        self,
        request: venue_service_pb2.ReplaceOrderRequest,
        context: ServicerContext[
            venue_service_pb2.ReplaceOrderRequest, venue_service_pb2.ReplaceOrderResponse
        ],
    ) -> venue_service_pb2.ReplaceOrderResponse:
        await self._meet("ReplaceOrder", self.replace, context)
        order = await self._find(request.client_order_id, context)
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

    async def ResolveOrder(
        self,
        request: venue_service_pb2.ResolveOrderRequest,
        context: ServicerContext[
            venue_service_pb2.ResolveOrderRequest, venue_service_pb2.ResolveOrderResponse
        ],
    ) -> venue_service_pb2.ResolveOrderResponse:
        await self._meet("ResolveOrder", self.resolve, context)
        order = self.orders.get(request.client_order_id)
        if order is None:
            self.fenced.add(request.client_order_id)
        response = venue_service_pb2.ResolveOrderResponse(not_seen=order is None, order=order)
        return await self._leave(self.resolve, context, response)

    async def StreamExecutions(
        self,
        request: venue_service_pb2.StreamExecutionsRequest,
        context: ServicerContext[
            venue_service_pb2.StreamExecutionsRequest, venue_service_pb2.StreamExecutionsResponse
        ],
    ) -> AsyncIterator[venue_service_pb2.StreamExecutionsResponse]:
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

    def _response(
        self,
        sequence: int,
        *,
        report: venue_order_pb2.ExecutionReport | None = None,
        replay_end: stream_pb2.ReplayEnd | None = None,
    ) -> venue_service_pb2.StreamExecutionsResponse:
        header = stream_pb2.StreamHeader(epoch=self.epoch, sequence=sequence)
        return venue_service_pb2.StreamExecutionsResponse(header=header, report=report, replay_end=replay_end)

    async def _find(
        self, order_id: str, context: ServicerContext[Request, Response]
    ) -> venue_order_pb2.VenueOrder:
        if order_id not in self.orders:
            await abort(context, self.domain, not_found("ORDER_NOT_FOUND", "no such order"))
        return self.orders[order_id]

    async def _meet(
        self, name: str, behaviour: Behaviour, context: ServicerContext[Request, Response]
    ) -> None:
        await self.enter(name, context)
        await behaviour.gate.wait()
        if behaviour.lose_request:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset on the way there")
        if behaviour.refuse is not None:
            await abort(context, self.domain, behaviour.refuse)

    async def _leave(
        self, behaviour: Behaviour, context: ServicerContext[Request, Response], response: Response
    ) -> Response:
        self.wake()
        if behaviour.hang:
            await asyncio.Event().wait()
        if behaviour.lose_answer:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "connection reset on the way back")
        copy = type(response)()
        copy.CopyFrom(response)
        return copy
