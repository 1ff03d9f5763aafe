"""Terms of an order, and the worst price it can be filled at."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

from services.runtime.steps import Steps


class Side(IntEnum):
    """Buy or sell; the numbers are the contract's."""

    BUY = 1
    SELL = 2


class OrderType(IntEnum):
    """What sets the price; the numbers are the contract's."""

    MARKET = 1
    LIMIT = 2
    STOP = 3
    STOP_LIMIT = 4


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of an order, as far as they bear on risk: how long it stands does not."""

    side: Side
    type: OrderType
    quantity: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None

    @property
    def prices(self) -> tuple[Decimal, ...]:
        """The prices the client named."""
        return tuple(price for price in (self.limit_price, self.stop_price) if price is not None)


def worst_price(terms: Terms, *, reference: Decimal | None, collar: Decimal, ticks: Steps) -> Decimal | None:
    """The worst price the order can be filled at: held for, and given to the venue as protection.

    The limit where there is one. Otherwise the collar's edge around the stop price, or around `reference` for
    MARKET, rounded towards it to the tick of its band; None when there is no reference.
    """
    if terms.limit_price is not None:
        return terms.limit_price
    middle = terms.stop_price if terms.stop_price is not None else reference
    if middle is None:
        return None
    if terms.side is Side.BUY:
        return max(ticks.floor(middle * (1 + collar)), ticks.smallest)
    return max(ticks.ceil(middle * (1 - collar)), ticks.smallest)
