"""Trading sessions of the markets, by exchange_calendars."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.data.domain.bars import Ints

# Nasdaq keeps the hours and holidays of the New York Stock Exchange.
_CALENDARS = {"XNAS": "XNYS"}
# The library's default window is twenty years back from today.
_FIRST_DAY = "1999-01-01"
NOT_A_SESSION = np.iinfo(np.int64).min


def session_opens_ns(mic: str, dates: NDArray[np.datetime64]) -> Ints:
    """Open of the session of each date, nanoseconds since the epoch, UTC; NOT_A_SESSION where there is none.

    Takes some half a second at first and blocks: call it in a thread.
    """
    from exchange_calendars import get_calendar  # noqa: PLC0415  pulls in pandas: for ingestions only

    calendar = get_calendar(_CALENDARS.get(mic, mic), start=_FIRST_DAY)
    sessions = calendar.sessions_nanos.astype("datetime64[ns]").astype("datetime64[D]")
    opens: Ints = calendar.opens_nanos
    place = np.minimum(np.searchsorted(sessions, dates), len(sessions) - 1)
    return np.where(sessions[place] == dates, opens[place], NOT_A_SESSION)
