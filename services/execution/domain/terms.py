"""The terms of an order and their check against the instrument's steps."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

from services.runtime.steps import Steps


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
    """What an order needs to know of an instrument, as data had it when it was last asked."""

    instrument_id: str
    symbol: str
    currency: str
    ticks: Steps
    lot_size: Decimal


class OffStepError(ValueError):
    """Prices off the tick or a quantity off the lot; `fields` are (field of the terms, what is wrong)."""

    def __init__(self, reason: str, fields: list[tuple[str, str]], *, tick_size: Decimal) -> None:
        super().__init__("; ".join(f"{field} {text}" for field, text in fields))
        self.reason = reason
        self.fields = fields
        self.tick_size = tick_size
        """The tick at the first price that is off it; of a wrong quantity alone the instrument's smallest."""


def check_steps(terms: OrderTerms, instrument: Instrument) -> None:
    """Raise OffStepError unless prices are on the tick of their band and the quantity is of whole lots."""
    ticks = instrument.ticks
    off_tick = [
        (field, price)
        for field, price in (("limit_price", terms.limit_price), ("stop_price", terms.stop_price))
        if price is not None and not ticks.holds(price)
    ]
    off_lot = bool(terms.quantity % instrument.lot_size)
    if not (off_tick or off_lot):
        return
    fields = [
        (field, f"must be a multiple of the tick size {ticks.at(price)} at this price, not {price}")
        for field, price in off_tick
    ]
    if off_lot:
        text = f"must be a multiple of the lot size {instrument.lot_size}, not {terms.quantity}"
        fields.append(("quantity", text))
    tick_size = ticks.at(off_tick[0][1]) if off_tick else ticks.smallest
    raise OffStepError("PRICE_OFF_TICK" if off_tick else "QUANTITY_OFF_LOT", fields, tick_size=tick_size)
