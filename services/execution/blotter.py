"""The blotter: orders being worked, in memory, each changed by one at a time. The database is the truth.

A change is decided on the order as it is, written with its events in one transaction of the event log, and
shown only when that is committed. Changes of different orders that come together share a transaction.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, field

import asyncpg

from services.execution.alarms import Alarms
from services.execution.convert import event_message
from services.execution.domain.order import FINAL, Order, OrderEvent, Transition
from services.execution.market_time import MarketTime
from services.execution.store import OrderStore, ReplaceRequest, StaleOrderError
from services.runtime.clock import Clock
from services.runtime.event_log import EventLog, LogTransaction, NewEvent, TooLateError
from services.runtime.group_commit import GroupCommit


class UnknownOrderError(LookupError):
    """There is no such order."""


@dataclass(frozen=True, slots=True)
class Change:
    """A transition to be written: of the order at `version`, or of a new order when that is 0."""

    transition: Transition
    version: int
    event_time_ns: int
    replace_request: ReplaceRequest | None = None
    not_after_ns: int | None = None
    """Monotonic time after which it may not be written any more."""

    @property
    def is_plain(self) -> bool:
        """Whether a row of the order and its events are all there is to write."""
        return self.replace_request is None and all(event.fill is None for event in self.transition.events)


def _shown() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


@dataclass(slots=True)
class Slot:
    """An order in memory, and the lock of whoever changes it."""

    order: Order | None = None
    stale: bool = False
    """A write failed on the way: the database knows what the order is now."""
    users: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    shown: asyncio.Future[None] = field(default_factory=_shown)
    """Ends when the order has changed."""


class Blotter:
    """All orders that have not ended; those that have are loaded when something is still said of them."""

    def __init__(
        self,
        store: OrderStore,
        log: EventLog,
        *,
        clock: Clock,
        market_time: MarketTime,
        alarms: Alarms,
    ) -> None:
        self.market_time = market_time
        self.alarms = alarms
        self.on_change: Callable[[Order], None] = lambda _order: None
        """Told of every committed change."""
        self._store = store
        self._log = log
        self._clock = clock
        self._slots: dict[str, Slot] = {}
        self._writer: GroupCommit[Change, None] = GroupCommit(self._write_together)

    async def load(self) -> list[Order]:
        """Load every open order, oldest first; once, before anything else."""
        orders = await self._store.load_open()
        self._slots = {order.order_id: Slot(order) for order in orders}
        self.market_time.start_at(await self._store.last_event_time())
        return orders

    def open_orders(self, account_id: str) -> list[Order]:
        """The account's orders that have not ended, as last seen committed, oldest first."""
        orders = [slot.order for slot in self._slots.values() if slot.order is not None]
        return [o for o in orders if o.account_id == account_id and o.state not in FINAL]

    async def find(self, order_id: str) -> Order:
        """The order as committed.

        Raises:
            UnknownOrderError: there is none.
        """
        slot = self._slots.get(order_id)
        if slot is not None and slot.order is not None and not slot.stale:
            return slot.order
        found = await self._store.find_orders([order_id])
        if order_id not in found:
            raise UnknownOrderError(order_id)
        return found[order_id]

    async def add(self, transition: Transition, *, not_after_ns: int | None = None) -> Order:
        """Write a new order with its first event.

        Raises:
            TooLateError: `not_after_ns` (monotonic) was over before it was written.
            DatabaseUnavailableError: PostgreSQL is away; nothing was written.
        """
        time_ns = self.market_time.now_ns(transition.order.venue)
        await self._writer.submit(Change(transition, 0, time_ns, not_after_ns=not_after_ns))
        return transition.order

    async def change(
        self,
        order_id: str,
        decide: Callable[[Order], Transition],
        *,
        event_time_ns: int = 0,
        replace_request: ReplaceRequest | None = None,
        not_after_ns: int | None = None,
    ) -> Order:
        """Decide on the order as it is and write what comes of it; the order after it. `decide` may raise.

        Call it in a task that is not cancelled with a caller.

        Raises:
            UnknownOrderError: there is none.
            TooLateError: `not_after_ns` (monotonic) was over before it was written.
            DatabaseUnavailableError: PostgreSQL is away; nothing was written.
        """
        async with self.in_use(order_id) as slot, slot.lock:
            before = await self.find(order_id)
            transition = decide(before)
            self.tell(transition)
            if not transition.events:
                return before
            time_ns = event_time_ns or self.market_time.now_ns(before.venue)
            change = Change(transition, before.version, time_ns, replace_request, not_after_ns)
            try:
                await self._writer.submit(change)
            except TooLateError:
                raise
            except BaseException:
                slot.stale = True
                raise
            return transition.order

    async def until(self, order_id: str, condition: Callable[[Order], bool], *, timeout_s: float) -> Order:
        """The order once the condition holds, or as it is when the time is over."""
        async with self.in_use(order_id) as slot:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    while True:
                        shown = slot.shown
                        order = await self.find(order_id)
                        if condition(order):
                            return order
                        await asyncio.wait([shown])
            return await self.find(order_id)

    async def write(
        self,
        transaction: LogTransaction,
        *,
        added: Sequence[Order] = (),
        changed: Sequence[tuple[Order, int]] = (),
        events: Sequence[tuple[OrderEvent, int]] = (),
        replace_requests: Sequence[ReplaceRequest] = (),
    ) -> None:
        """Write new orders, orders with the versions they were changed from, and events with their times."""
        driver = transaction.driver
        if added:
            await self._store.insert_orders(driver, added)
        if changed:
            versions = [version for _, version in changed]
            await self._store.update_orders(driver, [order for order, _ in changed], versions)
        fills = [event.fill for event, _ in events if event.fill is not None]
        if fills:
            await self._store.insert_fills(driver, fills)
        if replace_requests:
            await self._store.insert_replace_requests(driver, replace_requests)
        transaction.append(*(_new_event(event, time_ns) for event, time_ns in events))

    def show(self, orders: Collection[Order]) -> None:
        """These were committed."""
        for order in orders:
            slot = self._slots.get(order.order_id)
            if slot is None:
                slot = self._slots[order.order_id] = Slot()
            slot.order, slot.stale = order, False
            shown, slot.shown = slot.shown, _shown()
            shown.set_result(None)
            self._drop_if_done(order.order_id, slot)
            self.on_change(order)

    def tell(self, transition: Transition) -> None:
        """Raise the alarm of a transition, if it has one."""
        if transition.alarm is not None:
            self.alarms.raise_for(transition.alarm, transition.order)

    @contextlib.asynccontextmanager
    async def in_use(self, order_id: str) -> AsyncIterator[Slot]:
        """The order's slot, kept while it is used. Take its lock to change the order."""
        slot = self._slots.get(order_id)
        if slot is None:
            slot = self._slots[order_id] = Slot()
        slot.users += 1
        try:
            yield slot
        finally:
            slot.users -= 1
            self._drop_if_done(order_id, slot)

    async def close(self) -> None:
        """Wait until everything given is written."""
        await self._writer.close()

    def _drop_if_done(self, order_id: str, slot: Slot) -> None:
        if not slot.users and (slot.order is None or slot.order.state in FINAL):
            self._slots.pop(order_id, None)

    async def _write_together(self, changes: list[Change]) -> list[Exception | None]:
        now_ns = self._clock.monotonic_ns()
        due = [c for c in changes if c.not_after_ns is None or now_ns <= c.not_after_ns]
        failed: dict[int, Exception] = {}
        try:
            await self._write(due)
        except (asyncpg.PostgresError, StaleOrderError, TooLateError):
            if len(due) == 1:
                raise
            for change in due:  # one of them cannot be written: that is no fault of the others
                try:
                    await self._write([change])
                except Exception as error:  # noqa: BLE001  # nor of those that are written already
                    failed[id(change)] = error
        late = {id(change) for change in changes} - {id(change) for change in due}
        return [TooLateError("its time was over") if id(c) in late else failed.get(id(c)) for c in changes]

    async def _write(self, changes: Sequence[Change]) -> None:
        """Write all of them or none; what a lone submission waits for is one statement."""
        orders = [change.transition.order for change in changes]
        if not any(change.version for change in changes):
            if changes:
                additions = self._store.addition(orders)
                await self._log.write(*additions, _new_events(changes), not_after_ns=_first_end(changes))
        elif len(changes) == 1 and changes[0].is_plain:
            alteration = self._store.alteration(orders[0], changes[0].version)
            if not await self._log.write(*alteration, _new_events(changes), only_if_changed=True):
                raise StaleOrderError(f"order {orders[0].order_id} is not at version {changes[0].version}")
        else:
            await self._write_all(changes)
        self.show(orders)

    async def _write_all(self, changes: Sequence[Change]) -> None:
        async with self._log.transaction() as transaction:
            transaction.not_after_ns = _first_end(changes)
            await self.write(
                transaction,
                added=[c.transition.order for c in changes if not c.version],
                changed=[(c.transition.order, c.version) for c in changes if c.version],
                events=[(event, c.event_time_ns) for c in changes for event in c.transition.events],
                replace_requests=[c.replace_request for c in changes if c.replace_request is not None],
            )


def _first_end(changes: Sequence[Change]) -> int | None:
    return min((c.not_after_ns for c in changes if c.not_after_ns is not None), default=None)


def _new_events(changes: Sequence[Change]) -> list[NewEvent]:
    return [
        _new_event(event, change.event_time_ns) for change in changes for event in change.transition.events
    ]


def _new_event(event: OrderEvent, time_ns: int) -> NewEvent:
    payload = event_message(event).SerializeToString()
    return NewEvent(event.order.account_id, event.type.name, time_ns, payload)
