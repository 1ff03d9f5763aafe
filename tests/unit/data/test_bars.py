"""What makes a bar acceptable, and bars as binary COPY."""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.data.bars.bar_copy import BarReader, encode_bars
from services.data.domain.bars import SourceBars

Row: TypeAlias = tuple[int, float, float, float, float, float, float]

NUMBERS = st.one_of(st.floats(), st.integers(-2, 3).map(float))


def make_bars(rows: list[Row]) -> SourceBars:
    columns = list(zip(*rows, strict=True)) or [()] * 7
    return SourceBars(np.array(columns[0], dtype=np.int64), *(np.array(c, dtype=float) for c in columns[1:]))


async def read_bars(raw: bytes, *, cut_at: Iterable[int] = (), capacity: int) -> SourceBars:
    reader = BarReader(SourceBars, capacity=capacity)
    edges = [0, *sorted(cut_at), len(raw)]
    for start, end in itertools.pairwise(edges):
        await reader.feed(raw[start:end])
    return reader.bars()


def assert_equal(ours: SourceBars, theirs: SourceBars) -> None:
    for column in fields(SourceBars):
        mine, yours = getattr(ours, column.name), getattr(theirs, column.name)
        assert mine.dtype == yours.dtype
        assert mine.dtype.isnative
        np.testing.assert_array_equal(mine, yours)


@given(
    st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), *[st.floats()] * 6), max_size=5),
    st.lists(st.integers(0, 500), max_size=4),
    st.integers(0, 2),
)
async def test_copy_gives_back_what_it_took(rows: list[Row], cut_at: list[int], room: int) -> None:
    bars = make_bars(rows)
    raw = encode_bars(bars)
    cuts = [cut % len(raw) for cut in cut_at]
    assert_equal(await read_bars(raw, cut_at=cuts, capacity=len(rows) + room), bars)


@pytest.mark.parametrize("step", [8_192, 65_537, 300_000])
async def test_long_streams_are_read_wherever_they_are_cut(step: int) -> None:
    count = 20_000
    prices = np.linspace(1.0, 2.0, count)
    bars = SourceBars(np.arange(count), *(prices * column for column in range(1, 7)))
    raw = encode_bars(bars)
    assert_equal(await read_bars(raw, cut_at=range(step, len(raw), step), capacity=count), bars)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: b"",
        lambda raw: raw[:10],
        lambda raw: raw[1:],
        lambda raw: raw[:-1],
        lambda raw: raw[:-2] + b"\0\0",
        lambda raw: raw[:19] + b"\0\6" + raw[21:],
    ],
)
async def test_what_is_no_copy_of_bars_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    raw = encode_bars(make_bars([(1, 2, 3, 1, 2, 5, 2)]))
    with pytest.raises(ValueError, match="no binary COPY"):
        await read_bars(spoil(raw), capacity=1)


async def test_more_rows_than_there_is_room_for_are_refused() -> None:
    raw = encode_bars(make_bars([(1, 2, 3, 1, 2, 5, 2)] * 2))
    with pytest.raises(ValueError, match="up to 1 rows"):
        await read_bars(raw, capacity=1)
