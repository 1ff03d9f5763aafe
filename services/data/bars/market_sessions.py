"""The sessions of an instrument's market as bars are grouped by them."""

from __future__ import annotations

import asyncio
from typing import Final

import polars as pl

from services.data.calendars.calendars import Calendars
from services.data.calendars.markets import Market, find_market
from services.data.domain.bars import Ints
from services.data.domain.sessions import Sessions
from services.data.domain.trading_calendar import SessionTable

_HOUR_NS: Final = 3_600 * 10**9


class MarketSessions:
    """Sessions made of the calendars' tables, each kept as long as its table."""

    def __init__(self, calendars: Calendars) -> None:
        self._calendars = calendars
        self._kept: dict[str, tuple[SessionTable, Sessions]] = {}

    async def of(self, mic: str) -> Sessions | None:
        """All that its calendar knows, cached; None when no calendar is known for the market."""
        market = find_market(mic)
        if market is None:
            return None
        table = await self._calendars.sessions(market)
        kept = self._kept.get(market.mic)
        if kept is None or kept[0] is not table:
            kept = self._kept[market.mic] = table, await asyncio.to_thread(make_sessions, table, market)
        return kept[1]


def make_sessions(table: SessionTable, market: Market) -> Sessions:
    """The table's sessions with the days of the market's time zone that they are on."""
    starts = table.open_ns.copy()
    # A day begins at midnight, or when the session of its name opens on the evening before.
    starts = starts.clip(max=_midnights(table, market, days_later=0))
    ends = table.close_ns.clip(min=_midnights(table, market, days_later=1))
    ends[:-1] = ends[:-1].clip(max=starts[1:])
    return Sessions(
        open_time_ns=table.open_ns,
        close_time_ns=table.close_ns,
        break_start_ns=table.break_start_ns,
        break_end_ns=table.break_end_ns,
        date=table.session_date,
        day_start_ns=starts,
        day_end_ns=ends,
    )


def _midnights(table: SessionTable, market: Market, *, days_later: int) -> Ints:
    midnight = (table.session_date + days_later).astype("datetime64[ns]")
    local = pl.Series(midnight).dt.replace_time_zone(
        market.time_zone, ambiguous="earliest", non_existent="null"
    )
    # Where clocks go forward at midnight the day begins at one.
    later = pl.Series(midnight + _HOUR_NS).dt.replace_time_zone(market.time_zone, ambiguous="earliest")
    return local.fill_null(later).dt.timestamp("ns").to_numpy()
