"""Talking to venues: each order is sent once, and what a venue answers is recorded with the order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from services.execution.adapters.venue import NoAnswerError, RefusedError, VenueAdapter, VenueOrder
from services.execution.blotter import Blotter
from services.execution.domain import lifecycle
from services.execution.domain.order import PENDING_CHANGE, Alarm, Order, OrderState, Transition
from services.runtime.clock import Clock
from services.runtime.errors import unavailable
from services.runtime.failpoints import failpoint

NEVER_SEEN: Final = "VENUE_NEVER_SAW_ORDER"
NOT_SENT: Final = "RESERVATION_EXPIRED"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answered:
    """The order after a venue's answer to a change of it; `refusal` when the change was refused."""

    order: Order
    refusal: RefusedError | None = None


class Desk:
    """All venues, by code."""

    def __init__(
        self,
        venues: Mapping[str, VenueAdapter],
        blotter: Blotter,
        *,
        clock: Clock,
        log_wait_s: float,
    ) -> None:
        """`log_wait_s`: how long to wait for a venue's log to tell what its answer only hints at."""
        self._venues = venues
        self._blotter = blotter
        self._clock = clock
        self._log_wait_s = log_wait_s

    def check_venue(self, code: str) -> None:
        """Raise UNAVAILABLE (DEPENDENCY_UNAVAILABLE) when no adapter reaches this venue."""
        if code not in self._venues:
            raise unavailable("DEPENDENCY_UNAVAILABLE", f"no adapter reaches venue {code!r}", dependency=code)

    async def submit(self, order: Order) -> Order:
        """Send an order whose intent is committed; the order after the answer, UNKNOWN when there is none.

        Whatever goes wrong after the sending leaves the order unacknowledged, for the resolver to ask about.
        """
        try:
            told = await self._venues[order.venue].submit(order)
            self._observe(order.venue, told)
            decide, time_ns = self._adopting(told), told.time_ns
        except RefusedError as refused:
            decide, time_ns = _rejecting([refused.reason], refused.message, self._clock), 0
        except NoAnswerError as error:
            _log.warning("venue_gave_no_answer", order_id=order.order_id, error=str(error))
            decide, time_ns = _marking_unknown(self._clock), 0
        except Exception:  # noqa: BLE001  # an answer that cannot be read is no answer
            _log.exception("venue_answer_unreadable", order_id=order.order_id)
            decide, time_ns = _marking_unknown(self._clock), 0
        failpoint("execution.submit.after_send")
        return await self._blotter.change(order.order_id, decide, event_time_ns=time_ns)

    async def withhold(self, order: Order) -> Order:
        """End an order whose intent took so long to commit that risk may hold nothing for it any more."""
        text = "it took longer to record than its reservation was good for, so it was not sent"
        return await self._blotter.change(order.order_id, _rejecting([NOT_SENT], text, self._clock))

    async def withhold_replace(self, order: Order) -> Answered:
        """The same of new terms: the old ones stand."""
        text = "they took longer to record than their reservation was good for, so they were not sent"
        return await self._replace_refused(order, RefusedError("REPLACE_REFUSED", text))

    async def resolve(self, order: Order) -> Order:
        """Ask the venue what became of a submission; the order after the answer.

        Raises:
            NoAnswerError, RefusedError: it did not tell.
        """
        told = await self._venues[order.venue].resolve(order)
        if told is None:
            decide = _rejecting([NEVER_SEEN], "the venue never saw the order", self._clock)
            return await self._blotter.change(order.order_id, decide)
        self._observe(order.venue, told)
        decide = self._adopting(told)
        return await self._blotter.change(order.order_id, decide, event_time_ns=told.time_ns)

    async def cancel(self, order: Order) -> Answered:
        """Send a cancel that was recorded; still PENDING_CANCEL when only the log can tell what came of it.

        Raises:
            NoAnswerError: the venue did not answer.
        """
        try:
            told = await self._venues[order.venue].cancel(order)
        except RefusedError as refused:
            return await self._cancel_refused(order, refused)
        self._observe(order.venue, told)
        # Fills that the answer knows of and the log has not told yet come first: cash held for them must not
        # be let go by the end of the order.
        await self._wait(order, lambda now: not is_behind(now, told))

        def decide(now: Order) -> Transition:
            if not told.cancelled or is_behind(now, told):
                return Transition(now)
            return lifecycle.cancel(now, told.message, at_ns=self._clock.now_ns())

        return Answered(await self._blotter.change(order.order_id, decide, event_time_ns=told.time_ns))

    async def replace(self, order: Order) -> Answered:
        """Send new terms that were recorded; still PENDING_REPLACE when only the log can tell the rest.

        Raises:
            NoAnswerError: the venue did not answer.
        """
        asked = order.replacement
        if asked is None:
            return Answered(order)
        try:
            told = await self._venues[order.venue].replace(order, asked)
        except RefusedError as refused:
            return await self._replace_refused(order, refused)
        self._observe(order.venue, told)
        if told.terms_version <= order.terms_version:
            return await self._replace_refused(order, RefusedError("REPLACE_REFUSED", told.message))
        # As with a cancel: what is held for the old terms also pays for fills that the log has not told yet.
        await self._wait(order, lambda now: not is_behind(now, told))

        def decide(now: Order) -> Transition:
            if is_behind(now, told):
                return Transition(now)
            return lifecycle.replace(now, told.terms, told.terms_version, at_ns=self._clock.now_ns())

        return Answered(await self._blotter.change(order.order_id, decide, event_time_ns=told.time_ns))

    async def _cancel_refused(self, order: Order, refused: RefusedError) -> Answered:
        now = await self._after_refusal(order, refused, OrderState.PENDING_CANCEL)

        def decide(now: Order) -> Transition:
            return lifecycle.reject_cancel(now, refused.message, at_ns=self._clock.now_ns())

        if now.state is OrderState.PENDING_CANCEL:
            now = await self._blotter.change(order.order_id, decide)
        return Answered(now, refused)

    async def _replace_refused(self, order: Order, refused: RefusedError) -> Answered:
        now = await self._after_refusal(order, refused, OrderState.PENDING_REPLACE)

        def decide(now: Order) -> Transition:
            if (now.replacement, now.terms_version) != (order.replacement, order.terms_version):
                return Transition(now)  # another replace, of which this answer says nothing
            return lifecycle.reject_replace(now, refused.message, at_ns=self._clock.now_ns())

        if now.state is OrderState.PENDING_REPLACE:
            now = await self._blotter.change(order.order_id, decide)
        return Answered(now, refused)

    async def _after_refusal(self, order: Order, refused: RefusedError, pending: OrderState) -> Order:
        if refused.reason == "ORDER_ENDED":  # how it ended is in the venue's log
            return await self._wait(order, lambda now: now.state is not pending)
        if refused.reason == "ORDER_NOT_FOUND":
            self._blotter.alarms.raise_for(Alarm.CONTRADICTION, order)
        return await self._blotter.find(order.order_id)

    async def _wait(self, order: Order, condition: Callable[[Order], bool]) -> Order:
        return await self._blotter.until(order.order_id, condition, timeout_s=self._log_wait_s)

    def _adopting(self, told: VenueOrder) -> Callable[[Order], Transition]:
        """What a venue's record says of a submission. Fills, and how it ended, are left to its log."""
        if told.rejected:
            return _rejecting(told.reject_reasons, told.message, self._clock)
        return lambda order: lifecycle.accept(order, at_ns=self._clock.now_ns())

    def _observe(self, venue: str, told: VenueOrder) -> None:
        self._blotter.market_time.observe(venue, told.time_ns)


def is_behind(order: Order, told: VenueOrder) -> bool:
    """A change is asked for, and the venue has filled more than is recorded."""
    return order.state in PENDING_CHANGE and order.filled_quantity < told.filled_quantity


def _rejecting(
    reasons: tuple[str, ...] | list[str], message: str, clock: Clock
) -> Callable[[Order], Transition]:
    return lambda order: lifecycle.reject(order, reasons, message, at_ns=clock.now_ns())


def _marking_unknown(clock: Clock) -> Callable[[Order], Transition]:
    return lambda order: lifecycle.mark_unknown(order, at_ns=clock.now_ns())
