"""OrderService: takes orders to the venue and keeps what became of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, cast

from bifrost.execution.v1 import order_service_pb2 as pb
from bifrost.execution.v1 import order_service_pb2_grpc as pb_grpc
from services.execution.amendments import Amendments
from services.execution.convert import fill_message, order_message, terms_of
from services.execution.domain.order import OrderState
from services.execution.store import OrderStore
from services.execution.submission import Intake, Submission, Submitted
from services.runtime.auth import current_principal
from services.runtime.clock import Clock
from services.runtime.errors import ApiError, invalid_argument
from services.runtime.event_log import EventLog
from services.runtime.idempotency import request_digest
from services.runtime.log_stream import stream_log
from services.runtime.pagination import decode_page_token, encode_page_token, page_size, text

if TYPE_CHECKING:
    from grpc.aio import ServicerContext


class OrderService(pb_grpc.OrderServiceServicer):
    """The servicer."""

    def __init__(
        self,
        submission: Submission,
        amendments: Amendments,
        store: OrderStore,
        log: EventLog,
        *,
        clock: Clock,
        draining: asyncio.Event,
        heartbeat_s: float,
    ) -> None:
        self._submission = submission
        self._amendments = amendments
        self._store = store
        self._log = log
        self._clock = clock
        self._draining = draining
        self._heartbeat_s = heartbeat_s

    async def SubmitOrder(
        self,
        request: pb.SubmitOrderRequest,
        _context: ServicerContext[pb.SubmitOrderRequest, pb.SubmitOrderResponse],
    ) -> pb.SubmitOrderResponse:
        """One order."""
        (result,) = await self._submission.submit(request.account_id, _caller(), [_intake(request)])
        if isinstance(result, ApiError):
            raise result
        return _submit_response(result)

    async def SubmitOrders(
        self,
        request: pb.SubmitOrdersRequest,
        _context: ServicerContext[pb.SubmitOrdersRequest, pb.SubmitOrdersResponse],
    ) -> pb.SubmitOrdersResponse:
        """Many orders, each with its own outcome."""
        for n, order in enumerate(request.orders):
            if order.account_id != request.account_id:
                field = f"orders[{n}].account_id"
                raise invalid_argument("FIELD_INVALID", f"{field} must be {request.account_id}", field=field)
        intakes = [_intake(order) for order in request.orders]
        results = await self._submission.submit(request.account_id, _caller(), intakes)
        return pb.SubmitOrdersResponse(
            results=[
                _batch_result(intake.request_id, result)
                for intake, result in zip(intakes, results, strict=True)
            ]
        )

    async def ReplaceOrder(
        self,
        request: pb.ReplaceOrderRequest,
        _context: ServicerContext[pb.ReplaceOrderRequest, pb.ReplaceOrderResponse],
    ) -> pb.ReplaceOrderResponse:
        """New terms."""
        order, duplicate = await self._amendments.replace(
            request.account_id,
            request.order_id,
            request.request_id,
            request_digest(request),
            terms_of(request.terms),
            request.etag,
        )
        return pb.ReplaceOrderResponse(order=order_message(order), duplicate=duplicate)

    async def CancelOrder(
        self,
        request: pb.CancelOrderRequest,
        _context: ServicerContext[pb.CancelOrderRequest, pb.CancelOrderResponse],
    ) -> pb.CancelOrderResponse:
        """Cancel what is left."""
        order = await self._amendments.cancel(request.account_id, request.order_id, request.etag)
        return pb.CancelOrderResponse(order=order_message(order))

    async def CancelAllOrders(
        self,
        request: pb.CancelAllOrdersRequest,
        _context: ServicerContext[pb.CancelAllOrdersRequest, pb.CancelAllOrdersResponse],
    ) -> pb.CancelAllOrdersResponse:
        """Cancel what is working."""
        orders = await self._amendments.cancel_all(request.account_id, request.instrument_id)
        return pb.CancelAllOrdersResponse(orders=map(order_message, orders))

    async def GetOrder(
        self,
        request: pb.GetOrderRequest,
        _context: ServicerContext[pb.GetOrderRequest, pb.GetOrderResponse],
    ) -> pb.GetOrderResponse:
        """One order."""
        order = await self._amendments.find(request.account_id, request.order_id)
        return pb.GetOrderResponse(order=order_message(order))

    async def ListOrders(
        self,
        request: pb.ListOrdersRequest,
        _context: ServicerContext[pb.ListOrdersRequest, pb.ListOrdersResponse],
    ) -> pb.ListOrdersResponse:
        """A page, newest first."""
        size = page_size(request.page_size)
        position = decode_page_token(request, request.page_token, order_id=text)
        found = await self._store.list_orders(
            request.account_id,
            before=position["order_id"] if position else None,
            limit=size + 1,
            state=OrderState(request.state) if request.state else None,
            open_only=request.open_only,
            instrument_id=request.instrument_id,
        )
        token = ""
        if len(found) > size:
            token = encode_page_token(request, {"order_id": found[size - 1].order_id})
        return pb.ListOrdersResponse(orders=map(order_message, found[:size]), next_page_token=token)

    async def ListFills(
        self,
        request: pb.ListFillsRequest,
        _context: ServicerContext[pb.ListFillsRequest, pb.ListFillsResponse],
    ) -> pb.ListFillsResponse:
        """A page, oldest first."""
        size = page_size(request.page_size)
        position = decode_page_token(request, request.page_token, fill_id=text)
        found = await self._store.list_fills(
            request.account_id,
            after=position["fill_id"] if position else None,
            limit=size + 1,
            order_id=request.order_id,
        )
        token = ""
        if len(found) > size:
            token = encode_page_token(request, {"fill_id": found[size - 1].fill_id})
        return pb.ListFillsResponse(fills=map(fill_message, found[:size]), next_page_token=token)

    def StreamOrderEvents(
        self,
        request: pb.StreamOrderEventsRequest,
        _context: ServicerContext[pb.StreamOrderEventsRequest, pb.StreamOrderEventsResponse],
    ) -> AsyncIterator[pb.StreamOrderEventsResponse]:
        """The account's events, serialised already."""
        messages = stream_log(
            self._log,
            resume_after=request.resume_after if request.HasField("resume_after") else None,
            response_type=pb.StreamOrderEventsResponse,
            event_field="order_event",
            draining=self._draining,
            keys={request.account_id},
            heartbeat_s=self._heartbeat_s,
            clock=self._clock,
        )
        return cast("AsyncIterator[pb.StreamOrderEventsResponse]", messages)

    def StreamOrderLog(
        self,
        request: pb.StreamOrderLogRequest,
        _context: ServicerContext[pb.StreamOrderLogRequest, pb.StreamOrderLogResponse],
    ) -> AsyncIterator[pb.StreamOrderLogResponse]:
        """Every event, serialised already."""
        messages = stream_log(
            self._log,
            resume_after=request.resume_after if request.HasField("resume_after") else None,
            response_type=pb.StreamOrderLogResponse,
            event_field="order_event",
            draining=self._draining,
            heartbeat_s=self._heartbeat_s,
            clock=self._clock,
        )
        return cast("AsyncIterator[pb.StreamOrderLogResponse]", messages)


def _caller() -> str:
    """Who submits: the user, or the service that calls on its own behalf."""
    principal = current_principal()
    return principal.caller


def _intake(request: pb.SubmitOrderRequest) -> Intake:
    return Intake(
        request_id=request.request_id,
        digest=request_digest(request),
        instrument=request.instrument,
        terms=terms_of(request.terms),
        tag=request.tag,
    )


def _submit_response(result: Submitted) -> pb.SubmitOrderResponse:
    return pb.SubmitOrderResponse(
        outcome=cast("pb.SubmitOutcome", result.outcome), order=order_message(result.order), risk=result.check
    )


def _batch_result(request_id: str, result: Submitted | ApiError) -> pb.SubmitOrderResult:
    if isinstance(result, ApiError):
        return pb.SubmitOrderResult(
            request_id=request_id, error_reason=result.reason, error_message=result.message
        )
    return pb.SubmitOrderResult(request_id=request_id, response=_submit_response(result))
