"""However late each log is read: no account is overdrawn or short, and all books end equal to the cent."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from services.execution.domain.terms import OrderTerms, OrderType, Side, TimeInForce
from tests.unit.mesh.order_chain import Chain

Action = Callable[[Chain], None]
PRICES = st.integers(9_500, 10_300).map(lambda cents: Decimal(cents) / 100)
QUANTITIES = st.integers(1, 60).map(Decimal)
ANSWERED = st.sampled_from([True, True, True, False])


@st.composite
def submissions(draw: st.DrawFn) -> Action:
    kind = draw(st.sampled_from([OrderType.LIMIT] * 4 + list(OrderType)))
    terms = OrderTerms(
        draw(st.sampled_from([Side.BUY, Side.BUY, Side.SELL])),
        kind,
        draw(st.sampled_from([TimeInForce.DAY, TimeInForce.GTC, *TimeInForce])),
        draw(QUANTITIES),
        draw(PRICES) if kind in {OrderType.LIMIT, OrderType.STOP_LIMIT} else None,
        draw(PRICES) if kind in {OrderType.STOP, OrderType.STOP_LIMIT} else None,
    )
    is_answered = draw(ANSWERED)
    return lambda chain: chain.submit(terms, is_answered=is_answered)


@st.composite
def replaces(draw: st.DrawFn) -> Action:
    choice, quantity, price, steps = (
        draw(st.integers(0, 9)),
        draw(QUANTITIES),
        draw(PRICES),
        draw(st.integers(0, 2)),
    )
    is_answered = draw(ANSWERED)

    def act(chain: Chain) -> None:
        order_id = _chosen(chain, choice)
        if order_id is None:
            return
        old = chain.orders[order_id].terms
        limit = price if old.limit_price is not None else None
        terms = OrderTerms(old.side, old.type, old.time_in_force, quantity, limit, old.stop_price)
        chain.replace(order_id, terms, steps=steps, is_answered=is_answered)

    return act


@st.composite
def cancels(draw: st.DrawFn) -> Action:
    choice, is_answered = draw(st.integers(0, 9)), draw(ANSWERED)

    def act(chain: Chain) -> None:
        order_id = _chosen(chain, choice)
        if order_id is not None:
            chain.cancel(order_id, is_answered=is_answered)

    return act


def _chosen(chain: Chain, choice: int) -> str | None:
    open_ids = [order_id for order_id, order in chain.orders.items() if order.leaves_quantity]
    return open_ids[choice % len(open_ids)] if open_ids else None


def _reading(most: int) -> Action:
    def act(chain: Chain) -> None:
        chain.read_venue_log(most)
        chain.read_order_log(most)

    return act


ACTIONS = st.one_of(
    submissions(),
    submissions(),
    replaces(),
    replaces(),
    cancels(),
    st.just(Chain.step),
    st.integers(1, 9).map(lambda most: lambda chain: chain.read_venue_log(most)),
    st.integers(1, 9).map(lambda most: lambda chain: chain.read_order_log(most)),
    st.just(_reading(99)),
)


@settings(max_examples=120, deadline=None)
@given(cash=st.integers(500, 5_000).map(Decimal), actions=st.lists(ACTIONS, min_size=10, max_size=40))
def test_never_overdrawn_nor_short_and_equal_to_the_cent_in_the_end(
    cash: Decimal, actions: list[Action]
) -> None:
    chain = Chain(cash)
    for act in actions:
        act(chain)
    chain.finish()
    book, holding = chain.book, chain.holding
    assert book.cash == chain.cash
    assert book.reserved == 0
    assert not book.orders, list(book.orders.values())
    assert chain.ledger.balance == chain.cash
    assert book.position("aaa") == holding.quantity == chain.shares
    assert chain.cash - cash + holding.cost - holding.realized_pnl == 0
