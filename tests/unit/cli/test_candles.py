from hypothesis import given
from hypothesis import strategies as st

from services.cli.candles import Candle, candle_chart

PRICE = st.floats(min_value=0.01, max_value=1e6)


@st.composite
def candles(draw: st.DrawFn) -> Candle:
    prices = sorted(draw(st.lists(PRICE, min_size=4, max_size=4)))
    opened, closed = draw(st.permutations(prices[1:3]))
    return Candle(opened, prices[3], prices[0], closed, draw(st.floats(0, 1e9)))


def test_a_rising_and_a_falling_candle() -> None:
    lines = candle_chart([Candle(1, 4, 1, 3, 5), Candle(3, 3, 1, 2, 10)], width=20, height=2)
    assert [line.plain for line in lines] == ["  4.00 ┤╽╻", "  1.00 ┤┃╿", "volume ┤▄█"]
    assert [span.style for span in lines[0].spans] == ["green", "red"]


def test_equal_prices_are_a_flat_line_and_no_volume_is_not_shown() -> None:
    lines = candle_chart([Candle(5, 5, 5, 5, 0)] * 2, width=20, height=2)
    assert [line.plain for line in lines] == ["  5.00 ┤", "  5.00 ┤╻╻"]


def test_nothing_is_drawn_of_nothing() -> None:
    assert candle_chart([], width=20) == []


@given(st.lists(candles(), min_size=1, max_size=300), st.integers(min_value=30, max_value=200))
def test_a_chart_fits_its_width_and_every_column_is_seen(shown: list[Candle], width: int) -> None:
    lines = [line.plain for line in candle_chart(shown, width=width)]
    assert len(lines) in (12, 13)
    assert max(len(line) for line in lines) <= width
    margin = lines[0].index("┤") + 1
    columns = min(len(shown), width - margin)
    padded = [line[margin:].ljust(columns) for line in lines[:12]]
    assert all(any(line[column] != " " for line in padded) for column in range(columns))
