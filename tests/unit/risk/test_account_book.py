"""Books under every order of events: cash and shares held always cover what can still happen."""

import math
from dataclasses import replace
from decimal import Context, Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.portfolio.domain.money import posting_amount
from services.risk.domain.book import AccountBook, RecentOrder
from services.risk.domain.cash import cash_for, cash_per_lot
from services.risk.domain.decision import Proposal, Surroundings, judge
from services.risk.domain.limits import KillSwitch, Limits
from services.risk.domain.market import ReferencePrice
from services.risk.domain.order_log import OrderChange, ReplaceStep, apply_change, lacks_hold, lost_holds
from services.risk.domain.terms import Side, Terms
from services.risk.domain.verdict import Rule, Verdict
from services.runtime.clock import ManualClock
from services.runtime.decimals import round_money
from services.runtime.steps import Steps
from tests.unit.risk.risk_samples import AAPL, FEE, fill_of, hold_for, limit_terms, market_terms

D = Decimal
PRICES = st.decimals("0.01", "300", places=2)
FEES = st.sampled_from([D(0), D("0.0035"), D("0.005"), D("0.0075")])
LIMITS = Limits(price_collar=D("0.5"), duplicate_window_ms=0, max_orders_per_second=10_000)


def surroundings(limits: Limits = LIMITS, **changes: Any) -> Surroundings:
    values = {
        "limits": limits,
        "kill_switch": None,
        "reference": ReferencePrice(D(100), 0, is_stale=False),
        "fee_per_share": FEE,
        "monotonic_ns": 10**18,
        **changes,
    }
    return Surroundings(**values)


def proposal(terms: Terms, order_id: str = "o", version: int = 1, request_id: str = "r") -> Proposal:
    return Proposal("acc", terms, "aapl", AAPL, order_id, request_id, version)


def change(order_id: str, terms: Terms, **changes: Any) -> OrderChange:
    values = {"order_id": order_id, "account_id": "acc", "terms": terms, "has_ended": False, **changes}
    return OrderChange(**values)


class TradingAccount(RuleBasedStateMachine):
    """Orders pass through `judge` as in the service; then anything the venue may do happens to them."""

    def __init__(self) -> None:
        super().__init__()
        self.book = AccountBook("acc", "USD")
        self.live: dict[str, Terms] = {}
        self.replacing: dict[str, Terms] = {}
        self.filled: dict[str, D] = {}
        self.ended: list[tuple[str, Terms]] = []
        self.count = 0

    @initialize(cash=st.decimals("0", "3000", places=2), shares=st.integers(0, 50))
    def open(self, cash: D, shares: int) -> None:
        self.book.cash = cash
        self.book.positions["aapl"] = D(shares)

    @rule(side=st.sampled_from(Side), quantity=st.integers(1, 30), price=PRICES, is_market=st.booleans())
    def submit(self, side: Side, quantity: int, price: D, is_market: bool) -> None:
        self.count += 1
        order_id = f"o{self.count}"
        terms = market_terms(side, quantity) if is_market else limit_terms(side, quantity, price)
        if self._reserve(order_id, terms, 1):
            self.live[order_id] = terms
            self.filled[order_id] = D(0)

    @precondition(lambda self: bool(set(self.live) - set(self.replacing)))
    @rule(data=st.data(), quantity=st.integers(1, 40), price=PRICES)
    def replace(self, data: st.DataObject, quantity: int, price: D) -> None:
        order_id = data.draw(st.sampled_from(sorted(set(self.live) - set(self.replacing))))
        old = self.live[order_id]
        if old.limit_price is None or quantity <= self.filled[order_id]:
            return
        terms = limit_terms(old.side, quantity, price)
        if self._reserve(order_id, terms, 2):
            self.replacing[order_id] = terms
            self._apply(change(order_id, old, replace=ReplaceStep.REQUESTED))

    @precondition(lambda self: self.replacing)
    @rule(data=st.data(), is_done=st.booleans())
    def settle_replace(self, data: st.DataObject, is_done: bool) -> None:
        order_id = data.draw(st.sampled_from(sorted(self.replacing)))
        terms = self.replacing.pop(order_id)
        if is_done and terms.quantity > self.filled[order_id]:
            self.live[order_id] = terms
        step = ReplaceStep.DONE if self.live[order_id] is terms else ReplaceStep.REJECTED
        self._apply(change(order_id, self.live[order_id], replace=step))

    @precondition(lambda self: self.live)
    @rule(data=st.data(), share=st.integers(1, 30), price=PRICES, fee=st.decimals("0", "0.005", places=4))
    def fill(self, data: st.DataObject, share: int, price: D, fee: D) -> None:
        """At the terms in force: the log tells that new ones are before it tells of fills at them."""
        order_id = data.draw(st.sampled_from(sorted(self.live)))
        terms = self.live[order_id]
        left = terms.quantity - self.filled[order_id]
        if left <= 0:
            return
        quantity = min(D(share), left)
        worst = terms.limit_price if terms.limit_price is not None else D(150)
        price = min(price, worst) if terms.side is Side.BUY else max(price, D("0.01"))
        self.count += 1
        self.filled[order_id] += quantity
        done = self.filled[order_id] == terms.quantity and order_id not in self.replacing
        fill = fill_of(order_id, f"x{self.count}", terms.side, quantity, price, fee * quantity)
        self._apply(change(order_id, self.live[order_id], fill=fill, has_ended=done))
        if done:
            self._forget(order_id)

    @precondition(lambda self: self.live)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        order_id = data.draw(st.sampled_from(sorted(self.live)))
        self._apply(change(order_id, self.live[order_id], has_ended=True))
        self._forget(order_id)

    @rule()
    def late_entries_release_nothing(self) -> None:
        before = self.book.cash, self.book.reserved
        for order_id, terms in self.ended:
            self._apply(change(order_id, terms, has_ended=True))
        assert (self.book.cash, self.book.reserved) == before

    def _reserve(self, order_id: str, terms: Terms, version: int) -> bool:
        decision = judge(proposal(terms, order_id, version), self.book, surroundings())
        if decision.passed:
            hold = hold_for(terms, order_id, version=version, attempt=self.count, worst=decision.worst_price)
            assert hold.per_lot == decision.per_lot
            self.book.add_hold("aapl", hold)
        return decision.passed

    def _apply(self, entry: OrderChange) -> None:
        apply_change(self.book, entry)

    def _forget(self, order_id: str) -> None:
        self.ended.append((order_id, self.live.pop(order_id)))
        self.replacing.pop(order_id, None)

    @invariant()
    def cash_covers_what_is_held(self) -> None:
        assert self.book.reserved >= 0
        assert self.book.cash - self.book.reserved >= 0

    @invariant()
    def shares_cover_what_is_to_be_sold(self) -> None:
        assert 0 <= self.book.open_quantity("aapl", Side.SELL) <= self.book.position("aapl")

    @invariant()
    def sums_equal_a_recount(self) -> None:
        orders = self.book.orders.values()
        assert self.book.reserved == sum((order.cash for order in orders), D(0))
        for side in Side:
            quantities = (order.quantity for order in orders if order.side is side)
            assert self.book.open_quantity("aapl", side) == sum(quantities, D(0))
        assert set(self.book.orders) == set(self.live)


TradingAccount.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestTradingAccount = TradingAccount.TestCase


@given(
    price=PRICES,
    fee=FEES,
    pieces=st.lists(st.integers(1, 9), min_size=1, max_size=40),
)
def test_no_way_of_cutting_an_order_into_fills_costs_more_than_is_held(
    price: Decimal, fee: Decimal, pieces: list[int]
) -> None:
    """One rounding an order would not do: 10.015 posts as 10.02, and two of them cost 20.04, not 20.03."""
    per_lot = cash_per_lot(worst_price=price, fee_per_share=fee, lot_size=D(1), currency="USD")
    held = cash_for(D(sum(pieces)), per_lot=per_lot, lot_size=D(1))
    cost = sum(round_money(piece * (price + fee), "USD") for piece in pieces)
    assert cost <= held
    assert held < sum(pieces) * (price + fee + D("0.01"))


@given(
    lot_size=st.sampled_from([D("0.5"), D(1), D(10), D(100)]),
    price=PRICES.map(lambda price: price + D("0.005")),
    fee=FEES,
    currency=st.sampled_from(["USD", "JPY"]),
    pieces=st.lists(st.integers(1, 60), min_size=1, max_size=40),
)
def test_what_is_held_covers_what_portfolio_posts_however_lots_are_filled(
    lot_size: Decimal, price: Decimal, fee: Decimal, currency: str, pieces: list[int]
) -> None:
    """Down to single shares, which is what a venue may find on the other side."""
    instrument = replace(AAPL, lot_size=lot_size, currency=currency, ticks=Steps.of(D("0.001")))
    unit = min(lot_size, D(1))
    lots = math.ceil(sum(pieces) / int(lot_size / unit))
    terms = limit_terms(quantity=lots * lot_size, price=price)
    cash = round_money(lots * lot_size * (price + 2), currency)
    book = AccountBook("acc", currency, cash)
    around = surroundings(fee_per_share=fee, reference=ReferencePrice(price, 0, is_stale=False))
    decision = judge(replace(proposal(terms), instrument=instrument), book, around)
    assert decision.passed
    hold = replace(hold_for(terms, "o"), lot_size=decision.lot_size, per_lot=decision.per_lot)
    book.add_hold("aapl", hold)
    assert book.reserved == decision.reserved_cash
    free, posted = book.cash - book.reserved, D(0)
    for number, piece in enumerate(pieces):
        quantity = piece * unit
        entry = replace(
            fill_of("o", f"x{number}", Side.BUY, quantity, price, fee * quantity), currency=currency
        )
        posted -= posting_amount(quantity, price, fee * quantity, currency)
        book.fill(entry)
        assert book.cash == cash - posted
        assert book.cash - book.reserved >= free
    assert posted <= decision.reserved_cash


def test_a_part_of_a_lot_holds_for_a_whole_one() -> None:
    assert cash_for(D("2.5"), per_lot=D(10), lot_size=D(1)) == 30


def test_a_fill_turns_hold_into_position_and_cash() -> None:
    book = AccountBook("acc", "USD", D(2000))
    book.add_hold("aapl", hold_for(limit_terms(), "o"))
    assert book.reserved == D("1000.10")
    fill = fill_of("o", "x", Side.BUY, 4, "99.50", "0.02")
    apply_change(book, change("o", limit_terms(), fill=fill))
    assert (book.cash, book.reserved) == (D("1601.98"), D("600.06"))
    assert book.position("aapl") == 4


def test_a_fill_after_the_end_still_counts() -> None:
    book = AccountBook("acc", "USD", D(2000))
    book.add_hold("aapl", hold_for(limit_terms(), "o"))
    apply_change(book, change("o", limit_terms(), has_ended=True))
    assert book.reserved == 0
    late = change("o", limit_terms(), has_ended=True, fill=fill_of("o", "x", Side.BUY, 10, 100))
    assert apply_change(book, late) == []
    assert (book.cash, book.position("aapl"), book.reserved) == (D(1000), D(10), D(0))


@settings(deadline=None)
@given(
    old=st.tuples(st.integers(1, 40), PRICES),
    new=st.tuples(st.integers(1, 40), PRICES),
    before=st.integers(0, 40),
    is_one_fill=st.booleans(),
)
def test_what_fills_at_old_terms_before_the_new_ones_are_in_force_is_paid_for(
    old: tuple[int, D], new: tuple[int, D], before: int, is_one_fill: bool
) -> None:
    """All other cash is taken by other orders; `before` shares fill at the old price, the rest at the new."""
    terms = [limit_terms(Side.BUY, *old), limit_terms(Side.BUY, *new)]
    book = AccountBook("acc", "USD", D(10**6))
    for version, wanted in enumerate(terms, start=1):
        decision = judge(proposal(wanted, version=version), book, surroundings(Limits(price_collar=D("0.5"))))
        book.add_hold("aapl", hold_for(wanted, "o", version=version))
        assert decision.reserved_cash in (D(0), book.reserved)
    lot = [(price + FEE).quantize(D("0.01"), "ROUND_UP", Context(traps=[])) for _, price in (old, new)]
    costs = [k * lot[0] + max(new[0] - k, 0) * lot[1] for k in range(old[0] + 1)]
    assert book.reserved == max(costs)

    book.cash = book.reserved
    before = min(before, old[0])
    rest = max(new[0] - before, 0)
    apply_change(book, change("o", terms[0], replace=ReplaceStep.REQUESTED))
    for (quantity, price), in_force in (((before, old[1]), terms[0]), ((rest, new[1]), terms[1])):
        if in_force is terms[1]:
            step = ReplaceStep.DONE if rest else ReplaceStep.REJECTED
            apply_change(book, change("o", terms[1] if rest else terms[0], replace=step))
        for number, shares in enumerate([quantity] if is_one_fill else [1] * quantity):
            fill = fill_of("o", f"x{price}-{number}", Side.BUY, shares, price, FEE * shares)
            apply_change(book, change("o", in_force, fill=fill))
            assert book.cash - book.reserved >= 0
    apply_change(book, change("o", terms[1], has_ended=True))
    assert book.cash >= 0
    assert book.reserved == 0


def test_an_open_replace_holds_the_larger_of_old_and_new() -> None:
    book = AccountBook("acc", "USD", D(5000))
    old, new = limit_terms(quantity=10), limit_terms(quantity=20)
    book.add_hold("aapl", hold_for(old, "o"))
    book.add_hold("aapl", hold_for(new, "o", version=2))
    assert book.reserved == D("2000.20")
    apply_change(book, change("o", old, replace=ReplaceStep.REQUESTED))
    apply_change(book, change("o", old, replace=ReplaceStep.REJECTED))
    assert book.reserved == D("1000.10")
    book.add_hold("aapl", hold_for(limit_terms(quantity=5), "o", version=2, attempt=2))
    assert book.reserved == D("1000.10")
    apply_change(book, change("o", old, replace=ReplaceStep.REQUESTED))
    apply_change(book, change("o", limit_terms(quantity=5), replace=ReplaceStep.DONE))
    assert book.reserved == D("500.05")


def test_a_rejected_replace_leaves_the_next_one_that_is_not_in_the_log_yet() -> None:
    book = AccountBook("acc", "USD", D(9000))
    old, first, second = limit_terms(), limit_terms(quantity=20), limit_terms(quantity=30)
    book.add_hold("aapl", hold_for(old, "o"))
    book.add_hold("aapl", hold_for(first, "o", version=2))
    book.add_hold("aapl", hold_for(second, "o", version=2, attempt=2))
    apply_change(book, change("o", old, replace=ReplaceStep.REQUESTED))
    apply_change(book, change("o", old, replace=ReplaceStep.REJECTED))
    assert {hold.terms for hold in book.orders["o"].holds} == {old, second}
    apply_change(book, change("o", old, replace=ReplaceStep.REQUESTED))
    apply_change(book, change("o", second, replace=ReplaceStep.DONE))
    assert {hold.terms for hold in book.orders["o"].holds} == {second}


def test_terms_in_force_that_are_not_held_for_give_nothing_back() -> None:
    book = AccountBook("acc", "USD", D(9000))
    book.add_hold("aapl", hold_for(limit_terms(), "o"))
    entry = change("o", limit_terms(quantity=7), replace=ReplaceStep.DONE)
    assert lacks_hold(book, entry)
    apply_change(book, entry)
    assert book.reserved == D("1000.10")


def test_lacking_a_hold() -> None:
    book = AccountBook("acc", "USD", D(9000))
    assert lacks_hold(book, change("o", limit_terms()))
    assert not lacks_hold(book, change("o", limit_terms(), has_ended=True))
    book.add_hold("aapl", hold_for(limit_terms(), "o"))
    assert not lacks_hold(book, change("o", limit_terms()))
    assert lacks_hold(book, change("o", limit_terms(), replace=ReplaceStep.REQUESTED))


STEPS = st.one_of(
    st.tuples(st.just("reserve"), st.integers(1, 3)),
    st.tuples(st.just("give up"), st.integers(0, 5)),
    st.tuples(st.sampled_from(ReplaceStep), st.integers(1, 3)),
)


@given(steps=st.lists(STEPS, max_size=25))
def test_whatever_was_given_up_a_live_order_holds_for_its_terms(steps: list[tuple[Any, int]]) -> None:
    """Holds are released for any reason at any time, and the log tells of any steps of the live order."""
    book = AccountBook("acc", "USD", D(9000))
    terms = {n: limit_terms(quantity=10 * n) for n in (1, 2, 3)}
    in_force, decided = terms[1], [hold_for(terms[1], "o")]
    book.add_hold("aapl", decided[0])
    for number, (step, value) in enumerate(steps, start=2):
        if step == "reserve":
            decided.append(hold_for(terms[value], "o", version=2, attempt=number))
            book.add_hold("aapl", decided[-1])
            continue
        if step == "give up":
            hold = decided[value % len(decided)]
            if not (hold.confirmed and hold.terms == in_force):  # only the order's end gives that back
                book.drop_hold(hold)
            continue
        granted = [hold for hold in decided if hold.terms == terms[value]]
        if step is ReplaceStep.DONE and granted:
            in_force = terms[value]
        version = 1 if in_force is terms[1] else 2
        entry = change("o", in_force, replace=step, terms_version=version)
        if lacks_hold(book, entry):
            for hold in lost_holds(book, entry, decided):
                book.add_hold("aapl", hold)
        apply_change(book, entry)
        order = book.orders["o"]
        assert in_force in {hold.terms for hold in order.holds}
        assert len({hold.key for hold in order.holds}) == len(order.holds)
        assert book.reserved == order.cash >= in_force.quantity * D("100.01")


def test_dropping_a_hold_twice_does_nothing() -> None:
    book = AccountBook("acc", "USD")
    hold = hold_for(limit_terms(), "o")
    book.add_hold("aapl", hold)
    assert book.unconfirmed_order("r") is book.orders["o"]
    book.drop_hold(hold)
    book.drop_hold(hold)
    assert book.reserved == 0
    assert book.unconfirmed_order("r") is None


def twin_verdict(age_ms: int, **changes: Any) -> Verdict:
    book = AccountBook("acc", "USD", D(9000))
    now = 10**18
    values = {
        "request_id": "r1",
        "instrument_id": "aapl",
        "terms": limit_terms(),
        "passed_ns": now - age_ms * 10**6,
    }
    book.remember(RecentOrder(**{**values, **changes}))
    decision = judge(proposal(limit_terms(), request_id="r2"), book, surroundings(Limits(), monotonic_ns=now))
    return next(r.verdict for r in decision.results if r.rule is Rule.DUPLICATE_ORDER)


def test_a_duplicate_is_the_same_terms_under_another_request_id_within_the_window() -> None:
    assert twin_verdict(249) is Verdict.FAIL
    assert twin_verdict(250) is Verdict.PASS
    assert twin_verdict(10, request_id="r2") is Verdict.PASS
    assert twin_verdict(10, instrument_id="ibm") is Verdict.PASS
    assert twin_verdict(10, terms=limit_terms(price=99)) is Verdict.PASS
    assert twin_verdict(10, terms=limit_terms(Side.SELL)) is Verdict.PASS


def test_the_rate_counts_a_sliding_second() -> None:
    book, now = AccountBook("acc", "USD", D(9000)), 10**18
    limits = Limits(max_orders_per_second=2, duplicate_window_ms=0)
    for age_ms in (1000, 999, 500):
        book.remember(RecentOrder("x", "aapl", limit_terms(), now - age_ms * 10**6))
    for now_ns, count in ((now, 3), (now + 10**6, 2)):
        decision = judge(proposal(limit_terms()), book, surroundings(limits, monotonic_ns=now_ns))
        assert next(r.value for r in decision.results if r.rule is Rule.ORDER_RATE) == count


def test_what_was_kept_by_a_wall_clock_that_was_stepped_back_passed_just_now() -> None:
    clock = ManualClock(10**18)
    clock.advance(100 * 10**9)
    before = clock.now_ns()
    ages_s = {0: 0, 1: 1, 59: 59, -1: 0, -3600: 0}  # a negative age lies in the future
    for age_s, taken_s in ages_s.items():
        recalled = RecentOrder.recalled_ns(
            before - age_s * 10**9, wall_ns=clock.now_ns(), monotonic_ns=clock.monotonic_ns()
        )
        assert clock.monotonic_ns() - recalled == taken_s * 10**9


def test_recent_orders_are_forgotten() -> None:
    book = AccountBook("acc", "USD")
    for second in range(100):
        book.remember(RecentOrder("x", "aapl", limit_terms(), second * 10**9))
    assert len(book.recent) == 60


def test_what_is_reserved_is_told_only_of_orders_that_pass() -> None:
    book = AccountBook("acc", "USD", D("1000.10"))
    passed = judge(proposal(limit_terms()), book, surroundings())
    assert (passed.passed, passed.reserved_cash, passed.reserved_quantity) == (True, D("1000.10"), D(0))
    switch = KillSwitch("", is_engaged=True, reason="x", user_id="u", update_time_ns=0)
    halted = judge(proposal(limit_terms()), book, surroundings(kill_switch=switch))
    assert (halted.passed, halted.reserved_cash) == (False, D(0))
    book.positions["aapl"] = D(10)
    sell = judge(proposal(limit_terms(Side.SELL)), book, surroundings())
    assert (sell.reserved_cash, sell.reserved_quantity) == (D(0), D(10))


def test_a_log_that_is_late_settles_each_replace_by_its_version() -> None:
    """Terms may be asked for that are in force already; a replace after that keeps what it holds."""
    book, old, new = AccountBook("acc", "USD", D(9000)), limit_terms(), limit_terms(price=101)
    for version, terms in ((1, old), (2, old), (3, new)):
        book.add_hold("aapl", hold_for(terms, "o", version=version))
    for version, step in ((1, ReplaceStep.REQUESTED), (2, ReplaceStep.DONE), (2, ReplaceStep.REQUESTED)):
        apply_change(book, change("o", old, replace=step, terms_version=version))
        assert new in {hold.terms for hold in book.orders["o"].holds}
    apply_change(book, change("o", new, replace=ReplaceStep.DONE, terms_version=3))
    assert {hold.terms for hold in book.orders["o"].holds} == {new}
