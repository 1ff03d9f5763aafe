"""The generated tape equals the real bar, is reproducible, and stands on nothing but its key."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from bokeh_sampledata import stocks
from hypothesis import given, settings
from hypothesis import strategies as st

from services.venue.domain.order import Side
from services.venue.domain.price import price_decimal, price_units
from services.venue.domain.replay import DailyBar, SessionTape, generate_session

DATE = date(2012, 5, 18)


@st.composite
def daily_bars(draw: st.DrawFn) -> DailyBar:
    low = draw(st.integers(1, 50_000_000))
    high = low + draw(st.one_of(st.integers(0, 300), st.integers(0, 5_000_000)))
    inside = st.integers(low, high)
    return DailyBar(draw(inside), high, low, draw(inside), draw(st.integers(4, 10**10)))


def generate(
    bar: DailyBar, *, seed: int = 1, on: date = DATE, key: str = "i", steps: int = 390
) -> SessionTape:
    return generate_session(bar, seed=seed, session_date=on, instrument_id=key, steps=steps)


def printed_bar(tape: SessionTape) -> DailyBar:
    prices = [price for price, volume in zip(tape.prices, tape.volumes, strict=True) if volume]
    return DailyBar(prices[0], max(prices), min(prices), prices[-1], sum(tape.volumes))


@given(daily_bars(), st.integers(4, 60), st.integers(0, 2**64 - 1))
def test_prints_make_the_bar(bar: DailyBar, steps: int, seed: int) -> None:
    tape = generate(bar, seed=seed, steps=steps)
    assert printed_bar(tape) == bar
    assert min(tape.volumes) >= 0
    own = {bar.open, bar.high, bar.low, bar.close}
    a_tick_is_inside = -(-bar.low // 100) * 100 <= bar.high
    if a_tick_is_inside:
        assert all(price % 100 == 0 or price in own for price in tape.prices)


@given(daily_bars(), st.integers(4, 40), st.integers(0, 2**32))
def test_quotes_stand_around_the_print(bar: DailyBar, steps: int, seed: int) -> None:
    tape = generate(bar, seed=seed, steps=steps)
    for price, aggressor, bids, asks in zip(tape.prices, tape.aggressors, tape.bids, tape.asks, strict=True):
        assert all(p % 100 == 0 and p > 0 and size > 0 for p, size in (*bids, *asks))
        assert [p for p, _ in bids] == sorted({p for p, _ in bids}, reverse=True)
        assert [p for p, _ in asks] == sorted({p for p, _ in asks})
        assert not bids or bids[0][0] <= price
        assert asks[0][0] >= price
        assert not bids or bids[0][0] < asks[0][0]
        if price % 100 == 0:
            assert price == (asks[0][0] if aggressor is Side.BUY else bids[0][0])


def test_every_session_of_the_default_window_equals_the_real_bar() -> None:
    sessions = 0
    for symbol in ("AAPL", "FB", "GOOG", "IBM", "MSFT"):
        bars: Any = getattr(stocks, symbol)
        for index, day in enumerate(bars["date"]):
            if str(day)[:10] < "2012-05-18":
                continue
            open_, high, low, close = (
                Decimal(repr(float(bars[field][index]))) for field in ("open", "high", "low", "close")
            )
            bar = DailyBar.of(open_, high, low, close, bars["volume"][index])
            tape = generate(bar, on=date.fromisoformat(str(day)[:10]), key=symbol)
            assert printed_bar(tape) == bar
            sessions += 1
    assert sessions == 5 * 196


def test_tape_is_the_same_on_every_machine() -> None:
    tape = generate(DailyBar(420_500, 450_000, 380_000, 382_319, 573_576_400), seed=1)
    digest = hashlib.sha256(repr((tape.prices, tape.volumes, tape.aggressors, tape.bids, tape.asks)).encode())
    assert digest.hexdigest()[:16] == "4bf314ca50baca26"


@settings(max_examples=25)
@given(daily_bars())
def test_seed_date_and_instrument_each_change_the_tape(bar: DailyBar) -> None:
    tape = generate(bar)
    assert generate(bar) == tape
    assert generate(bar, seed=2) != tape
    assert generate(bar, on=date(2012, 5, 21)) != tape
    assert generate(bar, key="j") != tape


def test_path_moves_like_a_market_and_not_like_a_line() -> None:
    tape = generate(DailyBar(1_000_000, 1_030_000, 985_000, 1_010_000, 10**7))
    changes = [b - a for a, b in pairwise(tape.prices)]
    turns = sum(1 for a, b in pairwise(changes) if a * b < 0)
    assert turns > 100
    assert max(abs(change) for change in changes) < 20_000


@pytest.mark.parametrize(
    ("prices", "volume"),
    [((10, 9, 8, 9), 100), ((10, 12, 11, 11), 100), ((0, 12, 0, 11), 100), ((10, 12, 9, 11), 3)],
)
def test_what_is_no_bar_is_refused(prices: tuple[int, int, int, int], volume: int) -> None:
    with pytest.raises(ValueError, match="DailyBar"):
        DailyBar(*prices, volume)


@pytest.mark.parametrize("steps", [3, 23_401])
def test_session_length_is_bounded(steps: int) -> None:
    with pytest.raises(ValueError, match="steps"):
        generate(DailyBar(100, 100, 100, 100, 100), steps=steps)


@given(st.integers(1, 10**15))
def test_prices_convert_exactly(units: int) -> None:
    assert price_units(price_decimal(units)) == units


@pytest.mark.parametrize("text", ["1.00005", "NaN", "Infinity", "0.1234567890123456789012345678901234567891"])
def test_finer_prices_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="price"):
        price_units(Decimal(text))
