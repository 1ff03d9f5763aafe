"""Users among themselves: the engine against an independent matcher that only knows lists and sorting."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from services.venue.domain.events import Liquidity, OrderFilled, TradePrinted
from services.venue.domain.journal import Counters, Journal
from services.venue.domain.market import Market
from services.venue.domain.order import (
    Order,
    OrderStatus,
    OrderTerms,
    OrderType,
    Side,
    TimeInForce,
    check_terms,
)
from tests.unit.venue.venue_replays import FIRST_DATE, LISTED

LAST = 1_000_000


@dataclass
class Naive:
    """An order of the reference: mutable numbers, `arrival` is its place in time."""

    name: str
    account: str
    buy: bool
    quantity: int
    limit: int
    time_in_force: TimeInForce
    arrival: int


class ReferenceMatcher:
    """Sorts all resting orders anew for every share it trades."""

    def __init__(self) -> None:
        self.resting: list[Naive] = []
        self.trades: list[tuple[str, str, int, int]] = []

    def opposite(self, order: Naive) -> list[Naive]:
        found = [
            each
            for each in self.resting
            if each.buy != order.buy
            and (each.limit <= order.limit if order.buy else each.limit >= order.limit)
        ]
        return sorted(found, key=lambda each: (each.limit if order.buy else -each.limit, each.arrival))

    def enter(self, order: Naive, *, rests: bool) -> None:
        if order.time_in_force is TimeInForce.FILL_OR_KILL:
            before_own = []
            for each in self.opposite(order):
                if each.account == order.account:
                    break
                before_own.append(each.quantity)
            if sum(before_own) < order.quantity:
                return
        while order.quantity:
            makers = self.opposite(order)
            if not makers:
                break
            if makers[0].account == order.account:
                return
            maker = makers[0]
            traded = min(maker.quantity, order.quantity)
            maker.quantity -= traded
            order.quantity -= traded
            self.trades.append((maker.name, order.name, maker.limit, traded))
            self.resting = [each for each in self.resting if each.quantity]
        if order.quantity and rests:
            self.resting.append(order)

    def queue(self) -> list[tuple[str, int, int]]:
        return [
            (each.name, each.limit, each.quantity) for each in sorted(self.resting, key=lambda o: o.arrival)
        ]


ACTIONS = st.one_of(
    st.tuples(
        st.just("submit"),
        st.sampled_from("abc"),
        st.booleans(),
        st.integers(1, 40),
        st.one_of(st.none(), st.integers(96, 104)),
        st.sampled_from(list(TimeInForce)),
    ),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("replace"), st.integers(0, 30), st.integers(1, 40), st.integers(96, 104)),
)


def terms_of(buy: bool, quantity: int, limit: int | None, time_in_force: TimeInForce) -> OrderTerms:
    return OrderTerms(
        Side.BUY if buy else Side.SELL,
        OrderType.MARKET if limit is None else OrderType.LIMIT,
        time_in_force,
        Decimal(quantity),
        None if limit is None else Decimal(limit),
    )


@settings(max_examples=300, deadline=None)
@given(st.lists(ACTIONS, max_size=40))
def test_price_time_priority_agrees_with_the_reference(actions: list[tuple[object, ...]]) -> None:
    journal = Journal("t", Counters())
    market, reference = Market(LISTED[0], journal), ReferenceMatcher()
    market.open(FIRST_DATE)
    market.last = LAST
    orders: list[Order] = []
    for number, action in enumerate(actions):
        match action:
            case ("submit", str(account), bool(buy), int(quantity), limit, TimeInForce() as time_in_force):
                assert limit is None or isinstance(limit, int)
                terms = terms_of(buy, quantity, limit, time_in_force)
                order = Order(
                    f"o{number}",
                    f"o{number}",
                    account,
                    "aaa",
                    terms,
                    check_terms(terms, LISTED[0]),
                    0,
                    0,
                    journal.new_priority(),
                )
                if market.refusal(order) is None:
                    market.accept(order)
                    orders.append(order)
                # All prices lie within the collar of one another, so a market order takes what is there.
                worst = (10**9 if buy else 0) if limit is None else limit * 10_000
                rests = limit is not None and time_in_force in {
                    TimeInForce.DAY,
                    TimeInForce.GOOD_TILL_CANCELLED,
                }
                reference.enter(
                    Naive(order.order_id, account, buy, quantity, worst, time_in_force, order.priority),
                    rests=rests,
                )
            case ("cancel", int(index)) if index < len(orders):
                if orders[index].status is OrderStatus.WORKING:
                    market.cancel(orders[index])
                    reference.resting = [o for o in reference.resting if o.name != orders[index].order_id]
            case ("replace", int(index), int(quantity), int(limit)) if index < len(orders):
                replace(market, reference, orders[index], quantity, limit)
        assert trades_of(journal) == reference.trades
        resting = sorted(market.working.values(), key=lambda each: each.priority)
        assert [(o.order_id, o.limit_price, o.unfilled) for o in resting] == reference.queue()


def replace(market: Market, reference: ReferenceMatcher, order: Order, quantity: int, limit: int) -> None:
    if order.status is not OrderStatus.WORKING or quantity <= order.filled:
        return
    own = next(each for each in reference.resting if each.name == order.order_id)
    terms = terms_of(own.buy, quantity, limit, order.time_in_force)
    keeps_place = quantity <= order.quantity and limit * 10_000 == own.limit
    left = quantity - order.filled
    market.replace(order, terms, check_terms(terms, LISTED[0]))
    if keeps_place:
        own.quantity = left
        return
    reference.resting.remove(own)
    own.quantity, own.limit, own.arrival = left, limit * 10_000, order.priority
    reference.enter(own, rests=True)


def trades_of(journal: Journal) -> list[tuple[str, str, int, int]]:
    fills = [event for event in journal.events if isinstance(event, OrderFilled)]
    assert len([e for e in journal.events if isinstance(e, TradePrinted)]) * 2 == len(fills)
    pairs = []
    for maker, taker in zip(fills[::2], fills[1::2], strict=True):
        assert (maker.liquidity, taker.liquidity) == (Liquidity.MAKER, Liquidity.TAKER)
        assert (maker.trade_number, maker.price, maker.quantity) == (
            taker.trade_number,
            taker.price,
            taker.quantity,
        )
        assert maker.order.account_id != taker.order.account_id
        pairs.append((maker.order.order_id, taker.order.order_id, maker.price, maker.quantity))
    return pairs
