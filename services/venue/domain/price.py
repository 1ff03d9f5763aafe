"""Prices as integers.

The engine counts prices in units of 0.0001, because real daily bars carry sub-penny opens, highs, lows and
closes and a replayed session must print them exactly. Orders may only be priced on the instrument's tick
(0.01 by default).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

PRICE_EXPONENT = -4
UNITS_PER_CURRENCY = 10_000
TICK = 100
"""The default tick, 0.01, in price units."""


def price_units(price: Decimal) -> int:
    """Return `price` in units of 0.0001. ValueError when it is not a whole number of them."""
    if not price.is_finite():
        raise ValueError(f"price {price} is not finite")
    numerator, denominator = price.as_integer_ratio()
    units, rest = divmod(numerator * UNITS_PER_CURRENCY, denominator)
    if rest:
        raise ValueError(f"price {price} is finer than 0.0001")
    return units


def price_decimal(units: int) -> Decimal:
    """Return the exact decimal price of `units`."""
    return Decimal(units).scaleb(PRICE_EXPONENT)


@dataclass(frozen=True, slots=True)
class Instrument:
    """What the exchange must know of an instrument; `tick` in price units, one lot is one share."""

    instrument_id: str
    symbol: str
    currency: str
    tick: int = TICK
