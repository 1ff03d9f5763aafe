"""All checks over an instrument's bars, and a score of what they found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from services.data.domain.bars import BarInterval, Ints, Mask, SourceBars
from services.data.domain.dividends import Dividend
from services.data.domain.splits import Split
from services.data.domain.trading_calendar import MarketCalendar
from services.data.imports.placing import local_dates
from services.data.quality.actions import (
    CurrencySpan,
    DoubledSplit,
    MissedSplit,
    WrongDividend,
    doubled_splits,
    found_in_actions,
    found_in_currencies,
    missed_splits,
    wrong_dividends,
)
from services.data.quality.findings import Found, Severity
from services.data.quality.gaps import Coverage, cover, found_gaps
from services.data.quality.prices import UnitCheck, check_units, found_units, scaled
from services.data.quality.quiet import found_quiet
from services.data.quality.values import (
    found_duplicates,
    found_in_values,
    judge_values,
    session_places,
)

# Of 100 points: what each finding of a kind costs, what all its bars would cost, and the most a kind costs.
_COSTS = {
    Severity.ERROR: (5.0, 500.0, 50.0),
    Severity.WARNING: (0.2, 100.0, 20.0),
    Severity.INFO: (0.0, 0.0, 0.0),
}


@dataclass(frozen=True)
class Material:
    """What is held of an instrument in one interval, and what it is checked against."""

    bars: SourceBars
    """Oldest first."""
    interval: BarInterval
    splits: Sequence[Split]
    dividends: Sequence[Dividend]
    calendar: MarketCalendar | None
    """None where it is not known when the market trades."""
    now_ns: int
    currency: str = ""
    currencies: Sequence[CurrencySpan] = ()
    has_volume: bool = True


@dataclass(frozen=True)
class Inspection:
    """What the checks found."""

    bars: SourceBars
    found: Sequence[Found]
    coverage: Coverage | None
    good: Mask
    """The bars that can be true by themselves; the rest was not judged further."""
    units: UnitCheck
    """Of the good bars."""
    missed: Sequence[MissedSplit]
    doubled: Sequence[DoubledSplit]
    dividends: Sequence[WrongDividend]
    score: float = field(default=0.0)
    """From 0 to 100."""


def inspect(material: Material) -> Inspection:
    """Run every check. Takes some 0.3 s a million bars and blocks: call it in a thread."""
    bars, interval = material.bars, material.interval
    reasons = judge_values(bars, interval, material.calendar, now_ns=material.now_ns)
    good = reasons == 0
    judged = bars if good.all() else bars.take(good)
    units = check_units(judged, material.splits)
    mended = scaled(judged, units.factors)
    calm = mended if not units.spikes.any() else mended.take(~units.spikes)
    missed = [
        replace(one, split=_by_session(one.split, material.calendar))
        for one in missed_splits(calm, interval, material.splits)
    ]
    doubled = doubled_splits(calm, material.splits)
    wrong = wrong_dividends(calm, material.dividends)
    sessions = None if material.calendar is None else material.calendar.sessions
    coverage = cover(judged, interval, sessions)
    found = (
        *found_in_values(bars, reasons),
        *found_duplicates(judged, interval, sessions),
        *(found_gaps(coverage) if coverage is not None else ()),
        *found_units(judged, units),
        *found_quiet(judged, interval, has_volume=material.has_volume),
        *found_in_actions(missed, doubled, wrong),
        *found_in_currencies(material.currency, material.currencies, material.dividends),
    )
    score = score_of(found, len(bars), coverage)
    return Inspection(bars, found, coverage, good, units, missed, doubled, wrong, score)


def _by_session(split: Split, calendar: MarketCalendar | None) -> Split:
    """The split from the open of the market's session on, or from its bar on in hours before the open."""
    if calendar is None:
        return split
    times = np.array([split.ex_time_ns])
    place = int(session_places(calendar.sessions, times)[0])
    if place < 0:
        return replace(split, ex_date=local_dates(calendar, times)[0].item())
    ex_date = calendar.sessions.session_date[place].item()
    return replace(split, ex_date=ex_date, ex_time_ns=int(calendar.sessions.open_ns[place]))


def score_of(found: Sequence[Found], bars: int, coverage: Coverage | None) -> float:
    """From 0 to 100, rounded to a tenth: 100 less what each kind costs.

    A kind costs so much a finding and so much a share of the bars (of those expected, where more are), up to
    a most: an ERROR 5 and 500 times the share, at most 50; a WARNING 0.2 and 100 times the share, at most 20;
    an INFO nothing. Without bars the score is 0.
    """
    if not bars:
        return 0.0
    of = max(bars, int(coverage.expected.sum()) if coverage is not None else 0)
    cost = 0.0
    for one in found:
        each, all_bars, most = _COSTS[one.severity]
        cost += min(most, each * one.count + all_bars * min(1.0, one.rows / of))
    return round(max(0.0, 100.0 - cost), 1)


@dataclass(frozen=True)
class Months:
    """Coverage and findings by month, UTC; columns of shape (m,)."""

    month: Ints
    """Months since January 1970."""
    expected: Ints
    """Bars that the calendar expects; those held where no calendar says."""
    held: Ints
    findings: Ints
    """Those described that begin in the month; INFO is left out."""


def by_month(inspection: Inspection) -> Months:
    """From the month of the first bar to that of the last, without gaps."""
    times = inspection.bars.open_time_ns
    if not len(times):
        nothing = np.zeros(0, dtype=np.int64)
        return Months(nothing, nothing, nothing, nothing)
    first, last = _months(times[[0, -1]])
    months = np.arange(first, last + 1)
    coverage = inspection.coverage
    if coverage is None:
        held = expected = np.bincount(_months(times) - first, minlength=len(months))
    else:
        place = np.clip(_months(coverage.open_ns) - first, 0, len(months) - 1)
        held, expected = (
            np.bincount(place, weights=counts, minlength=len(months)).astype(np.int64)
            for counts in (coverage.held, coverage.expected)
        )
    begins = [
        finding.first_ns
        for one in inspection.found
        if one.severity > Severity.INFO
        for finding in one.findings
    ]
    place = np.clip(_months(np.array(begins, dtype=np.int64)) - first, 0, len(months) - 1)
    return Months(months, expected, held, np.bincount(place, minlength=len(months)))


def _months(times_ns: Ints) -> Ints:
    return times_ns.view("datetime64[ns]").astype("datetime64[M]").astype(np.int64)
