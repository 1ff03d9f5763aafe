"""What the exchange says: about orders, to their owners, and about the market, to all.

Prices are in units of 0.0001, quantities in shares, times in nanoseconds of market time. An order event
carries the order as it was at that moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum

from services.venue.domain.book import DepthLevel
from services.venue.domain.order import Order, RejectedOrder, RejectReason, Side


class Liquidity(Enum):
    """Whether a fill's order rested in the book or came to it."""

    MAKER = "maker"
    TAKER = "taker"


@dataclass(frozen=True, slots=True)
class OrderAccepted:
    """The order is at the exchange; its fills, if any, follow."""

    event_time_ns: int
    order: Order


@dataclass(frozen=True, slots=True)
class OrderKnown:
    """The client's id was used before: nothing was done, and this is the order as it is now."""

    event_time_ns: int
    order: Order | RejectedOrder


@dataclass(frozen=True, slots=True)
class OrderRejected:
    """The submission was refused for good."""

    event_time_ns: int
    order: RejectedOrder


@dataclass(frozen=True, slots=True)
class CommandRejected:
    """A cancellation, a replacement or a fenced submission was refused and changed nothing."""

    event_time_ns: int
    account_id: str
    client_order_id: str
    reason: RejectReason


@dataclass(frozen=True, slots=True)
class OrderFilled:
    """One execution of an order; two users who trade with one another share the `trade_number`."""

    event_time_ns: int
    order: Order
    execution_id: str
    trade_number: int
    price: int
    quantity: int
    fee: Decimal
    liquidity: Liquidity
    against_synthetic: bool


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """What was not filled of the order is gone; the order says why."""

    event_time_ns: int
    order: Order


@dataclass(frozen=True, slots=True)
class OrderExpired:
    """The session of a DAY order closed."""

    event_time_ns: int
    order: Order


@dataclass(frozen=True, slots=True)
class OrderReplaced:
    """The order has new terms."""

    event_time_ns: int
    order: Order


@dataclass(frozen=True, slots=True)
class StopTriggered:
    """A stop order's price has traded: it is a market or limit order now."""

    event_time_ns: int
    order: Order


@dataclass(frozen=True, slots=True)
class IdFenced:
    """The client's id was never seen and is refused from now on."""

    event_time_ns: int
    account_id: str
    client_order_id: str


@dataclass(frozen=True, slots=True)
class TradePrinted:
    """A trade as the market sees it, numbered from 1 within instrument and session.

    Synthetic prints alone make the real bar, users' trades come apart. `session_end` marks the last synthetic
    one.
    """

    event_time_ns: int
    instrument_id: str
    session_date: date
    trade_number: int
    price: int
    quantity: int
    aggressor: Side
    synthetic: bool
    session_end: bool


@dataclass(frozen=True, slots=True)
class BookChanged:
    """The five best levels of each side, best first; the first of each is the quote.

    `last` is the last traded price, None before the first; `trading` is False when no session of it is
    replayed.
    """

    event_time_ns: int
    instrument_id: str
    bids: tuple[DepthLevel, ...]
    asks: tuple[DepthLevel, ...]
    last: int | None
    trading: bool


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """A session of the replay began."""

    event_time_ns: int
    session_date: date


@dataclass(frozen=True, slots=True)
class SessionClosed:
    """A session of the replay ended; DAY orders have expired."""

    event_time_ns: int
    session_date: date


OrderEvent = (
    OrderAccepted
    | OrderKnown
    | OrderRejected
    | CommandRejected
    | OrderFilled
    | OrderCancelled
    | OrderExpired
    | OrderReplaced
    | StopTriggered
    | IdFenced
)
MarketEvent = TradePrinted | BookChanged | SessionOpened | SessionClosed
Event = OrderEvent | MarketEvent
