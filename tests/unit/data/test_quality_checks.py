"""Faults planted in real bars are found where they are; the real bars themselves give no findings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.data.domain.bars import BarInterval, SourceBars
from services.data.domain.dividends import Dividend
from services.data.domain.splits import Split, derive_splits
from services.data.domain.trading_calendar import MarketCalendar
from services.data.quality.actions import CurrencySpan
from services.data.quality.findings import Finding, FindingKind, Found, Severity
from services.data.quality.inspection import Inspection, Material, by_month, inspect
from tests.unit.data.sample_bars import SYMBOLS, new_york, sample_bars

NOW_NS = 2_000_000_000 * 10**9
MINUTE_NS = 60 * 10**9
PRICES = ("open", "high", "low", "close", "adjusted_close")
ROWS = st.integers(30, 3000)
KIND = FindingKind
few = settings(max_examples=40)


def material(symbol: str = "MSFT") -> Material:
    bars = sample_bars(symbol)
    return Material(bars, BarInterval.DAY, derive_splits(bars), (), new_york(), NOW_NS, "USD")


def kinds(inspection: Inspection) -> dict[FindingKind, Found]:
    return {one.kind: one for one in inspection.found}


def only(inspection: Inspection, kind: FindingKind) -> Finding:
    """The one finding there is."""
    assert [(one.kind, one.count) for one in inspection.found] == [(kind, 1)]
    assert inspection.score < 100
    return inspection.found[0].findings[0]


def day_of(bars: SourceBars, row: int) -> date:
    return datetime.fromtimestamp(int(bars.open_time_ns[row]) // 10**9, UTC).date()


def scale(bars: SourceBars, rows: slice | int, factor: float) -> None:
    for name in PRICES:
        getattr(bars, name)[rows] *= factor


def without(bars: SourceBars, row: int, count: int) -> SourceBars:
    return bars.take(np.r_[:row, row + count : len(bars)])


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_real_bars_are_clean(symbol: str) -> None:
    # Splits, dividends, and crashes by half in a day (AAPL, 2000-09-29) are among them.
    found = inspect(material(symbol))
    assert (found.found, found.score) == ((), 100.0)
    assert found.coverage is not None
    assert found.coverage.sessions_held == found.coverage.sessions_expected == len(found.bars)


@few
@given(st.sampled_from(SYMBOLS), st.integers(30, 150), st.integers(1, 12), st.sampled_from([0.01, 100.0]))
def test_bars_in_other_units_are_found(symbol: str, row: int, count: int, factor: float) -> None:
    one = material(symbol)
    # Where the price really halved on the day (AAPL), an end of the run is no jump by a hundred.
    edges = one.bars.close[[row - 1, row, row + count - 1, row + count]]
    assume(0.8 < edges[1] / edges[0] < 1.25 and 0.8 < edges[3] / edges[2] < 1.25)
    scale(one.bars, slice(row, row + count), factor)
    finding = only(inspect(one), KIND.UNIT_ERROR)
    assert (finding.first_ns, finding.rows) == (one.bars.open_time_ns[row], count)
    assert finding.value == pytest.approx(finding.expected * factor)


@pytest.mark.parametrize("rows", [slice(0, 7), slice(0, 1500), slice(2000, 3270), slice(500, 1900)])
def test_long_stretches_in_other_units_are_found_to_the_ends(rows: slice) -> None:
    one = material("IBM")
    scale(one.bars, rows, 0.01)
    finding = only(inspect(one), KIND.UNIT_ERROR)
    assert (finding.first_ns, finding.rows) == (one.bars.open_time_ns[rows.start], rows.stop - rows.start)


UP, DOWN = 1.6, 1 / 1.6


@few
@given(
    st.integers(900, 2000),
    st.sampled_from(
        [("high", UP), ("low", DOWN), ("open", UP), ("open", DOWN), ("close", UP), ("close", DOWN)]
    ),
)
def test_spikes_are_found(row: int, fault: tuple[str, float]) -> None:
    column, factor = fault
    one = material("IBM")
    bars = one.bars
    getattr(bars, column)[row] *= factor
    bars.high[row] = max(getattr(bars, name)[row] for name in PRICES[:4])
    bars.low[row] = min(getattr(bars, name)[row] for name in PRICES[:4])
    finding = only(inspect(one), KIND.SPIKE)
    assert (finding.first_ns, finding.rows) == (bars.open_time_ns[row], 1)


@few
@given(ROWS)
def test_impossible_bars_are_found(row: int) -> None:
    for kind, name, value in (
        (KIND.OHLC_ORDER, "high", 0.5),
        (KIND.PRICE_INVALID, "low", -1.0),
        (KIND.PRICE_INVALID, "close", float("nan")),
        (KIND.VOLUME_INVALID, "volume", -1.0),
    ):
        one = material()
        getattr(one.bars, name)[row] = value
        found = kinds(inspect(one))
        assert found[kind].findings[0].first_ns == one.bars.open_time_ns[row]
        assert found[kind].severity is Severity.ERROR


@few
@given(ROWS, st.integers(1, 20))
def test_missing_sessions_are_found(row: int, count: int) -> None:
    one = material()
    found = kinds(inspect(replace(one, bars=without(one.bars, row, count))))
    # What lacks four weeks in which the price fell to two thirds (MSFT, 2000) looks like a split too.
    assert found.keys() <= {KIND.MISSING_SESSION, KIND.SPLIT_MISSED}
    (finding,) = found[KIND.MISSING_SESSION].findings
    times = one.bars.open_time_ns
    assert (finding.first_ns, finding.last_ns, finding.rows) == (times[row], times[row + count - 1], count)


@few
@given(ROWS)
def test_bars_beside_sessions_and_twice_in_one_are_found(row: int) -> None:
    one = material("IBM")
    one.bars.open_time_ns[row] += 3600 * 10**9
    finding = kinds(inspect(one))[KIND.OUT_OF_SESSION].findings[0]
    assert finding.first_ns == one.bars.open_time_ns[row]
    again = replace(one, calendar=None)
    again.bars.open_time_ns[row] = again.bars.open_time_ns[row - 1] + 1
    assert only(inspect(again), KIND.DUPLICATE).first_ns == again.bars.open_time_ns[row - 1]


@few
@given(ROWS, st.integers(5, 30), st.sampled_from([0.0, 1000.0]))
def test_stale_runs_are_found(row: int, count: int, volume: float) -> None:
    one = material("IBM")
    for name in PRICES:
        getattr(one.bars, name)[row : row + count] = one.bars.close[row]
    one.bars.volume[row : row + count] = volume
    finding = kinds(inspect(one))[KIND.STALE].findings[0]
    assert (finding.first_ns, finding.rows) == (one.bars.open_time_ns[row], count)


@few
@given(ROWS, st.integers(1, 4))
def test_bars_without_volume_are_found(row: int, count: int) -> None:
    one = material()
    one.bars.volume[row : row + count] = 0
    finding = only(inspect(one), KIND.ZERO_VOLUME)
    assert (finding.first_ns, finding.rows) == (one.bars.open_time_ns[row], count)
    assert not inspect(replace(one, has_volume=False)).found


def calm(bars: SourceBars, row: int) -> bool:
    """The price opens where it closed, and the volume is what it was: an ordinary day."""
    fall = abs(np.log(bars.close[row - 1] / bars.open[row]))
    before, after = (np.median(bars.volume[near]) for near in (slice(row - 20, row), slice(row, row + 10)))
    return bool(fall < 0.015 and 0.8 < after / before < 1.25 and 0.5 < bars.volume[row] / before < 2)


@few
@given(ROWS, st.sampled_from([(2, 1), (3, 1), (4, 1), (10, 1), (1, 5), (1, 10)]), st.booleans())
def test_missed_splits_are_found(row: int, ratio: tuple[int, int], is_said: bool) -> None:
    one = material("IBM")
    bars = one.bars
    while not calm(bars, row):
        row += 1
    factor = ratio[0] / ratio[1]
    adjusted = bars.adjusted_close.copy()
    scale(bars, slice(row, None), 1 / factor)
    bars.volume[row:] *= factor
    bars.adjusted_close[:] = adjusted / factor if is_said else bars.close
    finding = only(inspect(one), KIND.SPLIT_MISSED)
    assert finding.first_ns == bars.open_time_ns[row]
    split = inspect(one).missed[0].split
    assert (split.new_shares, split.old_shares) == ratio
    assert inspect(one).missed[0].severity is (Severity.ERROR if is_said else Severity.WARNING)
    assert not inspect(replace(one, splits=[split])).found


@pytest.mark.parametrize(("hours_early", "expected"), [(0, "2024-11-26"), (5, "2024-11-26")])
def test_a_missed_split_is_dated_by_the_market(hours_early: int, expected: str) -> None:
    one = minutes()
    bars, row = one.bars, 390
    bars.open_time_ns[row] -= hours_early * 3600 * 10**9
    scale(bars, slice(row, None), 1 / 2)
    bars.adjusted_close[:row] /= 2
    split = inspect(one).missed[0].split
    assert split.ex_date == date.fromisoformat(expected)
    assert split.ex_time_ns == bars.open_time_ns[row]
    sydney = replace(one, calendar=MarketCalendar(new_york().sessions, "Australia/Sydney"))
    shifted = inspect(sydney).missed[0].split
    # In the session its name counts, before it the market's clocks do.
    assert shifted.ex_date == date.fromisoformat("2024-11-26")


@few
@given(ROWS, st.sampled_from([(2, 1), (3, 2), (1, 5), (50, 1)]))
def test_splits_the_prices_do_not_show_are_found(row: int, ratio: tuple[int, int]) -> None:
    one = material("IBM")
    time_ns = int(one.bars.open_time_ns[row])
    split = Split(day_of(one.bars, row), time_ns, *ratio)
    finding = only(inspect(replace(one, splits=[*one.splits, split])), KIND.SPLIT_DOUBLED)
    assert finding.first_ns == time_ns


def quarterly(bars: SourceBars) -> list[Dividend]:
    return [
        Dividend(
            day_of(bars, row),
            int(bars.open_time_ns[row]),
            Decimal(str(round(bars.close[row - 1] * 0.004, 2))),
            "USD",
        )
        for row in range(60, len(bars), 62)
    ]


@few
@given(st.integers(0, 50), st.sampled_from([Decimal(100), Decimal("0.01")]))
def test_dividends_off_by_a_hundred_are_found(which: int, factor: Decimal) -> None:
    one = material("IBM")
    dividends = quarterly(one.bars)
    assert not inspect(replace(one, dividends=dividends)).found
    right = dividends[which]
    dividends[which] = replace(right, amount=right.amount * factor)
    found = inspect(replace(one, dividends=dividends))
    assert only(found, KIND.DIVIDEND_UNIT).first_ns == right.ex_time_ns
    assert found.dividends[0].right == right


def test_a_special_dividend_that_the_price_paid_is_right() -> None:
    one = material("MSFT")
    row = int(np.flatnonzero(one.bars.open_time_ns == new_york_open("2004-11-15"))[0])
    paid = Dividend(date(2004, 11, 15), int(one.bars.open_time_ns[row]), Decimal(3), "USD")
    others = [replace(each, amount=each.amount / 10) for each in quarterly(one.bars)]
    assert not inspect(replace(one, dividends=[*others, paid])).found
    alone = replace(paid, amount=Decimal(50), ex_time_ns=int(one.bars.open_time_ns[100]))
    assert inspect(replace(one, dividends=[alone])).dividends[0].right.amount == Decimal("0.5")


def new_york_open(day: str) -> int:
    sessions = new_york().sessions
    return int(sessions.open_ns[np.searchsorted(sessions.session_date, np.datetime64(day))])


def test_other_currencies_are_found() -> None:
    one = material()
    spans = [CurrencySpan("USD", 1, 2, 10), CurrencySpan("GBX", 3, 4, 20)]
    finding = only(inspect(replace(one, currencies=spans)), KIND.CURRENCY_CHANGE)
    assert (finding.first_ns, finding.last_ns, finding.rows) == (3, 4, 20)
    dividends = [replace(quarterly(one.bars)[0], currency="EUR")]
    assert only(inspect(replace(one, dividends=dividends)), KIND.CURRENCY_CHANGE).rows == 1


def minutes(days: int = 5) -> Material:
    """A week of minute bars around Thanksgiving 2024, an early close in it."""
    sessions = new_york().sessions
    first = int(np.searchsorted(sessions.session_date, np.datetime64("2024-11-25")))
    spans = zip(sessions.open_ns[first:], sessions.close_ns[first : first + days], strict=False)
    times = np.concatenate([np.arange(opened, closed, MINUTE_NS) for opened, closed in spans])
    random = np.random.default_rng(3)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.0005, len(times))))
    opened = np.concatenate(([100.0], close[:-1]))
    volume = random.integers(100, 1000, len(times)).astype(np.float64)
    bars = SourceBars(
        times, opened, np.maximum(opened, close), np.minimum(opened, close), close, volume, close.copy()
    )
    return Material(bars, BarInterval.MINUTE, (), (), new_york(), NOW_NS, "USD")


@few
@given(st.integers(1, 1700), st.integers(1, 60))
def test_missing_minutes_are_found(row: int, count: int) -> None:
    one = minutes()
    assert len(one.bars) == 4 * 390 + 210
    assert not inspect(one).found
    count = min(count, len(one.bars) - row - 1)
    finding = only(inspect(replace(one, bars=without(one.bars, row, count))), KIND.MISSING_BARS)
    times = one.bars.open_time_ns
    assert (finding.first_ns, finding.last_ns, finding.rows) == (times[row], times[row + count - 1], count)


def test_extended_hours_are_of_the_day_and_nothing_is_missing_in_them() -> None:
    one = minutes()
    late = one.bars.take(np.array([389]))
    late.open_time_ns[0] += 3 * 3600 * 10**9 + 30 * MINUTE_NS
    bars = one.bars.take(slice(0, 390)).followed_by(late).followed_by(one.bars.take(slice(390, None)))
    assert not inspect(replace(one, bars=bars)).found
    bars.open_time_ns[-1] += 5 * 24 * 3600 * 10**9
    assert KIND.OUT_OF_SESSION in kinds(inspect(replace(one, bars=bars)))


def test_a_missing_day_of_minutes_is_a_missing_session() -> None:
    one = minutes()
    found = kinds(inspect(replace(one, bars=without(one.bars, 390, 390))))
    assert set(found) == {KIND.MISSING_SESSION}
    assert found[KIND.MISSING_SESSION].rows == 390


def test_a_break_is_not_a_gap() -> None:
    one = minutes(1)
    sessions = one.calendar.sessions if one.calendar else None
    assert sessions is not None
    place = int(np.searchsorted(sessions.open_ns, one.bars.open_time_ns[0]))
    starts, ends = sessions.break_start_ns.copy(), sessions.break_end_ns.copy()
    starts[place], ends[place] = one.bars.open_time_ns[[100, 160]]
    paused = replace(new_york(), sessions=replace(sessions, break_start_ns=starts, break_end_ns=ends))
    lunch = replace(one, calendar=paused, bars=without(one.bars, 100, 60))
    assert not inspect(lunch).found
    hungry = replace(one, calendar=paused, bars=without(one.bars, 98, 62))
    assert only(inspect(hungry), KIND.MISSING_BARS).rows == 2


def test_months_tell_what_is_held() -> None:
    one = material()
    months = by_month(inspect(replace(one, bars=without(one.bars, 40, 30))))
    assert len(months.month) == 157
    assert months.expected.sum() == 3270
    assert months.held.sum() == 3240
    assert months.findings.sum() == 1
    nothing = inspect(replace(one, bars=one.bars.take(slice(0))))
    assert (nothing.score, len(by_month(nothing).month)) == (0.0, 0)


def test_without_a_calendar_nothing_is_expected() -> None:
    one = replace(material(), calendar=None)
    found = inspect(replace(one, bars=without(one.bars, 40, 30)))
    assert not found.found
    assert by_month(found).held.sum() == 3240
    assert inspect(replace(one, bars=one.bars.take(slice(0, 2)))).score == 100
