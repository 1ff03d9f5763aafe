"""Stop orders waiting for their price to trade."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from services.venue.domain.order import Order, Side


class StopBook:
    """The waiting stops of one instrument, nearest trigger first, oldest first at the same trigger."""

    __slots__ = ("_buys", "_sells")

    def __init__(self) -> None:
        self._buys: list[tuple[int, int, Order]] = []
        self._sells: list[tuple[int, int, Order]] = []

    def add(self, order: Order) -> None:
        """Wait for the order's stop price."""
        insort(self._side(order), _entry(order))

    def remove(self, order: Order) -> None:
        """Wait no more for the order."""
        side = self._side(order)
        del side[bisect_left(side, _entry(order))]

    def pop_triggered(self, high: int, low: int) -> Order | None:
        """Take out the next stop reached by trades between `low` and `high`, or None."""
        if self._buys and self._buys[0][0] <= high:
            return self._buys.pop(0)[2]
        if self._sells and -self._sells[0][0] >= low:
            return self._sells.pop(0)[2]
        return None

    def __iter__(self) -> Iterator[Order]:
        return (entry[2] for side in (self._buys, self._sells) for entry in side)

    def _side(self, order: Order) -> list[tuple[int, int, Order]]:
        return self._buys if order.side is Side.BUY else self._sells


def _entry(order: Order) -> tuple[int, int, Order]:
    if order.stop_price is None:
        raise ValueError(f"order {order.order_id} has no stop price")
    trigger = order.stop_price if order.side is Side.BUY else -order.stop_price
    return trigger, order.priority, order
