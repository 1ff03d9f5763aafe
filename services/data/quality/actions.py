"""Splits, dividends and currencies against the prices and volumes around them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np

from services.data.domain.bars import BarInterval, Doubles, Ints, SourceBars
from services.data.domain.dividends import Dividend
from services.data.domain.quality import is_unit_jump
from services.data.domain.splits import NANOS, Split, nearest_ratio
from services.data.quality.findings import Finding, FindingKind, Found, Severity, found_all

_LEAST_JUMP = math.log(1.45)
# Of a ratio below it the price says too little against a day's own move.
_LEAST_DOUBLED = math.log(1.24)
# A dividend paid on the same day moves the jump too.
_ADJUSTED_TOLERANCE = 0.012
_PRICE_TOLERANCE = (0.02, 0.05)
_BEFORE, _AFTER = 20, 10
_FEWEST_AROUND = 5
_DAY_NS = 86_400 * NANOS
# A dividend of a twentieth of the price that the price paid is one.
_SPECIAL_YIELD = 0.03
_UNBELIEVABLE_YIELD = 0.5
_FEWEST_DIVIDENDS = 3
_CENT = Decimal("0.01")
_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True, slots=True)
class MissedSplit:
    """A split that the bars show and nobody recorded."""

    row: int
    split: Split
    explanation: str
    severity: Severity
    """ERROR when the source's adjusted close shows it, WARNING when price and volume do."""


@dataclass(frozen=True, slots=True)
class DoubledSplit:
    """A split that is recorded while the prices do not show it: adjusted for it they are wrong."""

    split: Split
    fall: float
    explanation: str


@dataclass(frozen=True, slots=True)
class WrongDividend:
    """A dividend some 100 times too large or too small."""

    dividend: Dividend
    right: Dividend
    explanation: str


@dataclass(frozen=True, slots=True)
class CurrencySpan:
    """Bars that were recorded when the instrument's currency was said to be this one."""

    currency: str
    first_ns: int
    last_ns: int
    rows: int


def missed_splits(bars: SourceBars, interval: BarInterval, splits: Sequence[Split]) -> list[MissedSplit]:
    """The splits that no record tells of, oldest first; ``bars`` are good by themselves and in one unit.

    A split n:m divides the price by n/m from one close to the next open. Either the source's adjusted close
    says so (adjusted_close / close jumps by a usual ratio), or, at ratios of 3:2 and more, the fall is near a
    usual ratio and the volume changes the other way by about as much, that day and in the weeks around: a
    crash brings a multiple of the volume on its day.
    """
    if len(bars) < 2 or interval in {BarInterval.WEEK, BarInterval.MONTH}:
        return []
    fall = np.log(bars.close[:-1] / bars.open[1:])
    ratio = np.log(bars.adjusted_close / bars.close)
    said = np.diff(ratio)
    rows: Ints = np.flatnonzero((np.abs(fall) >= _LEAST_JUMP) & ~_is_recorded(bars, splits)) + 1
    found = []
    for row in rows[:_MOST_ROWS].tolist():
        one = _said_split(bars, row, float(said[row - 1]), float(fall[row - 1])) or _seen_split(
            bars, row, fall
        )
        if one is not None:
            found.append(one)
    return found


_MOST_ROWS = 1000


def _is_recorded(bars: SourceBars, splits: Sequence[Split]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether a split came between each bar but the last and the next; a day more to either side."""
    recorded = np.zeros(len(bars) - 1, dtype=np.bool_)
    for split in splits:
        near = (bars.open_time_ns[1:] >= split.ex_time_ns - _DAY_NS) & (
            bars.open_time_ns[:-1] <= split.ex_time_ns + _DAY_NS
        )
        recorded |= near
    return recorded


def _said_split(bars: SourceBars, row: int, said: float, fall: float) -> MissedSplit | None:
    usual = nearest_ratio(said)
    expected = math.log(usual)
    if abs(said) < _LEAST_JUMP or abs(said - expected) > _ADJUSTED_TOLERANCE:
        return None
    if abs(fall - expected) > abs(fall):
        return None
    text = f"the source's adjusted close jumps by {math.exp(said):.3f} and the price falls by it"
    return _missed(bars, row, *usual.as_integer_ratio(), text, Severity.ERROR)


def _seen_split(bars: SourceBars, row: int, fall: Doubles) -> MissedSplit | None:
    begin, end = max(0, row - _BEFORE), min(len(bars), row + _AFTER)
    if row - begin < _FEWEST_AROUND or end - row < _FEWEST_AROUND:
        return None
    usual = nearest_ratio(float(fall[row - 1]))
    expected = math.log(usual)
    around = np.concatenate((fall[begin : row - 1], fall[row : end - 1]))
    sigma = _MAD_TO_SIGMA * float(np.median(np.abs(around)))
    tolerance = min(max(_PRICE_TOLERANCE[0], 2 * sigma), _PRICE_TOLERANCE[1])
    if abs(fall[row - 1] - expected) > tolerance or is_unit_jump(np.array(expected)):
        return None
    before, after = float(np.median(bars.volume[begin:row])), float(np.median(bars.volume[row:end]))
    on_day = float(bars.volume[row])
    if min(before, after, on_day) <= 0:
        return None
    weeks, day = math.log(after / before) / expected, math.log(on_day / before) - expected
    if not 0.3 <= weeks <= 2 or abs(day) > math.log(3):
        return None
    text = (
        f"the price falls from {bars.close[row - 1]:g} to {bars.open[row]:g} and the volume goes from "
        f"{before:,.0f} to {after:,.0f}"
    )
    return _missed(bars, row, *usual.as_integer_ratio(), text, Severity.WARNING)


def _missed(
    bars: SourceBars, row: int, new_shares: int, old_shares: int, text: str, severity: Severity
) -> MissedSplit:
    time_ns = int(bars.open_time_ns[row])
    split = Split(datetime.fromtimestamp(time_ns // NANOS, UTC).date(), time_ns, new_shares, old_shares)
    return MissedSplit(row, split, f"{text}: a split {new_shares}:{old_shares} not recorded", severity)


def doubled_splits(bars: SourceBars, splits: Sequence[Split]) -> list[DoubledSplit]:
    """The recorded splits within the bars at which the price does not fall, oldest first.

    The fall from the close before to the open is nearer to none than to the split's ratio: the prices were
    adjusted already, or the split is recorded a second time.
    """
    found = []
    for split in splits:
        expected = math.log(split.new_shares / split.old_shares)
        row = int(np.searchsorted(bars.open_time_ns, split.ex_time_ns))
        if not 0 < row < len(bars) or abs(expected) < _LEAST_DOUBLED:
            continue
        fall = math.log(bars.close[row - 1] / bars.open[row])
        if abs(fall - expected) <= abs(fall):
            continue
        text = (
            f"a split {split.new_shares}:{split.old_shares} is recorded, but the price goes from "
            f"{bars.close[row - 1]:g} to {bars.open[row]:g}: adjusted for it, earlier prices are wrong"
        )
        found.append(DoubledSplit(split, fall, text))
    return found


def wrong_dividends(bars: SourceBars, dividends: Sequence[Dividend]) -> list[WrongDividend]:
    """The dividends within the bars that are 50 to 200 times too large or too small, oldest first.

    Each is measured by the close before its ex date and compared with the median of the others, when there
    are three; without them it is too large at half the price. One of over 3 % at which the price fell by half
    of it or more is a special one, and right.
    """
    inside = [
        (one, row)
        for one in dividends
        if 0 < (row := int(np.searchsorted(bars.open_time_ns, one.ex_time_ns))) < len(bars)
    ]
    if not inside:
        return []
    rows = np.array([row for _, row in inside])
    shares = np.array([float(one.amount) for one, _ in inside]) / bars.close[rows - 1]
    fell = 1 - bars.open[rows] / bars.close[rows - 1]
    found = []
    for place, (one, row) in enumerate(inside):
        share, others = float(shares[place]), np.delete(shares, place)
        usual = float(np.median(others)) if len(others) >= _FEWEST_DIVIDENDS else 0.0
        is_special = share > _SPECIAL_YIELD and fell[place] >= share / 2
        if share <= 0 or is_special:
            continue
        if usual:
            factor = _factor(math.log(share / usual))
        else:
            factor = _CENT if share >= _UNBELIEVABLE_YIELD else None
        if factor is None:
            continue
        right = Dividend(one.ex_date, one.ex_time_ns, one.amount * factor, one.currency)
        compared = f"others pay {usual:.3%}" if usual else f"the price moved by {-fell[place]:+.1%}"
        text = (
            f"{one.amount} {one.currency} on a close of {bars.close[row - 1]:g} is {share:.3%}, {compared}: "
            f"likely {right.amount.normalize():f}"
        )
        found.append(WrongDividend(one, right, text))
    return found


def _factor(log_ratio: float) -> Decimal | None:
    if not is_unit_jump(np.array(log_ratio)):
        return None
    return _CENT if log_ratio > 0 else 1 / _CENT


def found_in_actions(
    missed: Sequence[MissedSplit], doubled: Sequence[DoubledSplit], wrong: Sequence[WrongDividend]
) -> Iterator[Found]:
    """The findings of the checks above, missed splits by how certain they are."""
    for severity in (Severity.ERROR, Severity.WARNING):
        findings = [
            _at(one.split.ex_time_ns, one.split.old_shares / one.split.new_shares, 1.0, one.explanation)
            for one in missed
            if one.severity is severity
        ]
        yield from found_all(FindingKind.SPLIT_MISSED, severity, findings)
    findings = [
        _at(
            one.split.ex_time_ns,
            math.exp(-one.fall),
            one.split.old_shares / one.split.new_shares,
            one.explanation,
        )
        for one in doubled
    ]
    yield from found_all(FindingKind.SPLIT_DOUBLED, Severity.ERROR, findings)
    findings = [
        _at(
            one.dividend.ex_time_ns,
            float(one.dividend.amount),
            float(one.right.amount),
            one.explanation,
        )
        for one in wrong
    ]
    yield from found_all(FindingKind.DIVIDEND_UNIT, Severity.ERROR, findings)


def found_in_currencies(
    currency: str, spans: Sequence[CurrencySpan], dividends: Sequence[Dividend]
) -> Iterator[Found]:
    """Bars recorded when the instrument was said to trade in another currency; dividends paid in another."""
    nothing = float("nan")
    findings = [
        Finding(
            span.first_ns,
            span.last_ns,
            span.rows,
            nothing,
            nothing,
            f"{span.rows:,} bars were recorded in {span.currency}; the instrument is in {currency}",
        )
        for span in spans
        if span.currency != currency
    ]
    yield from found_all(FindingKind.CURRENCY_CHANGE, Severity.ERROR, findings)
    findings = [
        _at(
            one.ex_time_ns,
            nothing,
            nothing,
            f"a dividend is paid in {one.currency}; the instrument is in {currency}",
        )
        for one in dividends
        if one.currency != currency
    ]
    yield from found_all(FindingKind.CURRENCY_CHANGE, Severity.WARNING, findings)


def _at(time_ns: int, value: float, expected: float, text: str) -> Finding:
    return Finding(time_ns, time_ns, 1, value, expected, text)
