"""The market's clock as the venues have last told it."""

from __future__ import annotations

from services.runtime.clock import Clock


class MarketTime:
    """Market time for events that begin here: the last one a venue told; the wall clock before any did."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: dict[str, int] = {}
        self._start: int | None = None

    def start_at(self, time_ns: int | None) -> None:
        """What the log's newest event says, for venues that have not spoken since the start."""
        self._start = time_ns

    def observe(self, venue: str, time_ns: int) -> None:
        """A venue told its time; 0 is no time."""
        if time_ns:
            self._last[venue] = time_ns

    def now_ns(self, venue: str) -> int:
        """Nanoseconds since the epoch, UTC."""
        return self._last.get(venue) or self._start or self._clock.now_ns()
