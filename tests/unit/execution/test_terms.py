"""Prices on the tick, quantities on the lot."""

from __future__ import annotations

from decimal import Decimal

import pytest

from services.execution.domain.terms import (
    Instrument,
    OffStepError,
    OrderTerms,
    OrderType,
    Side,
    TimeInForce,
    check_steps,
)

INSTRUMENT = Instrument("i1", "AAPL", "USD", tick_size=Decimal("0.05"), lot_size=Decimal(10))


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
