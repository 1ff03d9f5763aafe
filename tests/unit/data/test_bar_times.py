"""Where bars begin and end, and how often a source may be asked."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from services.data.calendars.source import build_session_table
from services.data.domain.bar_times import bar_ends, overlap_ns, period_opens
from services.data.domain.bars import BarInterval
from services.data.domain.ingestion import SymbolError
from services.data.domain.trading_calendar import SessionTable
from services.data.sources.budget import FetchAllowance, MinuteWindow
from services.data.sources.retrying import RetryPolicy
from services.data.sources.source import SourceError
from services.runtime.clock import ManualClock

DAY_NS = 86_400 * 10**9


@pytest.fixture(scope="module")
def table() -> SessionTable:
    return build_session_table("XNYS", 2025)


def text(times: np.ndarray) -> list[str]:
    return [str(np.datetime64(int(ns), "ns").astype("datetime64[m]")) for ns in times]


def test_weeks_and_months_open_with_their_first_session(table: SessionTable) -> None:
    # Monday, 2024-05-27 was a holiday; 2024-06-01 a Saturday.
    dates = np.array(["2024-05-27", "2024-06-01"], dtype="datetime64[D]")
    nothing = np.zeros(2, dtype=np.int64)
    opens, found = period_opens(table, BarInterval.WEEK, dates, nothing)
    assert (text(opens), found.tolist()) == (["2024-05-28T13:30", "2024-05-28T13:30"], [True, True])
    opens, found = period_opens(table, BarInterval.MONTH, dates, nothing)
    assert text(opens) == ["2024-05-01T13:30", "2024-06-03T13:30"]
    never = np.array(["2031-01-06", "1800-01-06"], dtype="datetime64[D]")
    assert not period_opens(table, BarInterval.WEEK, never, nothing)[1].any()


def test_bars_end_with_their_last_session(table: SessionTable) -> None:
    days = np.array(["2024-07-01", "2024-07-03"], dtype="datetime64[D]")
    opens = table.open_ns[np.searchsorted(table.session_date, days)]
    assert text(bar_ends(table, BarInterval.DAY, opens)) == ["2024-07-01T20:00", "2024-07-03T17:00"]
    assert text(bar_ends(table, BarInterval.WEEK, opens)) == ["2024-07-05T20:00"] * 2
    assert text(bar_ends(table, BarInterval.MONTH, opens)) == ["2024-07-31T20:00"] * 2
    assert text(bar_ends(table, BarInterval.MINUTE, opens))[0] == "2024-07-01T13:31"
    assert text(bar_ends(None, BarInterval.DAY, opens))[0] == "2024-07-02T13:30"


def test_the_overlap_holds_thirty_bars_and_a_week() -> None:
    assert overlap_ns(BarInterval.MINUTE) == 7 * DAY_NS
    assert overlap_ns(BarInterval.DAY) == 30 * DAY_NS
    assert overlap_ns(BarInterval.WEEK) == 210 * DAY_NS


def test_a_minute_has_no_more_requests_than_its_limit() -> None:
    clock = ManualClock(0)
    window = MinuteWindow(2, clock)
    assert [window.try_take(), window.try_take()] == [0, 0]
    clock.advance(20 * 10**9)
    assert window.try_take() == pytest.approx(40)
    clock.advance(40 * 10**9)
    assert window.try_take() == 0


def test_a_fetch_that_is_given_up_waits_no_longer() -> None:
    allowance = FetchAllowance(MinuteWindow(1, ManualClock(0)), None)
    allowance.take()
    raised: list[SourceError] = []

    def wait() -> None:
        try:
            allowance.take()
        except SourceError as error:
            raised.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    allowance.stop()
    waiting.join(10)
    assert [error.error for error in raised] == [SymbolError.TIMED_OUT]
    assert (allowance.used, allowance.unused) == (1, 0)


def test_pauses_double_vary_and_heed_the_source() -> None:
    policy = RetryPolicy(attempts=4, first_s=2, longest_s=5)
    away = SourceError(SymbolError.SOURCE_UNAVAILABLE, "away")
    assert [policy.pause_s(away, tries, 0.5) for tries in (1, 2, 3, 4)] == [2, 4, 5, None]
    assert (policy.pause_s(away, 1, 0), policy.pause_s(away, 1, 1)) == (1, 3)
    later = SourceError(SymbolError.RATE_LIMITED, "later", retry_after_s=4.5)
    assert policy.pause_s(later, 1, 0.5) == 4.5
    assert policy.pause_s(SourceError(SymbolError.SYMBOL_UNKNOWN, "none"), 1, 0.5) is None
