"""What rows are refused, and that good ones are not."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.data.domain.bars import BarInterval, FileBars
from services.data.domain.quality import (
    QuarantineReason,
    check_neighbours,
    check_values,
    column_at_fault,
)
from services.data.imports.checking import RowChecker
from services.data.imports.csv_reader import CsvReader
from services.data.imports.judging import Checked
from services.data.imports.rows import CsvRows
from services.data.imports.times import TimeReader

NOW_NS = 2_000_000_000 * 10**9
MINUTE_NS = 60 * 10**9
EVERYWHERE = np.ones(1, dtype=np.bool_)


def walk(rows: int, *, seed: int = 1, sigma: float = 0.01) -> FileBars:
    """Good bars: a random walk, a minute apart."""
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, sigma, rows)))
    opened = np.concatenate(([100.0], close[:-1]))
    return FileBars(
        1_600_000_000 * 10**9 + MINUTE_NS * np.arange(rows, dtype=np.int64),
        opened,
        np.maximum(opened, close),
        np.minimum(opened, close),
        close,
        np.full(rows, 10.0),
        close,
        np.arange(2, rows + 2, dtype=np.int64),
    )


def one_bar(
    opened: float, high: float, low: float, close: float, volume: float = 1.0, time_ns: int = 0
) -> FileBars:
    """A single row."""
    opens, highs, lows, closes = (np.array([value]) for value in (opened, high, low, close))
    return FileBars(
        np.array([time_ns]), opens, highs, lows, closes, np.array([volume]), closes, np.array([2])
    )


NAN = float("nan")
ANY_PRICE = st.one_of(st.floats(), st.floats(min_value=-10, max_value=10), st.sampled_from([0.0, 1.0, 2.0]))


@pytest.mark.parametrize(
    ("bar", "reason", "column"),
    [
        (one_bar(NAN, -1, 1, 1), QuarantineReason.PRICE_NOT_NUMBER, "open"),
        (one_bar(1, float("inf"), 1, 1), QuarantineReason.PRICE_NOT_NUMBER, "high"),
        (one_bar(1, 1, 0, 1), QuarantineReason.PRICE_NOT_POSITIVE, "low"),
        (one_bar(1, 1, 1, -1), QuarantineReason.PRICE_NOT_POSITIVE, "close"),
        (one_bar(2, 1.5, 1, 1), QuarantineReason.OHLC_ORDER, ""),
        (one_bar(1, 2, 1.5, 1.7), QuarantineReason.OHLC_ORDER, ""),
        (one_bar(1, 1, 1, 1, -1), QuarantineReason.VOLUME_INVALID, "volume"),
        (one_bar(1, 1, 1, 1, NAN), QuarantineReason.VOLUME_INVALID, "volume"),
        (one_bar(1, 1, 1, 1, 1, NOW_NS + 1), QuarantineReason.TIME_IN_FUTURE, "time"),
    ],
)
def test_a_bar_that_cannot_be_true(bar: FileBars, reason: QuarantineReason, column: str) -> None:
    assert check_values(bar, EVERYWHERE, now_ns=NOW_NS).tolist() == [reason]
    assert column_at_fault(bar, 0, reason) == column


def test_a_bar_on_no_trading_day() -> None:
    bar = one_bar(1, 1, 1, 1, 0, NOW_NS)
    assert check_values(bar, EVERYWHERE, now_ns=NOW_NS).tolist() == [0]
    assert check_values(bar, ~EVERYWHERE, now_ns=NOW_NS).tolist() == [QuarantineReason.NOT_A_SESSION]


@given(ANY_PRICE, ANY_PRICE, ANY_PRICE, ANY_PRICE, st.floats())
def test_what_passes_is_a_bar(opened: float, high: float, low: float, close: float, volume: float) -> None:
    reason = check_values(one_bar(opened, high, low, close, volume), EVERYWHERE, now_ns=NOW_NS)[0]
    prices = (opened, high, low, close)
    is_bar = (
        all(0 < price < float("inf") for price in prices)
        and low <= min(opened, close)
        and high >= max(opened, close)
        and 0 <= volume < float("inf")
    )
    # The sum of four prices near the largest double is infinite: refused too.
    if not is_bar or sum(prices) + close < float("inf"):
        assert (reason == 0) == is_bar


@given(st.integers(0, 2**32), st.integers(0, 60), st.floats(0.0001, 0.02))
def test_a_random_walk_is_good_and_so_is_a_split_in_it(seed: int, rows: int, sigma: float) -> None:
    bars = walk(rows, seed=seed, sigma=sigma)
    assert not check_neighbours(bars).any()
    for name in ("open", "high", "low", "close"):
        getattr(bars, name)[rows // 2 :] /= 100
    assert not check_neighbours(bars).any()


@given(
    st.integers(0, 2**32),
    st.integers(1, 58),
    st.sampled_from([0.01, 100.0]),
    st.sampled_from(["open", "high", "low", "close"]),
)
def test_one_price_in_other_units_is_found_where_it_is(
    seed: int, row: int, factor: float, column: str
) -> None:
    bars = walk(60, seed=seed)
    getattr(bars, column)[row] *= factor
    assert check_neighbours(bars)[row] == QuarantineReason.UNIT_ERROR
    backwards = bars.take(slice(None, None, -1))
    assert check_neighbours(backwards)[59 - row] == QuarantineReason.UNIT_ERROR


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(2, 10), st.sampled_from([0.01, 100.0]))
def test_bars_in_a_row_in_other_units_are_found_and_no_others(
    seed: int, row: int, count: int, factor: float
) -> None:
    bars = walk(60, seed=seed)
    for name in ("open", "high", "low", "close"):
        getattr(bars, name)[row : row + count] *= factor
    expected = np.zeros(60, dtype=np.int8)
    expected[row : row + count] = QuarantineReason.UNIT_ERROR
    assert check_neighbours(bars).tolist() == expected.tolist()
    backwards = bars.take(slice(None, None, -1))
    assert check_neighbours(backwards).tolist() == expected[::-1].tolist()


@given(st.integers(0, 2**32), st.integers(1, 58))
def test_a_spike_is_measured_by_what_is_usual(seed: int, row: int) -> None:
    quiet, wild = walk(60, seed=seed, sigma=0.001), walk(60, seed=seed, sigma=0.05)
    for bars in (quiet, wild):
        bars.high[row] *= 1.5
    found = check_neighbours(quiet)
    assert np.flatnonzero(found).tolist() == [row]
    assert found[row] == QuarantineReason.SPIKE
    assert not check_neighbours(wild).any()


def test_rows_out_of_order_have_no_neighbours() -> None:
    bars = walk(30)
    bars.close[10] *= 100
    bars.open_time_ns[10] = bars.open_time_ns[25] + 1
    assert not check_neighbours(bars).any()


def checker() -> RowChecker[bytes]:
    times = TimeReader("", daily=False)
    return RowChecker(CsvRows(CsvReader({}), times), BarInterval.MINUTE, None, now_ns=NOW_NS)


def as_lines(bars: FileBars) -> list[str]:
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    return ["time,open,high,low,close,volume"] + [
        ",".join((str(time // 10**9), *(repr(float(value)) for value in values)))
        for time, *values in zip(bars.open_time_ns.tolist(), *columns, strict=True)
    ]


def fingerprint(batches: list[Checked]) -> tuple[str, list[tuple[int, int]]]:
    good = np.concatenate([batch.good.line for batch in batches])
    closes = np.concatenate([batch.good.close for batch in batches])
    bad = [
        (int(line), int(reason))
        for batch in batches
        for line, reason in zip(batch.bad.line, batch.reasons, strict=True)
    ]
    return hashlib.sha256(good.tobytes() + closes.tobytes()).hexdigest(), sorted(bad)


@given(
    st.lists(st.integers(1, 79), max_size=6),
    st.lists(st.tuples(st.integers(0, 79), st.sampled_from([0.0, -1.0, 100.0, 1.6])), max_size=6),
)
def test_where_a_file_is_cut_does_not_matter(cuts: list[int], faults: list[tuple[int, float]]) -> None:
    bars = walk(80, sigma=0.001)
    for row, factor in faults:
        bars.high[row] *= factor
    for name in ("open", "high", "low", "close"):
        getattr(bars, name)[35:42] *= 100
    lines = [f"{line}\n" for line in as_lines(bars)]
    results = []
    for edges in ([], sorted(set(cuts))):
        one = checker()
        spans = zip([0, *edges], [*edges, len(lines)], strict=True)
        found = [one.take("".join(lines[begin:end]).encode()) for begin, end in spans]
        results.append(fingerprint([batch for batch in (*found, one.finish()) if batch is not None]))
        assert one.findings.rows_read == 80
        assert one.findings.rows_quarantined == len(results[-1][1])
    assert results[0] == results[1]
