"""Whatever comes in whatever order: quantities add up, ends are final, the events alone give the order."""

from __future__ import annotations

import dataclasses
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.execution.domain import lifecycle
from services.execution.domain.order import (
    FINAL,
    PENDING_CHANGE,
    Alarm,
    Order,
    OrderError,
    OrderEvent,
    OrderEventType,
    OrderState,
    Replacement,
    Transition,
)
from tests.unit.execution.orders import AT_NS, TERMS, execution, new_order

QUANTITIES = st.decimals(min_value="0.5", max_value=80, places=1)
PRICES = st.decimals(min_value="0.01", max_value=1000, places=2)
ANSWERS = {
    OrderEventType.CANCEL_REQUESTED: {OrderEventType.CANCELLED, OrderEventType.CANCEL_REJECTED},
    OrderEventType.REPLACE_REQUESTED: {OrderEventType.REPLACED, OrderEventType.REPLACE_REJECTED},
}


class OrderMachine(RuleBasedStateMachine):
    """Any input in any state, also those a venue should never send."""

    @initialize()
    def submit(self) -> None:
        self.history: list[OrderEvent] = []
        self.fills: dict[str, tuple[Decimal, Decimal]] = {}
        self.alarms: list[Alarm] = []
        self.order = new_order()
        self.take(lifecycle.submit_order(self.order))

    def take(self, done: Transition) -> None:
        before = self.order
        assert (done.events == ()) == (done.order == before)
        assert [event.order.version for event in done.events] == list(
            range(before.version + 1, before.version + 1 + len(done.events))
        )
        if before.state in FINAL:
            assert {event.type for event in done.events} <= {OrderEventType.FILLED}
            assert done.order.state in {before.state, OrderState.FILLED}
        self.order = done.order
        self.history.extend(done.events)
        if done.alarm:
            self.alarms.append(done.alarm)

    @rule()
    def accept(self) -> None:
        self.take(lifecycle.accept(self.order, at_ns=AT_NS))

    @rule()
    def mark_unknown(self) -> None:
        self.take(lifecycle.mark_unknown(self.order, at_ns=AT_NS))

    @rule()
    def reject(self) -> None:
        self.take(lifecycle.reject(self.order, ["PRICE_BAND"], "too far", at_ns=AT_NS))

    @rule(number=st.integers(0, 30), quantity=QUANTITIES, price=PRICES)
    def fill(self, number: int, quantity: Decimal, price: Decimal) -> None:
        known = self.fills.setdefault(f"x{number}", (quantity, price))
        self.take(lifecycle.apply_fill(self.order, execution(number, *known), f"f{number}", at_ns=AT_NS))

    @rule()
    def request_cancel(self) -> None:
        try:
            self.take(lifecycle.request_cancel(self.order, at_ns=AT_NS))
        except OrderError:
            assert self.order.state not in {OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED}

    @rule()
    def cancel(self) -> None:
        self.take(lifecycle.cancel(self.order, "", at_ns=AT_NS))

    @rule()
    def reject_cancel(self) -> None:
        self.take(lifecycle.reject_cancel(self.order, "", at_ns=AT_NS))

    @rule(quantity=QUANTITIES)
    def request_replace(self, quantity: Decimal) -> None:
        terms = dataclasses.replace(TERMS, quantity=quantity)
        try:
            self.take(lifecycle.request_replace(self.order, Replacement(terms, None), at_ns=AT_NS))
        except OrderError:
            assert self.order.state is not OrderState.ACCEPTED or quantity <= self.order.filled_quantity

    @precondition(lambda self: self.order.replacement is not None)
    @rule()
    def replace(self) -> None:
        asked = self.order.replacement
        assert asked is not None
        version = self.order.terms_version + 1
        self.take(lifecycle.replace(self.order, asked.terms, version, at_ns=AT_NS))

    @rule(quantity=QUANTITIES, version=st.integers(1, 5))
    def replace_unasked(self, quantity: Decimal, version: int) -> None:
        terms = dataclasses.replace(TERMS, quantity=quantity)
        self.take(lifecycle.replace(self.order, terms, version, at_ns=AT_NS))

    @rule()
    def reject_replace(self) -> None:
        self.take(lifecycle.reject_replace(self.order, "", at_ns=AT_NS))

    @rule()
    def expire(self) -> None:
        self.take(lifecycle.expire(self.order, "", at_ns=AT_NS))

    @rule()
    def trigger(self) -> None:
        self.take(lifecycle.trigger(self.order, at_ns=AT_NS))

    @invariant()
    def quantities_add_up(self) -> None:
        order = self.order
        assert order.filled_quantity == sum((quantity for quantity, _ in self.fills.values()), Decimal(0))
        assert order.notional == sum((q * p for q, p in self.fills.values()), Decimal(0))
        assert order.execution_ids == set(self.fills)
        if order.state not in FINAL:
            assert order.leaves_quantity + order.filled_quantity == order.terms.quantity
        else:
            assert order.leaves_quantity == 0
        assert (order.average_price is None) == (not self.fills)

    @invariant()
    def state_fits_quantities(self) -> None:
        order = self.order
        if order.state is OrderState.ACCEPTED:
            assert not order.filled_quantity
        if order.state is OrderState.PARTIALLY_FILLED:
            assert 0 < order.filled_quantity < order.terms.quantity
        if order.state is OrderState.FILLED:
            assert order.filled_quantity >= order.terms.quantity
        if order.filled_quantity > order.terms.quantity:
            assert Alarm.OVERFILLED in self.alarms

    @invariant()
    def pending_fits_state(self) -> None:
        order = self.order
        if order.state is OrderState.PENDING_REPLACE:
            assert order.replacement is not None
        assert (order.state is OrderState.PENDING_REPLACE) == (order.replacement is not None)

    @invariant()
    def history_is_one_story(self) -> None:
        kinds = [event.type for event in self.history]
        assert kinds[0] is OrderEventType.SUBMITTED
        for once in (OrderEventType.SUBMITTED, OrderEventType.ACCEPTED, OrderEventType.TRIGGERED):
            assert kinds.count(once) <= 1
        ends = {OrderEventType.CANCELLED, OrderEventType.EXPIRED, OrderEventType.REJECTED}
        assert sum(kind in ends for kind in kinds) <= 1
        told = [event.fill.execution_id for event in self.history if event.fill]
        assert len(told) == len(set(told)) == kinds.count(OrderEventType.FILLED)
        for request, answers in ANSWERS.items():
            unanswered = 0
            for kind in kinds:
                unanswered += (kind is request) - (kind in answers and unanswered > 0)
                assert unanswered in {0, 1}
            if self.order.state not in PENDING_CHANGE:
                assert unanswered == 0

    @invariant()
    def history_replays_to_the_order(self) -> None:
        assert replayed(self.history) == self.order


def replayed(history: list[OrderEvent]) -> Order:  # noqa: C901  # a second telling of the whole machine
    """The order made again from what the events say, not from the orders they carry."""
    order = dataclasses.replace(new_order(), version=len(history))
    requested: Replacement | None = None
    back = OrderState.PENDING_NEW
    for event in history:
        after, kind = event.order, event.type
        order = dataclasses.replace(order, message=after.message)
        if event.fill:
            order = dataclasses.replace(
                order,
                filled_quantity=order.filled_quantity + event.fill.quantity,
                notional=order.notional + event.fill.quantity * event.fill.price,
                execution_ids=order.execution_ids | {event.fill.execution_id},
            )
        match kind:
            case OrderEventType.ACCEPTED:
                back = OrderState.ACCEPTED
            case OrderEventType.REPLACE_REQUESTED:
                requested = after.replacement
            case OrderEventType.REPLACED | OrderEventType.REPLACE_REJECTED:
                requested = None
                order = dataclasses.replace(
                    order,
                    terms=after.terms,
                    terms_version=after.terms_version,
                    protection_price=after.protection_price,
                )
            case OrderEventType.REJECTED:
                order = dataclasses.replace(order, reject_reasons=after.reject_reasons)
            case OrderEventType.TRIGGERED:
                order = dataclasses.replace(order, triggered=True)
        order = dataclasses.replace(order, replacement=requested)
        if OrderEventType(kind).name in OrderState.__members__ and kind is not OrderEventType.FILLED:
            back = OrderState[kind.name]
        elif kind is OrderEventType.CANCEL_REQUESTED:
            back = OrderState.PENDING_CANCEL
        elif kind is OrderEventType.REPLACE_REQUESTED:
            back = OrderState.PENDING_REPLACE
        elif kind in {
            OrderEventType.CANCEL_REJECTED,
            OrderEventType.REPLACE_REJECTED,
        } or (kind is OrderEventType.REPLACED and back is not OrderState.PENDING_CANCEL):
            back = OrderState.ACCEPTED
        working = back in {OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED}
        ends_it = event.fill is not None or working
        if ends_it and order.filled_quantity >= order.terms.quantity:
            back = OrderState.FILLED
        elif working:
            back = OrderState.PARTIALLY_FILLED if order.filled_quantity else OrderState.ACCEPTED
        order = dataclasses.replace(order, state=back)
    return order


OrderMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestOrderMachine = OrderMachine.TestCase
