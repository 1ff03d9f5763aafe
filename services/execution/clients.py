"""The other services this one asks: risk for reservations, portfolio for accounts, data for instruments."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol, TypeVar

import grpc
import structlog
from google.protobuf.json_format import MessageToDict

from bifrost.data.v1 import instrument_service_pb2, instrument_service_pb2_grpc
from bifrost.identity.v1 import token_service_pb2, token_service_pb2_grpc
from bifrost.portfolio.v1 import portfolio_service_pb2, portfolio_service_pb2_grpc
from bifrost.risk.v1 import (
    check_pb2,
    error_reason_pb2,
    pre_trade_service_pb2,
    pre_trade_service_pb2_grpc,
)
from bifrost.type.v1 import value_pb2
from services.execution.convert import instrument_of, optional_decimal, terms_message
from services.execution.domain.order import Order
from services.execution.domain.terms import Instrument, OrderTerms
from services.runtime.clock import NANOS, Clock
from services.runtime.errors import ApiError, error_from_rpc, invalid_argument, not_found, unavailable

T = TypeVar("T")
_KEEP_S: Final = 300
_CAPACITY: Final = 100_000
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Account:
    """What an order needs to know of an account; it does not change."""

    account_id: str
    owner_user_id: str
    venue: str


@dataclass(frozen=True, slots=True)
class Reservation:
    """Risk's answer: whether it is held, and the whole check."""

    reserved: bool
    worst_price: Decimal | None
    check: check_pb2.CheckResult

    @property
    def failed_rules(self) -> list[str]:
        """Names of the rules that did not pass."""
        failed = (rule for rule in self.check.rules if rule.verdict != check_pb2.VERDICT_PASS)
        return [error_reason_pb2.Rule.Name(rule.rule).removeprefix("RULE_") for rule in failed]

    @property
    def failed_message(self) -> str:
        """What the rules that did not pass say, for people."""
        failed = (rule for rule in self.check.rules if rule.verdict != check_pb2.VERDICT_PASS)
        return "; ".join(rule.message for rule in failed if rule.message)


class Accounts(Protocol):
    """Knows accounts."""

    async def get(self, account_id: str) -> Account:
        """The account; ApiError NOT_FOUND (ACCOUNT_NOT_FOUND), UNAVAILABLE (DEPENDENCY_UNAVAILABLE)."""
        ...


class Instruments(Protocol):
    """Knows instruments."""

    async def get(self, ref: value_pb2.InstrumentRef) -> Instrument:
        """The instrument; ApiError NOT_FOUND (INSTRUMENT_NOT_FOUND), UNAVAILABLE (DEPENDENCY_UNAVAILABLE)."""
        ...


class Risk(Protocol):
    """Checks orders and holds for them what they may cost."""

    async def reserve(
        self, account_id: str, orders: Sequence[tuple[Order, OrderTerms, int]]
    ) -> list[Reservation]:
        """Check and hold (order, terms, terms version) one after the other.

        ApiError NOT_FOUND (ACCOUNT_NOT_FOUND), UNAVAILABLE (RISK_UNAVAILABLE): it may be held all the same.
        """
        ...

    async def release(self, order: Order) -> None:
        """Give back what an order holds that was not recorded; ApiError UNAVAILABLE (RISK_UNAVAILABLE)."""
        ...


async def release_all(risk: Risk, orders: Sequence[Order]) -> None:
    """Let go at once; should it fail, risk lets go on its own when it finds what was never recorded."""
    for order in orders:
        try:
            await risk.release(order)
        except ApiError as error:
            _log.info("reservation_not_released", order_id=order.order_id, error=str(error))
            return


class PortfolioAccounts:
    """Accounts as portfolio has them, asked once and remembered; an absence is asked for again."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._portfolio = portfolio_service_pb2_grpc.PortfolioServiceStub(channel)
        self._known: dict[str, Account] = {}

    async def get(self, account_id: str) -> Account:
        """The account."""
        known = self._known.get(account_id)
        if known is not None:
            return known
        request = portfolio_service_pb2.GetAccountRequest(account_id=account_id)
        try:
            found = (await self._portfolio.GetAccount(request)).account
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                text = f"no account {account_id} of yours"
                raise not_found("ACCOUNT_NOT_FOUND", text, account_id=account_id) from error
            raise _away("portfolio", error) from error
        if len(self._known) >= _CAPACITY:
            self._known.clear()
        account = Account(account_id, found.owner_user_id, found.venue)
        self._known[account_id] = account
        return account

    async def owner(self, account_id: str) -> str | None:
        """The user who owns the account, None when there is no such account, for OwnerDirectory."""
        try:
            return (await self.get(account_id)).owner_user_id
        except ApiError as error:
            if error.code is grpc.StatusCode.NOT_FOUND:
                return None
            raise


class DataInstruments:
    """Instruments as data has them. Ids are remembered for good; what a symbol names, for five minutes."""

    def __init__(self, channel: grpc.aio.Channel, *, clock: Clock) -> None:
        self._data = instrument_service_pb2_grpc.InstrumentServiceStub(channel)
        self._clock = clock
        self._by_id: dict[str, Instrument] = {}
        self._by_symbol: dict[tuple[str, str], tuple[Instrument, int]] = {}

    async def get(self, ref: value_pb2.InstrumentRef) -> Instrument:
        """The instrument."""
        listed = (ref.listed.symbol, ref.listed.mic)
        if ref.instrument_id:
            known = self._by_id.get(ref.instrument_id)
        else:
            known, until = self._by_symbol.get(listed, (None, 0))
            known = known if self._clock.monotonic_ns() < until else None
        if known is not None:
            return known
        instrument = await self._ask(ref)
        if len(self._by_id) >= _CAPACITY or len(self._by_symbol) >= _CAPACITY:
            self._by_id.clear()
            self._by_symbol.clear()
        self._by_id[instrument.instrument_id] = instrument
        if not ref.instrument_id:
            self._by_symbol[listed] = (instrument, self._clock.monotonic_ns() + _KEEP_S * NANOS)
        return instrument

    async def _ask(self, ref: value_pb2.InstrumentRef) -> Instrument:
        request = instrument_service_pb2.GetInstrumentRequest(instrument=ref)
        try:
            return instrument_of((await self._data.GetInstrument(request)).instrument)
        except grpc.aio.AioRpcError as error:
            failure = error_from_rpc(error)
            asked = ref.instrument_id or f"{ref.listed.symbol} at {ref.listed.mic or 'any market'}"
            if failure.code is grpc.StatusCode.NOT_FOUND:
                raise not_found(
                    "INSTRUMENT_NOT_FOUND",
                    f"no instrument {asked}",
                    instrument_id=ref.instrument_id,
                    symbol=ref.listed.symbol,
                    mic=ref.listed.mic,
                ) from error
            if failure.code is grpc.StatusCode.INVALID_ARGUMENT:
                raise invalid_argument(
                    failure.reason or "FIELD_INVALID", failure.message, field="instrument"
                ) from error
            raise _away("data", error) from error


class RiskReservations:
    """Reservations at risk."""

    def __init__(self, channel: grpc.aio.Channel, *, timeout_s: float) -> None:
        self._risk = pre_trade_service_pb2_grpc.PreTradeServiceStub(channel)
        self._timeout_s = timeout_s

    async def reserve(
        self, account_id: str, orders: Sequence[tuple[Order, OrderTerms, int]]
    ) -> list[Reservation]:
        """Check and hold."""
        requests = [_reserve_request(order, terms, version) for order, terms, version in orders]
        if len(requests) == 1:
            answer = await self._answer(self._risk.ReserveOrder(requests[0], timeout=self._timeout_s))
            answers = [answer]
        else:
            batch = pre_trade_service_pb2.ReserveOrdersRequest(account_id=account_id, reservations=requests)
            response = await self._answer(self._risk.ReserveOrders(batch, timeout=self._timeout_s))
            answers = list(response.results)
        return [
            Reservation(
                a.reserved,
                optional_decimal(a.worst_price, field="worst_price") if a.reserved else None,
                a.result,
            )
            for a in answers
        ]

    async def release(self, order: Order) -> None:
        """Give back."""
        request = pre_trade_service_pb2.ReleaseReservationRequest(
            account_id=order.account_id, order_id=order.order_id
        )
        await self._answer(self._risk.ReleaseReservation(request, timeout=self._timeout_s))

    async def _answer(self, call: Awaitable[T]) -> T:
        try:
            return await call
        except grpc.aio.AioRpcError as error:
            failure = error_from_rpc(error)
            if failure.reason == "ACCOUNT_NOT_FOUND":
                raise not_found("ACCOUNT_NOT_FOUND", failure.message, **failure.metadata) from error
            raise unavailable(
                "RISK_UNAVAILABLE",
                "risk gave no answer, so nothing was recorded or sent; try again with the same request_id",
                retry_after_s=failure.retry_after_s or 1.0,
                risk_code=failure.code.name,
                risk_reason=failure.reason,
            ) from error


def _reserve_request(
    order: Order, terms: OrderTerms, version: int
) -> pre_trade_service_pb2.ReserveOrderRequest:
    return pre_trade_service_pb2.ReserveOrderRequest(
        account_id=order.account_id,
        order_id=order.order_id,
        request_id=order.request_id,
        instrument_id=order.instrument_id,
        terms=terms_message(terms),
        terms_version=version,
    )


def _away(service: str, error: grpc.aio.AioRpcError) -> ApiError:
    failure = error_from_rpc(error)
    return unavailable(
        "DEPENDENCY_UNAVAILABLE",
        f"{service} gave no answer ({failure.code.name}), so nothing was recorded; try again",
        retry_after_s=failure.retry_after_s or 1.0,
        dependency=service,
    )


class Identity:
    """Whose keys sign users' tokens."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._identity = token_service_pb2_grpc.TokenServiceStub(channel)

    async def user_keys(self) -> Mapping[str, object]:
        """identity's public keys, as a JWKS document."""
        return dict(MessageToDict(await self._identity.GetJwks(token_service_pb2.GetJwksRequest())))
