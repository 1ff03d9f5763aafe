"""Bars that cannot be true by themselves, that lie in no session, or that stand twice for one time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from services.data.domain.bars import BarInterval, Ints, Mask, SourceBars
from services.data.domain.quality import QuarantineReason, Reasons, check_values
from services.data.domain.trading_calendar import MarketCalendar, SessionTable
from services.data.imports.placing import bar_opens
from services.data.quality.findings import Finding, FindingKind, Found, Severity, found_in_runs

WITHOUT_SESSIONS = (BarInterval.WEEK, BarInterval.MONTH)
_KINDS = {
    FindingKind.PRICE_INVALID: (QuarantineReason.PRICE_NOT_NUMBER, QuarantineReason.PRICE_NOT_POSITIVE),
    FindingKind.OHLC_ORDER: (QuarantineReason.OHLC_ORDER,),
    FindingKind.VOLUME_INVALID: (QuarantineReason.VOLUME_INVALID,),
    FindingKind.TIME_IN_FUTURE: (QuarantineReason.TIME_IN_FUTURE,),
    FindingKind.OUT_OF_SESSION: (QuarantineReason.NOT_A_SESSION,),
}


def session_places(sessions: SessionTable, times_ns: Ints) -> Ints:
    """The session under way at each time, as a row of the table; -1 where there is none."""
    place = np.searchsorted(sessions.open_ns, times_ns, side="right") - 1
    is_open = (place >= 0) & (times_ns < sessions.close_ns[np.maximum(place, 0)])
    return np.where(is_open, place, -1)


def in_session(bars: SourceBars, interval: BarInterval, calendar: MarketCalendar | None) -> Mask:
    """Which bars lie where the market has a session; shape (n,).

    Daily bars open with a session. Shorter ones may lie before or after it, in extended hours of its day.
    """
    if calendar is None or interval in WITHOUT_SESSIONS:
        return np.ones(len(bars), dtype=np.bool_)
    if interval is BarInterval.DAY:
        return np.isin(bars.open_time_ns, calendar.sessions.open_ns)
    return bar_opens(calendar, interval, bars.open_time_ns, None)[1]


def judge_values(
    bars: SourceBars, interval: BarInterval, calendar: MarketCalendar | None, *, now_ns: int
) -> Reasons:
    """Why each bar cannot be true by itself; 0 where it can."""
    return check_values(bars, in_session(bars, interval, calendar), now_ns=now_ns)


def found_in_values(bars: SourceBars, reasons: Reasons) -> Iterator[Found]:
    """The findings of `judge_values`."""

    def describe(first: int, last: int) -> Finding:
        worst = [getattr(bars, name)[first] for name in ("open", "high", "low", "close", "volume")]
        prices = "open {:g}, high {:g}, low {:g}, close {:g}, volume {:g}".format(*worst)
        reason = QuarantineReason(int(reasons[first])).name.replace("_", " ").lower()
        many = f" and the {last - first} after it" if last > first else ""
        return Finding(
            int(bars.open_time_ns[first]),
            int(bars.open_time_ns[last]),
            last - first + 1,
            float(worst[3]),
            float("nan"),
            f"{reason}: {prices}{many}",
        )

    for kind, of_kind in _KINDS.items():
        yield from found_in_runs(kind, Severity.ERROR, np.isin(reasons, of_kind), describe)


def found_duplicates(
    bars: SourceBars, interval: BarInterval, sessions: SessionTable | None
) -> Iterator[Found]:
    """Bars that follow another of the same time or, of daily bars, of the same session or day, UTC."""
    times = bars.open_time_ns
    slots = times
    if interval is BarInterval.DAY:
        slots = times // (86_400 * 10**9)
        if sessions is not None:
            place = session_places(sessions, times)
            slots = np.where(place >= 0, sessions.session_date[np.maximum(place, 0)].astype(np.int64), slots)
    again = np.zeros(len(bars), dtype=np.bool_)
    again[1:] = slots[1:] == slots[:-1]

    def describe(first: int, last: int) -> Finding:
        count = last - first + 2
        what = "daily bars of one session" if interval is BarInterval.DAY else "bars of one time"
        closes = f"closes from {bars.close[first - 1]:g} to {bars.close[last]:g}"
        return Finding(
            int(times[first - 1]), int(times[last]), count - 1, float(count), 1.0, f"{count} {what}: {closes}"
        )

    yield from found_in_runs(FindingKind.DUPLICATE, Severity.ERROR, again, describe)
