"""What a venue's log tells, applied to orders in the transaction that moves the cursor."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from services.execution.blotter import Blotter, Slot
from services.execution.domain.order import Order, OrderEvent, Transition
from services.execution.store import OrderStore
from services.runtime.event_log import EventLog, LogTransaction
from services.runtime.follower import FollowerHaltedError

Decide: TypeAlias = Callable[[Order], Transition]


@dataclass(frozen=True, slots=True)
class OrderReport:
    """Something told of an order, as a decision on it; `event_time_ns` is market time."""

    order_id: str
    decide: Decide
    event_time_ns: int
    is_fill: bool


class ReportBatch:
    """One transaction: orders are locked, changed in the order of the reports, written, then committed."""

    def __init__(
        self,
        venue: str,
        blotter: Blotter,
        store: OrderStore,
        transaction: LogTransaction,
        held: contextlib.AsyncExitStack,
    ) -> None:
        self.transaction = transaction
        self.orders: dict[str, Order] = {}
        self.slots: list[Slot] = []
        self._venue = venue
        self._blotter = blotter
        self._store = store
        self._held = held

    async def apply(self, reports: Sequence[OrderReport]) -> None:
        """Apply reports, oldest first; once a batch.

        Raises:
            FollowerHaltedError: a fill of an order that was never recorded here, which has moved money.
        """
        self.orders = await self._hold({report.order_id for report in reports})
        before = {order_id: order.version for order_id, order in self.orders.items()}
        events: list[tuple[OrderEvent, int]] = []
        for report in reports:
            order = self.orders.get(report.order_id)
            if order is None:
                self._blotter.alarms.unknown_order(self._venue, report.order_id)
                if report.is_fill:
                    raise FollowerHaltedError(f"a fill of order {report.order_id}, which is not known here")
                continue
            transition = report.decide(order)
            self._blotter.tell(transition)
            self.orders[report.order_id] = transition.order
            events.extend((event, report.event_time_ns) for event in transition.events)
        self.orders = {
            order_id: order for order_id, order in self.orders.items() if order.version != before[order_id]
        }
        changed = [(order, before[order_id]) for order_id, order in self.orders.items()]
        await self._blotter.write(self.transaction, changed=changed, events=events)

    async def _hold(self, order_ids: set[str]) -> dict[str, Order]:
        """Lock orders to the end of the transaction, always in the same sequence, and see how they stand."""
        orders: dict[str, Order] = {}
        for order_id in sorted(order_ids):
            slot = await self._held.enter_async_context(self._blotter.in_use(order_id))
            await self._held.enter_async_context(slot.lock)
            self.slots.append(slot)
            if slot.order is not None and not slot.stale:
                orders[order_id] = slot.order
        if missing := order_ids - orders.keys():
            orders |= await self._store.find_orders(missing)
        return orders


@contextlib.asynccontextmanager
async def report_batch(
    venue: str, blotter: Blotter, store: OrderStore, log: EventLog
) -> AsyncIterator[ReportBatch]:
    """A transaction of the log for one batch of a venue's reports, committed at the end of the block."""
    async with contextlib.AsyncExitStack() as held:
        slots: list[Slot] = []
        try:
            async with log.transaction() as transaction:
                batch = ReportBatch(venue, blotter, store, transaction, held)
                slots = batch.slots
                yield batch
        except BaseException:
            for slot in slots:
                slot.stale = True  # the database knows whether it was committed
            raise
        blotter.show(batch.orders.values())
