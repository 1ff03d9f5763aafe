"""Ticks that depend on the price: of orders, of prints and of quotes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.steps import Steps
from services.venue.domain.order import (
    OrderTerms,
    OrderType,
    RejectReason,
    Side,
    TermsError,
    TimeInForce,
    check_terms,
)
from services.venue.domain.price import CENTS, Instrument, Ints, Ticks, price_decimal, price_units
from services.venue.domain.replay import DailyBar, generate_session
from tests.unit.step_tables import is_on_step, prices_near, step_tables


def ticks_of(table: Steps) -> Ticks:
    bands = zip(table.starts, table.sizes, strict=True)
    return Ticks.of([(price_units(start), price_units(size)) for start, size in bands])


def limit(price: Decimal) -> OrderTerms:
    return OrderTerms(Side.BUY, OrderType.LIMIT, TimeInForce.DAY, Decimal(1), limit_price=price)


@given(data=st.data(), table=step_tables())
def test_a_limit_is_taken_iff_it_is_on_the_tick_of_its_band(data: st.DataObject, table: Steps) -> None:
    price = data.draw(prices_near(table))
    instrument = Instrument("i", "X", "USD", ticks_of(table))
    if is_on_step(table, price):
        assert check_terms(limit(price), instrument).limit_price == price_units(price)
        return
    with pytest.raises(TermsError) as refused:
        check_terms(limit(price), instrument)
    assert refused.value.reason is RejectReason.OFF_TICK


@given(data=st.data(), table=step_tables())
def test_rounding_is_that_of_decimals(data: st.DataObject, table: Steps) -> None:
    ticks, prices = ticks_of(table), data.draw(st.lists(prices_near(table, places=4), min_size=1, max_size=9))
    units: Ints = np.array([price_units(price) for price in prices], dtype=np.int64)
    assert [price_decimal(each) for each in ticks.floor(units).tolist()] == [table.floor(p) for p in prices]
    assert [price_decimal(each) for each in ticks.ceil(units).tolist()] == [table.ceil(p) for p in prices]
    for near, price in zip(ticks.nearest(units).tolist(), prices, strict=True):
        below, above = table.floor(price), table.ceil(price)
        assert price_decimal(near) == (above if price - below >= above - price else below)


@given(prices=st.lists(st.integers(1, 10**7), min_size=1), tick=st.sampled_from([1, 25, 50, 100, 10_000]))
def test_one_tick_rounds_half_up(prices: list[int], tick: int) -> None:
    expected = [(price + tick // 2) // tick * tick for price in prices]
    assert Ticks((0,), (tick,)).nearest(np.array(prices, dtype=np.int64)).tolist() == expected


@st.composite
def sessions(draw: st.DrawFn) -> tuple[Ticks, DailyBar]:
    """A table, and a bar that spans where its bands begin."""
    table = ticks_of(draw(step_tables()))
    low = draw(st.integers(1, table.starts[-1] + 5_000))
    high = low + draw(st.integers(0, 300_000))
    inside = st.integers(low, high)
    return table, DailyBar(draw(inside), high, low, draw(inside), draw(st.integers(4, 10**8)))


@given(session=sessions(), seed=st.integers(0, 2**32), steps=st.integers(4, 40))
def test_prints_and_quotes_are_on_the_tick_of_their_band(
    session: tuple[Ticks, DailyBar], seed: int, steps: int
) -> None:
    ticks, bar = session
    tape = generate_session(
        bar, seed=seed, session_date=date(2012, 5, 18), instrument_id="i", steps=steps, ticks=ticks
    )
    own = {bar.open, bar.high, bar.low, bar.close}
    if any(ticks.holds(price) for price in tape.prices if price not in own):
        assert all(ticks.holds(price) or price in own for price in tape.prices)
    for price, side, bids, asks in zip(tape.prices, tape.aggressors, tape.bids, tape.asks, strict=True):
        bid_prices, ask_prices = [p for p, _ in bids], [p for p, _ in asks]
        assert all(ticks.holds(p) for p in (*bid_prices, *ask_prices))
        assert bid_prices == sorted(set(bid_prices), reverse=True)
        assert ask_prices == sorted(set(ask_prices))
        assert not bids or bid_prices[0] < ask_prices[0]
        if ticks.holds(price):
            assert price == ask_prices[0] if side is Side.BUY else price == bid_prices[0]


def test_a_cent_is_the_usual_tick() -> None:
    assert Instrument("i", "X", "USD").ticks == CENTS == Ticks.of([(0, 100)])
