"""Lots: first in, first out, fees in the cost, and the cent always accounted for.

A lot's quantity and cost carry the sign of the position: a long lot cost money (both positive), a short one
brought it in (both negative). The venue's word is final, so a sale of more than is held is recorded as a
short lot and covered by later buys. Whatever happens, for each instrument and to the minor unit,

    cash moved + cost of the open lots - realised profit and loss = 0
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from services.portfolio.domain.money import ZERO, share_of


@dataclass(frozen=True, slots=True)
class Lot:
    """What is left of one fill."""

    number: int
    """Order of opening within the position, from 1."""
    fill_id: str
    quantity: Decimal
    cost: Decimal
    open_time_ns: int
    """Market time of the fill, nanoseconds since the epoch, UTC."""


@dataclass(frozen=True, slots=True)
class Holding:
    """The open lots of one instrument in one account, oldest first, and what has been realised on it."""

    lots: tuple[Lot, ...] = ()
    realized_pnl: Decimal = ZERO
    last_lot_number: int = 0

    @property
    def quantity(self) -> Decimal:
        """Shares held; negative when short."""
        return sum((lot.quantity for lot in self.lots), ZERO)

    @property
    def cost(self) -> Decimal:
        """Cost of the open lots."""
        return sum((lot.cost for lot in self.lots), ZERO)


@dataclass(frozen=True, slots=True)
class Trade:
    """A fill as the books see it: shares in (or out, negative) for `cost` paid (or received, negative)."""

    fill_id: str
    quantity: Decimal
    cost: Decimal
    event_time_ns: int


def apply_trade(holding: Holding, trade: Trade, currency: str) -> Holding:
    """The holding after the trade: the oldest lots of the other sign close first, what is left opens a lot.

    A partial close takes its share of the lot's cost, half-even to the minor unit, and leaves the rest in the
    lot; a trade that crosses zero splits its own cost the same way. Realised is what closing brought less
    what it cost.
    """
    closed = _closable(holding.lots, trade.quantity)
    closing_cost = share_of(trade.cost, closed, trade.quantity, currency)
    lots, cost_taken = _take(holding.lots, -closed, currency)
    holding = replace(holding, lots=lots, realized_pnl=holding.realized_pnl - closing_cost - cost_taken)
    opened = trade.quantity - closed
    if not opened:
        return holding
    number = holding.last_lot_number + 1
    lot = Lot(number, trade.fill_id, opened, trade.cost - closing_cost, trade.event_time_ns)
    return replace(holding, lots=(*lots, lot), last_lot_number=number)


def _closable(lots: Sequence[Lot], quantity: Decimal) -> Decimal:
    """How much of a signed trade quantity closes lots of the other sign; same sign as the trade, or zero."""
    held = sum((lot.quantity for lot in lots), ZERO)
    if held * quantity >= 0:
        return ZERO
    return quantity if abs(quantity) <= abs(held) else -held


def _take(lots: tuple[Lot, ...], quantity: Decimal, currency: str) -> tuple[tuple[Lot, ...], Decimal]:
    """Take a quantity off the oldest lots, whose sign it has; returns what is left and the cost taken."""
    cost_taken = ZERO
    for index, lot in enumerate(lots):
        if not quantity:
            return lots[index:], cost_taken
        if abs(quantity) < abs(lot.quantity):
            cost = share_of(lot.cost, quantity, lot.quantity, currency)
            rest = replace(lot, quantity=lot.quantity - quantity, cost=lot.cost - cost)
            return (rest, *lots[index + 1 :]), cost_taken + cost
        quantity -= lot.quantity
        cost_taken += lot.cost
    return (), cost_taken
