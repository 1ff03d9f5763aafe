"""Decimals on a grid whose step depends on their size."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps by size: `sizes[i]` is on from `starts[i]` up to the next start.

    The first start is 0, starts and steps rise, each start is a multiple of its own step, each step one of
    the first. A start need not be a multiple of the step below it: a band's last step may be a short one.
    """

    starts: tuple[Decimal, ...]
    sizes: tuple[Decimal, ...]

    @classmethod
    def of(cls, size: Decimal, bands: Sequence[tuple[Decimal, Decimal]] = ()) -> Steps:
        """Steps of (start, size) `bands`, or `size` everywhere when there are none."""
        if not bands:
            return cls((Decimal(0),), (size,))
        starts, sizes = zip(*bands, strict=True)
        return cls(starts, sizes)

    @property
    def smallest(self) -> Decimal:
        """The smallest value over 0, of which every other is a multiple."""
        return self.sizes[0]

    def at(self, value: Decimal) -> Decimal:
        """The step at a value; below 0 that of the same distance from 0."""
        return self.sizes[self._band(value)]

    def holds(self, value: Decimal) -> bool:
        """Whether the value is a whole number of the steps at it."""
        return not value % self.at(value)

    def floor(self, value: Decimal) -> Decimal:
        """The largest value on its step that is not above one of zero or more."""
        size = self.at(value)
        return value // size * size

    def ceil(self, value: Decimal) -> Decimal:
        """The smallest value on its step that is not below one of zero or more."""
        band = self._band(value)
        size = self.sizes[band]
        whole = value // size * size
        if whole == value:
            return value
        above = whole + size
        return min(above, self.starts[band + 1]) if band + 1 < len(self.starts) else above

    def _band(self, value: Decimal) -> int:
        return bisect.bisect_right(self.starts, abs(value)) - 1 if len(self.starts) > 1 else 0
