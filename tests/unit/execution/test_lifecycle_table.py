"""What every input does in every state, written out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from services.execution.domain import lifecycle
from services.execution.domain.order import (
    Alarm,
    Order,
    OrderError,
    OrderState,
    Replacement,
    Transition,
)
from services.execution.domain.terms import Side
from tests.unit.execution.orders import AT_NS, LARGER, TERMS, fill, in_state, new_order

INPUTS: dict[str, Callable[[Order], Transition]] = {
    "accept": lambda o: lifecycle.accept(o, at_ns=AT_NS),
    "reject": lambda o: lifecycle.reject(o, ["PRICE_BAND"], "too far", at_ns=AT_NS),
    "mark_unknown": lambda o: lifecycle.mark_unknown(o, at_ns=AT_NS),
    "part_fill": lambda o: fill(o, 9, 10),
    "whole_fill": lambda o: fill(o, 9, 100 - o.filled_quantity or 1),
    "request_cancel": lambda o: lifecycle.request_cancel(o, at_ns=AT_NS),
    "cancel": lambda o: lifecycle.cancel(o, "gone", at_ns=AT_NS),
    "reject_cancel": lambda o: lifecycle.reject_cancel(o, "no", at_ns=AT_NS),
    "request_replace": lambda o: lifecycle.request_replace(o, Replacement(LARGER, None), at_ns=AT_NS),
    "replace": lambda o: lifecycle.replace(o, LARGER, 2, at_ns=AT_NS),
    "reject_replace": lambda o: lifecycle.reject_replace(o, "no", at_ns=AT_NS),
    "expire": lambda o: lifecycle.expire(o, "closed", at_ns=AT_NS),
    "trigger": lambda o: lifecycle.trigger(o, at_ns=AT_NS),
}

STATES = [
    OrderState.PENDING_NEW,
    OrderState.UNKNOWN,
    OrderState.ACCEPTED,
    OrderState.PARTIALLY_FILLED,
    OrderState.PENDING_CANCEL,
    OrderState.PENDING_REPLACE,
    OrderState.FILLED,
    OrderState.CANCELLED,
    OrderState.REJECTED,
    OrderState.EXPIRED,
]

# One row an input, one cell a state in the order of STATES. A cell: the events recorded, "-" none, then the
# state after it; "!" an alarm; "ended", "busy" an error.
TABLE = {
    "accept": "A>AC A>AC - - - - - - -! -",
    "reject": "R>RJ R>RJ -! -! -! -! -! -! - -!",
    "mark_unknown": "U>UN - - - - - - - - -",
    "part_fill": "AF>PF AF>PF F>PF F>PF F>PC F>PR F>FI! F>CA F>RJ! F>EX",
    "whole_fill": "AF>FI AF>FI F>FI F>FI cF>FI rF>FI F>FI! F>FI F>FI! F>FI",
    "request_cancel": "busy busy Q>PC Q>PC - busy ended - ended ended",
    "cancel": "AC>CA AC>CA C>CA C>CA C>CA rC>CA -! - -! -!",
    "reject_cancel": "- - - - c>PF - - - - -",
    "request_replace": "busy busy W>PR W>PR busy busy ended ended ended ended",
    "replace": "AP>AC! AP>AC! P>AC! P>PF! P>PC! P>PF -! -! -! -!",
    "reject_replace": "- - - - - r>PF - - - -",
    "expire": "AE>EX AE>EX E>EX E>EX cE>EX rE>EX -! -! -! -",
    "trigger": "AT>AC AT>AC T>AC T>PF T>PC T>PR - - -! -",
}

EVENTS = {
    "A": "ACCEPTED",
    "R": "REJECTED",
    "U": "UNKNOWN",
    "F": "FILLED",
    "Q": "CANCEL_REQUESTED",
    "C": "CANCELLED",
    "c": "CANCEL_REJECTED",
    "W": "REPLACE_REQUESTED",
    "P": "REPLACED",
    "r": "REPLACE_REJECTED",
    "E": "EXPIRED",
    "T": "TRIGGERED",
}
CODES = {
    "AC": "ACCEPTED",
    "RJ": "REJECTED",
    "UN": "UNKNOWN",
    "PF": "PARTIALLY_FILLED",
    "FI": "FILLED",
    "PC": "PENDING_CANCEL",
    "CA": "CANCELLED",
    "PR": "PENDING_REPLACE",
    "EX": "EXPIRED",
}
CELLS = [
    (name, state, cell)
    for name, row in TABLE.items()
    for state, cell in zip(STATES, row.split(), strict=True)
]


@pytest.mark.parametrize(("name", "state", "cell"), CELLS, ids=lambda v: getattr(v, "name", str(v)))
def test_every_input_in_every_state(name: str, state: OrderState, cell: str) -> None:
    order = in_state(state)
    if cell in {"ended", "busy"}:
        with pytest.raises(OrderError) as refused:
            INPUTS[name](order)
        assert refused.value.reason == f"ORDER_{cell.upper()}"
        assert refused.value.order is order
        return
    done = INPUTS[name](order)
    assert (done.alarm is not None) == cell.endswith("!")
    events, _, after = cell.rstrip("!").partition(">")
    assert [event.type.name for event in done.events] == [EVENTS[code] for code in events.strip("-")]
    assert done.order.state.name == (CODES[after] if after else state.name)
    assert done.order.version == order.version + len(done.events)
    if done.events:
        assert done.events[-1].order is done.order
    else:
        assert done.order is order


def test_table_is_complete() -> None:
    assert set(TABLE) == set(INPUTS)
    assert set(STATES) == set(OrderState)


@pytest.mark.parametrize("state", list(OrderState))
def test_a_fill_told_twice_counts_once(state: OrderState) -> None:
    once = fill(in_state(state), 9, 10).order
    again = fill(once, 9, 10)
    assert again.order is once
    assert again.events == ()


def test_overfill_is_recorded_and_raises_an_alarm() -> None:
    done = fill(in_state(OrderState.PARTIALLY_FILLED), 9, 61)
    assert done.alarm is Alarm.OVERFILLED
    assert done.order.filled_quantity == 101
    assert done.order.state is OrderState.FILLED
    assert done.order.leaves_quantity == 0


def test_fill_of_a_rejected_order_is_recorded_and_raises_an_alarm() -> None:
    done = fill(in_state(OrderState.REJECTED), 9, 10)
    assert done.alarm is Alarm.FILLED_AFTER_REJECTION
    assert done.order.filled_quantity == 10
    assert done.order.state is OrderState.REJECTED


def test_average_price_is_rounded_half_even_for_display_only() -> None:
    order = fill(fill(in_state(OrderState.ACCEPTED), 1, 1, "10").order, 2, 2, "10.01").order
    assert order.average_price == Decimal("10.006666667")
    assert order.notional == Decimal("30.02")
    assert in_state(OrderState.ACCEPTED).average_price is None
    half = fill(fill(in_state(OrderState.ACCEPTED), 1, 1, "0.000000001").order, 2, 1, "0.000000002").order
    assert half.average_price == Decimal("0.000000002")  # 1.5e-9: to the even neighbour


def test_replaced_terms_carry_their_version_and_protection_price() -> None:
    done = lifecycle.replace(in_state(OrderState.PENDING_REPLACE), LARGER, 2, at_ns=AT_NS)
    assert done.alarm is None
    assert (done.order.terms, done.order.terms_version) == (LARGER, 2)
    assert done.order.protection_price == LARGER.limit_price
    assert done.order.replacement is None
    assert lifecycle.replace(done.order, LARGER, 2, at_ns=AT_NS).events == ()


def test_replaced_terms_below_what_is_filled_raise_an_alarm() -> None:
    smaller = TERMS.__class__(TERMS.side, TERMS.type, TERMS.time_in_force, Decimal(30), TERMS.limit_price)
    done = lifecycle.replace(in_state(OrderState.PENDING_REPLACE), smaller, 2, at_ns=AT_NS)
    assert done.alarm is Alarm.OVERFILLED
    assert done.order.state is OrderState.FILLED


def test_replace_refusals_name_their_reason() -> None:
    order = in_state(OrderState.PARTIALLY_FILLED)
    sell = LARGER.__class__(
        LARGER.side.SELL, LARGER.type, LARGER.time_in_force, LARGER.quantity, LARGER.limit_price
    )
    with pytest.raises(OrderError) as fixed:
        lifecycle.check_replace(order, sell)
    assert fixed.value.reason == "TERMS_FIXED"
    as_filled = LARGER.__class__(LARGER.side, LARGER.type, LARGER.time_in_force, Decimal(40), Decimal(10))
    with pytest.raises(OrderError) as filled:
        lifecycle.check_replace(order, as_filled)
    assert filled.value.reason == "QUANTITY_FILLED"


def test_refused_order_is_recorded_by_one_event() -> None:
    done = lifecycle.refuse_order(new_order(), ["BUYING_POWER"], "not enough cash")
    assert [event.type.name for event in done.events] == ["REJECTED"]
    assert done.order.reject_reasons == ("BUYING_POWER",)
    assert done.order.version == 1


def test_a_stop_is_triggered_once() -> None:
    done = lifecycle.trigger(in_state(OrderState.ACCEPTED), at_ns=AT_NS)
    assert done.order.triggered
    assert lifecycle.trigger(done.order, at_ns=AT_NS).events == ()


@pytest.mark.parametrize(
    ("side", "price", "alarm"),
    [
        (Side.BUY, "10.50", None),
        (Side.BUY, "10.51", Alarm.BEYOND_PROTECTION),
        (Side.SELL, "10.50", None),
        (Side.SELL, "10.49", Alarm.BEYOND_PROTECTION),
    ],
)
def test_a_fill_at_a_worse_price_than_was_held_for_is_an_alarm(
    side: Side, price: str, alarm: Alarm | None
) -> None:
    order = lifecycle.submit_order(new_order(replace(TERMS, side=side))).order
    done = fill(order, 1, price=price)
    assert done.alarm == alarm
    assert done.order.filled_quantity == 10
