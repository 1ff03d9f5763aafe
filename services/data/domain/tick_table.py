"""Price steps that depend on the price."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class TickBand:
    """A step that holds from a price up to that of the next band."""

    from_price: Decimal
    tick_size: Decimal


def tick_table_problem(bands: Sequence[TickBand]) -> str:
    """What is wrong with the table; empty when nothing is.

    Bands begin at 0 and rise, and so do their steps, as in every exchange's table; each step is a multiple of
    the first, so that the first is a step of every price.
    """
    if not bands:
        return "a tick table has at least one band"
    first = bands[0]
    if first.from_price != 0:
        return f"the first band begins at 0, not {first.from_price}"
    for band in bands:
        if band.tick_size <= 0:
            return f"the tick from {band.from_price} on is over 0, not {band.tick_size}"
        if band.tick_size % first.tick_size:
            return f"the tick {band.tick_size} is no multiple of the first, {first.tick_size}"
        if band.from_price % band.tick_size:
            return f"the band from {band.from_price} on does not begin on its tick, {band.tick_size}"
    for lower, upper in pairwise(bands):
        if upper.from_price <= lower.from_price:
            return f"bands rise: {upper.from_price} comes after {lower.from_price}"
        if upper.tick_size < lower.tick_size:
            return f"ticks rise with the price: {upper.tick_size} comes after {lower.tick_size}"
    return ""
