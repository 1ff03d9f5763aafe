"""When the steps of a replay are due by the wall clock."""

from __future__ import annotations


class Pacer:
    """Steps every `interval_s` seconds, the first one at `first_s` on the caller's monotonic clock."""

    def __init__(self, interval_s: float, *, first_s: float) -> None:
        self._interval_s = interval_s
        self._next_s = first_s

    def wait_s(self, now_s: float) -> float:
        """Return the seconds until a step is due; 0 when one is."""
        return max(self._next_s - now_s, 0.0)

    def take(self, now_s: float, most: int) -> int:
        """Return how many steps are due, at most `most`.

        What is due beyond that is forgotten: a replay that was held up goes on at its pace, it does not race.
        """
        if now_s < self._next_s:
            return 0
        due = 1 + int((now_s - self._next_s) / self._interval_s)
        if due > most:
            self._next_s = now_s
            return most
        self._next_s += due * self._interval_s
        return due
