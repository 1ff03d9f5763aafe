"""What risk needs of an instrument and of its quote."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from services.runtime.steps import Steps


@dataclass(frozen=True, slots=True)
class Instrument:
    """A listing as data has it."""

    instrument_id: str
    symbol: str
    mic: str
    currency: str
    ticks: Steps
    lot_size: Decimal
    is_tradable: bool
    status: str
    """For people: "active", "halted", "delisted", or "index"."""


@dataclass(frozen=True, slots=True)
class ReferencePrice:
    """The price an order is judged at: the middle of bid and ask, else the last trade."""

    price: Decimal
    age_ms: int
    """Wall-clock age."""
    is_stale: bool
    """The source itself says not to trade on it."""


def reference_of(bid: Decimal, ask: Decimal, last: Decimal) -> Decimal | None:
    """The middle of bid and ask if both are there (zero: there is none), else the last trade, else None."""
    if bid > 0 and ask > 0:
        return (bid + ask) / 2
    return last if last > 0 else None
