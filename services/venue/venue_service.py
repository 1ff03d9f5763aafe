"""VenueService: the exchange as its members see it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from bifrost.type.v1.stream_pb2 import StreamPosition
from bifrost.venue.v1 import venue_service_pb2 as pb
from bifrost.venue.v1 import venue_service_pb2_grpc as pb_grpc
from services.runtime.clock import Clock
from services.runtime.errors import ApiError, failed_precondition, not_found
from services.runtime.event_log import EventLog
from services.runtime.log_stream import stream_log
from services.runtime.pagination import decode_page_token, encode_page_token, number, page_size
from services.venue.controls import no_session
from services.venue.convert import (
    REJECT_TEXTS,
    book_message,
    execution_message,
    fenced_message,
    order_message,
    order_terms,
)
from services.venue.domain.commands import CancelOrder, ReplaceOrder, ResolveOrder, SubmitOrder
from services.venue.domain.order import OrderStatus, RejectReason
from services.venue.engine import Engine
from services.venue.market_stream import MarketStream
from services.venue.order_store import OrderStore
from services.venue.records import OrderRecord

if TYPE_CHECKING:
    from grpc.aio import ServicerContext


class VenueService(pb_grpc.VenueServiceServicer):
    """The servicer."""

    def __init__(
        self,
        engine: Engine,
        orders: OrderStore,
        log: EventLog,
        stream: MarketStream,
        *,
        clock: Clock,
        heartbeat_s: float,
        draining: asyncio.Event,
    ) -> None:
        self._engine = engine
        self._orders = orders
        self._log = log
        self._stream = stream
        self._clock = clock
        self._heartbeat_s = heartbeat_s
        self._draining = draining

    async def SubmitOrder(
        self,
        request: pb.SubmitOrderRequest,
        _context: ServicerContext[pb.SubmitOrderRequest, pb.SubmitOrderResponse],
    ) -> pb.SubmitOrderResponse:
        """Enter an order; durable when it answers."""
        terms = order_terms(request.terms, request.protection_price)
        answer = await self._engine.execute(
            SubmitOrder(request.account_id, request.client_order_id, request.instrument_id, terms)
        )
        if answer.order is None:
            now_ns = self._clock.now_ns()
            return pb.SubmitOrderResponse(
                order=fenced_message(request.account_id, request.client_order_id, now_ns)
            )
        return pb.SubmitOrderResponse(order=order_message(answer.order), duplicate=answer.duplicate)

    async def CancelOrder(
        self,
        request: pb.CancelOrderRequest,
        _context: ServicerContext[pb.CancelOrderRequest, pb.CancelOrderResponse],
    ) -> pb.CancelOrderResponse:
        """Take an order out of the book."""
        answer = await self._engine.execute(CancelOrder(request.account_id, request.client_order_id))
        if answer.order is None:
            raise _order_not_found(request.account_id, request.client_order_id)
        if answer.order.state != OrderStatus.CANCELLED.value:
            raise _order_ended(answer.order)
        return pb.CancelOrderResponse(order=order_message(answer.order))

    async def ReplaceOrder(
        self,
        request: pb.ReplaceOrderRequest,
        _context: ServicerContext[pb.ReplaceOrderRequest, pb.ReplaceOrderResponse],
    ) -> pb.ReplaceOrderResponse:
        """Give an order new terms."""
        terms = order_terms(request.terms, request.protection_price)
        answer = await self._engine.execute(
            ReplaceOrder(request.account_id, request.client_order_id, terms, request.terms_version)
        )
        if answer.order is None:
            raise _order_not_found(request.account_id, request.client_order_id)
        match answer.refusal:
            case None:
                return pb.ReplaceOrderResponse(order=order_message(answer.order))
            case RejectReason.ORDER_ENDED:
                raise _order_ended(answer.order)
            case RejectReason.QUANTITY_FILLED:
                raise failed_precondition(
                    "QUANTITY_FILLED",
                    f"{answer.order.filled} shares are filled; the new quantity must be more",
                    filled_quantity=str(answer.order.filled),
                )
            case refusal:
                note = f"the replacement was refused: {REJECT_TEXTS[refusal]}"
                return pb.ReplaceOrderResponse(order=order_message(answer.order, note=note))

    async def ResolveOrder(
        self,
        request: pb.ResolveOrderRequest,
        _context: ServicerContext[pb.ResolveOrderRequest, pb.ResolveOrderResponse],
    ) -> pb.ResolveOrderResponse:
        """Return the order, or fence its id."""
        answer = await self._engine.execute(ResolveOrder(request.account_id, request.client_order_id))
        order = None if answer.order is None else order_message(answer.order)
        return pb.ResolveOrderResponse(not_seen=answer.not_seen, order=order)

    async def ListVenueOrders(
        self,
        request: pb.ListVenueOrdersRequest,
        _context: ServicerContext[pb.ListVenueOrdersRequest, pb.ListVenueOrdersResponse],
    ) -> pb.ListVenueOrdersResponse:
        """A page of an account's orders."""
        size = page_size(request.page_size)
        after = decode_page_token(request, request.page_token, record_no=number) or {"record_no": "0"}
        found = await self._orders.list_orders(request.account_id, int(after["record_no"]), size + 1)
        token = ""
        if len(found) > size:
            token = encode_page_token(request, {"record_no": str(found[size - 1][0])})
        return pb.ListVenueOrdersResponse(
            orders=[order_message(record) for _, record in found[:size]], next_page_token=token
        )

    async def ListExecutions(
        self,
        request: pb.ListExecutionsRequest,
        _context: ServicerContext[pb.ListExecutionsRequest, pb.ListExecutionsResponse],
    ) -> pb.ListExecutionsResponse:
        """A page of an account's fills."""
        size = page_size(request.page_size)
        after = decode_page_token(request, request.page_token, record_no=number) or {"record_no": "0"}
        found = await self._orders.list_executions(request.account_id, int(after["record_no"]), size + 1)
        token = ""
        if len(found) > size:
            token = encode_page_token(request, {"record_no": str(found[size - 1][0])})
        return pb.ListExecutionsResponse(
            executions=[execution_message(record) for _, record in found[:size]], next_page_token=token
        )

    async def StreamExecutions(
        self,
        request: pb.StreamExecutionsRequest,
        _context: ServicerContext[pb.StreamExecutionsRequest, pb.StreamExecutionsResponse],
    ) -> AsyncIterator[bytes]:
        """The execution log after a position."""
        resume_after: StreamPosition | None = None
        if request.HasField("resume_after"):
            resume_after = request.resume_after
        async for message in stream_log(
            self._log,
            resume_after=resume_after,
            response_type=pb.StreamExecutionsResponse,
            event_field="report",
            draining=self._draining,
            heartbeat_s=self._heartbeat_s,
            clock=self._clock,
        ):
            yield message

    async def StreamMarket(
        self,
        _request: pb.StreamMarketRequest,
        _context: ServicerContext[pb.StreamMarketRequest, pb.StreamMarketResponse],
    ) -> AsyncIterator[bytes]:
        """Quotes and trades of all instruments."""
        async for message in self._stream.read(draining=self._draining, heartbeat_s=self._heartbeat_s):
            yield message

    async def GetBook(
        self, request: pb.GetBookRequest, _context: ServicerContext[pb.GetBookRequest, pb.GetBookResponse]
    ) -> pb.GetBookResponse:
        """The book of one instrument."""
        if self._engine.replay is None:
            raise no_session()
        book = self._engine.book(request.instrument_id)
        if book is None:
            raise not_found(
                "INSTRUMENT_NOT_FOUND",
                f"{request.instrument_id} is not listed in this session",
                instrument_id=request.instrument_id,
            )
        return pb.GetBookResponse(book=book_message(book))


def _order_not_found(account_id: str, client_order_id: str) -> ApiError:
    message = f"account {account_id} has no order {client_order_id!r} at this venue"
    return not_found("ORDER_NOT_FOUND", message, account_id=account_id, client_order_id=client_order_id)


def _order_ended(record: OrderRecord) -> ApiError:
    message = f"order {record.client_order_id!r} has ended: it is {record.state}"
    return failed_precondition(
        "ORDER_ENDED",
        message,
        precondition=("ORDER_STATE", record.client_order_id, record.state),
        state=record.state,
    )
