"""An account's book: cash, positions, and what its open orders hold."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from services.risk.domain.cash import Fill, Held, cash_to_hold
from services.risk.domain.limits import LONGEST_WINDOW_NS
from services.risk.domain.terms import Side, Terms

ZERO = Decimal(0)
FIRST_VERSION = 1
"""The version of the terms an order is submitted with."""


class HoldKey(NamedTuple):
    """Names a decision of ReserveOrder; `attempt` counts those on the same version of an order."""

    order_id: str
    terms_version: int
    attempt: int


@dataclass(slots=True, eq=False)
class Hold:
    """What one version of an order's terms holds."""

    key: HoldKey
    request_id: str
    """The idempotency key of the order's submission."""
    terms: Terms
    lot_size: Decimal
    per_lot: Decimal
    """Cash a lot takes at most; zero for sells."""
    answer: bytes
    """The serialised ReserveOrderResponse, returned again when asked again."""
    asked_ns: int
    """When execution last asked for it, by the monotonic clock: it may still commit for a while after."""
    confirmed: bool = False
    """Seen in execution's log."""

    def remaining(self, filled: Decimal) -> Decimal:
        """Shares not yet filled."""
        return max(self.terms.quantity - filled, ZERO)

    def held(self, filled: Decimal) -> Held:
        """What may still fill, and what it takes."""
        return Held(self.remaining(filled), self.per_lot, self.lot_size)


@dataclass(slots=True, eq=False)
class HeldOrder:
    """An order that holds something. While a replace is open it has several holds, and the worst counts that
    can come of them one after the other.
    """

    order_id: str
    account_id: str
    instrument_id: str
    side: Side
    filled: Decimal = ZERO
    holds: list[Hold] = field(default_factory=list)

    @property
    def cash(self) -> Decimal:
        """Cash held."""
        return cash_to_hold(self.versions())

    def versions(self) -> list[Held]:
        """What may still fill under each version of the terms, oldest first."""
        return [hold.held(self.filled) for hold in sorted(self.holds, key=lambda hold: hold.key)]

    @property
    def quantity(self) -> Decimal:
        """Shares that may still be bought or sold."""
        return max((hold.remaining(self.filled) for hold in self.holds), default=ZERO)


@dataclass(frozen=True, slots=True)
class RecentOrder:
    """A reservation that passed a short while ago."""

    request_id: str
    instrument_id: str
    terms: Terms
    passed_ns: int
    """By the monotonic clock: a window must neither open nor stay shut because the wall clock steps."""

    @staticmethod
    def recalled_ns(decided_ns: int, *, wall_ns: int, monotonic_ns: int) -> int:
        """When something kept with the wall clock's time passed, by the monotonic clock.

        What lies in the future, since the wall clock was stepped back, is taken to have passed just now.
        """
        return monotonic_ns - max(0, wall_ns - decided_ns)


class AccountBook:
    """Cash, positions and holds of one account. Nothing is refused here: what happened is entered."""

    def __init__(self, account_id: str, currency: str, cash: Decimal = ZERO) -> None:
        self.account_id = account_id
        self.currency = currency
        self.cash = cash
        self.reserved = ZERO
        """Cash held for open buys."""
        self.positions: dict[str, Decimal] = {}
        self.orders: dict[str, HeldOrder] = {}
        self.recent: deque[RecentOrder] = deque()
        self._open: dict[tuple[str, Side], Decimal] = {}
        self._unconfirmed: dict[str, str] = {}

    def position(self, instrument_id: str) -> Decimal:
        """Shares held."""
        return self.positions.get(instrument_id, ZERO)

    def open_quantity(self, instrument_id: str, side: Side) -> Decimal:
        """Shares that open orders of this side may still trade."""
        return self._open.get((instrument_id, side), ZERO)

    def unconfirmed_order(self, request_id: str) -> HeldOrder | None:
        """The order under this idempotency key that holds something and is not yet in execution's log."""
        order_id = self._unconfirmed.get(request_id)
        return None if order_id is None else self.orders.get(order_id)

    def add_hold(self, instrument_id: str, hold: Hold, *, filled: Decimal = ZERO) -> HeldOrder:
        """Hold for one more version of an order's terms; `filled` is what an order new here has done."""
        order = self.orders.get(hold.key.order_id)
        if order is None:
            order = HeldOrder(hold.key.order_id, self.account_id, instrument_id, hold.terms.side, filled)
            self.orders[order.order_id] = order
        before = order.cash, order.quantity
        order.holds.append(hold)
        if not hold.confirmed and hold.key.terms_version == FIRST_VERSION:
            self._unconfirmed[hold.request_id] = order.order_id
        self._weigh(order, before)
        return order

    def drop_hold(self, hold: Hold) -> None:
        """Give back what this version holds; nothing when it holds nothing any more."""
        order = self.orders.get(hold.key.order_id)
        if order is None or hold not in order.holds:
            return
        before = order.cash, order.quantity
        order.holds.remove(hold)
        self._forget_unconfirmed(hold)
        self._weigh(order, before)
        if not order.holds:
            del self.orders[order.order_id]

    def confirm(self, hold: Hold) -> None:
        """Execution's log has it."""
        hold.confirmed = True
        self._forget_unconfirmed(hold)

    def fill(self, fill: Fill) -> None:
        """Enter a fill: hold becomes position and cash. Also for an order that holds nothing any more."""
        self.cash += fill.cash_effect
        self.positions[fill.instrument_id] = self.position(fill.instrument_id) + fill.signed_quantity
        order = self.orders.get(fill.order_id)
        if order is not None:
            before = order.cash, order.quantity
            order.filled += fill.quantity
            self._weigh(order, before)

    def remember(self, order: RecentOrder) -> None:
        """Count an order that passed; forget those no rule looks at any more."""
        self.recent.append(order)
        while self.recent and self.recent[0].passed_ns <= order.passed_ns - LONGEST_WINDOW_NS:
            self.recent.popleft()

    def recent_since(self, instant_ns: int) -> Iterator[RecentOrder]:
        """Orders that passed after the instant (monotonic), newest first."""
        for order in reversed(self.recent):
            if order.passed_ns <= instant_ns:
                return
            yield order

    def _forget_unconfirmed(self, hold: Hold) -> None:
        if self._unconfirmed.get(hold.request_id) == hold.key.order_id:
            del self._unconfirmed[hold.request_id]

    def _weigh(self, order: HeldOrder, before: tuple[Decimal, Decimal]) -> None:
        cash, quantity = before
        self.reserved += order.cash - cash
        key = order.instrument_id, order.side
        self._open[key] = self.open_quantity(*key) + order.quantity - quantity
