"""An order at the exchange: its terms, their validation, its state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum

from services.venue.domain.price import Instrument, price_units


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
    """Why the exchange refused a command."""

    UNKNOWN_INSTRUMENT = "unknown_instrument"
    MARKET_CLOSED = "market_closed"
    NOT_TRADING = "not_trading"
    INVALID_QUANTITY = "invalid_quantity"
    FRACTIONAL_QUANTITY = "fractional_quantity"
    INVALID_PRICE = "invalid_price"
    PRICE_OFF_TICK = "price_off_tick"
    INVALID_TIME_IN_FORCE = "invalid_time_in_force"
    ORDER_ID_FENCED = "order_id_fenced"
    UNKNOWN_ORDER = "unknown_order"
    ORDER_CLOSED = "order_closed"
    QUANTITY_BELOW_FILLED = "quantity_below_filled"


class CancelReason(Enum):
    """Why an order, or what was left of it, was cancelled."""

    REQUESTED = "requested"
    SELF_TRADE = "self_trade"
    IMMEDIATE_REMAINDER = "immediate_remainder"
    NOT_FILLABLE = "not_fillable"
    COLLAR = "collar"


MAX_QUANTITY = 10**12
MAX_PRICE = 10**9
IMMEDIATE = frozenset({TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL})
HAS_LIMIT = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT})
HAS_STOP = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})


class TermsError(ValueError):
    """The terms of an order break a rule of the exchange."""

    def __init__(self, reason: RejectReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """What a member asks for, as it arrives: prices in currency units, quantity in shares."""

    instrument_id: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


@dataclass(slots=True)
class Order:
    """An accepted order; prices in units of 0.0001, quantities in shares, `accepted_ns` in market time.

    `priority` is the order's place in time: an amendment that worsens the queue's promise takes a new one.
    `queue_ahead` is generated quantity that was ahead of the order at its price without being shown; prints
    at that price use it up first. `notional` is the sum of price units times shares over all fills.
    """

    order_id: str
    client_order_id: str
    account_id: str
    instrument_id: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: int
    limit_price: int | None
    stop_price: int | None
    accepted_ns: int
    priority: int
    filled: int = 0
    notional: int = 0
    status: OrderStatus = OrderStatus.WORKING
    triggered: bool = False
    queue_ahead: int = 0

    @property
    def unfilled(self) -> int:
        """Return the shares not filled, whether they still work or not."""
        return self.quantity - self.filled

    @property
    def open_quantity(self) -> int:
        """Return the shares that may still fill."""
        return self.unfilled if self.status is OrderStatus.WORKING else 0

    @property
    def waits_for_trigger(self) -> bool:
        """Tell whether the order is a stop whose price has not traded yet."""
        return self.order_type in HAS_STOP and not self.triggered

    def fill(self, price: int, quantity: int) -> None:
        """Count an execution."""
        self.filled += quantity
        self.notional += price * quantity
        if self.filled == self.quantity:
            self.status = OrderStatus.FILLED

    def snapshot(self) -> Order:
        """Return a copy: the order as it is now."""
        return replace(self)


def check_terms(terms: OrderTerms, instrument: Instrument) -> tuple[int, int | None, int | None]:
    """Return quantity, limit and stop price as the engine counts them; TermsError names the broken rule."""
    needs_limit, needs_stop = terms.order_type in HAS_LIMIT, terms.order_type in HAS_STOP
    if needs_limit != (terms.limit_price is not None) or needs_stop != (terms.stop_price is not None):
        raise TermsError(RejectReason.INVALID_PRICE)
    if needs_stop and terms.time_in_force in IMMEDIATE:
        raise TermsError(RejectReason.INVALID_TIME_IN_FORCE)
    return (
        whole_quantity(terms.quantity),
        None if terms.limit_price is None else tick_price(terms.limit_price, instrument),
        None if terms.stop_price is None else tick_price(terms.stop_price, instrument),
    )


def whole_quantity(quantity: Decimal) -> int:
    """Return a positive whole number of shares. TermsError otherwise."""
    if not quantity.is_finite() or not 0 < quantity <= MAX_QUANTITY:
        raise TermsError(RejectReason.INVALID_QUANTITY)
    if quantity != int(quantity):
        raise TermsError(RejectReason.FRACTIONAL_QUANTITY)
    return int(quantity)


def tick_price(price: Decimal, instrument: Instrument) -> int:
    """Return a positive price on the instrument's tick, in price units. TermsError otherwise."""
    if not price.is_finite() or not 0 < price <= MAX_PRICE:
        raise TermsError(RejectReason.INVALID_PRICE)
    try:
        units = price_units(price)
    except ValueError:
        raise TermsError(RejectReason.PRICE_OFF_TICK) from None
    if units % instrument.tick:
        raise TermsError(RejectReason.PRICE_OFF_TICK)
    return units
