"""Books under every order of events: cash and shares held always cover what can still happen."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from services.risk.domain.book import AccountBook, RecentOrder
from services.risk.domain.cash import cash_for, cash_per_lot
from services.risk.domain.decision import Proposal, Surroundings, judge
from services.risk.domain.limits import KillSwitch, Limits
from services.risk.domain.market import ReferencePrice
from services.risk.domain.order_log import OrderChange, ReplaceStep, apply_change, lacks_hold
from services.risk.domain.terms import Side, Terms
from services.risk.domain.verdict import Rule, Verdict
from services.runtime.decimals import round_money
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
        "now_ns": 10**18,
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
        order_id = data.draw(st.sampled_from(sorted(self.live)))
        terms = data.draw(
            st.sampled_from([self.live[order_id], self.replacing.get(order_id, self.live[order_id])])
        )
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
        "decided_ns": now - age_ms * 10**6,
    }
    book.remember(RecentOrder(**{**values, **changes}))
    decision = judge(proposal(limit_terms(), request_id="r2"), book, surroundings(Limits(), now_ns=now))
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
        decision = judge(proposal(limit_terms()), book, surroundings(limits, now_ns=now_ns))
        assert next(r.value for r in decision.results if r.rule is Rule.ORDER_RATE) == count


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
