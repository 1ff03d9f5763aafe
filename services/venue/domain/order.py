"""An order at the exchange: its terms, their validation, its state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum

from services.venue.domain.price import UNITS_PER_CURRENCY, Instrument, price_units


class Side(Enum):
    """Which way an order trades."""

    BUY = "buy"
    SELL = "sell"

    @property
    def opposite(self) -> Side:
        """Return the side this one trades against."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(Enum):
    """How an order is priced."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"


class TimeInForce(Enum):
    """How long an order works."""

    DAY = "day"
    GOOD_TILL_CANCELLED = "good_till_cancelled"
    IMMEDIATE_OR_CANCEL = "immediate_or_cancel"
    FILL_OR_KILL = "fill_or_kill"


class OrderStatus(Enum):
    """The state of an order."""

    WORKING = "working"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class RejectReason(Enum):
    """Why the exchange refused a command; the last three are of cancellations and replacements only."""

    UNKNOWN_INSTRUMENT = "unknown_instrument"
    OFF_TICK = "off_tick"
    LOT_SIZE = "lot_size"
    MARKET_CLOSED = "market_closed"
    NO_LIQUIDITY = "no_liquidity"
    PRICE_BAND = "price_band"
    ORDER_ID_FENCED = "order_id_fenced"
    UNKNOWN_ORDER = "unknown_order"
    ORDER_ENDED = "order_ended"
    QUANTITY_FILLED = "quantity_filled"
    TERMS_VERSION = "terms_version"


class CancelReason(Enum):
    """Why an order, or what was left of it, was cancelled."""

    REQUESTED = "requested"
    SELF_TRADE = "self_trade"
    IMMEDIATE_REMAINDER = "immediate_remainder"
    NOT_FILLABLE = "not_fillable"
    BEYOND_PROTECTION = "beyond_protection"


HAS_LIMIT = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
HAS_STOP = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})


class TermsError(ValueError):
    """The terms of an order break a rule of the exchange."""

    def __init__(self, reason: RejectReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """What a member asks for, as it arrives: prices in currency units, quantity in shares.

    `protection_price` is the worst price the order may ever fill at; None leaves it to the limit and the
    collar.
    """

    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    protection_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class EngineTerms:
    """The changeable terms as the engine counts them: shares, and prices in units of 0.0001."""

    quantity: int
    limit_price: int | None
    stop_price: int | None
    protection_price: int | None


@dataclass(slots=True)
class Order:
    """An accepted order: prices in units of 0.0001, quantities in shares, times in ns of market time.

    `terms` are the present ones as the member gave them, `terms_version` counts them from 1. `priority` is
    the order's place in time. `queue_ahead` is generated quantity that was ahead of the order at its price
    without being shown; prints at that price use it up first. `notional` is the sum of price units times
    shares over all fills.
    """

    order_id: str
    client_order_id: str
    account_id: str
    instrument_id: str
    terms: OrderTerms
    engine_terms: EngineTerms
    accepted_ns: int
    updated_ns: int
    priority: int
    filled: int = 0
    notional: int = 0
    status: OrderStatus = OrderStatus.WORKING
    cancel_reason: CancelReason | None = None
    terms_version: int = 1
    triggered: bool = False
    queue_ahead: int = 0

    @property
    def side(self) -> Side:
        """Return which way the order trades."""
        return self.terms.side

    @property
    def time_in_force(self) -> TimeInForce:
        """Return how long the order works."""
        return self.terms.time_in_force

    @property
    def quantity(self) -> int:
        """Return the shares ordered in all."""
        return self.engine_terms.quantity

    @property
    def limit_price(self) -> int | None:
        """Return the limit, None for market and stop orders."""
        return self.engine_terms.limit_price

    @property
    def stop_price(self) -> int | None:
        """Return the trigger, None for market and limit orders."""
        return self.engine_terms.stop_price

    @property
    def unfilled(self) -> int:
        """Return the shares not filled, whether they still work or not."""
        return self.engine_terms.quantity - self.filled

    @property
    def open_quantity(self) -> int:
        """Return the shares that may still fill."""
        return self.unfilled if self.status is OrderStatus.WORKING else 0

    @property
    def waits_for_trigger(self) -> bool:
        """Tell whether the order is a stop whose price has not traded yet."""
        return self.terms.order_type in HAS_STOP and not self.triggered

    def fill(self, price: int, quantity: int) -> None:
        """Count an execution."""
        self.filled += quantity
        self.notional += price * quantity
        if self.filled == self.quantity:
            self.status = OrderStatus.FILLED

    def snapshot(self) -> Order:
        """Return a copy: the order as it is now."""
        return replace(self)


@dataclass(frozen=True, slots=True)
class RejectedOrder:
    """A submission the exchange refused; its id is used up."""

    order_id: str
    client_order_id: str
    account_id: str
    instrument_id: str
    terms: OrderTerms
    reason: RejectReason
    rejected_ns: int


def check_shape(terms: OrderTerms) -> None:
    """ValueError when the terms make no order anywhere.

    A price is missing or idle, a quantity or price is not a positive number, or the limit lies beyond the
    protection.
    """
    needs_limit, needs_stop = terms.order_type in HAS_LIMIT, terms.order_type in HAS_STOP
    if needs_limit != (terms.limit_price is not None) or needs_stop != (terms.stop_price is not None):
        raise ValueError(f"the prices given do not make a {terms.order_type.value} order")
    for name in ("quantity", "limit_price", "stop_price", "protection_price"):
        number: Decimal | None = getattr(terms, name)
        if number is not None and not (number.is_finite() and number > 0):
            raise ValueError(f"{name} {number} is not positive")
    if terms.limit_price is not None and terms.protection_price is not None:
        limit, protection = terms.limit_price, terms.protection_price
        if protection < limit if terms.side is Side.BUY else protection > limit:
            raise ValueError(f"limit_price lies beyond protection_price {terms.protection_price}")


def check_terms(terms: OrderTerms, instrument: Instrument) -> EngineTerms:
    """Return well-shaped terms as the engine counts them; TermsError names the exchange's rule they break."""
    if terms.quantity != int(terms.quantity):
        raise TermsError(RejectReason.LOT_SIZE)
    return EngineTerms(
        quantity=int(terms.quantity),
        limit_price=None if terms.limit_price is None else _tick_price(terms.limit_price, instrument),
        stop_price=None if terms.stop_price is None else _tick_price(terms.stop_price, instrument),
        protection_price=None
        if terms.protection_price is None
        else _bound(terms.protection_price, terms.side),
    )


def _tick_price(price: Decimal, instrument: Instrument) -> int:
    try:
        units = price_units(price)
    except ValueError:
        raise TermsError(RejectReason.OFF_TICK) from None
    if not instrument.ticks.holds(units):
        raise TermsError(RejectReason.OFF_TICK)
    return units


def _bound(price: Decimal, side: Side) -> int:
    """Return the last whole unit on the safe side of `price`."""
    numerator, denominator = price.as_integer_ratio()
    scaled = numerator * UNITS_PER_CURRENCY
    return scaled // denominator if side is Side.BUY else -(-scaled // denominator)
