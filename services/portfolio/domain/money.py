"""Amounts of money: what a fill posts, and shares of a cost."""

from __future__ import annotations

import decimal
from decimal import Decimal

from services.runtime.decimals import CONTEXT, round_money

# A quotient may never end; 60 digits hold it far beyond any tie of wire decimals, so that the one rounding to
# the minor unit that follows is the rounding of the exact value.
_DIVISION = decimal.Context(
    prec=60, rounding=decimal.ROUND_HALF_EVEN, traps=[decimal.DivisionByZero, decimal.InvalidOperation]
)
_DISPLAY = Decimal("1e-9")
ZERO = Decimal(0)


def posting_amount(signed_quantity: Decimal, price: Decimal, fee: Decimal, currency: str) -> Decimal:
    """Cash that a fill moves, rounded half-even to the minor unit once.

    -(quantity * price + fee) for a buy (`signed_quantity` > 0), quantity * price - fee for a sell (< 0).
    """
    gross = CONTEXT.multiply(signed_quantity, price)
    return round_money(CONTEXT.minus(CONTEXT.add(gross, fee)), currency)


def share_of(amount: Decimal, part: Decimal, whole: Decimal, currency: str) -> Decimal:
    """amount * part / whole, half-even to the minor unit; the amount itself when part is the whole."""
    if part == whole:
        return amount
    return round_money(_DIVISION.divide(CONTEXT.multiply(amount, part), whole), currency)


def average_price(cost: Decimal, quantity: Decimal) -> Decimal | None:
    """cost / quantity to 9 digits after the point, half-even; None for no quantity. For display only."""
    if not quantity:
        return None
    return _DIVISION.divide(cost, quantity).quantize(_DISPLAY, context=_DIVISION)


def is_to_minor_unit(amount: Decimal, currency: str) -> bool:
    """Whether the amount ends with the currency's minor unit; ValueError for an unknown currency."""
    return amount == round_money(amount, currency)
