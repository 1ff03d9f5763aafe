"""Orders to test with."""

from __future__ import annotations

from decimal import Decimal

from services.execution.domain import lifecycle
from services.execution.domain.order import Execution, Order, OrderState, Replacement, Transition
from services.execution.domain.terms import OrderTerms, OrderType, Side, TimeInForce

AT_NS = 1_700_000_000_000_000_000
TERMS = OrderTerms(Side.BUY, OrderType.LIMIT, TimeInForce.DAY, Decimal(100), Decimal("10.50"))
LARGER = OrderTerms(Side.BUY, OrderType.LIMIT, TimeInForce.DAY, Decimal(150), Decimal("10.60"))


def new_order(terms: OrderTerms = TERMS) -> Order:
    return Order(
        order_id="o1",
        account_id="a1",
        request_id="r1",
        digest="1:d",
        instrument_id="i1",
        symbol="AAPL",
        currency="USD",
        venue="XSIM",
        user_id="u1",
        tag="",
        terms=terms,
        protection_price=terms.limit_price,
        create_time_ns=AT_NS,
        update_time_ns=AT_NS,
    )


def execution(number: int, quantity: object = 10, price: object = "10.5") -> Execution:
    shares, paid = Decimal(str(quantity)), Decimal(str(price))
    return Execution(f"x{number}", shares, paid, Decimal("0.01"), "USD", AT_NS)


def fill(order: Order, number: int, quantity: object = 10, price: object = "10.5") -> Transition:
    return lifecycle.apply_fill(order, execution(number, quantity, price), f"f{number}", at_ns=AT_NS)


def in_state(state: OrderState) -> Order:
    """An order of 100 shares brought to a state by inputs alone; 40 are filled where the state allows."""
    sent = lifecycle.submit_order(new_order()).order
    accepted = lifecycle.accept(sent, at_ns=AT_NS).order
    partly = fill(accepted, 1, 40).order
    replacement = Replacement(LARGER, LARGER.limit_price)
    made = {
        OrderState.PENDING_NEW: sent,
        OrderState.UNKNOWN: lifecycle.mark_unknown(sent, at_ns=AT_NS).order,
        OrderState.ACCEPTED: accepted,
        OrderState.PARTIALLY_FILLED: partly,
        OrderState.FILLED: fill(partly, 2, 60).order,
        OrderState.PENDING_CANCEL: lifecycle.request_cancel(partly, at_ns=AT_NS).order,
        OrderState.CANCELLED: lifecycle.cancel(partly, "", at_ns=AT_NS).order,
        OrderState.PENDING_REPLACE: lifecycle.request_replace(partly, replacement, at_ns=AT_NS).order,
        OrderState.REJECTED: lifecycle.reject(sent, ["PRICE_BAND"], "too far", at_ns=AT_NS).order,
        OrderState.EXPIRED: lifecycle.expire(partly, "", at_ns=AT_NS).order,
    }[state]
    assert made.state is state
    return made
