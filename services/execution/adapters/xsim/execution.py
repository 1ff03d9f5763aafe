"""Orders to the simulated exchange, and its execution log."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable
from typing import Final, TypeVar, cast

import grpc

from bifrost.type.v1.stream_pb2 import StreamPosition
from bifrost.venue.v1 import venue_order_pb2, venue_service_pb2, venue_service_pb2_grpc
from services.execution.adapters.venue import NoAnswerError, RefusedError, VenueOrder, VenueReport
from services.execution.adapters.xsim.config import XsimConfig
from services.execution.adapters.xsim.data import reject_reason, report_of, venue_order_of
from services.execution.convert import optional_text, terms_message
from services.execution.domain.order import Order, Replacement
from services.runtime.errors import error_from_rpc
from services.runtime.stream_client import StreamResponse

T = TypeVar("T")

# After these the exchange has certainly not done what was asked. Every other code leaves it open; so does
# UNAUTHENTICATED, for the user's token may have ended between two attempts of one call.
_REFUSALS: Final = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)


class XsimExecution:
    """Implements VenueAdapter by the venue service's contract, which is durable before it answers."""

    def __init__(self, config: XsimConfig, channel: grpc.aio.Channel) -> None:
        self.code = config.code
        self._timeout_s = config.timeout_s
        self._venue = venue_service_pb2_grpc.VenueServiceStub(channel)

    async def submit(self, order: Order) -> VenueOrder:
        """Enter the order; a session that is not there is MARKET_CLOSED.

        A refused order is told without its terms when its id is fenced.
        """
        request = venue_service_pb2.SubmitOrderRequest(
            account_id=order.account_id,
            client_order_id=order.order_id,
            instrument_id=order.instrument_id,
            terms=terms_message(order.terms),
            protection_price=optional_text(order.protection_price),
        )
        try:
            response = await _answer(self._venue.SubmitOrder(request, timeout=self._timeout_s))
        except RefusedError as refused:
            if refused.reason == "NO_SESSION":
                raise RefusedError("MARKET_CLOSED", refused.message) from refused
            raise
        order_there = response.order
        if order_there.state == venue_order_pb2.VENUE_ORDER_STATE_REJECTED:
            raise RefusedError(reject_reason(order_there.reject_reason), order_there.message)
        return venue_order_of(order_there)

    async def cancel(self, order: Order) -> VenueOrder:
        """Take the order out of the book."""
        request = venue_service_pb2.CancelOrderRequest(
            account_id=order.account_id, client_order_id=order.order_id
        )
        response = await _answer(self._venue.CancelOrder(request, timeout=self._timeout_s))
        return venue_order_of(response.order)

    async def replace(self, order: Order, replacement: Replacement) -> VenueOrder:
        """Change quantity and prices."""
        request = venue_service_pb2.ReplaceOrderRequest(
            account_id=order.account_id,
            client_order_id=order.order_id,
            terms=terms_message(replacement.terms),
            terms_version=order.terms_version + 1,
            protection_price=optional_text(replacement.protection_price),
        )
        response = await _answer(self._venue.ReplaceOrder(request, timeout=self._timeout_s))
        return venue_order_of(response.order)

    async def resolve(self, order: Order) -> VenueOrder | None:
        """Ask what became of a submission; the exchange fences an id it has not seen."""
        request = venue_service_pb2.ResolveOrderRequest(
            account_id=order.account_id, client_order_id=order.order_id
        )
        response = await _answer(self._venue.ResolveOrder(request, timeout=self._timeout_s))
        return None if response.not_seen else venue_order_of(response.order)

    def open_reports(self, after: StreamPosition | None) -> AsyncIterable[StreamResponse]:
        """The execution log of all accounts."""
        request = venue_service_pb2.StreamExecutionsRequest(resume_after=after)
        return cast("AsyncIterable[StreamResponse]", self._venue.StreamExecutions(request))

    def is_acceptance(self, response: StreamResponse) -> bool:
        """Whether this is an entry that tells of an acceptance."""
        report = cast("venue_service_pb2.StreamExecutionsResponse", response).report
        return report.type == venue_order_pb2.EXECUTION_REPORT_TYPE_ACCEPTED

    def report(self, response: StreamResponse) -> VenueReport:
        """What an entry of the execution log tells."""
        return report_of(cast("venue_service_pb2.StreamExecutionsResponse", response).report)


async def _answer(call: Awaitable[T]) -> T:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        failure = error_from_rpc(error)
        if failure.code in _REFUSALS:
            raise RefusedError(failure.reason or failure.code.name, failure.message) from error
        late = failure.code is grpc.StatusCode.DEADLINE_EXCEEDED
        raise NoAnswerError(f"{failure.code.name}: {failure.message}", late=late) from error
