"""What always holds, whatever members send and whenever: money and shares depend on each of these."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.venue.domain.book import SyntheticQuote
from services.venue.domain.commands import (
    CancelOrder,
    Command,
    RecordedCommand,
    ReplaceOrder,
    ResolveOrder,
    SubmitOrder,
)
from services.venue.domain.events import (
    Event,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderReplaced,
    StopTriggered,
    TradePrinted,
)
from services.venue.domain.exchange import Exchange
from services.venue.domain.order import OrderStatus, OrderTerms, Side, TimeInForce
from services.venue.domain.plan import CarriedState
from services.venue.domain.replay import DailyBar
from services.venue.domain.session import Phase
from tests.unit.venue.venue_replays import only, order_terms, replay_plan

STEPS = 12
PLAN = replay_plan(sessions=3, steps=STEPS)
ACCOUNTS = st.sampled_from(["alice", "bob"])
IDS = st.sampled_from([f"id{number}" for number in range(12)])
INSTRUMENTS = st.sampled_from(["aaa", "bbb"])
Script = list[tuple[int, list[Command]]]


@st.composite
def terms(draw: st.DrawFn, instrument: str) -> OrderTerms:
    middle, reach = (10_050, 250) if instrument == "aaa" else (503, 12)
    price = st.integers(middle - reach, middle + reach).map(lambda cents: str(Decimal(cents) / 100))
    limit: str | None = draw(st.one_of(st.none(), price))
    return order_terms(
        draw(st.sampled_from(Side)),
        draw(st.one_of(st.integers(1, 60), st.integers(1, 30_000))),
        limit,
        stop=draw(st.one_of(st.none(), st.none(), price)),
        time_in_force=draw(st.sampled_from(TimeInForce)),
        protection=draw(st.one_of(st.none(), price)) if limit is None else None,
    )


@st.composite
def commands(draw: st.DrawFn) -> Command:
    account, client_order_id = draw(ACCOUNTS), draw(IDS)
    kind = draw(st.sampled_from(["submit", "submit", "submit", "cancel", "replace", "resolve"]))
    if kind == "submit":
        instrument = draw(INSTRUMENTS)
        return SubmitOrder(account, client_order_id, instrument, draw(terms(instrument)))
    if kind == "replace":
        return ReplaceOrder(account, client_order_id, draw(terms("aaa")), draw(st.integers(2, 4)))
    return (CancelOrder if kind == "cancel" else ResolveOrder)(account, client_order_id)


SCRIPTS = st.lists(st.tuples(st.integers(1, 4), st.lists(commands(), max_size=4)), min_size=1, max_size=12)


class Run:
    """A script played on an exchange, with everything a service would have stored on the way."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.events: list[Event] = []
        self.recorded: list[RecordedCommand] = []
        self.carried: CarriedState = exchange.carried

    def step(self) -> None:
        self.events += self.exchange.step()
        if self.exchange.carried is not self.carried:
            self.carried = self.exchange.carried
            self.recorded.clear()

    def execute(self, command: Command) -> None:
        fitted = self.fit(command)
        self.events += self.exchange.execute(fitted)
        self.recorded.append(RecordedCommand(self.exchange.position, fitted))

    def fit(self, command: Command) -> Command:
        """Give a replacement the side, type and instrument-independent terms of the order it is for."""
        order = self.exchange.order(command.account_id, command.client_order_id)
        if not isinstance(command, ReplaceOrder) or order is None:
            return command
        new, old = command.terms, order.terms
        fitted = OrderTerms(
            old.side,
            old.order_type,
            old.time_in_force,
            new.quantity,
            old.limit_price and (new.limit_price or old.limit_price),
            old.stop_price and (new.stop_price or old.stop_price),
            old.protection_price,
        )
        return ReplaceOrder(command.account_id, command.client_order_id, fitted, order.terms_version + 1)

    def play(self, script: Script) -> None:
        for advance, group in script:
            for _ in range(advance):
                self.step()
                check_books(self.exchange)
            for command in group:
                self.execute(command)
                check_books(self.exchange)


def check_books(exchange: Exchange) -> None:
    for instrument in exchange.plan.instruments:
        market = exchange.market(instrument.instrument_id)
        bid, ask = market.book.bids.best, market.book.asks.best
        assert bid is None or ask is None or bid.price < ask.price, "crossed or locked"
        for side in (market.book.bids, market.book.asks):
            assert len(side.keys) == len(side.levels)
            for level in side.ranked():
                generated = [
                    each.quantity for each in level.queue.values() if isinstance(each, SyntheticQuote)
                ]
                users = [each for each in level.queue.values() if not isinstance(each, SyntheticQuote)]
                assert level.queue
                assert all(generated)
                assert level.synthetic == sum(generated)
                assert level.user == sum(order.unfilled for order in users)
                assert [o.priority for o in users] == sorted(o.priority for o in users)
                assert all(market.working[o.order_id] is o and o.open_quantity for o in users)
        resting = {
            o.order_id
            for s in (market.book.bids, market.book.asks)
            for v in s.ranked()
            for o in v.queue.values()
            if not isinstance(o, SyntheticQuote)
        }
        waiting = {order.order_id for order in market.stops}
        assert resting | waiting == set(market.working)
        assert not resting & waiting


def check_orders(events: Sequence[Event]) -> None:
    """Follow every order through its events alone."""
    filled: dict[str, int] = defaultdict(int)
    quantity: dict[str, int] = {}
    ended: set[str] = set()
    executions: set[str] = set()
    for event in events:
        if not isinstance(
            event, OrderAccepted | OrderFilled | OrderCancelled | OrderExpired | OrderReplaced | StopTriggered
        ):
            continue
        order = event.order
        assert order.order_id not in ended, "an event after the end"
        if isinstance(event, OrderAccepted):
            assert order.order_id not in quantity
        if isinstance(event, OrderAccepted | OrderReplaced):
            quantity[order.order_id] = order.quantity
        if isinstance(event, OrderFilled):
            assert event.execution_id not in executions
            executions.add(event.execution_id)
            filled[order.order_id] += event.quantity
            check_price(event)
        assert order.filled == filled[order.order_id] <= quantity[order.order_id] == order.quantity
        cancelled = order.unfilled if order.status in {OrderStatus.CANCELLED, OrderStatus.EXPIRED} else 0
        assert order.filled + order.open_quantity + cancelled == order.quantity
        if order.status is not OrderStatus.WORKING:
            ended.add(order.order_id)


def check_price(fill: OrderFilled) -> None:
    order = fill.order
    sign = 1 if order.side is Side.BUY else -1
    for bound in (
        order.limit_price,
        order.engine_terms.protection_price if order.limit_price is None else None,
    ):
        assert bound is None or sign * fill.price <= sign * bound
    assert fill.quantity > 0
    assert fill.fee == Decimal("0.005") * fill.quantity


def check_tape(events: Sequence[Event]) -> None:
    """Synthetic prints alone make each finished session's real bar; users' fills and users' prints agree."""
    sessions = {each.session_date: each for each in PLAN.sessions}
    for on, session in sessions.items():
        for instrument in ("aaa", "bbb"):
            trades = [
                each
                for each in only(events, TradePrinted)
                if each.instrument_id == instrument
                and session.open_ns <= each.event_time_ns <= session.close_ns
            ]
            assert [each.trade_number for each in trades] == list(range(1, len(trades) + 1))
            prints = [each for each in trades if each.synthetic]
            if not prints or not prints[-1].session_end:
                continue
            prices = [each.price for each in prints]
            volume = sum(each.quantity for each in prints)
            bar = DailyBar(prices[0], max(prices), min(prices), prices[-1], volume)
            assert bar == PLAN.bars[on, instrument]
            fills: dict[tuple[int, int], int] = defaultdict(int)
            for fill in only(events, OrderFilled):
                if (fill.order.instrument_id, fill.event_time_ns <= session.close_ns) == (instrument, True):
                    fills[fill.event_time_ns, fill.trade_number] += fill.quantity * (
                        1 if fill.against_synthetic else 0
                    )
            for trade in trades:
                if not trade.synthetic and fills[trade.event_time_ns, trade.trade_number]:
                    assert fills[trade.event_time_ns, trade.trade_number] == trade.quantity


@settings(max_examples=60, deadline=None)
@given(SCRIPTS)
def test_shares_are_conserved_books_uncrossed_and_bars_real(script: Script) -> None:
    run = Run(Exchange(PLAN))
    run.play(script)
    while run.exchange.phase is not Phase.ENDED:
        run.step()
    check_orders(run.events)
    check_tape(run.events)
    assert run.exchange.working_orders() == []


@settings(max_examples=25, deadline=None)
@given(SCRIPTS)
def test_same_seed_and_same_commands_give_the_same_tape_byte_for_byte(script: Script) -> None:
    first, second = Run(Exchange(PLAN)), Run(Exchange(PLAN))
    first.play(script)
    second.play(script)
    assert repr(first.events).encode() == repr(second.events).encode()


@settings(max_examples=60, deadline=None)
@given(SCRIPTS, SCRIPTS)
def test_restored_exchange_goes_on_as_if_it_had_never_stopped(before: Script, after: Script) -> None:
    run = Run(Exchange(PLAN))
    run.play(before)
    restored = Run(Exchange.restore(PLAN, run.carried, run.recorded, run.exchange.position))
    assert restored.exchange.working_orders() == run.exchange.working_orders()
    assert restored.exchange.now_ns == run.exchange.now_ns
    run.events.clear()
    run.play(after)
    restored.play(after)
    assert restored.events == run.events
    assert restored.exchange.carried == run.exchange.carried


def test_restore_refuses_a_position_or_command_of_another_session() -> None:
    exchange = Exchange(PLAN)
    exchange.step()
    command = RecordedCommand(5, CancelOrder("alice", "1"))
    with pytest.raises(ValueError, match="session"):
        Exchange.restore(PLAN, CarriedState(), [], STEPS)
    with pytest.raises(ValueError, match="out of order"):
        Exchange.restore(PLAN, CarriedState(), [command], 3)


def test_users_do_not_change_the_generated_tape() -> None:
    quiet, busy = Run(Exchange(PLAN)), Run(Exchange(PLAN))
    for step in range(STEPS):
        quiet.step()
        busy.step()
        for account, side in (("alice", Side.BUY), ("bob", Side.SELL)):
            busy.execute(SubmitOrder(account, f"{step}", "aaa", order_terms(side, 500 * (step + 1))))
    tapes = [
        [(e.event_time_ns, e.price, e.quantity) for e in only(run.events, TradePrinted) if e.synthetic]
        for run in (quiet, busy)
    ]
    assert tapes[0] == tapes[1]
    assert only(busy.events, OrderFilled)
