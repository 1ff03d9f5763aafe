"""Adjusted bars mean what they say."""

from datetime import date
from decimal import Decimal
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.data.domain.adjustment import CorporateActions, adjust, adjust_fully
from services.data.domain.bars import SourceBars
from services.data.domain.dividends import Dividend, price_factor
from services.data.domain.splits import Split

SplitDay: TypeAlias = tuple[int, tuple[int, int]]
"""A day, and new shares for old."""

PRICE = st.floats(0.01, 1e5)
SPLITS = st.lists(
    st.tuples(st.integers(1, 60), st.sampled_from([(2, 1), (3, 2), (7, 1), (1, 10)])),
    max_size=3,
    unique_by=lambda one: one[0],
)


def make_bars(closes: list[float]) -> SourceBars:
    close = np.array(closes)
    return SourceBars(
        np.arange(len(closes)), close * 0.99, close * 1.02, close * 0.98, close, close * 1000, close * 0.37
    )


def make_splits(days: list[SplitDay]) -> list[Split]:
    return [Split(date(2000, 1, 1), day, new, old) for day, (new, old) in days]


@given(st.lists(PRICE, min_size=2, max_size=60), SPLITS)
def test_split_adjusted_returns_are_raw_returns_but_at_splits(
    closes: list[float], days: list[SplitDay]
) -> None:
    bars, splits = make_bars(closes), make_splits(days)
    adjusted = adjust(bars, CorporateActions(splits))
    raw_return, return_ = bars.close[1:] / bars.close[:-1], adjusted.close[1:] / adjusted.close[:-1]
    for row, (ours, raw) in enumerate(zip(return_, raw_return, strict=True), start=1):
        ratio = next((s.new_shares / s.old_shares for s in splits if s.ex_time_ns == row), 1.0)
        np.testing.assert_allclose(ours, raw * ratio, rtol=1e-12)
    last = max((s.ex_time_ns for s in splits), default=0)
    np.testing.assert_array_equal(adjusted.close[last:], bars.close[last:])


@given(st.lists(PRICE, min_size=1, max_size=60), SPLITS)
def test_money_traded_does_not_change_with_splits(closes: list[float], days: list[SplitDay]) -> None:
    bars = make_bars(closes)
    adjusted = adjust(bars, CorporateActions(make_splits(days)))
    np.testing.assert_allclose(adjusted.close * adjusted.volume, bars.close * bars.volume, rtol=1e-12)


@given(st.lists(PRICE, min_size=1, max_size=60), SPLITS)
def test_full_close_is_the_adjusted_close_and_the_shape_stays(
    closes: list[float], days: list[SplitDay]
) -> None:
    bars, splits = make_bars(closes), make_splits(days)
    full = adjust_fully(bars, splits)
    np.testing.assert_array_equal(full.close, bars.adjusted_close)
    for name in ("open", "high", "low"):
        np.testing.assert_allclose(
            getattr(full, name) / full.close, getattr(bars, name) / bars.close, rtol=1e-12
        )
    np.testing.assert_array_equal(full.volume, adjust(bars, CorporateActions(splits)).volume)


def test_no_split_changes_nothing() -> None:
    bars = make_bars([1.0, 2.0])
    adjusted = adjust(bars, CorporateActions())
    for name in ("open", "high", "low", "close", "volume"):
        np.testing.assert_array_equal(getattr(adjusted, name), getattr(bars, name))


def test_a_dividend_lowers_the_prices_before_it_by_its_share_of_the_close() -> None:
    """CRSP: 1 on a close of 40 takes a fortieth off; volumes stay."""
    bars = make_bars([38.0, 40.0, 39.0])
    factor = price_factor(Dividend(date(2000, 1, 3), 2, Decimal(1), "USD"), 40.0)
    adjusted = adjust(bars, CorporateActions(dividends=[factor]))
    np.testing.assert_allclose(adjusted.close, [38 * 39 / 40, 39.0, 39.0], rtol=1e-15)
    np.testing.assert_array_equal(adjusted.volume, bars.volume)


@given(st.lists(PRICE, min_size=3, max_size=40), SPLITS, st.data())
def test_fully_adjusted_returns_are_total_returns(
    closes: list[float], days: list[SplitDay], data: st.DataObject
) -> None:
    """With the dividend reinvested at the close before: (close + nothing) over (close before - dividend)."""
    bars, splits = make_bars(closes), make_splits(days)
    paid = data.draw(st.dictionaries(st.integers(1, len(closes) - 1), st.floats(0.001, 0.5), max_size=4))
    ratios = {split.ex_time_ns: split.new_shares / split.old_shares for split in splits}
    factors, amounts = [], {}
    for day, share in paid.items():
        ratio = ratios.get(day, 1.0)
        amounts[day] = Decimal(share * closes[day - 1] / ratio)
        factors.append(
            price_factor(Dividend(date(2000, 1, 3), day, amounts[day], "USD"), closes[day - 1], ratio)
        )
    adjusted = adjust(bars, CorporateActions(splits, factors))
    for day in range(1, len(closes)):
        ratio, amount = ratios.get(day, 1.0), float(amounts.get(day, 0))
        expected = closes[day] * ratio / (closes[day - 1] - amount * ratio)
        np.testing.assert_allclose(adjusted.close[day] / adjusted.close[day - 1], expected, rtol=1e-9)


@pytest.mark.parametrize("amount", ["40", "41"])
def test_a_dividend_of_the_whole_price_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="on a close of 40"):
        price_factor(Dividend(date(2000, 1, 3), 2, Decimal(amount), "USD"), 40.0)
