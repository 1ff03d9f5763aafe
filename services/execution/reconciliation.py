"""After a restart an account trades again only when what is known of its orders agrees with the venue."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

import structlog

from services.execution.blotter import Blotter
from services.execution.domain import lifecycle
from services.execution.domain.order import UNSETTLED, Order, OrderState, Transition
from services.runtime.clock import Clock
from services.runtime.errors import unavailable

_log = structlog.get_logger(__name__)


class VenueLog(Protocol):
    """A follower of a venue's log."""

    caught_up: asyncio.Event
    halted: str | None


class Reconciliation:
    """Which accounts may submit and replace: the venue's log was read to its head at least once since the
    start, it is still being read, and the venue has answered for every order that was in doubt at the start.
    """

    def __init__(self, in_doubt: Sequence[Order]) -> None:
        """`in_doubt`: orders for which the venue owed an answer when this process started."""
        self._in_doubt: dict[str, set[str]] = {}
        for order in in_doubt:
            self._in_doubt.setdefault(order.account_id, set()).add(order.order_id)
        self._logs: dict[str, VenueLog] = {}
        self._caught_up: set[str] = set()

    def follow(self, logs: Mapping[str, VenueLog]) -> None:
        """The followers, by venue; once, before orders are taken."""
        self._logs = dict(logs)

    async def wait_for_logs(self) -> None:
        """Background work: open each venue's accounts when its log is caught up."""
        await asyncio.gather(*(self._wait_for_log(venue) for venue in self._logs))

    async def _wait_for_log(self, venue: str) -> None:
        await self._logs[venue].caught_up.wait()
        self._caught_up.add(venue)
        _log.info("venue_caught_up", venue=venue, accounts_in_doubt=len(self._in_doubt))

    def settled(self, order: Order) -> None:
        """An order has changed."""
        orders = self._in_doubt.get(order.account_id)
        if orders is None or order.state in UNSETTLED:
            return
        orders.discard(order.order_id)
        if not orders:
            del self._in_doubt[order.account_id]

    def check_open(self, account_id: str, venue: str) -> None:
        """Raise UNAVAILABLE (ACCOUNT_RECONCILING) unless the account may trade."""
        log = self._logs.get(venue)
        halted = log.halted if log is not None else None
        if venue in self._caught_up and halted is None and account_id not in self._in_doubt:
            return
        why = f"its log cannot be followed: {halted}" if halted else "it will be open in a moment"
        raise unavailable(
            "ACCOUNT_RECONCILING",
            f"the account's orders are being agreed with {venue}; {why}",
            retry_after_s=1.0,
            account_id=account_id,
            venue=venue,
        )


async def orders_in_doubt(blotter: Blotter, clock: Clock) -> list[Order]:
    """Load the blotter; the orders for which a venue owes an answer.

    A submission that was committed and has no answer may or may not have been sent: it is UNKNOWN now.
    """

    def mark_unknown(order: Order) -> Transition:
        return lifecycle.mark_unknown(order, at_ns=clock.now_ns())

    orders = [order for order in await blotter.load() if order.state in UNSETTLED]
    sent = [order for order in orders if order.state is OrderState.PENDING_NEW]
    others = [order for order in orders if order.state is not OrderState.PENDING_NEW]
    unknown = await asyncio.gather(*(blotter.change(order.order_id, mark_unknown) for order in sent))
    return [*others, *unknown]
