"""Smart Trader's formulas against slow ones written straight from their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from services.data.domain.bars import Doubles
from services.data.indicators.bands import custom_macd, smoothed_bollinger, triple_bollinger
from services.data.indicators.filters import (
    gaussian_weights,
    nadaraya_watson,
    one_sided_gaussian,
    rational_quadratic_weights,
)
from services.data.indicators.levels import pivot_highs, rs_bands, sr_channels
from services.data.indicators.supertrend import adaptive_supertrend, volatility_clusters
from tests.unit.data.made_up_bars import made_up_bars

NAN = math.nan
seeds = st.integers(0, 10_000)
few = settings(max_examples=15, deadline=None, database=None)


def assert_same(found: Doubles, expected: list[float]) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def deviation(values: list[float]) -> float:
    middle = mean(values)
    return math.sqrt(mean([(value - middle) ** 2 for value in values]))


def windows(values: list[float], length: int) -> list[list[float]]:
    """The last ``length`` values of each bar that has so many."""
    return [values[end - length : end] for end in range(length, len(values) + 1)]


@few
@given(seed=seeds, period=st.integers(2, 15), smooth=st.integers(1, 6))
def test_smoothed_bollinger(seed: int, period: int, smooth: int) -> None:
    price = made_up_bars(60, seed).close
    bands = [
        (mean(window) + 2.5 * deviation(window), mean(window), mean(window) - 1.5 * deviation(window))
        for window in windows(price.tolist(), period)
    ]
    found = smoothed_bollinger(price, period, 2.5, 1.5, smooth)
    for line, column in zip(zip(*bands, strict=True), found, strict=True):
        smoothed = [mean(window) for window in windows(list(line), smooth)]
        assert_same(column, [NAN] * (len(price) - len(smoothed)) + smoothed)


@few
@given(seed=seeds, period=st.integers(2, 20))
def test_triple_bollinger(seed: int, period: int) -> None:
    price = made_up_bars(50, seed).close
    middle, upper, lower = triple_bollinger(price, period, (1.0, 2.0, 3.0))
    lead = [NAN] * (period - 1)
    seen = windows(price.tolist(), period)
    assert_same(middle, lead + [mean(window) for window in seen])
    for width, (over, under) in enumerate(zip(upper, lower, strict=True), 1):
        assert_same(over, lead + [mean(window) + width * deviation(window) for window in seen])
        assert_same(under, lead + [mean(window) - width * deviation(window) for window in seen])


def test_custom_macd_of_exponential_averages_is_macd() -> None:
    price = made_up_bars(300).close
    macd, signal, histogram, _, _ = custom_macd(price, (12, 1), (26, 1), (9, 1))
    for found, expected in zip((macd, signal, histogram), talib.MACD(price), strict=True):
        np.testing.assert_allclose(found[100:], expected[100:], atol=1e-3)  # they begin otherwise


@few
@given(seed=seeds)
def test_custom_macd_states_and_crossings(seed: int) -> None:
    price = made_up_bars(120, seed).close
    simple, weighted = talib.SMA(price, 5), talib.WMA(price, 12)
    macd, signal, histogram, state, crossing = custom_macd(price, (5, 0), (12, 2), (4, 0))
    np.testing.assert_allclose(macd[20:], (simple - weighted)[20:])
    assert_same(histogram, (macd - signal).tolist())
    for now in range(20, 120):
        here, before = histogram[now], histogram[now - 1]
        if here >= 0:
            assert state[now] == (2 if here > before else 1)
        else:
            assert state[now] == (-1 if here > before else -2)
        crossed = (macd[now] > signal[now]) != (macd[now - 1] > signal[now - 1])
        assert crossing[now] == (0 if not crossed else 1 if here > 0 else -1)


@few
@given(seed=seeds, window=st.integers(2, 30), sigma=st.floats(0.5, 20))
def test_one_sided_gaussian(seed: int, window: int, sigma: float) -> None:
    price = made_up_bars(80, seed).close
    expected: list[tuple[float, float, float]] = [(NAN, NAN, NAN)] * (window - 1)
    for now in range(window - 1, len(price)):
        weights = [math.exp(-(age**2) / (2 * sigma**2)) for age in range(window)]
        past = [price[now - age] for age in range(window)]
        total = math.fsum(weights)
        centre = math.fsum(w * x for w, x in zip(weights, past, strict=True)) / total
        spread = math.fsum(w * (x - centre) ** 2 for w, x in zip(weights, past, strict=True)) / total
        expected.append((centre, centre + 2 * math.sqrt(spread), centre - 2 * math.sqrt(spread)))
    for found, column in zip(
        one_sided_gaussian(price, window, sigma, 2.0), zip(*expected, strict=True), strict=True
    ):
        assert_same(found, list(column))


@pytest.mark.parametrize("repaint", [False, True])
@few
@given(seed=seeds, window=st.integers(2, 12), bandwidth=st.floats(1, 10))
def test_nadaraya_watson(seed: int, window: int, bandwidth: float, repaint: bool) -> None:
    price = made_up_bars(50, seed).close
    expected, errors = [], []
    for now in range(len(price)):
        reach = range(max(now - window + 1, 0), min(now + window, len(price)) if repaint else now + 1)
        kernel = {at: (1 + (now - at) ** 2 / (2 * 3 * bandwidth**2)) ** -3 for at in reach}
        expected.append(math.fsum(kernel[at] * price[at] for at in reach) / math.fsum(kernel.values()))
        errors.append(abs(price[now] - expected[-1]))
    width = [2 * mean(seen) for seen in windows(errors, window)]
    lead = 2 * (window - 1)
    weights = rational_quadratic_weights(window, bandwidth, 3.0)
    estimate, upper, lower = nadaraya_watson(price, weights, 2.0, repaint=repaint)
    assert_same(estimate, [NAN] * lead + expected[lead:])
    assert_same(upper - estimate, [NAN] * lead + width[window - 1 :])
    assert_same(estimate - lower, [NAN] * lead + width[window - 1 :])


def test_kernels_weigh_what_is_near() -> None:
    for weights in (gaussian_weights(20, 5.0), rational_quadratic_weights(20, 5.0, 2.0)):
        assert weights.sum() == pytest.approx(1)
        assert (np.diff(weights) < 0).all()


def slow_clusters(values: list[float], guesses: tuple[float, float, float]) -> list[float]:
    low, high = min(values), max(values)
    centres = [low + guess * (high - low) for guess in guesses]
    members: list[list[float]] = []
    while True:
        now: list[list[float]] = [[], [], []]
        for value in values:
            now[min(range(3), key=lambda at: (abs(value - centres[at]), at))].append(value)
        if now == members:
            return centres
        members = now
        centres = [mean(own) if own else centre for own, centre in zip(now, centres, strict=True)]


@few
@given(seed=seeds, window=st.integers(3, 40))
def test_volatility_clusters(seed: int, window: int) -> None:
    values = np.random.default_rng(seed).gamma(2.0, size=80)
    guesses = (0.25, 0.5, 0.75)
    expected = [slow_clusters(seen, guesses) for seen in windows(values.tolist(), window)]
    np.testing.assert_allclose(volatility_clusters(values, window, guesses), expected, rtol=1e-9)


def test_clusters_of_one_value_are_that_value() -> None:
    assert (volatility_clusters(np.full(10, 2.5), 5, (0.25, 0.5, 0.75)) == 2.5).all()


@few
@given(seed=seeds)
def test_adaptive_supertrend(seed: int) -> None:
    bars = made_up_bars(150, seed)
    high, low, close = bars.high, bars.low, bars.close
    line, direction, cluster, volatility = adaptive_supertrend(
        high, low, close, atr_period=7, training_period=20, guesses=(0.25, 0.5, 0.75), factor=2.0
    )
    atr = talib.ATR(high, low, close, 7)
    lower = upper = trend = NAN
    for now in range(26, 150):
        centres = slow_clusters(atr[now - 19 : now + 1].tolist(), (0.25, 0.5, 0.75))
        place = min(range(3), key=lambda at: (abs(atr[now] - centres[at]), at))
        assert cluster[now] == place + 1
        assert volatility[now] == pytest.approx(centres[place])
        middle = (high[now] + low[now]) / 2
        under, over = middle - 2 * volatility[now], middle + 2 * volatility[now]
        if now == 26:
            trend = 1.0 if close[now] > over else -1.0
        else:
            under = under if under > lower or close[now - 1] < lower else lower
            over = over if over < upper or close[now - 1] > upper else upper
            turns = close[now] > over if trend < 0 else close[now] < under
            trend = -trend if turns else trend
        lower, upper = under, over
        assert direction[now] == trend
        assert line[now] == pytest.approx(lower if trend > 0 else upper)
    assert np.isnan(line[:26]).all()


def slow_pivots(prices: list[float], left: int, right: int) -> list[int]:
    return [
        at
        for at in range(left, len(prices) - right)
        if all(prices[at] > before for before in prices[at - left : at])
        and all(prices[at] >= after for after in prices[at + 1 : at + right + 1])
    ]


@few
@given(seed=seeds, left=st.integers(1, 8), right=st.integers(1, 8), count=st.integers(1, 4))
def test_rs_bands(seed: int, left: int, right: int, count: int) -> None:
    bars = made_up_bars(150, seed)
    highs = slow_pivots(bars.high.tolist(), left, right)
    lows = slow_pivots([-low for low in bars.low], left, right)
    assert pivot_highs(bars.high, left, right).tolist() == highs
    expected = []
    for now in range(150):
        top = [bars.high[at] for at in highs if at + right <= now][-count:]
        bottom = [bars.low[at] for at in lows if at + right <= now][-count:]
        expected.append(
            (
                *((max(top), min(top)) if len(top) == count else (NAN, NAN)),
                *((max(bottom), min(bottom)) if len(bottom) == count else (NAN, NAN)),
            )
        )
    found = rs_bands(bars.high, bars.low, left, right, count)
    for column, values in zip(found, zip(*expected, strict=True), strict=True):
        assert_same(column, list(values))


def test_no_bars_have_no_turning_points() -> None:
    assert len(pivot_highs(np.ones(5), 3, 3)) == 0
    assert all(np.isnan(column).all() for column in rs_bands(np.ones(5), np.ones(5), 3, 3, 1))


def slow_channels(
    high: list[float], low: list[float], pivots: list[float], width: float, most: int
) -> list[tuple[float, float]]:
    """Of one confirmation: (top, bottom), strongest first; ``pivots`` newest first."""
    widest = (max(high) - min(low)) * width / 100
    found = []
    for start in pivots:
        top = bottom = start
        joined = 0
        for other in pivots:
            span = top - other if other <= top else other - bottom
            if span <= widest:
                joined += 1
                if other <= top:
                    bottom = min(bottom, other)
                else:
                    top = max(top, other)
        touching = sum(
            bottom <= bar_high <= top or bottom <= bar_low <= top
            for bar_high, bar_low in zip(high, low, strict=True)
        )
        found.append((20 * joined + touching, top, bottom))
    chosen: list[tuple[float, float]] = []
    while found and len(chosen) < most:
        _, top, bottom = max(found, key=lambda one: one[0])
        chosen.append((top, bottom))
        found = [one for one in found if one[2] > top or one[1] < bottom]
    return chosen


@few
@given(seed=seeds, period=st.integers(1, 5), width=st.floats(2, 30), most=st.integers(1, 6))
def test_sr_channels(seed: int, period: int, width: float, most: int) -> None:
    bars, loopback = made_up_bars(140, seed), 60
    high, low = bars.high.tolist(), bars.low.tolist()
    turns = sorted(
        [(at, 0, high[at]) for at in slow_pivots(high, period, period)]
        + [(at, 1, low[at]) for at in slow_pivots([-one for one in low], period, period)],
        reverse=True,
    )
    channels: list[tuple[float, float]] = []
    expected = []
    for now in range(140):
        if now >= loopback - 1 and any(at + period == now for at, _, _ in turns):
            recent = [price for at, _, price in turns if now - loopback < at <= now - period]
            seen = slice(now - loopback + 1, now + 1)
            channels = slow_channels(high[seen], low[seen], recent, width, most)
        price = bars.close[now]
        above = min((one for one in channels if one[1] > price), key=lambda one: one[1], default=(NAN, NAN))
        below = max((one for one in channels if one[0] < price), key=lambda one: one[0], default=(NAN, NAN))
        inside = next((one for one in channels if one[1] <= price <= one[0]), (NAN, NAN))
        expected.append((*above, *below, *inside))
    found = sr_channels(
        bars.high, bars.low, bars.close, period=period, loopback=loopback, width=width, most=most
    )
    for column, values in zip(found, zip(*expected, strict=True), strict=True):
        assert_same(column, list(values))


def test_without_a_turning_point_there_is_no_channel() -> None:
    rising = np.arange(1.0, 101.0)
    found = sr_channels(rising + 1, rising, rising, period=5, loopback=30, width=5.0, most=3)
    assert all(np.isnan(column).all() for column in found)
