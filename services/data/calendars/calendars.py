"""Session tables as requests name them, kept in memory."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import UTC, datetime

from services.data.calendars.markets import UNAVAILABLE, Market, find_market, nearest_names
from services.data.calendars.source import CalendarBrokenError, build_session_table
from services.data.domain.trading_calendar import MarketCalendar, SessionTable
from services.runtime.clock import Clock
from services.runtime.errors import ApiError, failed_precondition, not_found

# Of some 0.7 MB each.
_MOST_KEPT = 16


def market_named(name: str) -> Market:
    """The market of a MIC or alias, in any case.

    Raises:
        ApiError: NOT_FOUND CALENDAR_NOT_FOUND; FAILED_PRECONDITION CALENDAR_UNAVAILABLE.
    """
    market = find_market(name)
    if market is None:
        if name.upper() in UNAVAILABLE:
            raise unavailable(name.upper(), UNAVAILABLE[name.upper()])
        nearest = ",".join(nearest_names(name))
        raise not_found("CALENDAR_NOT_FOUND", f"no calendar is called {name}", calendar=name, nearest=nearest)
    return market


def unavailable(mic: str, name: str) -> ApiError:
    """The error of a market whose calendar cannot be made."""
    message = f"the calendar of {mic}, {name}, cannot be made with the libraries installed"
    return failed_precondition("CALENDAR_UNAVAILABLE", message, calendar=mic)


def _is_to_be_tried_again(task: asyncio.Task[SessionTable]) -> bool:
    """It failed, and not because the library cannot make it: that stays so."""
    if not task.done():
        return False
    return task.cancelled() or not isinstance(task.exception(), CalendarBrokenError | None)


class Calendars:
    """Makes the table of a market when it is first asked for, and keeps those used last."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._kept: OrderedDict[tuple[str, int], asyncio.Task[SessionTable]] = OrderedDict()
        self._building = asyncio.Lock()

    async def sessions(self, market: Market) -> SessionTable:
        """The market's sessions to the end of next year, or as far as its holidays are decreed.

        Raises:
            ApiError: FAILED_PRECONDITION CALENDAR_UNAVAILABLE.
        """
        key = (market.mic, datetime.fromtimestamp(self._clock.now_ns() // 10**9, UTC).year + 1)
        task = self._kept.get(key)
        if task is None or _is_to_be_tried_again(task):
            task = self._kept[key] = asyncio.create_task(self._build(*key), name=f"calendar {market.mic}")
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        # Others may be waiting for the same table: it is made although this caller leaves.
        try:
            return await asyncio.shield(task)
        except CalendarBrokenError as error:
            raise unavailable(market.mic, market.name) from error

    async def of_market(self, mic: str) -> MarketCalendar | None:
        """The sessions and clocks of a market by its MIC or alias; None when it has no calendar.

        Raises:
            ApiError: FAILED_PRECONDITION CALENDAR_UNAVAILABLE.
        """
        market = find_market(mic)
        if market is None:
            return None
        return MarketCalendar(await self.sessions(market), market.time_zone)

    async def _build(self, mic: str, last_year: int) -> SessionTable:
        """One at a time, so that many markets asked for at once do not take every thread."""
        async with self._building:
            return await asyncio.to_thread(build_session_table, mic, last_year)
