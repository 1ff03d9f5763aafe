"""The newest events of a log in memory, shared by all readers; each pulls at its own pace."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

# Whoever waits for the commit goes on first, and readers are woken once for what comes close together.
_GATHER_S = 0.001


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """A committed event; ``wire`` caches its serialised responses by the number of their event field."""

    sequence: int
    key: str
    kind: str
    event_time_ns: int
    publish_time_ns: int
    payload: bytes
    wire: dict[int, bytes] = field(default_factory=dict, compare=False, repr=False)


class EventTail:
    """The last events published, at least ``size`` of them, and a future for the next."""

    def __init__(self, size: int) -> None:
        self.head = 0
        self.changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._size = size
        self._events: list[LoggedEvent] = []
        self._telling: asyncio.TimerHandle | None = None

    def restart(self, head: int) -> None:
        """Forget what is held; the log's head is ``head``."""
        self.head = head
        self._events = []

    def publish(self, events: Sequence[LoggedEvent]) -> None:
        """Show committed events to the readers; what a jump leaves out they find in the database."""
        if not events:
            return
        if events[0].sequence != self.head + 1:
            self._events = []
        self._events.extend(events)
        if len(self._events) >= 2 * self._size:  # trimmed in large steps: a step moves the whole list
            del self._events[: -self._size]
        self.head = events[-1].sequence
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(_GATHER_S, self._tell)

    def _tell(self) -> None:
        self._telling = None
        changed, self.changed = self.changed, asyncio.get_running_loop().create_future()
        changed.set_result(None)

    def after(self, sequence: int, limit: int) -> list[LoggedEvent] | None:
        """Up to ``limit`` events beyond ``sequence``; None when only the database has them."""
        if sequence >= self.head:
            return []
        start = sequence - (self.head - len(self._events))
        return self._events[start : start + limit] if start >= 0 else None
