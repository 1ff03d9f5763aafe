"""When the days of a market begin."""

from __future__ import annotations

import numpy as np

from services.data.domain.sessions import Sessions
from services.data.domain.trading_calendar import NO_BREAK

HOUR = 3_600 * 10**9


def test_the_day_of_a_session_begins_before_it_opens() -> None:
    opens = np.array([9, 33, 57]) * HOUR
    sessions = Sessions(
        open_time_ns=opens,
        close_time_ns=opens + 7 * HOUR,
        break_start_ns=np.full(3, NO_BREAK),
        break_end_ns=np.full(3, NO_BREAK),
        date=np.arange(3).astype("datetime64[D]"),
        day_start_ns=np.array([0, 24, 48]) * HOUR,
        day_end_ns=np.array([24, 48, 72]) * HOUR,
    )
    assert [sessions.day_start(int(time)) for time in opens] == [0, 24 * HOUR, 48 * HOUR]
    # No session opens then: it is what it is.
    assert [sessions.day_start(time * HOUR) for time in (8, 10, 34, 80)] == [
        time * HOUR for time in (8, 10, 34, 80)
    ]
