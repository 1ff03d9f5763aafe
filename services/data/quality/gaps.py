"""What is missing against the market's calendar, and how much is held of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from services.data.domain.bars import BarInterval, Ints, Mask, SourceBars
from services.data.domain.trading_calendar import NO_BREAK, SessionTable
from services.data.quality.findings import (
    Finding,
    FindingKind,
    Found,
    Severity,
    found_in_runs,
    runs_of,
)
from services.data.quality.values import session_places

_SECOND_NS = 10**9
_MINUTE_NS = 60 * _SECOND_NS
LENGTHS_NS = {
    BarInterval.SECOND: _SECOND_NS,
    BarInterval.FIVE_SECONDS: 5 * _SECOND_NS,
    BarInterval.FIFTEEN_SECONDS: 15 * _SECOND_NS,
    BarInterval.THIRTY_SECONDS: 30 * _SECOND_NS,
    BarInterval.MINUTE: _MINUTE_NS,
    BarInterval.TWO_MINUTES: 2 * _MINUTE_NS,
    BarInterval.FIVE_MINUTES: 5 * _MINUTE_NS,
    BarInterval.TEN_MINUTES: 10 * _MINUTE_NS,
    BarInterval.FIFTEEN_MINUTES: 15 * _MINUTE_NS,
    BarInterval.THIRTY_MINUTES: 30 * _MINUTE_NS,
    BarInterval.HOUR: 60 * _MINUTE_NS,
    BarInterval.TWO_HOURS: 120 * _MINUTE_NS,
    BarInterval.FOUR_HOURS: 240 * _MINUTE_NS,
}


@dataclass(frozen=True)
class Coverage:
    """The market's sessions from that of the first bar to that of the last, and what is held of each.

    Columns of shape (s,).
    """

    open_ns: Ints
    held: Ints
    """Bars, one at most of a daily session; of intraday bars those of regular hours in different slots."""
    expected: Ints
    slot_first: Ints
    """Of intraday bars, the first slot of each session in `slot_held`."""
    slot_held: Mask
    """Of intraday bars, whether there is one in each slot of regular hours, breaks left out."""
    length_ns: int
    """Of a bar; 0 of daily bars."""

    @property
    def sessions_expected(self) -> int:
        """How many sessions there were."""
        return len(self.open_ns)

    @property
    def sessions_held(self) -> int:
        """How many have bars."""
        return int((self.held > 0).sum())


def cover(bars: SourceBars, interval: BarInterval, sessions: SessionTable | None) -> Coverage | None:
    """What is held of the sessions; None where no calendar says what is expected."""
    known = sessions is not None and (interval is BarInterval.DAY or interval in LENGTHS_NS)
    if sessions is None or not known or not len(bars):
        return None
    place = session_places(sessions, bars.open_time_ns)
    begin = int(np.searchsorted(sessions.open_ns, bars.open_time_ns[0], side="right")) - 1
    begin = max(begin, 0) if place[0] >= 0 else begin + 1
    end = int(np.searchsorted(sessions.open_ns, bars.open_time_ns[-1], side="right"))
    opens = sessions.open_ns[begin:end]
    if not len(opens):
        return None
    inside = place >= 0
    session = place[inside] - begin
    length_ns = LENGTHS_NS.get(interval, 0)
    if not length_ns:
        held = np.minimum(np.bincount(session, minlength=len(opens)), 1)
        nothing = np.zeros(0, dtype=np.int64)
        return Coverage(opens, held, np.ones_like(held), nothing, nothing.astype(np.bool_), 0)
    counts = -((opens - sessions.close_ns[begin:end]) // length_ns)
    first = np.concatenate(([0], np.cumsum(counts)))
    slots = first[session] + (bars.open_time_ns[inside] - opens[session]) // length_ns
    slot_held = np.bincount(slots, minlength=int(first[-1])) > 0
    in_hours = _outside_breaks(sessions, begin, end, first, length_ns)
    slot_held |= ~in_hours
    held = np.add.reduceat((slot_held & in_hours).astype(np.int64), first[:-1])
    expected = np.add.reduceat(in_hours.astype(np.int64), first[:-1])
    return Coverage(opens, held, expected, first, slot_held, length_ns)


def _outside_breaks(sessions: SessionTable, begin: int, end: int, first: Ints, length_ns: int) -> Mask:
    in_hours = np.ones(int(first[-1]), dtype=np.bool_)
    has_break = np.flatnonzero(sessions.break_start_ns[begin:end] != NO_BREAK)
    if len(has_break):
        change = np.zeros(int(first[-1]) + 1, dtype=np.int64)
        opens = sessions.open_ns[begin:end][has_break]
        starts = -((opens - sessions.break_start_ns[begin:end][has_break]) // length_ns)
        ends = (sessions.break_end_ns[begin:end][has_break] - opens) // length_ns
        np.add.at(change, first[has_break] + starts, 1)
        np.add.at(change, first[has_break] + np.maximum(starts, ends), -1)
        in_hours = np.cumsum(change)[:-1] == 0
    return in_hours


def found_gaps(coverage: Coverage) -> Iterator[Found]:
    """Sessions without a bar, a finding a run of them, and stretches without bars inside of the others."""
    is_missing = coverage.held == 0
    opens = coverage.open_ns

    def describe_sessions(first: int, last: int) -> Finding:
        count, rows = last - first + 1, int(coverage.expected[first : last + 1].sum())
        what = "1 session" if count == 1 else f"{count} sessions"
        return Finding(int(opens[first]), int(opens[last]), rows, 0.0, float(rows), f"no bar of {what}")

    for found in found_in_runs(FindingKind.MISSING_SESSION, Severity.WARNING, is_missing, describe_sessions):
        rows = int(coverage.expected[is_missing].sum())
        yield Found(found.kind, found.severity, found.findings, found.count, rows)
    if not coverage.length_ns:
        return
    of_missing = np.repeat(is_missing, np.diff(coverage.slot_first))
    slots = ~coverage.slot_held & ~of_missing
    # Before the first bar and after the last nothing is missing: they are where the history begins and ends.
    first_held, last_held = _span(coverage.slot_held & ~of_missing)
    slots[:first_held], slots[last_held + 1 :] = False, False
    yield from _found_in_hours(coverage, slots)


def _found_in_hours(coverage: Coverage, slots: Mask) -> Iterator[Found]:
    def time_of(slot: int) -> int:
        session = int(np.searchsorted(coverage.slot_first, slot, side="right")) - 1
        return int(coverage.open_ns[session] + (slot - coverage.slot_first[session]) * coverage.length_ns)

    def describe(first: int, last: int) -> Finding:
        count = last - first + 1
        minutes = count * coverage.length_ns / _MINUTE_NS
        text = f"{count} bars missing in regular hours, {minutes:,.4g} minutes"
        return Finding(time_of(first), time_of(last), count, 0.0, float(count), text)

    yield from found_in_runs(FindingKind.MISSING_BARS, Severity.WARNING, slots, describe)


def _span(mask: Mask) -> tuple[int, int]:
    first, last = runs_of(mask)
    return (int(first[0]), int(last[-1])) if len(first) else (0, len(mask) - 1)
