"""Time as nanoseconds since the epoch, UTC, from a clock that is passed in."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from google.protobuf.timestamp_pb2 import Timestamp

NANOS = 1_000_000_000


class Clock(Protocol):
    """Where the time comes from: the system in production, a test's hand in tests."""

    def now_ns(self) -> int:
        """Nanoseconds since the epoch, UTC (wall clock; may step)."""
        ...

    def monotonic_ns(self) -> int:
        """Nanoseconds since an arbitrary point; never steps back."""
        ...


@dataclass(frozen=True)
class SystemClock:
    """The operating system's clocks. All instances are equal: there is only one system."""

    def now_ns(self) -> int:
        """Nanoseconds since the epoch, UTC."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """Nanoseconds of the system's monotonic clock."""
        return time.monotonic_ns()


class ManualClock:
    """A clock that moves only when told."""

    def __init__(self, start_ns: int) -> None:
        self._now_ns = start_ns
        self._monotonic_ns = 0

    def now_ns(self) -> int:
        """Nanoseconds since the epoch, UTC, as last set."""
        return self._now_ns

    def monotonic_ns(self) -> int:
        """Nanoseconds advanced since the clock was made."""
        return self._monotonic_ns

    def advance(self, ns: int) -> None:
        """Move both readings forward by `ns`; a negative step raises ValueError."""
        if ns < 0:
            raise ValueError(f"a clock does not go back (asked for {ns} ns)")
        self._now_ns += ns
        self._monotonic_ns += ns


def to_timestamp(ns: int) -> Timestamp:
    """Nanoseconds since the epoch, UTC, as a Timestamp (floors towards the past, as the type demands)."""
    seconds, nanos = divmod(ns, NANOS)
    return Timestamp(seconds=seconds, nanos=nanos)


def from_timestamp(timestamp: Timestamp) -> int:
    """The Timestamp as nanoseconds since the epoch, UTC; an unset one is 0."""
    return timestamp.seconds * NANOS + timestamp.nanos
