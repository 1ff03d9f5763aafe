"""The exchange's trading days."""

from __future__ import annotations

import functools
from datetime import date

from services.venue.domain.session import TradingSession


@functools.lru_cache(maxsize=8)
def trading_sessions(calendar: str, start: date, end: date) -> tuple[TradingSession, ...]:
    """The sessions of a calendar from `start` to `end`, both included, half days with their early close.

    Blocks for a second or two at first: run it in a thread. ValueError when the calendar ends before.
    """
    # Imported where it is needed: it brings pandas, and a restart needs neither.
    import exchange_calendars  # noqa: PLC0415

    try:
        schedule = exchange_calendars.get_calendar(
            calendar, start=f"{start.year - 1}-01-01", end=f"{end.year + 1}-12-31"
        ).schedule.loc[start.isoformat() : end.isoformat()]
    except (exchange_calendars.errors.CalendarError, ValueError) as error:
        raise ValueError(f"{calendar} has no sessions from {start} to {end}: {error}") from error
    return tuple(
        TradingSession(on.date(), int(row.open.as_unit("ns").value), int(row.close.as_unit("ns").value))
        for on, row in schedule.iterrows()
    )
