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
_GRACE_S: Final = 60
_REFRESH_WAIT_S: Final = 1
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

    async def release(self, order: Order, terms_version: int) -> None:
        """Give back what is held for terms never recorded; ApiError UNAVAILABLE (RISK_UNAVAILABLE)."""
        ...


async def release_all(risk: Risk, orders: Sequence[tuple[Order, int]]) -> None:
    """Let go of (order, terms version) at once.

    Should it fail, risk lets go on its own when it finds what was never recorded.
    """
    for order, terms_version in orders:
        try:
            await risk.release(order, terms_version)
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


@dataclass(slots=True)
class _Held:
    """An instrument as data had it. Times are of the monotonic clock."""

    instrument: Instrument
    ask_ns: int
    """From then on data is asked again."""
    until_ns: int
    """Orders are checked against it until then at most."""


class DataInstruments:
    """Instruments as data has them, asked again after five minutes.

    While data gives no answer, what was last known holds for another minute, so that a restart of data stops
    no trading; then orders end UNAVAILABLE. What data no longer has is refused at once.
    """

    def __init__(self, channel: grpc.aio.Channel, *, clock: Clock) -> None:
        self._data = instrument_service_pb2_grpc.InstrumentServiceStub(channel)
        self._clock = clock
        # By id, or by what else it is called in a request: by symbol, on a day or now, by ISIN or FIGI.
        self._held: dict[str | bytes, _Held] = {}

    async def get(self, ref: value_pb2.InstrumentRef) -> Instrument:
        """The instrument."""
        called = ref.instrument_id or ref.SerializeToString(deterministic=True)
        held = self._held.get(called)
        now_ns = self._clock.monotonic_ns()
        if held is None or now_ns >= held.until_ns:
            self._held.pop(called, None)
            return self._hold(called, await self._ask(ref, timeout_s=None))
        if now_ns >= held.ask_ns:
            return await self._refresh(ref, called, held)
        return held.instrument

    async def _refresh(self, ref: value_pb2.InstrumentRef, called: str | bytes, held: _Held) -> Instrument:
        """Ask again. Meanwhile other orders use what is known; while data is away one a second asks."""
        held.ask_ns = self._clock.monotonic_ns() + _REFRESH_WAIT_S * NANOS
        try:
            found = await self._ask(ref, timeout_s=_REFRESH_WAIT_S)
        except ApiError as error:
            if error.reason == "DEPENDENCY_UNAVAILABLE":
                _log.info("instrument_not_refreshed", instrument=_shown(ref), error=str(error))
                return held.instrument
            self._held.pop(called, None)
            raise
        return self._hold(called, found)

    def _hold(self, called: str | bytes, instrument: Instrument) -> Instrument:
        if len(self._held) >= _CAPACITY:
            self._held.clear()
        ask_ns = self._clock.monotonic_ns() + _KEEP_S * NANOS
        for name in {called, instrument.instrument_id}:
            self._held[name] = _Held(instrument, ask_ns, ask_ns + _GRACE_S * NANOS)
        return instrument

    async def _ask(self, ref: value_pb2.InstrumentRef, *, timeout_s: float | None) -> Instrument:
        request = instrument_service_pb2.GetInstrumentRequest(instrument=ref)
        try:
            return instrument_of((await self._data.GetInstrument(request, timeout=timeout_s)).instrument)
        except grpc.aio.AioRpcError as error:
            failure = error_from_rpc(error)
            asked = _shown(ref)
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


def _shown(ref: value_pb2.InstrumentRef) -> str:
    match ref.WhichOneof("name"):
        case "listed":
            on_date = f" on {ref.listed.on_date}" if ref.listed.on_date else ""
            return f"{ref.listed.symbol} at {ref.listed.mic or 'any market'}{on_date}"
        case "listed_isin":
            return f"{ref.listed_isin.isin} at {ref.listed_isin.mic or 'any market'}"
        case _:
            return ref.instrument_id or ref.figi


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

    async def release(self, order: Order, terms_version: int) -> None:
        """Give back."""
        request = pre_trade_service_pb2.ReleaseReservationRequest(
            account_id=order.account_id, order_id=order.order_id, terms_version=terms_version
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
