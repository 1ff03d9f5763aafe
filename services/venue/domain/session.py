"""The trading sessions of a replay and the time of each of their steps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum


class Phase(Enum):
    """Where the replay stands. Between two sessions no replay time passes, so nothing can arrive there."""

    PRE_OPEN = "pre_open"
    OPEN = "open"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class TradingSession:
    """One session of the exchange's calendar; times in nanoseconds since the epoch, UTC."""

    session_date: date
    open_ns: int
    close_ns: int

    def step_time_ns(self, step: int, steps: int) -> int:
        """Return the market time of `step` (0-based) of `steps` equal ones."""
        return self.open_ns + step * (self.close_ns - self.open_ns) // steps
