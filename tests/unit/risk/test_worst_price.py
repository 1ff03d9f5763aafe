"""The worst price an order can be filled at: on a tick, and inside the collar."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.risk.domain.terms import OrderType, Side, Terms, worst_price
from services.runtime.decimals import install_context
from services.runtime.steps import Steps
from tests.unit.risk.risk_samples import limit_terms, market_terms
from tests.unit.step_tables import HKEX, ODD, is_on_step, prices_near, step_tables

D = Decimal
CENTS = Steps.of(D("0.01"))


@pytest.fixture(autouse=True, scope="module")
def exact() -> None:
    install_context()


@pytest.mark.parametrize(
    ("terms", "reference", "expected"),
    [
        (limit_terms(price="12.34"), "10", "12.34"),
        (market_terms(), "100.004", "110.00"),
        (market_terms(Side.SELL), "100.004", "90.01"),
        (market_terms(), None, None),
        (Terms(Side.BUY, OrderType.STOP, D(1), stop_price=D("10.05")), None, "11.05"),
        (Terms(Side.SELL, OrderType.STOP, D(1), stop_price=D("10.05")), "3", "9.05"),
        (Terms(Side.SELL, OrderType.STOP_LIMIT, D(1), limit_price=D(9), stop_price=D(10)), None, "9"),
        (market_terms(), "0.004", "0.01"),
    ],
)
def test_worst_price(terms: Terms, reference: str | None, expected: str | None) -> None:
    worst = worst_price(
        terms,
        reference=None if reference is None else D(reference),
        collar=D("0.1"),
        ticks=CENTS,
    )
    assert worst == (None if expected is None else D(expected))


@given(
    reference=st.decimals("0.05", "100000", places=4),
    collar=st.decimals("0.0001", "0.5", places=4),
    side=st.sampled_from(Side),
)
def test_the_collars_edge_is_a_tick_inside_the_collar(
    reference: Decimal, collar: Decimal, side: Side
) -> None:
    worst = worst_price(market_terms(side), reference=reference, collar=collar, ticks=CENTS)
    assert worst is not None
    assert worst % D("0.01") == 0
    if side is Side.BUY:
        assert reference * (1 + collar) - D("0.01") < worst <= reference * (1 + collar)
    else:
        assert reference * (1 - collar) <= worst < reference * (1 - collar) + D("0.01")


@pytest.mark.parametrize(
    ("table", "side", "reference", "expected"),
    [
        (HKEX, Side.BUY, "9.5", "10.44"),  # 10.45, on the tick at 9.5 and not on its own
        (HKEX, Side.BUY, "18.5", "20.35"),
        (HKEX, Side.SELL, "10.5", "9.45"),
        (HKEX, Side.SELL, "111.25", "100.2"),  # 100.125
        (HKEX, Side.SELL, "11.1", "9.99"),
        (HKEX, Side.SELL, "22.22", "20"),  # 19.998: up to the next band
        (ODD, Side.SELL, "11.163", "10.05"),  # 10.0467: the last step below 10.05 is a short one
        (HKEX, Side.BUY, "0.0004", "0.001"),
    ],
)
def test_rounded_to_the_tick_of_its_own_band(table: Steps, side: Side, reference: str, expected: str) -> None:
    worst = worst_price(market_terms(side), reference=D(reference), collar=D("0.1"), ticks=table)
    assert worst == D(expected)


@given(
    data=st.data(),
    table=step_tables(),
    collar=st.decimals("0.0001", "0.5", places=4),
    side=st.sampled_from(Side),
)
def test_protection_is_a_valid_price_on_the_safe_side(
    data: st.DataObject, table: Steps, collar: Decimal, side: Side
) -> None:
    middle = data.draw(prices_near(table))
    stop = Terms(side, OrderType.STOP, D(1), stop_price=middle)
    worst = worst_price(market_terms(side), reference=middle, collar=collar, ticks=table)
    assert worst == worst_price(stop, reference=None, collar=collar, ticks=table)
    assert worst is not None
    assert worst > 0
    assert is_on_step(table, worst)
    if side is Side.BUY:
        assert worst <= max(middle * (1 + collar), table.smallest)
    else:
        assert worst >= middle * (1 - collar)
