"""Splits are found where shares were split, and nowhere else."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.data.domain.bars import SourceBars
from services.data.domain.splits import Split, derive_splits, later_split_factor

DAY_NS = 86_400 * 10**9
START_NS = 946_909_800 * 10**9  # 2000-01-03T14:30Z
RATIOS = [(2, 1), (3, 1), (7, 1), (20, 1), (3, 2), (5, 4), (4, 3), (1, 2), (1, 10), (1, 8)]


def series(
    growth: list[float], *, splits: dict[int, tuple[int, int]], dividends: dict[int, float], rounded: bool
) -> SourceBars:
    """Raw prices that walk by ``growth``, fall at splits and pay dividends; the adjusted close undoes both.

    ``dividends`` are shares of the close of the day before.
    """
    count = len(growth)
    close, opens = np.empty(count), np.empty(count)
    scale = np.ones(count)  # of adjusted close, backwards from the last day
    price = 100.0
    for day, factor in enumerate(growth):
        new, old = splits.get(day, (1, 1))
        before = price * old / new * (1 - dividends.get(day, 0.0))
        opens[day], close[day] = before * (1 + (factor - 1) / 2), before * factor
        price = close[day]
        scale[:day] *= old / new * (1 - dividends.get(day, 0.0))
    adjusted = np.round(close * scale, 6) if rounded else close * scale
    times = START_NS + DAY_NS * np.arange(count)
    return SourceBars(
        times, opens, np.maximum(opens, close), np.minimum(opens, close), close, close, adjusted
    )


@given(
    growth=st.lists(st.floats(0.96, 1.04), min_size=3, max_size=40),
    data=st.data(),
    rounded=st.booleans(),
)
def test_splits_are_found_among_dividends(growth: list[float], data: st.DataObject, rounded: bool) -> None:
    days = st.integers(1, len(growth) - 1)
    splits = data.draw(st.dictionaries(days, st.sampled_from(RATIOS), max_size=2))
    dividends = data.draw(st.dictionaries(days, st.floats(0.001, 0.12), max_size=5))
    dividends = {day: paid for day, paid in dividends.items() if day not in splits}
    bars = series(growth, splits=splits, dividends=dividends, rounded=rounded)
    found = [
        ((split.ex_time_ns - START_NS) // DAY_NS, split.new_shares, split.old_shares)
        for split in derive_splits(bars)
    ]
    assert found == [(day, *splits[day]) for day in sorted(splits)]


def test_a_crash_is_no_split() -> None:
    """AAPL fell by half on 2000-09-29; the adjusted close fell with it."""
    assert derive_splits(series([1, 1, 0.48, 1], splits={}, dividends={}, rounded=True)) == []


def test_a_dividend_as_large_as_a_split_needs_the_ratio() -> None:
    assert derive_splits(series([1, 1, 1], splits={}, dividends={1: 0.42}, rounded=False)) == []


def test_an_adjustment_that_the_price_does_not_show_is_no_split() -> None:
    bars = series([1, 1, 1, 1], splits={}, dividends={}, rounded=False)
    jumping = replace(bars, adjusted_close=bars.adjusted_close * [0.5, 0.5, 1, 1])
    assert derive_splits(jumping) == []


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_bars_have_no_splits(count: int) -> None:
    assert derive_splits(series([1.0] * count, splits={}, dividends={}, rounded=False)) == []


def test_factor_counts_the_splits_after_a_bar() -> None:
    times = np.array([10, 20, 30, 40])
    splits = [Split(date(2000, 1, 1), 20, 2, 1), Split(date(2000, 1, 2), 40, 3, 2)]
    assert later_split_factor(times, splits).tolist() == [3, 1.5, 1.5, 1]
