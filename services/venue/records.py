"""Orders, executions and sessions as the venue keeps them: one row each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from services.venue.domain.events import Liquidity, OrderFilled
from services.venue.domain.order import (
    CancelReason,
    Order,
    OrderTerms,
    OrderType,
    RejectedOrder,
    RejectReason,
    Side,
    TimeInForce,
)
from services.venue.domain.plan import ReplayPlan
from services.venue.domain.price import price_decimal

# Any: a row is what the driver gives, and JSON is what the driver takes.
Row = Mapping[str, Any]
REJECTED = "rejected"
CREATE_SESSION = "CreateSession"


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """An order, accepted or rejected; `state` is an OrderStatus value or REJECTED, `reason` why it is so."""

    venue_order_id: str
    account_id: str
    client_order_id: str
    instrument_id: str
    terms: OrderTerms
    terms_version: int
    state: str
    reason: str | None
    filled: Decimal
    accepted_ns: int
    updated_ns: int

    @classmethod
    def of(cls, order: Order | RejectedOrder) -> OrderRecord:
        """The record of an order as it is now."""
        if isinstance(order, RejectedOrder):
            return cls(
                order.order_id,
                order.account_id,
                order.client_order_id,
                order.instrument_id,
                order.terms,
                terms_version=1,
                state=REJECTED,
                reason=order.reason.value,
                filled=Decimal(0),
                accepted_ns=order.rejected_ns,
                updated_ns=order.rejected_ns,
            )
        return cls(
            order.order_id,
            order.account_id,
            order.client_order_id,
            order.instrument_id,
            order.terms,
            terms_version=order.terms_version,
            state=order.status.value,
            reason=None if order.cancel_reason is None else order.cancel_reason.value,
            filled=Decimal(order.filled),
            accepted_ns=order.accepted_ns,
            updated_ns=order.updated_ns,
        )

    @classmethod
    def from_row(cls, row: Row) -> OrderRecord:
        """The record in a row of venue_order."""
        own = {name: row[name] for name in cls.__slots__ if name != "terms"}
        return cls(terms=terms_from_row(row), **own)

    def to_row(self) -> dict[str, object]:
        """The row, its numbers exact in JSON."""
        own = {name: getattr(self, name) for name in self.__slots__ if name not in {"terms", "filled"}}
        return {**own, **terms_to_row(self.terms), "filled": str(self.filled)}

    @property
    def reject_reason(self) -> RejectReason | None:
        """Why the order was refused; None when it was not."""
        return RejectReason(self.reason) if self.state == REJECTED else None

    @property
    def cancel_reason(self) -> CancelReason | None:
        """Why the order was cancelled; None when it was not."""
        return None if self.state == REJECTED or self.reason is None else CancelReason(self.reason)


def terms_to_row(terms: OrderTerms) -> dict[str, object]:
    """The columns of the terms, decimals as text."""
    prices = {name: getattr(terms, name) for name in ("limit_price", "stop_price", "protection_price")}
    return {
        "side": terms.side.value,
        "order_type": terms.order_type.value,
        "time_in_force": terms.time_in_force.value,
        "quantity": format(terms.quantity, "f"),
        **{name: None if price is None else format(price, "f") for name, price in prices.items()},
    }


def terms_from_row(row: Row) -> OrderTerms:
    """The terms in a row or in what `terms_to_row` made."""
    prices = {name: row[name] for name in ("limit_price", "stop_price", "protection_price")}
    return OrderTerms(
        Side(row["side"]),
        OrderType(row["order_type"]),
        TimeInForce(row["time_in_force"]),
        Decimal(row["quantity"]),
        **{name: None if price is None else Decimal(price) for name, price in prices.items()},
    )


@dataclass(frozen=True, slots=True)
class ExecutionRecord:
    """One fill, in currency units and shares."""

    execution_id: str
    venue_order_id: str
    account_id: str
    client_order_id: str
    instrument_id: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    currency: str
    liquidity: Liquidity
    against_synthetic: bool
    event_time_ns: int

    @classmethod
    def of(cls, fill: OrderFilled, currency: str) -> ExecutionRecord:
        """The record of a fill in an instrument priced in `currency`."""
        order = fill.order
        return cls(
            fill.execution_id,
            order.order_id,
            order.account_id,
            order.client_order_id,
            order.instrument_id,
            order.side,
            Decimal(fill.quantity),
            price_decimal(fill.price),
            fill.fee,
            currency,
            fill.liquidity,
            fill.against_synthetic,
            fill.event_time_ns,
        )

    @classmethod
    def from_row(cls, row: Row) -> ExecutionRecord:
        """The record in a row of execution."""
        own = {name: row[name] for name in cls.__slots__}
        return cls(**{**own, "side": Side(row["side"]), "liquidity": Liquidity(row["liquidity"])})

    def to_row(self) -> dict[str, object]:
        """The row, its numbers exact in JSON."""
        row: dict[str, object] = {}
        for name in self.__slots__:
            value = getattr(self, name)
            row[name] = (
                value.value
                if isinstance(value, Enum)
                else str(value)
                if isinstance(value, Decimal)
                else value
            )
        return row


class SessionState(Enum):
    """Where a replay stands."""

    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class ReplayRecord:
    """A replay session: what it is made from and where it stands."""

    session_no: int
    session_id: str
    plan: ReplayPlan
    state: SessionState
    seconds_per_day: float
    position: int
    market_time_ns: int

    @property
    def total_steps(self) -> int:
        """Steps of the whole window."""
        return len(self.plan.sessions) * self.plan.steps_per_session

    @property
    def seconds_per_step(self) -> float:
        """Wall-clock seconds between two steps."""
        return self.seconds_per_day / self.plan.steps_per_session


@dataclass(frozen=True, slots=True)
class Claim:
    """The request that starts a replay, for its idempotency."""

    owner: str
    request_id: str
    digest: str
