"""Giving back what execution never recorded: asked of execution, never assumed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import grpc
import structlog

from bifrost.execution.v1 import order_pb2
from services.risk.books import Books
from services.risk.convert import has_ended, to_terms
from services.risk.domain.book import FIRST_VERSION, Hold
from services.risk.reservations import Reservations
from services.runtime.clock import NANOS, Clock

GetOrder = Callable[[str, str], Awaitable[order_pb2.Order | None]]
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Overdue:
    account_id: str
    hold: Hold
    asked_ns: int


class UnconfirmedReservations:
    """Looks for reservations missing from execution's log, and releases those that came to nothing."""

    def __init__(
        self,
        books: Books,
        reservations: Reservations,
        get_order: GetOrder,
        *,
        log_is_caught_up: Callable[[], bool],
        clock: Clock,
        after_s: float,
        check_s: float,
    ) -> None:
        self._books = books
        self._reservations = reservations
        self._get_order = get_order
        self._log_is_caught_up = log_is_caught_up
        self._clock = clock
        self._after_ns = int(after_s * NANOS)
        self._check_s = check_s

    async def run(self) -> None:
        """Look again and again."""
        while True:
            await asyncio.sleep(self._check_s)
            await self.release_overdue()

    async def release_overdue(self) -> int:
        """Release what execution knows nothing of; returns how many. Without an answer all stays held."""
        released = 0
        for overdue in await self._overdue():
            if not self._log_is_caught_up():
                break
            key = overdue.hold.key
            try:
                order = await self._get_order(overdue.account_id, key.order_id)
            except grpc.aio.AioRpcError as error:
                _log.info("order_not_asked", order_id=key.order_id, code=error.code().name)
                break
            if _came_to_nothing(overdue.hold, order):
                gone = await self._reservations.release_hold(
                    overdue.account_id, overdue.hold, asked_ns=overdue.asked_ns
                )
                released += gone
                _log.info("reservation_released", order_id=key.order_id, terms_version=key.terms_version)
        return released

    async def _overdue(self) -> list[_Overdue]:
        before = self._clock.monotonic_ns() - self._after_ns
        async with self._books.reading():
            return [
                _Overdue(book.account_id, hold, hold.asked_ns)
                for book in self._books.accounts.values()
                for order in book.orders.values()
                for hold in order.holds
                if not hold.confirmed and hold.asked_ns <= before
            ]


def _came_to_nothing(hold: Hold, order: order_pb2.Order | None) -> bool:
    if order is None:
        return True
    if hold.key.terms_version == FIRST_VERSION:
        return False  # it is there, and its log entries are on their way
    if has_ended(order):
        return True
    is_open = order.state == order_pb2.ORDER_STATE_PENDING_REPLACE
    return not is_open and to_terms(order.terms) != hold.terms
