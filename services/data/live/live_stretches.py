"""Which part of its market's day a moment lies in, for the live bars of every instrument."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from services.data.bars.market_sessions import MarketSessions
from services.data.calendars.markets import find_market
from services.data.domain.live_bars import Stretch
from services.data.domain.sessions import Sessions
from services.data.domain.trading_calendar import NO_BREAK
from services.data.instruments.directory import InstrumentDirectory
from services.runtime.errors import ApiError

_DAY_NS = 86_400 * 10**9
_NOT_HELD = ""
"""The market of what a source trades and this service does not hold: bars are counted in UTC."""
_MOST_NOT_HELD = 100_000


class LiveStretches:
    """The calendars of the markets whose instruments trade, read beforehand: prints cannot wait for them.

    Of which market an instrument is, the directory says at every print.
    """

    def __init__(self, directory: InstrumentDirectory, sessions: MarketSessions) -> None:
        self._directory = directory
        self._calendars = sessions
        self._sessions: dict[str, Sessions | None] = {}
        """Of the markets that have a calendar; None where it cannot be made."""
        self._not_held: set[str] = set()
        self._not_held_at = 0

    def mic_of(self, instrument_id: str) -> str | None:
        """The market of an instrument; empty where this service does not hold it, None before it was read."""
        instrument = self._directory.index.by_id(instrument_id)
        if instrument is not None:
            return instrument.mic
        is_known = self._not_held_at == self._directory.changes and instrument_id in self._not_held
        return _NOT_HELD if is_known else None

    def sessions_of(self, mic: str) -> Sessions | None:
        """The market's sessions; None when no calendar is known, or it was not read."""
        return self._sessions.get(mic)

    def knows(self, instrument_ids: Iterable[str]) -> bool:
        """Whether all of them and their markets' calendars were read."""
        mics = {self.mic_of(one) for one in instrument_ids}
        return all(mic is not None and (mic in self._sessions or find_market(mic) is None) for mic in mics)

    async def read(self, instrument_ids: Iterable[str]) -> None:
        """Read of which markets the instruments are, and those markets' calendars as they are now."""
        wanted = set(instrument_ids)
        missing = {one for one in wanted if self.mic_of(one) is None}
        if missing:
            await self._directory.reload()
            self._note_not_held(missing)
        for mic in sorted({mic for one in wanted if (mic := self.mic_of(one))}):
            await self.read_calendar(mic)

    async def read_calendar(self, mic: str) -> Sessions | None:
        """Read the calendar of a market, if one is known, as it is now: it is made anew every year."""
        if find_market(mic) is None:
            return None
        try:
            self._sessions[mic] = await self._calendars.of(mic)
        except ApiError as error:
            if error.reason != "CALENDAR_UNAVAILABLE":
                raise
            self._sessions[mic] = None
        return self._sessions[mic]

    def _note_not_held(self, instrument_ids: set[str]) -> None:
        """Until the directory knows something else they are not looked for again."""
        if self._not_held_at != self._directory.changes or len(self._not_held) > _MOST_NOT_HELD:
            self._not_held.clear()
        self._not_held_at = self._directory.changes
        self._not_held |= {one for one in instrument_ids if self._directory.index.by_id(one) is None}

    def stretch(self, instrument_id: str, at_ns: int) -> Stretch:
        """The part of the day; the day in UTC where no calendar is known."""
        return stretch_at(self._sessions.get(self.mic_of(instrument_id) or _NOT_HELD), at_ns)


def stretch_at(sessions: Sessions | None, at_ns: int) -> Stretch:
    """As bars of history are grouped; before the open they are counted back from it."""
    if sessions is None or not len(sessions) or not _covers(sessions, at_ns):
        begin_ns = at_ns - at_ns % _DAY_NS
        return Stretch(begin_ns, begin_ns + _DAY_NS, begin_ns)
    place = max(int(np.searchsorted(sessions.day_start_ns, at_ns, side="right")) - 1, 0)
    edges = [
        int(column[place])
        for column in (
            sessions.open_time_ns,
            sessions.break_start_ns,
            sessions.break_end_ns,
            sessions.close_time_ns,
        )
        if int(column[place]) != NO_BREAK
    ]
    if at_ns < edges[0]:
        return Stretch(int(sessions.day_start_ns[place]), edges[0], edges[0])
    following = int(sessions.day_start_ns[place + 1]) if place + 1 < len(sessions) else at_ns + _DAY_NS
    ends = [*edges[1:], following]
    at = max(number for number, edge in enumerate(edges) if edge <= at_ns)
    return Stretch(edges[at], ends[at], edges[at])


def _covers(sessions: Sessions, at_ns: int) -> bool:
    return int(sessions.day_start_ns[0]) <= at_ns < int(sessions.day_end_ns[-1])
