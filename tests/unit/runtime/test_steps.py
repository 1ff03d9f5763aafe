"""Decimals on a grid whose step depends on their size."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.data.domain.tick_table import TickBand, tick_table_problem
from services.runtime.decimals import install_context
from services.runtime.steps import Steps
from tests.unit.step_tables import HKEX, ODD, is_on_step, naive_step, prices_near, step_tables

D = Decimal


@pytest.fixture(autouse=True, scope="module")
def exact() -> None:
    install_context()


@pytest.mark.parametrize(
    ("price", "step"),
    [
        ("0", "0.001"),
        ("0.249", "0.001"),
        ("0.25", "0.005"),
        ("9.99", "0.01"),
        ("10", "0.02"),
        ("99999", "0.1"),
    ],
)
def test_the_step_of_the_band(price: str, step: str) -> None:
    assert HKEX.at(D(price)) == D(step)
    assert HKEX.at(-D(price)) == D(step)


@pytest.mark.parametrize(
    ("table", "value", "floor", "ceil"),
    [
        (HKEX, "10.01", "10", "10.02"),
        (HKEX, "9.999", "9.99", "10"),
        (HKEX, "19.99", "19.98", "20"),
        (HKEX, "20.01", "20", "20.05"),
        (HKEX, "20.05", "20.05", "20.05"),
        (HKEX, "0.0001", "0", "0.001"),
        (ODD, "10.041", "10.04", "10.05"),
        (ODD, "10.051", "10.05", "10.10"),
        (Steps.of(D("0.05")), "10.01", "10", "10.05"),
    ],
)
def test_rounding(table: Steps, value: str, floor: str, ceil: str) -> None:
    assert (table.floor(D(value)), table.ceil(D(value))) == (D(floor), D(ceil))


@given(data=st.data(), table=step_tables())
def test_on_the_step_of_its_band_as_fractions_say(data: st.DataObject, table: Steps) -> None:
    price = data.draw(prices_near(table))
    assert table.at(price) == naive_step(table, price)
    assert table.holds(price) == is_on_step(table, price)
    if table.holds(price):
        assert price % table.smallest == 0


@given(data=st.data(), table=step_tables())
def test_rounded_to_the_next_on_its_step(data: st.DataObject, table: Steps) -> None:
    price = data.draw(prices_near(table))
    below, above = table.floor(price), table.ceil(price)
    assert is_on_step(table, below)
    assert is_on_step(table, above)
    assert below <= price <= above
    # Nothing lies between but the price itself.
    between = below + table.smallest
    while between < above:
        assert not is_on_step(table, between)
        between += table.smallest
    assert (below == above) == is_on_step(table, price)


@given(table=step_tables())
def test_the_tables_tried_are_those_that_data_takes(table: Steps) -> None:
    bands = [TickBand(start, size) for start, size in zip(table.starts, table.sizes, strict=True)]
    assert tick_table_problem(bands) == ""
