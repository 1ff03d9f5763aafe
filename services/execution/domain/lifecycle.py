"""The state machine of an order: one function an input, each decided for every state.

Inputs are the user's wishes (which may be refused: OrderError) and the venue's word (which may come twice,
late, or in another order than it was spoken, for a direct answer and the venue's log both carry it: what is
known already has no effect). A request for a change is answered by exactly one event before the order ends,
and an acceptance is recorded before whatever implies it: either way of learning gives the same history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace as with_changes
from decimal import Decimal
from typing import TypedDict, Unpack

from services.execution.domain.order import (
    FINAL,
    PENDING_CHANGE,
    UNACKNOWLEDGED,
    WORKING,
    Alarm,
    Execution,
    Fill,
    Order,
    OrderError,
    OrderEvent,
    OrderEventType,
    OrderState,
    Replacement,
    Transition,
)
from services.execution.domain.terms import OrderTerms, Side


class _Changes(TypedDict, total=False):
    """What a transition may change of an order."""

    state: OrderState
    terms: OrderTerms
    terms_version: int
    protection_price: Decimal | None
    filled_quantity: Decimal
    notional: Decimal
    message: str
    reject_reasons: tuple[str, ...]
    replacement: Replacement | None
    triggered: bool
    execution_ids: frozenset[str]


class _History:
    """Collects the events of one transition."""

    def __init__(self, order: Order, at_ns: int) -> None:
        self.order = order
        self.events: list[OrderEvent] = []
        self._at_ns = at_ns

    def record(self, event: OrderEventType, fill: Fill | None = None, **changes: Unpack[_Changes]) -> None:
        order = self.order
        self.order = with_changes(order, version=order.version + 1, update_time_ns=self._at_ns, **changes)
        self.events.append(OrderEvent(event, self.order, fill))

    def acknowledge(self) -> None:
        """Whatever the venue says of an order implies that it accepted it."""
        if self.order.state in UNACKNOWLEDGED:
            self.record(OrderEventType.ACCEPTED, state=OrderState.ACCEPTED)

    def settle(self, message: str) -> None:
        """The order ends by something else than the change that was asked for: that change came too late."""
        if self.order.state is OrderState.PENDING_CANCEL:
            self.record(OrderEventType.CANCEL_REJECTED, state=_standing(self.order), message=message)
        elif self.order.state is OrderState.PENDING_REPLACE:
            self.record(
                OrderEventType.REPLACE_REJECTED,
                state=_standing(self.order),
                message=message,
                replacement=None,
            )

    def transition(self, alarm: Alarm | None = None) -> Transition:
        return Transition(self.order, tuple(self.events), alarm)


def _standing(order: Order) -> OrderState:
    """The state of a working order by what is filled."""
    if order.filled_quantity >= order.terms.quantity:
        return OrderState.FILLED
    return OrderState.PARTIALLY_FILLED if order.filled_quantity else OrderState.ACCEPTED


def submit_order(order: Order) -> Transition:
    """A new order is recorded and on its way: the intent."""
    history = _History(order, order.create_time_ns)
    history.record(OrderEventType.SUBMITTED, state=OrderState.PENDING_NEW)
    return history.transition()


def refuse_order(order: Order, reasons: Sequence[str], message: str) -> Transition:
    """A new order is recorded as refused by risk; it never was on its way, so it names no venue."""
    history = _History(with_changes(order, venue=""), order.create_time_ns)
    history.record(
        OrderEventType.REJECTED, state=OrderState.REJECTED, reject_reasons=tuple(reasons), message=message
    )
    return history.transition()


def accept(order: Order, *, at_ns: int) -> Transition:
    """The venue has the order."""
    history = _History(order, at_ns)
    history.acknowledge()
    return history.transition(Alarm.CONTRADICTION if order.state is OrderState.REJECTED else None)


def reject(order: Order, reasons: Sequence[str], message: str, *, at_ns: int) -> Transition:
    """The venue refused the order, or never saw it and never will."""
    if order.state not in UNACKNOWLEDGED:
        return Transition(order, alarm=None if order.state is OrderState.REJECTED else Alarm.CONTRADICTION)
    history = _History(order, at_ns)
    history.record(
        OrderEventType.REJECTED, state=OrderState.REJECTED, reject_reasons=tuple(reasons), message=message
    )
    return history.transition()


def mark_unknown(order: Order, *, at_ns: int) -> Transition:
    """It was sent, or may have been, and no answer came. No effect once anything is known."""
    if order.state is not OrderState.PENDING_NEW:
        return Transition(order)
    history = _History(order, at_ns)
    history.record(OrderEventType.UNKNOWN, state=OrderState.UNKNOWN)
    return history.transition()


def apply_fill(order: Order, execution: Execution, fill_id: str, *, at_ns: int) -> Transition:
    """A fill: real in every state, counted once.

    After the end of the order the state stays, save that a whole fill is FILLED.
    """
    if execution.execution_id in order.execution_ids:
        return Transition(order)
    history = _History(order, at_ns)
    history.acknowledge()
    filled = order.filled_quantity + execution.quantity
    if filled >= order.terms.quantity:
        history.settle("the order was filled first")
        state = OrderState.FILLED
    elif history.order.state in WORKING:
        state = OrderState.PARTIALLY_FILLED
    else:
        state = history.order.state
    history.record(
        OrderEventType.FILLED,
        fill=_fill_of(order, execution, fill_id),
        state=state,
        message="" if state is OrderState.FILLED else history.order.message,
        filled_quantity=filled,
        notional=order.notional + execution.quantity * execution.price,
        execution_ids=order.execution_ids | {execution.execution_id},
    )
    return history.transition(_fill_alarm(order, execution, filled))


def _fill_alarm(before: Order, execution: Execution, filled: Decimal) -> Alarm | None:
    if filled > before.terms.quantity:
        return Alarm.OVERFILLED
    if before.state is OrderState.REJECTED:
        return Alarm.FILLED_AFTER_REJECTION
    worst, is_buy = before.protection_price, before.terms.side is Side.BUY
    if worst is not None and (execution.price > worst if is_buy else execution.price < worst):
        return Alarm.BEYOND_PROTECTION
    return None


def _fill_of(order: Order, execution: Execution, fill_id: str) -> Fill:
    return Fill(
        fill_id=fill_id,
        venue=order.venue,
        execution_id=execution.execution_id,
        order_id=order.order_id,
        account_id=order.account_id,
        instrument_id=order.instrument_id,
        symbol=order.symbol,
        side=order.terms.side,
        quantity=execution.quantity,
        price=execution.price,
        fee=execution.fee,
        currency=execution.currency,
        event_time_ns=execution.event_time_ns,
    )


def request_cancel(order: Order, *, at_ns: int) -> Transition:
    """The user wants it cancelled. No effect when that is under way or done; OrderError when it cannot be."""
    if order.state in {OrderState.PENDING_CANCEL, OrderState.CANCELLED}:
        return Transition(order)
    _require_working(order)
    history = _History(order, at_ns)
    history.record(OrderEventType.CANCEL_REQUESTED, state=OrderState.PENDING_CANCEL)
    return history.transition()


def cancel(order: Order, message: str, *, at_ns: int) -> Transition:
    """The venue cancelled what was left, by request or on its own."""
    if order.state in FINAL:
        alarm = None if order.state is OrderState.CANCELLED else Alarm.CONTRADICTION
        return Transition(order, alarm=alarm)
    history = _History(order, at_ns)
    history.acknowledge()
    if order.state is OrderState.PENDING_REPLACE:
        history.settle("the order was cancelled first")
    history.record(OrderEventType.CANCELLED, state=OrderState.CANCELLED, message=message)
    return history.transition()


def reject_cancel(order: Order, message: str, *, at_ns: int) -> Transition:
    """The venue refused the cancel. No effect when none is under way."""
    if order.state is not OrderState.PENDING_CANCEL:
        return Transition(order)
    history = _History(order, at_ns)
    history.settle(message)
    return history.transition()


def request_replace(order: Order, replacement: Replacement, *, at_ns: int) -> Transition:
    """The user wants new terms; OrderError when they are not possible. See check_replace."""
    check_replace(order, replacement.terms)
    history = _History(order, at_ns)
    history.record(
        OrderEventType.REPLACE_REQUESTED, state=OrderState.PENDING_REPLACE, replacement=replacement
    )
    return history.transition()


def check_replace(order: Order, terms: OrderTerms) -> None:
    """Raise OrderError unless the order is working and may have these terms."""
    present = order.terms
    if (terms.side, terms.type, terms.time_in_force) != (present.side, present.type, present.time_in_force):
        raise OrderError("TERMS_FIXED", "side, type and time in force cannot be replaced", order)
    _require_working(order)
    if terms.quantity <= order.filled_quantity:
        text = f"{order.filled_quantity} are filled; the new quantity must be more than that"
        raise OrderError("QUANTITY_FILLED", text, order)


def replace(order: Order, terms: OrderTerms, terms_version: int, *, at_ns: int) -> Transition:
    """The venue has new terms in force. What is not the next version of what was asked for is an alarm."""
    if terms_version <= order.terms_version:
        return Transition(order)
    if order.state in FINAL:
        return Transition(order, alarm=Alarm.CONTRADICTION)
    expected = order.replacement is not None and order.replacement.terms == terms
    history = _History(order, at_ns)
    history.acknowledge()
    replaced = with_changes(history.order, terms=terms)
    keeps_state = replaced.state is OrderState.PENDING_CANCEL
    protection_price = order.replacement.protection_price if order.replacement else order.protection_price
    history.record(
        OrderEventType.REPLACED,
        state=replaced.state if keeps_state else _standing(replaced),
        terms=terms,
        terms_version=terms_version,
        protection_price=protection_price,
        replacement=None,
    )
    if order.filled_quantity > terms.quantity:
        return history.transition(Alarm.OVERFILLED)
    is_next = terms_version == order.terms_version + 1
    return history.transition(None if expected and is_next else Alarm.CONTRADICTION)


def reject_replace(order: Order, message: str, *, at_ns: int) -> Transition:
    """The venue refused the new terms; the old ones stand. No effect when none are under way."""
    if order.state is not OrderState.PENDING_REPLACE:
        return Transition(order)
    history = _History(order, at_ns)
    history.settle(message)
    return history.transition()


def expire(order: Order, message: str, *, at_ns: int) -> Transition:
    """The order ended with its session."""
    if order.state in FINAL:
        alarm = None if order.state is OrderState.EXPIRED else Alarm.CONTRADICTION
        return Transition(order, alarm=alarm)
    history = _History(order, at_ns)
    history.acknowledge()
    history.settle("the order expired first")
    history.record(OrderEventType.EXPIRED, state=OrderState.EXPIRED, message=message)
    return history.transition()


def trigger(order: Order, *, at_ns: int) -> Transition:
    """The stop was triggered at the venue; the state stays. Told once."""
    if order.triggered or order.state in FINAL:
        alarm = Alarm.CONTRADICTION if order.state is OrderState.REJECTED else None
        return Transition(order, alarm=alarm)
    history = _History(order, at_ns)
    history.acknowledge()
    history.record(OrderEventType.TRIGGERED, triggered=True)
    return history.transition()


def _require_working(order: Order) -> None:
    if order.state in FINAL:
        text = f"the order has ended: {order.state.name}"
        raise OrderError("ORDER_ENDED", text, order)
    if order.state in UNACKNOWLEDGED | PENDING_CHANGE:
        text = f"the order is {order.state.name}; wait for the event that ends it"
        raise OrderError("ORDER_BUSY", text, order)
