"""What fills cost and what open orders hold, to the currency's minor unit."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from services.risk.domain.terms import Side, ceil_to
from services.runtime.decimals import minor_unit, round_money


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


def cash_per_lot(
    *, worst_price: Decimal, fee_per_share: Decimal, lot_size: Decimal, currency: str
) -> Decimal:
    """The most one lot can take from cash, rounded up to the minor unit.

    Rounded up lot by lot, not once an order: every lot may be a fill of its own, and each fill is rounded by
    itself when it is posted. For a whole number k of lots round(k * x) <= k * ceil(x), so no way of cutting
    the order into fills can cost more than is held.
    """
    return ceil_to(lot_size * (worst_price + fee_per_share), Decimal(1).scaleb(-minor_unit(currency)))


def cash_for(quantity: Decimal, *, per_lot: Decimal, lot_size: Decimal) -> Decimal:
    """Cash to hold for a quantity, counting a part of a lot as a whole one."""
    lots, rest = divmod(quantity, lot_size)
    return (lots + 1 if rest else lots) * per_lot
