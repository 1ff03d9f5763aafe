"""PreTradeService: judging orders, and holding for them."""

from __future__ import annotations

import grpc

from bifrost.risk.v1 import pre_trade_service_pb2 as pb
from bifrost.risk.v1.pre_trade_service_pb2_grpc import PreTradeServiceServicer
from services.risk.accounts import Accounts
from services.risk.books import Books
from services.risk.convert import to_check_result, to_terms
from services.risk.domain.decision import Proposal
from services.risk.gate import Gate
from services.risk.market import Instruments
from services.risk.reservations import Reservations
from services.runtime.decimals import format_decimal
from services.runtime.errors import invalid_argument
from services.runtime.wire import field_bytes, field_number

_RESULTS = field_number(pb.ReserveOrdersResponse, "results")


class PreTradeService(PreTradeServiceServicer):
    """Serves bifrost.risk.v1.PreTradeService."""

    def __init__(
        self,
        gate: Gate,
        books: Books,
        accounts: Accounts,
        instruments: Instruments,
        reservations: Reservations,
    ) -> None:
        self._gate = gate
        self._books = books
        self._accounts = accounts
        self._instruments = instruments
        self._reservations = reservations

    async def CheckOrder(
        self,
        request: pb.CheckOrderRequest,
        _context: grpc.aio.ServicerContext[pb.CheckOrderRequest, pb.CheckOrderResponse],
    ) -> pb.CheckOrderResponse:
        """Judge without holding."""
        self._gate.check()
        await self._accounts.require(request.account_id)
        instrument = await self._instruments.resolve(request.instrument)
        proposal = Proposal(
            account_id=request.account_id,
            terms=to_terms(request.terms),
            instrument_id=instrument.instrument_id,
            instrument=instrument,
        )
        return pb.CheckOrderResponse(result=to_check_result(await self._reservations.check(proposal)))

    async def ReserveOrder(
        self,
        request: pb.ReserveOrderRequest,
        _context: grpc.aio.ServicerContext[pb.ReserveOrderRequest, pb.ReserveOrderResponse],
    ) -> bytes:
        """Judge and hold."""
        self._gate.check()
        await self._accounts.require(request.account_id)
        [answer] = await self._reservations.reserve([await self._proposal(request)])
        return answer

    async def ReserveOrders(
        self,
        request: pb.ReserveOrdersRequest,
        _context: grpc.aio.ServicerContext[pb.ReserveOrdersRequest, pb.ReserveOrdersResponse],
    ) -> bytes:
        """Judge and hold, one after the other, all in one transaction."""
        self._gate.check()
        for number, reservation in enumerate(request.reservations):
            if reservation.account_id != request.account_id:
                field = f"reservations[{number}].account_id"
                raise invalid_argument("FIELD_INVALID", f"{field} must be the call's account_id", field=field)
        await self._accounts.require(request.account_id)
        proposals = [await self._proposal(reservation) for reservation in request.reservations]
        answers = await self._reservations.reserve(proposals)
        return b"".join(field_bytes(_RESULTS, answer) for answer in answers)

    async def ReleaseReservation(
        self,
        request: pb.ReleaseReservationRequest,
        _context: grpc.aio.ServicerContext[pb.ReleaseReservationRequest, pb.ReleaseReservationResponse],
    ) -> pb.ReleaseReservationResponse:
        """Give back what was never recorded."""
        kept = await self._reservations.release(request.account_id, request.order_id, request.terms_version)
        return pb.ReleaseReservationResponse(kept=kept)

    async def GetBuyingPower(
        self,
        request: pb.GetBuyingPowerRequest,
        _context: grpc.aio.ServicerContext[pb.GetBuyingPowerRequest, pb.GetBuyingPowerResponse],
    ) -> pb.GetBuyingPowerResponse:
        """Cash, what is reserved, and what is left."""
        self._gate.check()
        await self._accounts.require(request.account_id)
        async with self._books.reading():
            book = self._books.account(request.account_id)
            return pb.GetBuyingPowerResponse(
                currency=book.currency,
                cash=format_decimal(book.cash),
                reserved=format_decimal(book.reserved),
                available=format_decimal(book.cash - book.reserved),
            )

    async def _proposal(self, request: pb.ReserveOrderRequest) -> Proposal:
        return Proposal(
            account_id=request.account_id,
            terms=to_terms(request.terms),
            instrument_id=request.instrument_id,
            instrument=await self._instruments.find(request.instrument_id),
            order_id=request.order_id,
            request_id=request.request_id,
            terms_version=request.terms_version,
        )
