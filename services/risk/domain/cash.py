"""What fills cost and what open orders hold, to the currency's minor unit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from services.risk.domain.terms import Side
from services.runtime.decimals import minor_unit, round_money
from services.runtime.steps import Steps


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution; unique by (venue, execution_id)."""

    venue: str
    execution_id: str
    order_id: str
    account_id: str
    instrument_id: str
    side: Side
    quantity: Decimal
    price: Decimal
    fee: Decimal
    currency: str

    @property
    def cash_effect(self) -> Decimal:
        """What it adds to cash, rounded half-even once: portfolio posts the same amount."""
        traded = self.quantity * self.price
        exact = -(traded + self.fee) if self.side is Side.BUY else traded - self.fee
        return round_money(exact, self.currency)

    @property
    def signed_quantity(self) -> Decimal:
        """Shares added to the position."""
        return self.quantity if self.side is Side.BUY else -self.quantity


def held_lot(lot_size: Decimal) -> Decimal:
    """What cash is held by: a share, or the instrument's lot where that is less.

    Orders are of whole lots, but a venue fills what it finds on the other side, which may be any number of
    shares: a lot of 100 can come as a hundred fills, each rounded by itself.
    """
    return min(lot_size, Decimal(1))


def cash_per_lot(
    *, worst_price: Decimal, fee_per_share: Decimal, lot_size: Decimal, currency: str
) -> Decimal:
    """The most one lot can take from cash, rounded up to the minor unit.

    Rounded up lot by lot, not once an order: every lot may be a fill of its own, and each fill is rounded by
    itself when it is posted. For a whole number k of lots round(k * x) <= k * ceil(x), so no way of cutting
    the order into fills can cost more than is held.
    """
    cent = Steps.of(Decimal(1).scaleb(-minor_unit(currency)))
    return cent.ceil(lot_size * (worst_price + fee_per_share))


def cash_for(quantity: Decimal, *, per_lot: Decimal, lot_size: Decimal) -> Decimal:
    """Cash to hold for a quantity, counting a part of a lot as a whole one."""
    lots, rest = divmod(quantity, lot_size)
    return (lots + 1 if rest else lots) * per_lot


class Held(NamedTuple):
    """What may still fill under one version of an order's terms."""

    quantity: Decimal
    """Shares."""
    per_lot: Decimal
    lot_size: Decimal


def cash_to_hold(versions: Iterable[Held]) -> Decimal:
    """The most an order can take from cash, whose terms may become each next of the versions, oldest first.

    New terms come in force when the venue has them, and until then the old ones fill: 100 shares at 10 that
    become 200 at 6 can cost 100 * 10 + 100 * 6. The most is reached where each version that comes in force at
    all fills whole before the next does: in between, the cost is linear in what has filled.
    """
    nothing = Decimal(0)
    most = {nothing: nothing}  # by the shares filled so far
    for quantity, per_lot, lot_size in versions:
        for filled, cash in list(most.items()):
            if quantity > filled:
                more = cash + cash_for(quantity - filled, per_lot=per_lot, lot_size=lot_size)
                most[quantity] = max(most.get(quantity, nothing), more)
    return max(most.values())
