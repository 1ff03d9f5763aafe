"""Price-time priority: what an incoming order trades with, and in which order."""

from __future__ import annotations

from typing import NamedTuple

from services.venue.domain.book import BookSide, Level, SyntheticQuote
from services.venue.domain.order import Order, Side

COLLAR_PERCENT = 10
"""How far from the last trade a market order may reach."""

BAND_PERCENT = 50
"""How far through the last trade a limit may be priced: beyond it lies a slip of the finger."""


class Match(NamedTuple):
    """One trade with a resting order; `maker` is None for generated liquidity."""

    maker: Order | None
    price: int
    quantity: int


class Sweep(NamedTuple):
    """What an incoming order met: its trades, and whether it was stopped by an order of its own account."""

    matches: list[Match]
    self_trade: bool


def worst_within(side: Side, last: int, percent: int) -> int:
    """Return the worst price for `side` that is no more than `percent` away from `last`."""
    if side is Side.BUY:
        return last * (100 + percent) // 100
    return -(-last * (100 - percent) // 100)


def sweep(resting: BookSide, quantity: int, limit: int, account_id: str | None) -> Sweep:
    """Trade up to `quantity` against `resting`, best price first, oldest first, no worse than `limit`.

    Makers are filled and leave the book when nothing is left of them; the taker is the caller's to fill. The
    sweep ends before an order of `account_id`: the newer order of the same owner never trades with the older
    one.
    """
    matches: list[Match] = []
    while quantity and (level := resting.best) is not None and resting.reaches(level.price, limit):
        entry = next(iter(level.queue.values()))
        if isinstance(entry, Order) and entry.account_id == account_id:
            return Sweep(matches, self_trade=True)
        match = fill_first(level, quantity)
        quantity -= match.quantity
        matches.append(match)
        resting.drop_if_empty(level)
    return Sweep(matches, self_trade=False)


def fill_first(level: Level, quantity: int) -> Match:
    """Trade up to `quantity` with the entry that is first in the level's queue."""
    key, entry = next(iter(level.queue.items()))
    if isinstance(entry, SyntheticQuote):
        traded = min(quantity, entry.quantity)
        entry.quantity -= traded
        level.synthetic -= traded
        if not entry.quantity:
            del level.queue[key]
        return Match(None, level.price, traded)
    traded = min(quantity, entry.unfilled)
    entry.fill(level.price, traded)
    level.user -= traded
    if not entry.unfilled:
        level.pass_on_queue_ahead(entry)
        del level.queue[key]
    return Match(entry, level.price, traded)


def is_fillable(resting: BookSide, quantity: int, limit: int, account_id: str) -> bool:
    """Tell whether `quantity` can trade within `limit` before meeting an order of the same account."""
    for level in resting.ranked():
        if not resting.reaches(level.price, limit):
            return False
        if not level.user:
            quantity -= level.synthetic
        else:
            for entry in level.queue.values():
                if isinstance(entry, SyntheticQuote):
                    quantity -= entry.quantity
                elif entry.account_id == account_id:
                    return quantity <= 0
                else:
                    quantity -= entry.unfilled
        if quantity <= 0:
            return True
    return False


def meet_print(level: Level, quantity: int) -> list[Match]:
    """Let a print of `quantity` at the level's price use up the queue, oldest first; return the users' fills.

    Generated quantity ahead of a user's order, shown or not, is used up before the order is filled.
    """
    matches: list[Match] = []
    while quantity and level.queue:
        entry = next(iter(level.queue.values()))
        if isinstance(entry, Order):
            passed = min(quantity, entry.queue_ahead)
            entry.queue_ahead -= passed
            quantity -= passed
            if not quantity:
                break
        match = fill_first(level, quantity)
        quantity -= match.quantity
        if match.maker is not None:
            matches.append(match)
    return matches
