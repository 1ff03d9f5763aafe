"""Each rule at its edge."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from services.risk.domain.limits import (
    RANGES,
    KillSwitch,
    LimitRangeError,
    Limits,
    change_limits,
)
from services.risk.domain.market import Instrument, ReferencePrice, reference_of
from services.risk.domain.rules import evaluate, passes
from services.risk.domain.terms import OrderType, Side, Terms
from services.risk.domain.verdict import Rule, RuleResult, Verdict
from tests.unit.risk.risk_samples import AAPL, context, limit_terms, market_terms

D = Decimal
PASS, FAIL, UNDECIDED = Verdict.PASS, Verdict.FAIL, Verdict.UNDECIDED


def result_of(rule: Rule, **changes: Any) -> RuleResult:
    return next(result for result in evaluate(context(**changes)) if result.rule is rule)


def test_a_plain_order_passes_every_rule_and_each_is_named_in_order() -> None:
    results = evaluate(context())
    assert [result.rule for result in results] == list(Rule)
    assert passes(results)
    assert all(result.message for result in results)


@pytest.mark.parametrize("verdict", [FAIL, UNDECIDED])
def test_anything_but_pass_refuses(verdict: Verdict) -> None:
    results = evaluate(context())
    assert not passes([*results[:-1], replace(results[-1], verdict=verdict)])


@pytest.mark.parametrize(
    ("instrument", "text"),
    [
        (None, "no instrument"),
        (replace(AAPL, is_tradable=False, status="halted"), "halted"),
        (replace(AAPL, currency="EUR"), "EUR"),
    ],
)
def test_instrument_must_be_known_active_and_in_the_accounts_currency(
    instrument: Instrument | None, text: str
) -> None:
    result = result_of(Rule.INSTRUMENT_TRADABLE, instrument=instrument)
    assert result.verdict is FAIL
    assert text in result.message
    assert result.value is None


@pytest.mark.parametrize(("quantity", "verdict"), [("10000", PASS), ("10000.000000001", FAIL)])
def test_order_quantity(quantity: str, verdict: Verdict) -> None:
    result = result_of(Rule.ORDER_QUANTITY, terms=limit_terms(quantity=quantity))
    assert result.verdict is verdict
    assert result.headroom == D(10_000) - D(quantity)
    assert (result.limit, result.unit) == (D(10_000), "shares")


@pytest.mark.parametrize(("worst", "verdict"), [("100000", PASS), ("100000.01", FAIL)])
def test_order_notional_of_a_buy_is_at_its_worst_price(worst: str, verdict: Verdict) -> None:
    result = result_of(Rule.ORDER_NOTIONAL, worst_price=D(worst))
    assert result.verdict is verdict
    assert result.value == 10 * D(worst)
    assert result.unit == "USD"


def test_order_notional_of_a_sell_is_at_the_reference_where_that_is_higher() -> None:
    sell = limit_terms(Side.SELL, price=95)
    assert result_of(Rule.ORDER_NOTIONAL, terms=sell, worst_price=D(95)).value == 1000
    assert result_of(Rule.ORDER_NOTIONAL, terms=sell, worst_price=D(120)).value == 1200


def test_without_a_price_the_money_rules_are_undecided() -> None:
    results = evaluate(context(terms=market_terms(), worst_price=None, reference=None, cash_needed=None))
    undecided = {result.rule for result in results if result.verdict is UNDECIDED}
    assert undecided == {Rule.ORDER_NOTIONAL, Rule.PRICE_COLLAR, Rule.BUYING_POWER}
    assert not passes(results)


@pytest.mark.parametrize(
    ("terms", "verdict", "value"),
    [
        (limit_terms(price="110"), PASS, "0.1"),
        (limit_terms(price="110.01"), FAIL, "0.1001"),
        (limit_terms(price="50"), PASS, "-0.5"),
        (limit_terms(Side.SELL, price="90"), PASS, "0.1"),
        (limit_terms(Side.SELL, price="89.99"), FAIL, "0.1001"),
        (limit_terms(Side.SELL, price="500"), PASS, "-4"),
        (Terms(Side.BUY, OrderType.STOP, D(1), stop_price=D(111)), FAIL, "0.11"),
        (Terms(Side.BUY, OrderType.STOP_LIMIT, D(1), limit_price=D(105), stop_price=D(111)), FAIL, "0.11"),
        (Terms(Side.SELL, OrderType.STOP_LIMIT, D(1), limit_price=D(80), stop_price=D(95)), FAIL, "0.2"),
        (market_terms(), PASS, "0"),
    ],
)
def test_price_collar_counts_only_what_is_against_the_account(
    terms: Terms, verdict: Verdict, value: str
) -> None:
    result = result_of(Rule.PRICE_COLLAR, terms=terms)
    assert (result.verdict, result.value) == (verdict, D(value))
    assert result.headroom == D("0.1") - D(value)


def test_price_collar_decides_on_exact_numbers_and_shows_six_digits() -> None:
    reference = ReferencePrice(D("99.999999"), age_ms=0, is_stale=False)
    terms = limit_terms(price="109.9999989")
    result = result_of(Rule.PRICE_COLLAR, terms=terms, reference=reference)
    assert (result.verdict, result.value) == (PASS, D("0.100000"))
    over = result_of(Rule.PRICE_COLLAR, terms=limit_terms(price="109.999998901"), reference=reference)
    assert (over.verdict, over.value) == (FAIL, D("0.100000"))


@pytest.mark.parametrize("terms", [limit_terms(), market_terms()])
@pytest.mark.parametrize(
    ("reference", "verdict"),
    [
        (ReferencePrice(D(100), 10_000, is_stale=False), PASS),
        (ReferencePrice(D(100), 10_001, is_stale=False), UNDECIDED),
        (ReferencePrice(D(100), 1, is_stale=True), UNDECIDED),
        (None, UNDECIDED),
    ],
)
def test_a_stale_price_decides_nothing(
    terms: Terms, reference: ReferencePrice | None, verdict: Verdict
) -> None:
    result = result_of(Rule.PRICE_COLLAR, terms=terms, reference=reference)
    assert result.verdict is verdict
    if verdict is UNDECIDED and reference is not None:
        assert result.message == f"price is stale, {reference.age_ms} ms old"


def test_a_buy_counts_open_buys_to_the_position() -> None:
    at = {"position": D(99_980), "open_same_side": D(10)}
    assert result_of(Rule.POSITION, **at).verdict is PASS
    over = result_of(Rule.POSITION, **at, remaining=D(11))
    assert (over.verdict, over.value, over.headroom) == (FAIL, D(100_001), D(-1))


def test_a_sell_needs_shares_that_no_other_sell_wants() -> None:
    sell = {"terms": limit_terms(Side.SELL), "position": D(15)}
    assert result_of(Rule.POSITION, **sell, open_same_side=D(5)).verdict is PASS
    short = result_of(Rule.POSITION, **sell, open_same_side=D(6))
    assert (short.verdict, short.value, short.limit, short.headroom) == (FAIL, D(16), D(15), D(-1))


@pytest.mark.parametrize(("available", "verdict"), [("1000.10", PASS), ("1000.09", FAIL)])
def test_buying_power_to_the_cent(available: str, verdict: Verdict) -> None:
    result = result_of(Rule.BUYING_POWER, cash_available=D(available))
    assert (result.verdict, result.headroom) == (verdict, D(available) - D("1000.10"))


def test_a_sell_needs_no_cash() -> None:
    result = result_of(Rule.BUYING_POWER, terms=limit_terms(Side.SELL), cash_available=D(-5))
    assert (result.verdict, result.value) == (PASS, D(0))


@pytest.mark.parametrize(("before", "verdict"), [(199, PASS), (200, FAIL)])
def test_order_rate(before: int, verdict: Verdict) -> None:
    result = result_of(Rule.ORDER_RATE, orders_last_second=before)
    assert (result.verdict, result.value, result.unit) == (verdict, D(before + 1), "orders/s")


def test_duplicate_order() -> None:
    result = result_of(Rule.DUPLICATE_ORDER, twin_age_ms=100)
    assert (result.verdict, result.value, result.headroom) == (FAIL, D(100), D(-150))
    off = Limits(duplicate_window_ms=0)
    assert result_of(Rule.DUPLICATE_ORDER, twin_age_ms=0, limits=off).verdict is PASS


@pytest.mark.parametrize(("account", "text"), [("", "all accounts"), ("acc", "this account")])
def test_kill_switch_names_what_is_halted(account: str, text: str) -> None:
    switch = KillSwitch(account, is_engaged=True, reason="fire", user_id="u", update_time_ns=0)
    result = result_of(Rule.KILL_SWITCH, kill_switch=switch)
    assert result.verdict is FAIL
    assert text in result.message
    assert "fire" in result.message


@pytest.mark.parametrize(
    ("bid", "ask", "last", "expected"),
    [("10", "10.01", "9", "10.005"), ("0", "10", "9", "9"), ("10", "0", "0", None)],
)
def test_reference_is_the_middle_else_the_last(bid: str, ask: str, last: str, expected: str | None) -> None:
    assert reference_of(D(bid), D(ask), D(last)) == (None if expected is None else D(expected))


def test_changing_limits_counts_revisions() -> None:
    changed = change_limits(Limits(), {"price_collar": D("0.2"), "duplicate_window_ms": 0})
    assert (changed.price_collar, changed.duplicate_window_ms, changed.revision) == (D("0.2"), 0, 1)
    assert changed.etag != Limits().etag


@pytest.mark.parametrize("name", sorted(RANGES))
def test_limits_out_of_range_are_all_named(name: str) -> None:
    allowed = RANGES[name]
    change_limits(Limits(), {name: allowed.lowest})
    change_limits(Limits(), {name: allowed.highest})
    values: dict[str, Decimal | int] = {name: allowed.highest + 1, "max_orders_per_second": 0}
    with pytest.raises(LimitRangeError) as caught:
        change_limits(Limits(), values)
    assert {field for field, _ in caught.value.violations} == set(values)
