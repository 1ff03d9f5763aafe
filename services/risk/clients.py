"""The services risk calls and follows."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass
from typing import Final

import grpc
from google.protobuf.json_format import MessageToDict

from bifrost.data.v1 import instrument_service_pb2 as instruments_pb2
from bifrost.data.v1 import market_stream_service_pb2 as market_pb2
from bifrost.data.v1.instrument_service_pb2_grpc import InstrumentServiceStub
from bifrost.data.v1.market_stream_service_pb2_grpc import MarketStreamServiceStub
from bifrost.execution.v1 import order_pb2, order_service_pb2
from bifrost.execution.v1.order_service_pb2_grpc import OrderServiceStub
from bifrost.identity.v1.token_service_pb2 import GetJwksRequest
from bifrost.identity.v1.token_service_pb2_grpc import TokenServiceStub
from bifrost.portfolio.v1 import ledger_service_pb2, portfolio_service_pb2
from bifrost.portfolio.v1.ledger_service_pb2_grpc import LedgerServiceStub
from bifrost.portfolio.v1.portfolio_service_pb2_grpc import PortfolioServiceStub
from bifrost.type.v1.stream_pb2 import StreamPosition
from bifrost.type.v1.value_pb2 import InstrumentRef
from services.risk.convert import to_instrument
from services.risk.domain.market import Instrument
from services.runtime.channel import Mesh
from services.runtime.errors import RpcFailure, error_from_rpc, unavailable

_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What portfolio says of an account."""

    owner_user_id: str
    currency: str


class ExecutionClient:
    """Execution: its order log, and single orders."""

    def __init__(self, mesh: Mesh) -> None:
        self._orders = OrderServiceStub(mesh.channel("execution"))

    def stream_orders(
        self, resume_after: StreamPosition | None
    ) -> AsyncIterable[order_service_pb2.StreamOrderLogResponse]:
        """The order log after the position."""
        return self._orders.StreamOrderLog(order_service_pb2.StreamOrderLogRequest(resume_after=resume_after))

    async def get_order(self, account_id: str, order_id: str) -> order_pb2.Order | None:
        """The order, None when execution has none of that id. Raises AioRpcError when it cannot say."""
        request = order_service_pb2.GetOrderRequest(account_id=account_id, order_id=order_id)
        try:
            return (await self._orders.GetOrder(request)).order
        except grpc.aio.AioRpcError as error:
            # Not by the code: NOT_FOUND of a proxy or of the owner check says nothing about the order.
            if error_from_rpc(error).reason == "ORDER_NOT_FOUND":
                return None
            raise


class PortfolioClient:
    """Portfolio: its ledger log, and accounts."""

    def __init__(self, mesh: Mesh) -> None:
        self._ledger = LedgerServiceStub(mesh.channel("portfolio"))
        self._portfolios = PortfolioServiceStub(mesh.channel("portfolio"))

    def stream_ledger(
        self, resume_after: StreamPosition | None
    ) -> AsyncIterable[ledger_service_pb2.StreamLedgerLogResponse]:
        """The ledger log after the position."""
        request = ledger_service_pb2.StreamLedgerLogRequest(resume_after=resume_after)
        return self._ledger.StreamLedgerLog(request)

    async def get_account(self, account_id: str) -> AccountFacts | None:
        """Owner and currency, None when there is no such account (of the calling user).

        Raises ApiError UNAVAILABLE DEPENDENCY_UNAVAILABLE when portfolio does not answer.
        """
        request = portfolio_service_pb2.GetAccountRequest(account_id=account_id)
        try:
            account = (await self._portfolios.GetAccount(request)).account
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return None
            raise _away("portfolio", error_from_rpc(error)) from error
        return AccountFacts(account.owner_user_id, account.currency)


class IdentityClient:
    """Identity: the keys of users' tokens."""

    def __init__(self, mesh: Mesh) -> None:
        self._tokens = TokenServiceStub(mesh.channel("identity"))

    async def user_keys(self) -> Mapping[str, object]:
        """The public keys, as a JWKS document. Raises AioRpcError."""
        return dict(MessageToDict(await self._tokens.GetJwks(GetJwksRequest())))


class SymbolAmbiguousError(ValueError):
    """A symbol without MIC has several listings."""


class DataClient:
    """Data: instruments and quotes."""

    def __init__(self, mesh: Mesh) -> None:
        self._instruments = InstrumentServiceStub(mesh.channel("data"))
        self._market = MarketStreamServiceStub(mesh.stream_channel("data"))

    def stream_quotes(
        self, resume_after: StreamPosition | None
    ) -> AsyncIterable[market_pb2.StreamQuotesResponse]:
        """A snapshot of all quotes, then every change."""
        return self._market.StreamQuotes(market_pb2.StreamQuotesRequest(resume_after=resume_after))

    async def get_instrument(self, reference: InstrumentRef) -> Instrument | None:
        """The instrument, None when there is none.

        Raises SymbolAmbiguousError, or ApiError UNAVAILABLE DEPENDENCY_UNAVAILABLE when data does not answer.
        """
        try:
            answer = await self._instruments.GetInstrument(
                instruments_pb2.GetInstrumentRequest(instrument=reference)
            )
        except grpc.aio.AioRpcError as error:
            failure = error_from_rpc(error)
            if failure.code is grpc.StatusCode.NOT_FOUND:
                return None
            if failure.reason == "SYMBOL_AMBIGUOUS":
                raise SymbolAmbiguousError(failure.message) from error
            raise _away("data", failure) from error
        return to_instrument(answer.instrument)

    async def list_instruments(self) -> list[Instrument]:
        """Every instrument. Raises AioRpcError."""
        instruments: list[Instrument] = []
        token = ""
        while True:
            request = instruments_pb2.ListInstrumentsRequest(page_size=_PAGE, page_token=token)
            answer = await self._instruments.ListInstruments(request)
            instruments.extend(map(to_instrument, answer.instruments))
            token = answer.next_page_token
            if not token:
                return instruments


def _away(service: str, failure: RpcFailure) -> Exception:
    return unavailable(
        "DEPENDENCY_UNAVAILABLE",
        f"{service} does not answer ({failure.code.name}); try again",
        retry_after_s=failure.retry_after_s or 1.0,
        dependency=service,
    )
