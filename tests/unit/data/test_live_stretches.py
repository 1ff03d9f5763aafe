"""Live bars begin where bars of history do."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.data.bars.market_sessions import MarketSessions, make_sessions
from services.data.calendars import calendars
from services.data.calendars.calendars import Calendars
from services.data.calendars.markets import find_market
from services.data.calendars.source import CalendarBrokenError, build_session_table
from services.data.domain.bars import BarInterval
from services.data.domain.instrument import Instrument, Listing
from services.data.domain.instrument_change import as_held
from services.data.domain.instrument_index import InstrumentIndex
from services.data.domain.live_bars import LENGTHS_NS, BarBuilder, Trade
from services.data.domain.resampling import group_bars
from services.data.domain.symbol_history import SymbolPeriod
from services.data.instruments.directory import InstrumentDirectory
from services.data.instruments.instrument_store import InstrumentStore
from services.data.live.live_stretches import LiveStretches, stretch_at
from services.runtime.clock import ManualClock

MINUTE = 60 * 10**9


def sessions_of(mic: str):  # type: ignore[no-untyped-def]
    market = find_market(mic)
    assert market is not None
    return make_sessions(build_session_table(mic, 2025), market)


TOKYO, NEW_YORK = sessions_of("XTKS"), sessions_of("XNYS")


@given(
    minute=st.integers(27_000_000, 28_900_000),
    later=st.integers(0, 300),
    interval=st.sampled_from([one for one in LENGTHS_NS if LENGTHS_NS[one] >= MINUTE]),
    is_tokyo=st.booleans(),
)
def test_two_minutes_share_a_live_bar_when_they_share_one_of_history(
    minute: int, later: int, interval: BarInterval, is_tokyo: bool
) -> None:
    sessions = TOKYO if is_tokyo else NEW_YORK
    times = np.array([minute, minute + later], dtype=np.int64) * MINUTE
    known = sessions.covering(int(times[0]), int(times[1]))
    in_one = bool(group_bars(times, interval, known)[-1] == 0)
    builder = BarBuilder("a", lambda at_ns: stretch_at(sessions, at_ns))
    first, second = (Trade("a", 1.0, 1.0, int(at), n, False, 1, False) for n, at in enumerate(times, 1))
    builder.add(first)
    told = builder.add(second, {interval})
    assert any(bar.is_closed for bar in told) is not in_one
    forming = builder.forming(interval)
    assert forming is not None
    assert forming.open_time_ns <= int(times[1]) < forming.open_time_ns + LENGTHS_NS[interval]


def test_without_a_calendar_days_are_those_of_utc() -> None:
    day = 1440 * MINUTE
    assert stretch_at(None, 5 * day + 7) == (5 * day, 6 * day, 5 * day)


class Instruments(InstrumentStore):
    """The store of a directory, kept in memory."""

    def __init__(self) -> None:
        self.held: dict[str, Instrument] = {}
        self.reads = 0

    async def read_index(self) -> InstrumentIndex:
        self.reads += 1
        return InstrumentIndex(self.held.values())

    async def read_some(
        self, instrument_ids: Collection[str]
    ) -> list[tuple[Instrument, Sequence[SymbolPeriod]]]:
        return [(self.held[one], ()) for one in instrument_ids if one in self.held]


def in_market(mic: str) -> Instrument:
    listing = Listing("AAA", "AAA", "XNYS", "A", date(2020, 1, 2))
    return replace(as_held(listing), mic=mic)


def live_stretches(at: datetime) -> tuple[LiveStretches, Instruments, InstrumentDirectory, ManualClock]:
    store, clock = Instruments(), ManualClock(int(at.timestamp()) * 10**9)
    directory = InstrumentDirectory(store)
    return LiveStretches(directory, MarketSessions(Calendars(clock=clock))), store, directory, clock


async def test_an_instrument_that_is_made_or_moves_is_of_its_market_from_then_on() -> None:
    stretches, store, directory, _ = live_stretches(datetime(2024, 6, 3, tzinfo=UTC))
    one = in_market("XNYS")
    for _ in range(3):
        assert stretches.mic_of("other") == ("" if stretches.knows(["other"]) else None)
        if not stretches.knows([one.instrument_id, "other"]):
            await stretches.read([one.instrument_id, "other"])
    assert store.reads == 1
    noon = int(datetime(2024, 6, 3, 16, tzinfo=UTC).timestamp()) * 10**9
    assert stretches.stretch(one.instrument_id, noon) == stretch_at(None, noon)
    store.held[one.instrument_id] = one
    await directory.refresh([one.instrument_id])
    assert not stretches.knows([one.instrument_id])
    await stretches.read([one.instrument_id])
    assert stretches.stretch(one.instrument_id, noon) == stretch_at(stretches.sessions_of("XNYS"), noon)
    assert stretches.stretch(one.instrument_id, noon) != stretch_at(None, noon)
    store.held[one.instrument_id] = in_market("XLON")
    await directory.refresh([one.instrument_id])
    assert stretches.mic_of(one.instrument_id) == "XLON"
    assert not stretches.knows([one.instrument_id])


async def test_the_calendar_of_the_next_year_is_read_when_it_comes() -> None:
    stretches, _, _, clock = live_stretches(datetime(2024, 12, 31, 12, tzinfo=UTC))
    before = await stretches.read_calendar("24/7")
    assert await stretches.read_calendar("24/7") is before
    clock.advance(86_400 * 10**9)
    after = await stretches.read_calendar("24/7")
    assert before is not None
    assert after is not None
    assert len(after) > len(before)
    assert stretches.sessions_of("24/7") is after


async def test_nothing_is_kept_of_markets_without_a_calendar() -> None:
    stretches, store, _, _ = live_stretches(datetime(2024, 6, 3, tzinfo=UTC))
    one = in_market("XNOW")
    store.held[one.instrument_id] = one
    for number in range(50):
        assert await stretches.read_calendar(f"X{number}") is None
    await stretches.read([one.instrument_id])
    assert stretches.knows([one.instrument_id])
    assert not stretches._sessions


async def test_a_calendar_that_cannot_be_made_leaves_the_days_of_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = 0

    def fail(_mic: str, _last_year: int) -> None:
        nonlocal tries
        tries += 1
        raise CalendarBrokenError

    monkeypatch.setattr(calendars, "build_session_table", fail)
    stretches, store, _, _ = live_stretches(datetime(2024, 6, 3, tzinfo=UTC))
    one = in_market("XNYS")
    store.held[one.instrument_id] = one
    for _ in range(3):
        await stretches.read([one.instrument_id])
    assert stretches.knows([one.instrument_id])
    assert stretches.stretch(one.instrument_id, 5 * MINUTE) == stretch_at(None, 5 * MINUTE)
    assert tries == 1
