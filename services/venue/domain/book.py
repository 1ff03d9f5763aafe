"""The limit order book of one instrument: price levels, each a queue in order of arrival."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from services.venue.domain.order import Order, Side


@dataclass(slots=True)
class SyntheticQuote:
    """A piece of generated liquidity in a queue."""

    quantity: int


class DepthLevel(NamedTuple):
    """One price of the book as the market sees it; `synthetic` is the generated part of `quantity`."""

    price: int
    quantity: int
    synthetic: int
    orders: int


class Level:
    """All that rests at one price, first come first."""

    __slots__ = ("next_arrival", "price", "queue", "synthetic", "user")

    def __init__(self, price: int) -> None:
        self.price = price
        self.queue: OrderedDict[int | str, Order | SyntheticQuote] = OrderedDict()
        self.synthetic = 0
        self.user = 0
        self.next_arrival = 0

    def add_order(self, order: Order) -> None:
        """Put a user's order at the end of the queue."""
        self.queue[order.order_id] = order
        self.user += order.unfilled

    def add_synthetic(self, quantity: int) -> None:
        """Put generated liquidity at the end of the queue."""
        last = self.queue[next(reversed(self.queue))] if self.queue else None
        if isinstance(last, SyntheticQuote):
            last.quantity += quantity
        else:
            self.next_arrival += 1
            self.queue[self.next_arrival] = SyntheticQuote(quantity)
        self.synthetic += quantity

    def reduce_synthetic(self, quantity: int) -> None:
        """Take generated liquidity away from the end of the queue: what is oldest stays ahead of users."""
        self.synthetic -= quantity
        for key in reversed(list(self.queue)):
            entry = self.queue[key]
            if not isinstance(entry, SyntheticQuote):
                continue
            taken = min(quantity, entry.quantity)
            entry.quantity -= taken
            quantity -= taken
            if not entry.quantity:
                del self.queue[key]
            if not quantity:
                return

    def withdraw_synthetic(self) -> None:
        """Take all generated liquidity away; a user's order behind it keeps the debt as `queue_ahead`."""
        ahead = 0
        for key in list(self.queue):
            entry = self.queue[key]
            if isinstance(entry, SyntheticQuote):
                ahead += entry.quantity
                del self.queue[key]
            else:
                entry.queue_ahead += ahead
                ahead = 0
        self.synthetic = 0

    def pass_on_queue_ahead(self, leaver: Order) -> None:
        """Give the debt of a leaving order to the next user's order: leaving must not shorten the queue."""
        waiting = iter(self.queue.values())
        while next(waiting) is not leaver:
            pass
        heir = next((entry for entry in waiting if isinstance(entry, Order)), None)
        if heir is not None:
            heir.queue_ahead += leaver.queue_ahead
        leaver.queue_ahead = 0

    def depth(self) -> DepthLevel:
        """Return the level as the market sees it."""
        return DepthLevel(self.price, self.user + self.synthetic, self.synthetic, len(self.queue))


class BookSide:
    """The levels of one side, best first."""

    __slots__ = ("keys", "levels", "side", "sign")

    def __init__(self, side: Side) -> None:
        self.side = side
        self.sign = -1 if side is Side.BUY else 1
        self.levels: dict[int, Level] = {}
        self.keys: list[int] = []

    @property
    def best(self) -> Level | None:
        """Return the level that trades first, or None when the side is empty."""
        return self.levels[self.sign * self.keys[0]] if self.keys else None

    def level(self, price: int) -> Level:
        """Return the level at `price`, made when it is not there."""
        level = self.levels.get(price)
        if level is None:
            level = self.levels[price] = Level(price)
            insort(self.keys, self.sign * price)
        return level

    def drop_if_empty(self, level: Level) -> None:
        """Forget a level at which nothing rests."""
        if not level.queue:
            del self.levels[level.price]
            del self.keys[bisect_left(self.keys, self.sign * level.price)]

    def ranked(self) -> Iterator[Level]:
        """Iterate over the levels, best first; the side must not change meanwhile."""
        return (self.levels[self.sign * key] for key in self.keys)

    def reaches(self, price: int, limit: int) -> bool:
        """Tell whether a resting `price` on this side trades with an incoming order limited to `limit`."""
        return self.sign * price <= self.sign * limit

    def remove_order(self, order: Order) -> None:
        """Take a resting user's order out of the book."""
        level = self.levels[_limit(order)]
        if order.queue_ahead:
            level.pass_on_queue_ahead(order)
        del level.queue[order.order_id]
        level.user -= order.unfilled
        self.drop_if_empty(level)

    def depth(self, count: int) -> tuple[DepthLevel, ...]:
        """Return the `count` best levels."""
        return tuple(self.levels[self.sign * key].depth() for key in self.keys[:count])


class Book:
    """Both sides of one instrument's book."""

    __slots__ = ("asks", "bids")

    def __init__(self) -> None:
        self.bids = BookSide(Side.BUY)
        self.asks = BookSide(Side.SELL)

    def side(self, side: Side) -> BookSide:
        """Return the side on which orders of `side` rest."""
        return self.bids if side is Side.BUY else self.asks

    def rest(self, order: Order) -> None:
        """Put a limit order at the end of the queue at its price."""
        self.side(order.side).level(_limit(order)).add_order(order)

    def shrink(self, order: Order, quantity: int) -> None:
        """Show `quantity` less of a resting order, whose terms change next."""
        self.side(order.side).levels[_limit(order)].user -= quantity

    def remove(self, order: Order) -> None:
        """Take a resting order out."""
        self.side(order.side).remove_order(order)


def _limit(order: Order) -> int:
    if order.limit_price is None:
        raise ValueError(f"order {order.order_id} has no limit price and cannot rest")
    return order.limit_price
