"""Which of several live sources serves: the first in their order that is well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

# A stream that breaks is opened again at once: a source is down when that fails too.
_DOWN_AFTER: Final = 2


class SourceChangeReason(IntEnum):
    """Why another source serves, numbered as in the contract."""

    LOST = 1
    PREFERRED = 2


@dataclass(frozen=True, slots=True)
class SourceChange:
    """Another source serves."""

    source: str
    previous: str
    reason: SourceChangeReason


@dataclass(slots=True)
class _Health:
    heard_ns: int
    failures: int = 0
    well_since_ns: int | None = None


class SourceChoice:
    """Judges sources by what is heard of them; times are of any clock that never goes back, in nanoseconds.

    The serving one is left when it was silent for longer than ``silence_ns`` or is down, for the next in the
    order that is well; while none is, it stays. One before it in the order is taken up again only after it
    has been well for ``recovery_ns`` without a break: one that comes and goes does not drag readers with it.
    """

    def __init__(self, names: Sequence[str], *, silence_ns: int, recovery_ns: int, now_ns: int) -> None:
        """``names`` are in the order of preference, at least one."""
        self._names = tuple(names)
        self._silence_ns = silence_ns
        self._recovery_ns = recovery_ns
        self._health = {name: _Health(now_ns) for name in names}
        self.serving = self._names[0]

    def heard(self, name: str, now_ns: int) -> None:
        """The source said something, if only that it is alive."""
        health = self._health[name]
        if health.well_since_ns is None or now_ns - health.heard_ns > self._silence_ns:
            health.well_since_ns = now_ns
        health.heard_ns, health.failures = now_ns, 0

    def failed(self, name: str) -> None:
        """A stream of the source broke or could not be had."""
        health = self._health[name]
        health.failures += 1
        health.well_since_ns = None

    def wanted(self, now_ns: int) -> frozenset[str]:
        """Which sources to follow: the serving one, those before it, and all while it is not well."""
        if self._is_lost(self.serving, now_ns):
            return frozenset(self._names)
        return frozenset(self._names[: self._names.index(self.serving) + 1])

    def choose(self, now_ns: int) -> SourceChange | None:
        """Take the source that is to serve from now on; None when it is the same as before."""
        previous = self.serving
        is_lost = self._is_lost(previous, now_ns)
        for name in self._names:
            if name == previous and not is_lost:
                return None
            if name == previous or not self._is_well(name, now_ns):
                continue
            if is_lost or self._has_recovered(name, now_ns):
                self.serving = name
                reason = SourceChangeReason.LOST if is_lost else SourceChangeReason.PREFERRED
                return SourceChange(name, previous, reason)
        return None

    def _is_lost(self, name: str, now_ns: int) -> bool:
        health = self._health[name]
        return health.failures >= _DOWN_AFTER or now_ns - health.heard_ns > self._silence_ns

    def _is_well(self, name: str, now_ns: int) -> bool:
        health = self._health[name]
        return health.well_since_ns is not None and now_ns - health.heard_ns <= self._silence_ns

    def _has_recovered(self, name: str, now_ns: int) -> bool:
        since_ns = self._health[name].well_since_ns
        return since_ns is not None and now_ns - since_ns >= self._recovery_ns
