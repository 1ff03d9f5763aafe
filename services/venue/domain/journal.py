"""Writes down what happens, in order, and numbers orders and executions."""

from __future__ import annotations

from dataclasses import dataclass

from services.venue.domain.events import (
    Event,
    Liquidity,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderReplaced,
    StopTriggered,
)
from services.venue.domain.fees import execution_fee
from services.venue.domain.order import CancelReason, Order, OrderStatus


@dataclass(slots=True)
class Counters:
    """The last number given out of each kind; part of the durable state."""

    orders: int = 0
    executions: int = 0
    priorities: int = 0


class Journal:
    """The events of the command or step under way; ids are `prefix` and a number, the same in a re-run."""

    __slots__ = ("counters", "events", "now_ns", "prefix")

    def __init__(self, prefix: str, counters: Counters) -> None:
        self.prefix = prefix
        self.counters = counters
        self.now_ns = 0
        self.events: list[Event] = []

    def take_events(self) -> list[Event]:
        """Return what was written since the last call."""
        events, self.events = self.events, []
        return events

    def new_order_id(self) -> str:
        """Return the next order id."""
        self.counters.orders += 1
        return f"{self.prefix}-o{self.counters.orders}"

    def new_priority(self) -> int:
        """Return the next place in time."""
        self.counters.priorities += 1
        return self.counters.priorities

    def filled(
        self,
        order: Order,
        trade_number: int,
        price: int,
        quantity: int,
        liquidity: Liquidity,
        *,
        against_synthetic: bool,
    ) -> None:
        """Tell of an execution that `order` has counted already."""
        self.counters.executions += 1
        self.events.append(
            OrderFilled(
                event_time_ns=self.now_ns,
                order=self._now(order),
                execution_id=f"{self.prefix}-x{self.counters.executions}",
                trade_number=trade_number,
                price=price,
                quantity=quantity,
                fee=execution_fee(quantity),
                liquidity=liquidity,
                against_synthetic=against_synthetic,
            )
        )

    def accepted(self, order: Order) -> None:
        """Tell that the order is at the exchange."""
        self.events.append(OrderAccepted(self.now_ns, self._now(order)))

    def cancelled(self, order: Order, reason: CancelReason) -> None:
        """End the order."""
        order.status, order.cancel_reason = OrderStatus.CANCELLED, reason
        self.events.append(OrderCancelled(self.now_ns, self._now(order)))

    def expired(self, order: Order) -> None:
        """End the order with its session."""
        order.status = OrderStatus.EXPIRED
        self.events.append(OrderExpired(self.now_ns, self._now(order)))

    def replaced(self, order: Order) -> None:
        """Tell the order's new terms."""
        self.events.append(OrderReplaced(self.now_ns, self._now(order)))

    def triggered(self, order: Order) -> None:
        """Turn a stop into the order it holds."""
        order.triggered = True
        self.events.append(StopTriggered(self.now_ns, self._now(order)))

    def _now(self, order: Order) -> Order:
        order.updated_ns = self.now_ns
        return order.snapshot()
