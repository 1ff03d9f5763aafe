"""Prices on the tick, quantities on the lot."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.execution.domain.terms import (
    Instrument,
    OffStepError,
    OrderTerms,
    OrderType,
    Side,
    TimeInForce,
    check_steps,
)
from services.runtime.steps import Steps
from tests.unit.step_tables import HKEX, is_on_step, naive_step, prices_near, step_tables

INSTRUMENT = Instrument("i1", "AAPL", "USD", ticks=Steps.of(Decimal("0.05")), lot_size=Decimal(10))
BANDED = Instrument("i2", "0005", "HKD", ticks=HKEX, lot_size=Decimal(1))


def terms(quantity: str, limit: str | None = None, stop: str | None = None) -> OrderTerms:
    prices = [None if price is None else Decimal(price) for price in (limit, stop)]
    return OrderTerms(Side.SELL, OrderType.STOP_LIMIT, TimeInForce.GTC, Decimal(quantity), *prices)


@pytest.mark.parametrize("good", [terms("10"), terms("20.0", "0.05"), terms("10", "1.10", "1.15")])
def test_multiples_pass(good: OrderTerms) -> None:
    check_steps(good, INSTRUMENT)


@pytest.mark.parametrize(
    ("bad", "reason", "fields"),
    [
        (terms("15"), "QUANTITY_OFF_LOT", ["quantity"]),
        (terms("10", "1.01"), "PRICE_OFF_TICK", ["limit_price"]),
        (terms("0.5", "1.01", "1.02"), "PRICE_OFF_TICK", ["limit_price", "stop_price", "quantity"]),
    ],
)
def test_every_bad_field_is_named(bad: OrderTerms, reason: str, fields: list[str]) -> None:
    with pytest.raises(OffStepError) as refused:
        check_steps(bad, INSTRUMENT)
    assert refused.value.reason == reason
    assert [field for field, _ in refused.value.fields] == fields


@pytest.mark.parametrize(
    ("limit", "stop", "field", "tick"),
    [
        ("10.01", "9.99", "limit_price", "0.02"),  # a multiple of the first tick, and of the band below
        ("9.99", "20.02", "stop_price", "0.05"),
        ("100.05", "20.02", "limit_price", "0.1"),
        ("0.251", "0.249", "limit_price", "0.005"),
    ],
)
def test_a_price_is_on_the_tick_of_its_own_band(limit: str, stop: str, field: str, tick: str) -> None:
    with pytest.raises(OffStepError) as refused:
        check_steps(terms("10", limit, stop), BANDED)
    assert refused.value.fields[0][0] == field
    assert refused.value.tick_size == Decimal(tick)
    assert f"tick size {tick} at" in refused.value.fields[0][1]


@given(data=st.data(), table=step_tables())
def test_terms_pass_iff_each_price_is_on_the_tick_of_its_band(data: st.DataObject, table: Steps) -> None:
    limit, stop = data.draw(prices_near(table)), data.draw(prices_near(table))
    instrument = Instrument("i", "X", "USD", ticks=table, lot_size=Decimal(1))
    asked = OrderTerms(Side.BUY, OrderType.STOP_LIMIT, TimeInForce.DAY, Decimal(1), limit, stop)
    prices = (("limit_price", limit), ("stop_price", stop))
    off = [(field, price) for field, price in prices if not is_on_step(table, price)]
    if not off:
        check_steps(asked, instrument)
        return
    with pytest.raises(OffStepError) as refused:
        check_steps(asked, instrument)
    assert refused.value.reason == "PRICE_OFF_TICK"
    assert [field for field, _ in refused.value.fields] == [field for field, _ in off]
    assert refused.value.tick_size == naive_step(table, off[0][1])
