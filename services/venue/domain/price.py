"""Prices as integers.

The engine counts prices in units of 0.0001, because real daily bars carry sub-penny opens, highs, lows and
closes and a replayed session must print them exactly. Orders may only be priced on the instrument's tick
(0.01 by default).
"""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

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
class Ticks:
    """The price steps of an instrument in price units: `sizes[i]` from `starts[i]` up to the next start.

    The first start is 0, starts and sizes rise, and each start is a multiple of its own size.
    """

    starts: tuple[int, ...] = (0,)
    sizes: tuple[int, ...] = (TICK,)

    @classmethod
    def of(cls, bands: Sequence[tuple[int, int]]) -> Ticks:
        """Ticks of (start, size) bands; there is at least one."""
        starts, sizes = zip(*bands, strict=True)
        return cls(starts, sizes)

    @property
    def bands(self) -> list[tuple[int, int]]:
        """(start, size) from the lowest up."""
        return list(zip(self.starts, self.sizes, strict=True))

    def holds(self, units: int) -> bool:
        """Tell whether a price over 0 is on the tick of its band."""
        return units % self.sizes[bisect.bisect_right(self.starts, units) - 1] == 0

    def at(self, prices: Ints) -> Ints:
        """Return the tick at each price; below 0 the first."""
        return np.asarray(self.sizes, dtype=np.int64)[self._bands(prices)]

    def floor(self, prices: Ints) -> Ints:
        """Return the highest valid price that is not above each."""
        size = self.at(prices)
        return prices // size * size

    def ceil(self, prices: Ints) -> Ints:
        """Return the lowest valid price that is not below each."""
        size = self.at(prices)
        above: Ints = np.minimum(-(-prices // size) * size, self._ends()[self._bands(prices)])
        return above

    def nearest(self, prices: Ints) -> Ints:
        """Return the valid price next to each, the upper one when both are as near."""
        below, above = self.floor(prices), self.ceil(prices + 1)
        return np.where(prices - below >= above - prices, above, below)

    def _bands(self, prices: Ints) -> NDArray[np.intp]:
        return np.maximum(np.searchsorted(self.starts, prices, side="right") - 1, 0)

    def _ends(self) -> Ints:
        return np.array([*self.starts[1:], np.iinfo(np.int64).max], dtype=np.int64)


CENTS = Ticks()


@dataclass(frozen=True, slots=True)
class Instrument:
    """What the exchange must know of an instrument; one lot is one share."""

    instrument_id: str
    symbol: str
    currency: str
    ticks: Ticks = CENTS
