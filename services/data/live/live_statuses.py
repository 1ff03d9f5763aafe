"""What markets do by the live source, and who is told."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import numpy as np

from bifrost.data.v1 import market_stream_service_pb2 as pb
from services.data.calendars.calendars import market_named
from services.data.convert_market import market_status_message
from services.data.domain.live_status import LiveMarketState, LiveMarketStatus, status_by_source
from services.data.domain.quotes import Quote
from services.data.domain.sessions import Sessions, TradingHours
from services.data.live.live_stretches import LiveStretches
from services.data.live.market_feed import MarketFeed
from services.runtime.clock import Clock
from services.runtime.fanout import Fanout

_LOOKS_APART_S = 0.25


class LiveStatuses:
    """The status of each market whose instruments the source has told of, or that somebody asked for."""

    def __init__(self, feed: MarketFeed, stretches: LiveStretches, *, clock: Clock) -> None:
        self._feed = feed
        self._stretches = stretches
        self._clock = clock
        self._asked: set[str] = set()
        self._told: dict[str, LiveMarketStatus] = {}
        self.fanout = Fanout[str](
            pb.StreamMarketStatusResponse,
            snapshot_field="snapshot",
            update_field="update",
            items_field="statuses",
            clock=clock,
        )

    async def watch(self) -> None:
        """Tell readers of what changes, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOKS_APART_S)

    async def ask(self, mic: str) -> None:
        """Have the status of a market; of none that is known or traded, errors as of ``market_named``."""
        if await self._stretches.read_calendar(mic) is None and mic not in self._told:
            market_named(mic)
        self._asked.add(mic)

    async def look(self) -> None:
        """See what each market does now."""
        await self._stretches.read([quote.instrument_id for quote in self._feed.board])
        for asked in sorted(self._asked):
            await self._stretches.read_calendar(asked)
        quotes: defaultdict[str, list[Quote]] = defaultdict(list)
        for quote in self._feed.board:
            mic = self._stretches.mic_of(quote.instrument_id)
            if mic:
                quotes[mic].append(quote)
        now_ns = self._clock.now_ns()
        for mic in sorted(self._asked | quotes.keys()):
            self._tell(self._status(mic, quotes.get(mic, []), now_ns))

    def _status(self, mic: str, quotes: list[Quote], now_ns: int) -> LiveMarketStatus:
        sessions = self._stretches.sessions_of(mic)
        if not quotes:
            state = LiveMarketState.CLOSED if sessions is None else state_by_calendar(sessions, now_ns)
            return LiveMarketStatus(mic, state, False, False, (), now_ns)
        market_ns = max(quote.event_time_ns for quote in quotes)
        in_break = sessions is not None and state_by_calendar(sessions, market_ns) is LiveMarketState.BREAK
        is_stale = self._feed.board.has_been_silent(now_ns)
        return status_by_source(mic, quotes, in_break=in_break, is_stale=is_stale)

    def _tell(self, status: LiveMarketStatus) -> None:
        if not status.says_as(self._told.get(status.mic)):
            self._told[status.mic] = status
            message = market_status_message(status).SerializeToString()
            self.fanout.publish(status.mic, message, event_time_ns=status.event_time_ns)


def state_by_calendar(sessions: Sessions, at_ns: int) -> LiveMarketState:
    """OPEN, BREAK or CLOSED."""
    at = np.array([at_ns], dtype=np.int64)
    if sessions.within(at, TradingHours.REGULAR)[0]:
        return LiveMarketState.OPEN
    place = sessions.of(at)
    in_session = (sessions.open_time_ns[place] <= at) & (at < sessions.close_time_ns[place])
    return LiveMarketState.BREAK if in_session[0] else LiveMarketState.CLOSED
