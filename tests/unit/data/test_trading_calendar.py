"""Sessions and what a market does at a moment, over real calendars."""

from __future__ import annotations

import functools
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.data.calendars.source import build_session_table
from services.data.domain.trading_calendar import MarketState, SessionTable

# Half days; breaks; sessions that open on the evening before; Monday to Friday without pause; no pause.
CALENDARS = ("XNYS", "XHKG", "CMES", "24/5", "24/7")

calendars = st.sampled_from(CALENDARS)
dates = st.dates(date(1960, 1, 1), date(2026, 12, 31))


@functools.cache
def table_of(mic: str) -> SessionTable:
    return build_session_table(mic, 2026)


@pytest.mark.parametrize("mic", CALENDARS)
def test_sessions_are_disjoint_ordered_and_not_empty(mic: str) -> None:
    table = table_of(mic)
    assert np.all(table.open_ns < table.close_ns)
    assert np.all(table.close_ns[:-1] <= table.open_ns[1:])
    assert np.all(table.session_date[:-1] < table.session_date[1:])
    for session in table.between(table.first_date, table.last_date, 100_000):
        if session.break_ns is not None:
            begins, ends = session.break_ns
            assert session.open_ns < begins < ends < session.close_ns


@given(mic=calendars, first=dates, days=st.integers(-2, 40), limit=st.integers(0, 50))
def test_between_is_what_lies_between(mic: str, first: date, days: int, limit: int) -> None:
    table, last = table_of(mic), first + timedelta(days)
    found = [one.session_date for one in table.between(first, last, limit)]
    held = {one.item() for one in table.session_date}
    expected = [day for day in (first + timedelta(n) for n in range(days + 1)) if day in held]
    assert found == expected[:limit]


@given(data=st.data(), mic=calendars)
def test_status_agrees_with_the_sessions(data: st.DataObject, mic: str) -> None:
    table = table_of(mic)
    edges = st.sampled_from(["open_ns", "close_ns"]).flatmap(
        lambda name: st.sampled_from(range(1000, len(table.open_ns) - 1000)).map(
            lambda place: int(getattr(table, name)[place])
        )
    )
    anywhere = st.integers(int(table.open_ns[500]), int(table.open_ns[-500]))
    at_ns = data.draw(anywhere | st.builds(int.__add__, edges, st.integers(-1, 1)))
    status = table.status(at_ns)

    day = np.datetime64(at_ns, "ns").astype("datetime64[D]").item()
    around = table.between(day - timedelta(12), day + timedelta(12), 100)
    under_way = [one for one in around if one.open_ns <= at_ns < one.close_ns]
    assert ([status.session] if status.session else []) == under_way
    in_break = any(one.break_ns and one.break_ns[0] <= at_ns < one.break_ns[1] for one in under_way)
    expected = MarketState.BREAK if in_break else MarketState.OPEN if under_way else MarketState.CLOSED
    assert status.state is expected

    changes = _changes(table, at_ns)
    assert (status.next_open_ns, status.next_close_ns) == changes
    if status.next_open_ns is not None and status.next_close_ns is not None:
        first = min(status.next_open_ns, status.next_close_ns)
        assert (status.state is MarketState.OPEN) == (first == status.next_close_ns)


def _changes(table: SessionTable, at_ns: int) -> tuple[int | None, int | None]:
    """Next start and stop of trading, session by session."""
    day = np.datetime64(at_ns, "ns").astype("datetime64[D]").item()
    pieces: list[list[int]] = []
    for one in table.between(day - timedelta(12), day + timedelta(12), 100):
        cuts = [one.open_ns, *(one.break_ns or ()), one.close_ns]
        for begin, end in zip(cuts[::2], cuts[1::2], strict=True):
            if pieces and pieces[-1][1] == begin:
                pieces[-1][1] = end
            else:
                pieces.append([begin, end])
    if len(pieces) == 1:
        return None, None
    starts = [begin for begin, _ in pieces if begin > at_ns]
    return starts[0], next(end for _, end in pieces if end > at_ns)


def test_the_last_session_has_no_next_open() -> None:
    table = table_of("XNYS")
    status = table.status(int(table.close_ns[-1]) - 1)
    assert status.next_open_ns is None
    assert status.next_close_ns == table.close_ns[-1]
    assert table.knows(int(table.open_ns[0]))
    assert not table.knows(int(table.open_ns[0]) - 1)
    assert not table.knows(int(table.close_ns[-1]))


def test_bounds_of_the_recorded_holidays() -> None:
    table = build_session_table("XSHG", 2027)
    assert table.first_date == date(1990, 12, 3)
    assert table.last_date < date(2027, 12, 31)
    assert table.last_date - timedelta(7) < table.session_date[-1].item() <= table.last_date
