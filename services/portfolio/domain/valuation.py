"""What books are worth at the marks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.portfolio.domain.money import ZERO
from services.runtime.decimals import from_double, round_money


@dataclass(frozen=True, slots=True)
class Mark:
    """The price a position is valued at."""

    price: Decimal
    is_stale: bool
    event_time_ns: int
    """Market time of its quote, nanoseconds since the epoch, UTC."""


@dataclass(frozen=True, slots=True)
class Worth:
    """Sums over an account's positions; None where a mark is missing."""

    market_value: Decimal | None
    unrealized_pnl: Decimal | None
    is_stale: bool


def mark_price(bid: float, ask: float, last: float) -> Decimal | None:
    """The middle of bid and ask, else the last trade; None when there is neither. 0 means there is none.

    The middle is taken of the shortest decimals, so that it is exact: of 0.1 and 0.2 it is 0.15.
    """
    if bid > 0 and ask > 0:
        return (from_double(bid) + from_double(ask)) / 2
    return from_double(last) if last > 0 else None


def unrealized_pnl(quantity: Decimal, cost: Decimal, mark: Mark | None, currency: str) -> Decimal | None:
    """quantity * mark - cost, half-even to the minor unit; None without a mark."""
    if mark is None:
        return None
    return round_money(quantity * mark.price - cost, currency)


def worth(positions: Sequence[tuple[Decimal, Decimal, Mark | None]], currency: str) -> Worth:
    """The worth of (quantity, cost, mark) triples. What is flat needs no mark.

    Market value is cost plus unrealised: quantity * mark to the minor unit, with ties broken such that
    equity = deposits + realised + unrealised holds to the cent.
    """
    held = [position for position in positions if position[0]]
    is_stale = any(mark is not None and mark.is_stale for _, _, mark in held)
    total_cost, total_gain = ZERO, ZERO
    for quantity, cost, mark in held:
        gain = unrealized_pnl(quantity, cost, mark, currency)
        if gain is None:
            return Worth(None, None, is_stale)
        total_cost += cost
        total_gain += gain
    return Worth(total_cost + total_gain, total_gain, is_stale)
