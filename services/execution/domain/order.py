"""An order and what it is made of; what may happen to it stands in `lifecycle`."""

from __future__ import annotations

import decimal
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, IntEnum

from services.execution.domain.terms import OrderTerms, Side

_NINE_DIGITS = Decimal("0.000000001")
# Display only, so it may round; 60 digits hold the quotient of any two sums of wire decimals to 9 places.
_DISPLAY = decimal.Context(prec=60, rounding=decimal.ROUND_HALF_EVEN, traps=[decimal.InvalidOperation])


class OrderState(IntEnum):
    """Where an order stands; numbers as in the contract."""

    PENDING_NEW = 1
    UNKNOWN = 2
    ACCEPTED = 3
    PARTIALLY_FILLED = 4
    FILLED = 5
    PENDING_CANCEL = 6
    CANCELLED = 7
    PENDING_REPLACE = 8
    REJECTED = 9
    EXPIRED = 10


FINAL = frozenset({OrderState.FILLED, OrderState.CANCELLED, OrderState.REJECTED, OrderState.EXPIRED})
UNACKNOWLEDGED = frozenset({OrderState.PENDING_NEW, OrderState.UNKNOWN})
WORKING = frozenset({OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED})
PENDING_CHANGE = frozenset({OrderState.PENDING_CANCEL, OrderState.PENDING_REPLACE})
UNSETTLED = UNACKNOWLEDGED | PENDING_CHANGE
"""States in which the venue owes an answer."""


class OrderEventType(IntEnum):
    """What happened to an order; numbers as in the contract."""

    SUBMITTED = 1
    ACCEPTED = 2
    REJECTED = 3
    UNKNOWN = 4
    FILLED = 5
    CANCEL_REQUESTED = 6
    CANCELLED = 7
    REPLACE_REQUESTED = 8
    REPLACED = 9
    REPLACE_REJECTED = 10
    EXPIRED = 11
    CANCEL_REJECTED = 12
    TRIGGERED = 13


class Alarm(Enum):
    """What a venue should never say. It is recorded all the same, and an operator is told."""

    OVERFILLED = "overfilled"
    """More was filled than ordered."""
    FILLED_AFTER_REJECTION = "filled_after_rejection"
    """A fill of an order that was refused, or that the venue had never seen."""
    BEYOND_PROTECTION = "beyond_protection"
    """A fill at a price worse than the worst that is held for: cash held may not cover it."""
    CONTRADICTION = "contradiction"
    """The venue says something of an order that cannot follow from what it said before."""


@dataclass(frozen=True, slots=True)
class Execution:
    """A fill as the venue tells it; times are market time, nanoseconds, UTC."""

    execution_id: str
    quantity: Decimal
    price: Decimal
    fee: Decimal
    currency: str
    event_time_ns: int


@dataclass(frozen=True, slots=True)
class Fill:
    """A fill of an order, kept for ever; the fee is exact and not yet rounded."""

    fill_id: str
    venue: str
    execution_id: str
    order_id: str
    account_id: str
    instrument_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    currency: str
    event_time_ns: int


@dataclass(frozen=True, slots=True)
class Replacement:
    """New terms on their way to the venue, and the worst price risk holds for."""

    terms: OrderTerms
    protection_price: Decimal | None


@dataclass(frozen=True, slots=True)
class Order:
    """An order after its last change. `version` counts its events; `notional` is the sum of quantity * price
    over its fills; times are nanoseconds of the wall clock, UTC.
    """

    order_id: str
    account_id: str
    request_id: str
    digest: str
    instrument_id: str
    symbol: str
    currency: str
    venue: str
    user_id: str
    tag: str
    terms: OrderTerms
    protection_price: Decimal | None
    create_time_ns: int
    update_time_ns: int
    state: OrderState = OrderState.PENDING_NEW
    terms_version: int = 1
    filled_quantity: Decimal = Decimal(0)
    notional: Decimal = Decimal(0)
    message: str = ""
    reject_reasons: tuple[str, ...] = ()
    replacement: Replacement | None = None
    triggered: bool = False
    execution_ids: frozenset[str] = frozenset()
    version: int = 0

    @property
    def etag(self) -> str:
        """Changes with every change."""
        return str(self.version)

    @property
    def leaves_quantity(self) -> Decimal:
        """What may still fill: nothing once the order has ended."""
        return Decimal(0) if self.state in FINAL else self.terms.quantity - self.filled_quantity

    @property
    def average_price(self) -> Decimal | None:
        """Average price of the fills to 9 digits, half-even; None while there are none. For display."""
        if not self.filled_quantity:
            return None
        return _DISPLAY.divide(self.notional, self.filled_quantity).quantize(_NINE_DIGITS, context=_DISPLAY)


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """One entry of the order log: what happened, and the order after it."""

    type: OrderEventType
    order: Order
    fill: Fill | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """What came of one input: the order after it, the events to record (none: nothing changed), alarms."""

    order: Order
    events: tuple[OrderEvent, ...] = ()
    alarm: Alarm | None = None


class OrderError(Exception):
    """The state of the order forbids what was asked; `reason` is the contract's."""

    def __init__(self, reason: str, message: str, order: Order) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.order = order
