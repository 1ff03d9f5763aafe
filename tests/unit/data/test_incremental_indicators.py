"""Of every indicator: bar by bar it says what the batch says, of closed bars and of one in progress."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.data.domain.bars import BarInterval, Bars, Doubles
from services.data.domain.sessions import Sessions
from services.data.indicators.catalogue import catalogue
from services.data.indicators.computation import Computation, bars_before
from services.data.indicators.incremental import BarRow, incremental
from services.data.indicators.indicator import IntegerParameter, Memory
from services.data.indicators.selection import Asked, Selection, select
from services.data.indicators.steps import STEPPING
from tests.unit.data.made_up_bars import made_up_bars

NAMES = sorted(catalogue())
LIVE = 40


def selection(
    name: str, interval: BarInterval | None = None, values: Mapping[str, object] | None = None
) -> Selection:
    chosen, problems = select([Asked("", name, values or {}, interval, ())], BarInterval.DAY)
    assert not problems
    return chosen[0]


def sessions_of(bars: Bars) -> Sessions:
    return Sessions.around_the_clock(int(bars.open_time_ns[0]), int(bars.open_time_ns[-1]))


def batch(one: Selection, bars: Bars) -> list[Doubles]:
    return Computation(bars, sessions_of(bars)).columns(one)


def row(bars: Bars, at: int) -> BarRow:
    columns = (getattr(bars, field.name)[at].item() for field in dataclasses.fields(bars))
    return BarRow(*columns)


def in_progress(bar: BarRow, share: float) -> BarRow:
    """The bar some time before it closes."""
    close = bar.low + share * (bar.high - bar.low)
    high, low = max(bar.open, close), min(bar.open, close)
    return dataclasses.replace(bar, close=close, high=high, low=low, volume=bar.volume * share)


def with_last(bars: Bars, bar: BarRow) -> Bars:
    return bars.followed_by(bar.columns())


def assert_close(found: tuple[float, ...], expected: list[float], scale: float) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * scale)


def check(one: Selection, bars: Bars, cut: int, looks: set[int], share: float, start: int = 0) -> None:
    """History up to ``cut``, then bar by bar; before the bars in ``looks`` closed, looked at in progress."""
    expected = batch(one, bars)
    scales = [float(np.nanmax(np.abs(column), initial=0.0)) for column in expected]
    live = incremental(one, bars.take(slice(start, cut)), sessions_of(bars))
    for at in range(cut, len(bars)):
        bar = row(bars, at)
        if at - cut in looks:
            forming = in_progress(bar, share)
            columns = batch(one, with_last(bars.take(slice(at)), forming))
            for found, column, scale in zip(live.forming(forming), columns, scales, strict=True):
                assert_close((found,), [float(column[-1])], max(scale, abs(found)))
        for found, column, scale in zip(live.close(bar), expected, scales, strict=True):
            assert_close((found,), [float(column[at])], scale)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=4, deadline=None, database=None)
@given(data=st.data())
def test_batch_equals_incremental(name: str, data: st.DataObject) -> None:
    """To 1e-9 of the largest value, wherever history ends and live bars begin, before the first value too."""
    one = selection(name)
    lookback = one.indicator.lookback(one.settings)
    count = data.draw(st.integers(LIVE, lookback + 120), label="bars")
    bars = made_up_bars(count, data.draw(st.integers(0, 10_000), label="seed"))
    cut = data.draw(st.integers(max(0, count - LIVE), count - 1), label="cut")
    looks = data.draw(st.sets(st.integers(0, LIVE - 1), max_size=3), label="looked at in progress")
    check(one, bars, cut, looks, data.draw(st.floats(0.0, 1.0), label="share"))


@pytest.mark.parametrize("name", sorted(name for name in STEPPING if catalogue()[name].parameters))
@settings(max_examples=15, deadline=None, database=None)
@given(data=st.data())
def test_batch_equals_incremental_with_any_period(name: str, data: st.DataObject) -> None:
    """Of those that go on from a state, which begins otherwise with other periods."""
    periods = {
        one.name: data.draw(st.integers(one.minimum, 30), label=one.name)
        for one in catalogue()[name].parameters
        if isinstance(one, IntegerParameter)
    }
    one = selection(name, None, periods)
    count = data.draw(st.integers(2, 150), label="bars")
    cut = data.draw(st.integers(0, count - 1), label="cut")
    check(one, made_up_bars(count, count), cut, {1, 30}, 0.4)


@pytest.mark.parametrize("name", [name for name in NAMES if catalogue()[name].memory is Memory.FADING])
def test_batch_equals_incremental_after_a_long_history(name: str) -> None:
    """Of a history that is longer than what is read of it."""
    one = selection(name)
    needed = bars_before([one], BarInterval.DAY)
    assert needed is not None
    bars = made_up_bars(needed + 1_000, 3)
    cut = len(bars) - 3
    check(one, bars, cut, {1}, 0.3, start=cut - needed)


@pytest.mark.parametrize("interval", [BarInterval.WEEK, BarInterval.MONTH])
@pytest.mark.parametrize("name", ["SMA", "EMA", "MACD", "OBV", "STOCH", "SR_CHANNELS", "CDLDOJI"])
@settings(max_examples=5, deadline=None, database=None)
@given(data=st.data())
def test_batch_equals_incremental_over_longer_bars(
    name: str, interval: BarInterval, data: st.DataObject
) -> None:
    one = selection(name, interval)
    count = data.draw(st.integers(2, 900), label="bars")
    cut = data.draw(st.integers(max(0, count - 60), count - 1), label="cut")
    looks = data.draw(st.sets(st.integers(0, 59), max_size=4), label="looked at in progress")
    check(one, made_up_bars(count, count), cut, looks, 0.5)


def test_windows_move_on() -> None:
    """Through many moves of the bars kept."""
    bars = made_up_bars(700)
    for name in ("WMA", "STOCH", "HT_TRENDLINE"):
        check(selection(name), bars, 20, {5, 300}, 0.7)


def test_a_look_at_a_bar_in_progress_takes_nothing_in() -> None:
    bars = made_up_bars(300)
    for name in ("EMA", "SMA", "OBV", "VWAP", "RSI"):
        one = selection(name)
        looked, untouched = (incremental(one, bars.take(slice(299)), None) for _ in range(2))
        for share in (0.1, 0.5, 0.9):
            looked.forming(in_progress(row(bars, 299), share))
        assert looked.close(row(bars, 299)) == untouched.close(row(bars, 299))


def test_all_that_sum_up_every_bar_go_on_from_a_state() -> None:
    cumulative = {name for name in NAMES if catalogue()[name].memory is Memory.CUMULATIVE}
    assert cumulative <= set(STEPPING) <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_batch_equals_incremental_where_prices_are_often_equal(name: str) -> None:
    """Which of equal extremes counts depends on no bar before the window."""
    bars = made_up_bars(260, 11)
    coarse = {
        column: np.round(100 + (getattr(bars, column) / 100 - 1) * 20)
        for column in ("open", "high", "low", "close")
    }
    coarse["high"] = np.maximum(coarse["high"], np.maximum(coarse["open"], coarse["close"]))
    coarse["low"] = np.minimum(coarse["low"], np.minimum(coarse["open"], coarse["close"]))
    check(selection(name), dataclasses.replace(bars, **coarse), 190, {3}, 0.5)
