"""Orders for which a venue owes an answer: it is asked until it gives one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextvars import copy_context
from typing import Final

import structlog

from services.execution.adapters.venue import NoAnswerError, RefusedError
from services.execution.blotter import Blotter
from services.execution.desk import Desk
from services.execution.domain.order import UNACKNOWLEDGED, UNSETTLED, Order, OrderState
from services.runtime.auth import current_call
from services.runtime.database import is_connection_failure
from services.runtime.stream_client import Backoff

_AT_ONCE: Final = 32
_log = structlog.get_logger(__name__)


class Resolver:
    """Asks about submissions without an answer and repeats cancels and replaces, which a venue allows.

    A submission is never sent again: the venue is asked what became of it.
    """

    def __init__(
        self, desk: Desk, blotter: Blotter, *, first_pause_s: float = 0.2, longest_pause_s: float = 5.0
    ) -> None:
        self._desk = desk
        self._blotter = blotter
        self._pauses = first_pause_s, longest_pause_s
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closed = False

    def watch(self, order_id: str, *, at_once: bool = False) -> None:
        """Settle this order, unless that is under way."""
        if order_id in self._tasks or self._closed:
            return
        # In the service's own name: the user's token ends, and the venue would then refuse for ever.
        context = copy_context()
        context.run(current_call.set, None)
        settling = self._settle(order_id, at_once=at_once)
        task = asyncio.get_running_loop().create_task(settling, context=context)
        self._tasks[order_id] = task
        task.add_done_callback(lambda _task: self._tasks.pop(order_id, None))

    def watch_all(self, orders: Iterable[Order]) -> None:
        """Settle these, beginning now: what was in doubt when the process started."""
        for order in orders:
            self.watch(order.order_id, at_once=True)

    async def close(self) -> None:
        """Stop asking; the next start goes on."""
        self._closed = True
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _settle(self, order_id: str, *, at_once: bool) -> None:
        first_s, longest_s = self._pauses
        backoff = Backoff(first_s=first_s, longest_s=longest_s)
        if not at_once:
            await backoff.pause()
        while True:
            try:
                order = await self._blotter.find(order_id)
                if order.state not in UNSETTLED:
                    return
                async with self._at_once:
                    order = await self._ask(order)
                if order.state not in UNSETTLED:
                    _log.info("order_settled", order_id=order_id, state=order.state.name)
                    return
            except (NoAnswerError, RefusedError) as error:
                _log.info("order_not_settled", order_id=order_id, error=str(error))
            except Exception as error:  # noqa: BLE001  # whatever it is, the order must be settled
                trace = None if is_connection_failure(error) else error
                _log.warning("order_not_settled", order_id=order_id, error=repr(error), exc_info=trace)
            await backoff.pause()

    async def _ask(self, order: Order) -> Order:
        if order.state in UNACKNOWLEDGED:
            return await self._desk.resolve(order)
        if order.state is OrderState.PENDING_CANCEL:
            return (await self._desk.cancel(order)).order
        return (await self._desk.replace(order)).order
