"""What makes a bar acceptable, and bars as binary COPY."""

from collections.abc import Callable
from dataclasses import fields
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.data.bar_copy import decode_bars, encode_bars
from services.data.domain.bars import SourceBars, validate_bars

Row: TypeAlias = tuple[int, float, float, float, float, float, float]

NUMBERS = st.one_of(st.floats(), st.integers(-2, 3).map(float))


def make_bars(rows: list[Row]) -> SourceBars:
    columns = list(zip(*rows, strict=True)) or [()] * 7
    return SourceBars(np.array(columns[0], dtype=np.int64), *(np.array(c, dtype=float) for c in columns[1:]))


@given(st.lists(st.tuples(st.integers(0, 5), *[NUMBERS] * 6), max_size=20))
def test_what_is_kept_is_sound_and_what_is_refused_is_counted(rows: list[Row]) -> None:
    kept, refusals = validate_bars(make_bars(rows))
    assert len(kept) + sum(refusal.rows for refusal in refusals) == len(rows)
    assert all(refusal.rows > 0 for refusal in refusals)
    for time, open_, high, low, close, volume, adjusted in zip(
        *(getattr(kept, column.name).tolist() for column in fields(SourceBars)), strict=True
    ):
        assert 0 < low <= min(open_, close) <= max(open_, close) <= high < np.inf
        assert 0 <= volume < np.inf
        assert 0 < adjusted < np.inf
        assert time in {row[0] for row in rows}
    assert np.all(np.diff(kept.open_time_ns) > 0)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((1, 2, 3, 1, 2, float("nan"), 2), "not a number"),
        ((1, 2, float("inf"), 1, 2, 5, 2), "not a number"),
        ((1, 2, 3, 1, 2, 5, 0), "price not positive"),
        ((1, 2, 3, -1, 2, 5, 2), "price not positive"),
        ((1, 2, 3, 1, 2, -5, 2), "volume negative"),
        ((1, 4, 3, 1, 2, 5, 2), "high below open, close or low"),
        ((1, 2, 3, 2.5, 2, 5, 2), "low above open or close"),
        ((7, 2, 3, 1, 2, 5, 2), "time repeated"),
    ],
)
def test_refusal_says_why(row: Row, reason: str) -> None:
    good = (7, 2, 3, 1, 2, 0, 2)
    kept, refusals = validate_bars(make_bars([good, row]))
    assert [(refusal.reason, refusal.rows) for refusal in refusals] == [(reason, 1)]
    assert kept.open_time_ns.tolist() == [7]


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), *[st.floats()] * 6), max_size=5))
def test_copy_gives_back_what_it_took(rows: list[Row]) -> None:
    bars = make_bars(rows)
    back = decode_bars(encode_bars(bars), SourceBars)
    for column in fields(SourceBars):
        ours, theirs = getattr(back, column.name), getattr(bars, column.name)
        assert ours.dtype == theirs.dtype
        assert ours.dtype.isnative
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("spoil", [lambda raw: raw[1:], lambda raw: raw[:-1], lambda raw: raw[:-2] + b"\0\0"])
def test_what_is_no_copy_of_bars_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    raw = encode_bars(make_bars([(1, 2, 3, 1, 2, 5, 2)]))
    with pytest.raises(ValueError, match="no binary COPY"):
        decode_bars(spoil(raw), SourceBars)
