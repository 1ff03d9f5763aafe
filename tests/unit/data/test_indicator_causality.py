"""Of every indicator: no value looks ahead, and none depends on more bars before it than is said."""

from __future__ import annotations

import dataclasses
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.data.domain.bars import BarInterval, Bars, Doubles
from services.data.domain.sessions import Sessions
from services.data.indicators.catalogue import catalogue
from services.data.indicators.computation import Computation, bars_after, bars_before
from services.data.indicators.indicator import Memory
from services.data.indicators.selection import Asked, Selection, select
from tests.unit.data.made_up_bars import made_up_bars

NAMES = sorted(catalogue())
COUNT = 700
# No turning point yet, no channel; no arc of a price over 1.
MAY_HAVE_NONE = {"RS_BANDS", "SR_CHANNELS", "FRACTAL", "ACOS", "ASIN"}


def selection(
    name: str, interval: BarInterval | None = None, base: BarInterval = BarInterval.DAY, **values: object
) -> Selection:
    chosen, problems = select([Asked("", name, values, interval, ())], base)
    assert not problems
    return chosen[0]


def compute(one: Selection, bars: Bars) -> list[Doubles]:
    sessions = Sessions.around_the_clock(int(bars.open_time_ns[0]), int(bars.open_time_ns[-1]))
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        return Computation(bars, sessions).columns(one)


def with_other_future(bars: Bars, cut: int, seed: int, count: int) -> Bars:
    """The first ``cut`` bars, then others, ``count`` in all."""
    other = made_up_bars(count, seed)
    scale = bars.close[cut - 1] / other.close[cut - 1]
    future = dataclasses.replace(
        other,
        **{name: getattr(other, name) * scale for name in ("open", "high", "low", "close")},
    )
    return bars.take(slice(cut)).followed_by(future.take(slice(cut, None)))


@pytest.mark.parametrize("interval", [None, BarInterval.WEEK], ids=["daily", "weekly"])
@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=3, deadline=None, database=None)
@given(data=st.data())
def test_other_bars_later_change_no_value(
    name: str, interval: BarInterval | None, data: st.DataObject
) -> None:
    one = selection(name, interval)
    bars = made_up_bars(COUNT, data.draw(st.integers(0, 99)))
    cut = data.draw(st.integers(1, COUNT - 1))
    count = data.draw(st.integers(cut, COUNT))
    changed = compute(one, with_other_future(bars, cut, 1000 + cut, count))
    for whole, other in zip(compute(one, bars), changed, strict=True):
        assert np.array_equal(whole[:cut], other[:cut], equal_nan=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_value_depends_on_no_more_bars_than_said(name: str) -> None:
    """Computed from so many bars before, it is what it is from the first bar on."""
    one = selection(name)
    needed = bars_before([one], BarInterval.DAY)
    if needed is None:
        assert one.indicator.memory is Memory.CUMULATIVE
        return
    bars = made_up_bars(needed + 3_000)
    cut = 1_500
    for whole, part in zip(compute(one, bars), compute(one, bars.take(slice(cut, None))), strict=True):
        expected, found = whole[cut + needed :], part[needed:]
        scale = np.nanmax(np.abs(expected), initial=0.0)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.parametrize("name", ["SMA", "MACD", "STOCH", "SMOOTHED_BBANDS"])
@pytest.mark.parametrize("interval", [BarInterval.WEEK, BarInterval.MONTH])
def test_nor_does_one_of_longer_bars(name: str, interval: BarInterval) -> None:
    one = selection(name, interval)
    needed = bars_before([one], BarInterval.DAY)
    assert needed is not None
    needed = min(needed, 20_000)
    bars = made_up_bars(needed + 400)
    cut = 333
    for whole, part in zip(compute(one, bars), compute(one, bars.take(slice(cut, None))), strict=True):
        np.testing.assert_allclose(part[needed:], whole[cut + needed :], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_the_first_value_comes_after_the_lookback(name: str) -> None:
    one = selection(name)
    lookback = one.indicator.lookback(one.settings)
    bars = made_up_bars(lookback + 1_500)
    columns = compute(one, bars)
    assert all(np.isnan(column[:lookback]).all() for column in columns)
    if name not in MAY_HAVE_NONE:
        assert not np.isnan(columns[0][lookback:]).any()
    if lookback:
        assert all(np.isnan(column).all() for column in compute(one, bars.take(slice(lookback))))


def test_only_the_repainting_form_looks_ahead() -> None:
    repainting = selection("NADARAYA_WATSON", repaint="YES", timeperiod=20)
    assert bars_after([repainting], BarInterval.DAY) == 19
    assert bars_after([selection("NADARAYA_WATSON")], BarInterval.DAY) == 0
    bars = made_up_bars(300)
    whole, part = compute(repainting, bars)[0], compute(repainting, bars.take(slice(200)))[0]
    assert not np.allclose(whole[190:200], part[190:])
    np.testing.assert_allclose(whole[:181], part[:181], rtol=1e-12)
    assert [name for name in NAMES if catalogue()[name].can_repaint] == ["NADARAYA_WATSON"]
