"""Order types, times in force, refusals, replacement, and the life of a session."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from services.venue.domain.commands import CancelOrder, ReplaceOrder, ResolveOrder, SubmitOrder
from services.venue.domain.events import (
    CommandRejected,
    Event,
    IdFenced,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderKnown,
    OrderRejected,
    OrderReplaced,
    SessionClosed,
    SessionOpened,
    StopTriggered,
)
from services.venue.domain.exchange import Exchange
from services.venue.domain.order import (
    CancelReason,
    OrderStatus,
    OrderTerms,
    OrderType,
    RejectReason,
    Side,
    TimeInForce,
)
from services.venue.domain.price import price_decimal
from services.venue.domain.session import Phase
from tests.unit.venue.venue_replays import OPEN_NS, only, order_terms, replay_plan, submit

BUY, SELL = Side.BUY, Side.SELL
DAY, GTC = TimeInForce.DAY, TimeInForce.GOOD_TILL_CANCELLED
IOC, FOK = TimeInForce.IMMEDIATE_OR_CANCEL, TimeInForce.FILL_OR_KILL


@pytest.fixture
def exchange() -> Exchange:
    exchange = Exchange(replay_plan())
    exchange.step()
    return exchange


def best(exchange: Exchange, side: Side) -> tuple[Decimal, int]:
    level = exchange.market("aaa").book.side(side).best
    assert level is not None
    return price_decimal(level.price), level.user + level.synthetic


def depth(exchange: Exchange, side: Side) -> int:
    return sum(level.quantity for level in exchange.market("aaa").book.side(side).depth(99))


def reject_reason(events: Sequence[Event]) -> RejectReason:
    last = events[-1]
    assert isinstance(last, OrderRejected)
    return last.order.reason


def test_market_order_takes_the_best_price_and_pays_the_fee(exchange: Exchange) -> None:
    ask, _ = best(exchange, SELL)
    events = submit(exchange, "1", order_terms(BUY, 3))
    assert isinstance(events[0], OrderAccepted)
    fill = only(events, OrderFilled)[0]
    assert (price_decimal(fill.price), fill.quantity, fill.fee) == (ask, 3, Decimal("0.015"))
    assert fill.against_synthetic
    assert fill.order.status is OrderStatus.FILLED
    assert fill.order.notional == fill.price * 3


def test_market_order_larger_than_the_book_is_cancelled_for_the_rest(exchange: Exchange) -> None:
    there = depth(exchange, SELL)
    events = submit(exchange, "1", order_terms(BUY, there + 5))
    assert sum(fill.quantity for fill in only(events, OrderFilled)) == there
    cancelled = only(events, OrderCancelled)[0].order
    assert (cancelled.cancel_reason, cancelled.unfilled) == (CancelReason.BEYOND_PROTECTION, 5)
    assert reject_reason(submit(exchange, "2", order_terms(BUY, 1))) is RejectReason.NO_LIQUIDITY


def test_market_order_stops_at_the_collar(exchange: Exchange) -> None:
    submit(exchange, "clear", order_terms(BUY, depth(exchange, SELL)))
    last = exchange.market("aaa").last
    assert last is not None
    inside = price_decimal(last * 110 // 100 // 100 * 100)
    submit(exchange, "in", order_terms(SELL, 5, str(inside)), account="bob")
    submit(exchange, "out", order_terms(SELL, 5, str(inside + Decimal("0.01"))), account="bob")
    events = submit(exchange, "1", order_terms(BUY, 10))
    assert [price_decimal(fill.price) for fill in only(events, OrderFilled)] == [inside, inside]
    assert only(events, OrderCancelled)[0].order.cancel_reason is CancelReason.BEYOND_PROTECTION


@pytest.mark.parametrize("side", [BUY, SELL])
def test_market_order_never_fills_beyond_its_protection(exchange: Exchange, side: Side) -> None:
    price, size = best(exchange, side.opposite)
    events = submit(exchange, "1", order_terms(side, size + 5, protection=str(price)))
    assert {price_decimal(fill.price) for fill in only(events, OrderFilled)} == {price}
    assert only(events, OrderCancelled)[0].order.unfilled == 5


def test_protection_finer_than_a_unit_is_taken_on_the_safe_side(exchange: Exchange) -> None:
    ask, _ = best(exchange, SELL)
    events = submit(exchange, "1", order_terms(BUY, 1, protection=str(ask - Decimal("0.000000001"))))
    assert only(events, OrderFilled) == []


def test_immediate_or_cancel(exchange: Exchange) -> None:
    ask, size = best(exchange, SELL)
    events = submit(exchange, "1", order_terms(BUY, size + 7, str(ask), time_in_force=IOC))
    assert sum(fill.quantity for fill in only(events, OrderFilled)) == size
    assert only(events, OrderCancelled)[0].order.cancel_reason is CancelReason.IMMEDIATE_REMAINDER


def test_fill_or_kill(exchange: Exchange) -> None:
    ask, size = best(exchange, SELL)
    too_much = submit(exchange, "1", order_terms(BUY, size + 1, str(ask), time_in_force=FOK))
    assert reject_reason(too_much) is RejectReason.NO_LIQUIDITY
    assert best(exchange, SELL) == (ask, size)
    whole = submit(exchange, "2", order_terms(BUY, size, str(ask), time_in_force=FOK))
    assert only(whole, OrderFilled)[-1].order.status is OrderStatus.FILLED


def test_own_orders_do_not_trade_with_one_another(exchange: Exchange) -> None:
    bid, _ = best(exchange, BUY)
    inside = str(bid + Decimal("0.01"))
    submit(exchange, "old", order_terms(BUY, 10, inside))
    events = submit(exchange, "new", order_terms(SELL, 4, inside))
    assert only(events, OrderFilled) == []
    assert only(events, OrderCancelled)[0].order.cancel_reason is CancelReason.SELF_TRADE
    old = exchange.order("alice", "old")
    assert old is not None
    assert old.open_quantity == 10


def test_users_trade_with_one_another_inside_the_spread(exchange: Exchange) -> None:
    bid, _ = best(exchange, BUY)
    inside = str(bid + Decimal("0.01"))
    submit(exchange, "a", order_terms(BUY, 10, inside))
    events = submit(exchange, "b", order_terms(SELL, 4, inside), account="bob")
    maker, taker = only(events, OrderFilled)
    assert (maker.order.account_id, taker.order.account_id) == ("alice", "bob")
    assert maker.trade_number == taker.trade_number
    assert maker.execution_id != taker.execution_id
    assert not maker.against_synthetic


def last_price(exchange: Exchange) -> Decimal:
    last = exchange.market("aaa").last
    assert last is not None
    return price_decimal(last)


def test_stop_waits_and_becomes_a_market_order(exchange: Exchange) -> None:
    ask, size = best(exchange, SELL)
    stop = str(ask + Decimal("0.01"))
    assert only(submit(exchange, "stop", order_terms(BUY, 5, stop=stop)), StopTriggered) == []
    events = submit(exchange, "push", order_terms(BUY, size + 1), account="bob")
    triggered = only(events, StopTriggered)[0]
    assert triggered.order.client_order_id == "stop"
    assert events.index(triggered) < events.index(only(events, OrderFilled)[-1])
    stopped = exchange.order("alice", "stop")
    assert stopped is not None
    assert stopped.status is OrderStatus.FILLED


def test_stop_already_reached_acts_at_once(exchange: Exchange) -> None:
    events = submit(exchange, "stop", order_terms(SELL, 5, stop=str(last_price(exchange) + 1)))
    assert len(only(events, StopTriggered)) == 1
    assert only(events, OrderFilled)[0].order.status is OrderStatus.FILLED


def test_stop_limit_rests_at_its_limit(exchange: Exchange) -> None:
    last = last_price(exchange)
    terms = order_terms(BUY, 5, str(last - 1), stop=str(last - 2))
    events = submit(exchange, "1", terms)
    assert len(only(events, StopTriggered)) == 1
    order = exchange.order("alice", "1")
    assert order is not None
    assert order.open_quantity == 5
    assert order.limit_price in exchange.market("aaa").book.bids.levels


def test_one_stop_releases_the_next(exchange: Exchange) -> None:
    ask, size = best(exchange, SELL)
    second_price = exchange.market("aaa").book.asks.depth(2)[1].price
    submit(exchange, "far", order_terms(BUY, 1, stop=str(price_decimal(second_price))), account="carol")
    submit(exchange, "near", order_terms(BUY, size + 1, stop=str(ask)), account="bob")
    events = submit(exchange, "push", order_terms(BUY, 1, str(ask)))
    assert [each.order.client_order_id for each in only(events, StopTriggered)] == ["near", "far"]


def test_immediate_stop_is_immediate_when_triggered(exchange: Exchange) -> None:
    last = last_price(exchange)
    terms = order_terms(BUY, 10**9, str(last + 5), stop=str(last), time_in_force=FOK)
    events = submit(exchange, "1", terms)
    assert only(events, OrderCancelled)[0].order.cancel_reason is CancelReason.NOT_FILLABLE


def test_smaller_quantity_keeps_the_place_in_time(exchange: Exchange) -> None:
    price = str(best(exchange, BUY)[0] + Decimal("0.01"))
    for account in ("alice", "bob"):
        submit(exchange, "1", order_terms(BUY, 10, price), account=account)
    events = exchange.execute(ReplaceOrder("alice", "1", order_terms(BUY, 6, price), 2))
    assert only(events, OrderReplaced)[0].order.terms_version == 2
    sold = submit(exchange, "2", order_terms(SELL, 7, price), account="carol")
    makers = [each.order.account_id for each in only(sold, OrderFilled)]
    assert makers == ["alice", "carol", "bob", "carol"]
    assert exchange.market("aaa").book.bids.depth(1)[0].quantity == 9


@pytest.mark.parametrize("quantity", [11, 10])
def test_more_quantity_or_another_price_goes_to_the_back(exchange: Exchange, quantity: int) -> None:
    price = best(exchange, BUY)[0] + Decimal("0.01")
    for account in ("alice", "bob"):
        submit(exchange, "1", order_terms(BUY, 10, str(price)), account=account)
    version = 2
    if quantity == 10:
        exchange.execute(ReplaceOrder("alice", "1", order_terms(BUY, 10, str(price - 1)), version))
        version += 1
    exchange.execute(ReplaceOrder("alice", "1", order_terms(BUY, quantity, str(price)), version))
    sold = submit(exchange, "2", order_terms(SELL, 5, str(price)), account="carol")
    assert only(sold, OrderFilled)[0].order.account_id == "bob"


def test_replacement_may_trade_at_once(exchange: Exchange) -> None:
    ask, _ = best(exchange, SELL)
    submit(exchange, "1", order_terms(BUY, 2, str(ask - 1)))
    events = exchange.execute(ReplaceOrder("alice", "1", order_terms(BUY, 2, str(ask)), 2))
    assert only(events, OrderFilled)[0].order.status is OrderStatus.FILLED


def test_waiting_stop_is_replaced(exchange: Exchange) -> None:
    last = last_price(exchange)
    submit(exchange, "1", order_terms(SELL, 2, stop=str(last - 9)))
    smaller = exchange.execute(ReplaceOrder("alice", "1", order_terms(SELL, 1, stop=str(last - 9)), 2))
    assert only(smaller, StopTriggered) == []
    events = exchange.execute(ReplaceOrder("alice", "1", order_terms(SELL, 1, stop=str(last + 1)), 3))
    assert len(only(events, StopTriggered)) == 1


@pytest.mark.parametrize(
    ("terms", "version", "reason"),
    [
        (order_terms(BUY, 4, "90"), 2, RejectReason.QUANTITY_FILLED),
        (order_terms(BUY, 20, "90.005"), 2, RejectReason.OFF_TICK),
        (order_terms(BUY, "20.5", "90"), 2, RejectReason.LOT_SIZE),
        (order_terms(BUY, 20, "900"), 2, RejectReason.PRICE_BAND),
        (order_terms(BUY, 20, "90"), 4, RejectReason.TERMS_VERSION),
    ],
)
def test_refused_replacement_changes_nothing(
    exchange: Exchange, terms: OrderTerms, version: int, reason: RejectReason
) -> None:
    price = str(best(exchange, BUY)[0] + Decimal("0.01"))
    submit(exchange, "1", order_terms(BUY, 10, price))
    submit(exchange, "2", order_terms(SELL, 4, price), account="bob")
    before = exchange.order("alice", "1")
    assert exchange.execute(ReplaceOrder("alice", "1", terms, version)) == [
        CommandRejected(exchange.now_ns, "alice", "1", reason)
    ]
    assert exchange.order("alice", "1") == before


def test_replacement_repeated_changes_nothing(exchange: Exchange) -> None:
    submit(exchange, "1", order_terms(BUY, 10, "90"))
    command = ReplaceOrder("alice", "1", order_terms(BUY, 8, "90"), 2)
    exchange.execute(command)
    (known,) = exchange.execute(command)
    assert isinstance(known, OrderKnown)
    with pytest.raises(ValueError, match="keeps side"):
        exchange.execute(ReplaceOrder("alice", "1", order_terms(SELL, 8, "190"), 3))


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        (order_terms(BUY, "1.5"), RejectReason.LOT_SIZE),
        (order_terms(BUY, 1, "99.999"), RejectReason.OFF_TICK),
        (order_terms(BUY, 1, "0.000000001"), RejectReason.OFF_TICK),
        (order_terms(BUY, 1, stop="100.001"), RejectReason.OFF_TICK),
        (order_terms(BUY, 1, "180"), RejectReason.PRICE_BAND),
        (order_terms(SELL, 1, "20"), RejectReason.PRICE_BAND),
    ],
)
def test_refused_submission_uses_up_its_id(
    exchange: Exchange, terms: OrderTerms, reason: RejectReason
) -> None:
    assert reject_reason(submit(exchange, "1", terms)) is reason
    (known,) = submit(exchange, "1", order_terms(BUY, 1))
    assert isinstance(known, OrderKnown)
    assert exchange.order("alice", "1") is None
    assert exchange.knows("alice", "1")


@pytest.mark.parametrize(
    "terms",
    [
        OrderTerms(BUY, OrderType.LIMIT, DAY, Decimal(1)),
        OrderTerms(BUY, OrderType.MARKET, DAY, Decimal(1), limit_price=Decimal(1)),
        OrderTerms(BUY, OrderType.STOP, DAY, Decimal(1)),
        order_terms(BUY, 0),
        order_terms(BUY, -1),
        order_terms(BUY, "NaN"),
        order_terms(BUY, 1, "-1"),
        order_terms(BUY, 1, protection="0"),
        order_terms(BUY, 1, "100", protection="99.99"),
        order_terms(SELL, 1, "100", protection="100.01"),
    ],
)
def test_what_is_no_order_is_an_error(exchange: Exchange, terms: OrderTerms) -> None:
    with pytest.raises(ValueError, match=r"order|positive|beyond"):
        submit(exchange, "1", terms)


def test_unknown_instrument_and_instrument_without_a_bar(exchange: Exchange) -> None:
    unknown = exchange.execute(SubmitOrder("alice", "1", "zzz", order_terms(BUY, 1)))
    assert reject_reason(unknown) is RejectReason.UNKNOWN_INSTRUMENT
    for _ in range(12):
        exchange.step()
    absent = exchange.execute(SubmitOrder("alice", "2", "bbb", order_terms(BUY, 1)))
    assert reject_reason(absent) is RejectReason.MARKET_CLOSED


def test_id_is_used_once(exchange: Exchange) -> None:
    submit(exchange, "1", order_terms(BUY, 5, "90"))
    (known,) = submit(exchange, "1", order_terms(SELL, 9))
    assert isinstance(known, OrderKnown)
    assert known.order == exchange.order("alice", "1")
    assert isinstance(submit(exchange, "1", order_terms(BUY, 5, "90"), account="bob")[0], OrderAccepted)


def test_resolving_an_unknown_id_fences_it(exchange: Exchange) -> None:
    assert exchange.execute(ResolveOrder("alice", "1")) == [IdFenced(exchange.now_ns, "alice", "1")]
    fenced = [CommandRejected(exchange.now_ns, "alice", "1", RejectReason.ORDER_ID_FENCED)]
    assert submit(exchange, "1", order_terms(BUY, 1)) == fenced
    assert exchange.execute(ResolveOrder("alice", "1")) == fenced


def test_resolving_a_known_id_returns_the_order(exchange: Exchange) -> None:
    submit(exchange, "1", order_terms(BUY, 5, "90"))
    (known,) = exchange.execute(ResolveOrder("alice", "1"))
    assert isinstance(known, OrderKnown)


def test_cancel(exchange: Exchange) -> None:
    submit(exchange, "1", order_terms(BUY, 5, "90"))
    submit(exchange, "2", order_terms(BUY, 5, stop="190"))
    for name in ("1", "2"):
        events = exchange.execute(CancelOrder("alice", name))
        assert only(events, OrderCancelled)[0].order.cancel_reason is CancelReason.REQUESTED
        assert exchange.execute(CancelOrder("alice", name)) == [
            CommandRejected(exchange.now_ns, "alice", name, RejectReason.ORDER_ENDED)
        ]
    assert exchange.working_orders() == []
    (rejected,) = exchange.execute(CancelOrder("bob", "1"))
    assert isinstance(rejected, CommandRejected)
    assert rejected.reason is RejectReason.UNKNOWN_ORDER


def test_before_the_first_step_the_market_is_closed() -> None:
    exchange = Exchange(replay_plan())
    assert (exchange.phase, exchange.now_ns, exchange.session) == (Phase.PRE_OPEN, OPEN_NS, None)
    assert reject_reason(submit(exchange, "1", order_terms(BUY, 1))) is RejectReason.MARKET_CLOSED


def test_day_orders_expire_at_the_close_and_others_stay(exchange: Exchange) -> None:
    submit(exchange, "day", order_terms(BUY, 5, "60"))
    submit(exchange, "stop", order_terms(BUY, 5, stop="190", time_in_force=IOC))
    submit(exchange, "gtc", order_terms(BUY, 5, "60", time_in_force=GTC))
    while exchange.position < 11:
        exchange.step()
    events = exchange.step()
    expired = only(events, OrderExpired)
    assert [each.order.client_order_id for each in expired] == ["day", "stop"]
    closed, opened = only(events, SessionClosed)[0], only(events, SessionOpened)[0]
    assert {each.event_time_ns for each in expired} == {closed.event_time_ns}
    assert events.index(expired[-1]) < events.index(closed) < events.index(opened)
    assert [each.client_order_id for each in exchange.working_orders()] == ["gtc"]
    assert not exchange.knows("alice", "day")
    assert [each.client_order_id for each in exchange.carried.orders] == ["gtc"]


def test_end_of_the_window_expires_everything(exchange: Exchange) -> None:
    submit(exchange, "gtc", order_terms(BUY, 5, "60", time_in_force=GTC))
    events = []
    while exchange.phase is not Phase.ENDED:
        events = exchange.step()
    assert [each.order.client_order_id for each in only(events, OrderExpired)] == ["gtc"]
    assert exchange.step() == []
    assert exchange.position == 23
    assert reject_reason(submit(exchange, "2", order_terms(BUY, 1))) is RejectReason.MARKET_CLOSED
    again = Exchange.restore(exchange.plan, exchange.carried, [], exchange.position)
    assert (again.phase, again.position, again.now_ns) == (Phase.ENDED, 23, exchange.now_ns)


def test_replay_may_be_ended_early(exchange: Exchange) -> None:
    submit(exchange, "gtc", order_terms(BUY, 5, "60", time_in_force=GTC))
    events = exchange.end()
    assert len(only(events, OrderExpired)) == len(only(events, SessionClosed)) == 1
    assert exchange.end() == []
    assert exchange.phase is Phase.ENDED
    assert exchange.execute(CancelOrder("alice", "gtc"))[-1] == CommandRejected(
        exchange.now_ns, "alice", "gtc", RejectReason.UNKNOWN_ORDER
    )
