"""The terms of an order and their check against the instrument's steps."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum


class Side(IntEnum):
    """Buy or sell; numbers as in the contract."""

    BUY = 1
    SELL = 2


class OrderType(IntEnum):
    """What sets the price; numbers as in the contract."""

    MARKET = 1
    LIMIT = 2
    STOP = 3
    STOP_LIMIT = 4


class TimeInForce(IntEnum):
    """How long an order stands; numbers as in the contract."""

    DAY = 1
    GTC = 2
    IOC = 3
    FOK = 4


@dataclass(frozen=True, slots=True)
class OrderTerms:
    """What is asked for: shares, and prices in the instrument's currency."""

    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Instrument:
    """What an order needs to know of an instrument; it does not change."""

    instrument_id: str
    symbol: str
    currency: str
    tick_size: Decimal
    lot_size: Decimal


class OffStepError(ValueError):
    """Prices off the tick or a quantity off the lot; `fields` are (field of the terms, what is wrong)."""

    def __init__(self, reason: str, fields: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field} {text}" for field, text in fields))
        self.reason = reason
        self.fields = fields


def check_steps(terms: OrderTerms, instrument: Instrument) -> None:
    """Raise OffStepError unless prices are multiples of the tick and the quantity is one of the lot."""
    off_tick = [
        (field, f"must be a multiple of the tick size {instrument.tick_size}, not {price}")
        for field, price in (("limit_price", terms.limit_price), ("stop_price", terms.stop_price))
        if price is not None and price % instrument.tick_size
    ]
    off_lot: list[tuple[str, str]] = []
    if terms.quantity % instrument.lot_size:
        text = f"must be a multiple of the lot size {instrument.lot_size}, not {terms.quantity}"
        off_lot.append(("quantity", text))
    if off_tick or off_lot:
        raise OffStepError("PRICE_OFF_TICK" if off_tick else "QUANTITY_OFF_LOT", off_tick + off_lot)
