from hypothesis import given
from hypothesis import strategies as st

from services.cli.chart import price_chart

PRICES = st.lists(st.floats(min_value=0.01, max_value=1e6), min_size=1, max_size=300)


def test_the_lowest_is_an_eighth_and_the_highest_is_full() -> None:
    lines = price_chart([1.0, 2.0, 3.0], width=20, height=2)
    assert lines == ["3.00 ┤ ▁█", "1.00 ┤▁██"]


def test_equal_prices_make_a_flat_line() -> None:
    assert price_chart([5.0, 5.0], width=20, height=2) == ["5.00 ┤", "5.00 ┤▁▁"]


def test_nothing_is_drawn_of_nothing() -> None:
    assert price_chart([], width=20) == []


@given(PRICES, st.integers(min_value=20, max_value=200))
def test_a_chart_fits_its_width_and_every_column_is_seen(prices: list[float], width: int) -> None:
    lines = price_chart(prices, width=width)
    assert len(lines) == 8
    assert max(len(line) for line in lines) <= width
    assert " " not in lines[-1].partition("┤")[2]
