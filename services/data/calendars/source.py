"""Session tables made by exchange_calendars."""

from __future__ import annotations

from datetime import date

import numpy as np

from services.data.domain.trading_calendar import SessionTable

_FIRST_DAY = date(1960, 1, 1)


class CalendarBrokenError(Exception):
    """The library cannot make the calendar, as when a release of pandas does not fit it."""


def build_session_table(mic: str, last_year: int) -> SessionTable:
    """The sessions from 1960, or since when the market's holidays are recorded, to the end of ``last_year``.

    ``mic`` is that of one of `MARKETS`. Takes 0.1 to 3 s and blocks: call it in a thread.

    Raises:
        CalendarBrokenError: the library fails at it.
    """
    # Imported where it is needed: it brings pandas. The classes themselves: get_calendar keeps one calendar a
    # name, and others ask for it with another window.
    from exchange_calendars.calendar_utils import _default_calendar_factories  # noqa: PLC0415

    factory = _default_calendar_factories[mic]
    # The default window is the last twenty years; a window beyond the bounds is refused.
    earliest, latest = factory.bound_min(), factory.bound_max()
    first = max(_FIRST_DAY, earliest.date()) if earliest is not None else _FIRST_DAY
    last = date(last_year, 12, 31)
    last = min(last, latest.date()) if latest is not None else last
    try:
        calendar = factory(start=first.isoformat(), end=last.isoformat())
    except (ValueError, TypeError, LookupError, AttributeError, NotImplementedError) as error:
        raise CalendarBrokenError(f"{mic}: {type(error).__name__}: {error}") from error
    return SessionTable(
        first_date=first,
        last_date=last,
        session_date=calendar.sessions_nanos.astype("datetime64[ns]").astype("datetime64[D]"),
        open_ns=calendar.opens_nanos,
        close_ns=calendar.closes_nanos,
        # Without a break pandas has NaT there, whose number is NO_BREAK.
        break_start_ns=calendar.break_starts_nanos,
        break_end_ns=calendar.break_ends_nanos,
        early_close=np.asarray(calendar.sessions.isin(calendar.early_closes)),
        late_open=np.asarray(calendar.sessions.isin(calendar.late_opens)),
    )
