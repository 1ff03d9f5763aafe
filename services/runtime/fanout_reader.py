"""What waits for one reader of a `Fanout`: shared messages, or the newest of each slot when they are many."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)
MOST_WAITING: Final = 100_000
"""Updates that wait for a reader at most: of slots that nothing replaces there would be ever more."""


class Update(NamedTuple, Generic[K]):
    """One item, serialised."""

    topic: K
    slot: Hashable
    item: bytes
    entry: bytes
    """The item as an entry of the batch's repeated field."""
    event_time_ns: int


class Shared(NamedTuple, Generic[K]):
    """A message as every reader of the same topics gets it."""

    updates: Sequence[Update[K]]
    message: bytes
    is_marker: bool = False
    """It says something of its own: a reader that is behind gets the last one that waited before all else."""


class Reader(Generic[K]):
    """One reader's queue; never makes anybody wait."""

    def __init__(self, queue: int, heartbeat_s: float) -> None:
        self.queued: deque[Shared[K]] = deque()
        self.newest: dict[Hashable, tuple[Update[K], int]] = {}
        self.is_lost = False
        """More waited than may; it gets nothing more."""
        self._marker: bytes | None = None
        self._limit = queue
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._heartbeat_s = heartbeat_s
        self._served = self._loop.time()
        self._timer = self._loop.call_later(heartbeat_s, self._beat)

    @property
    def has_something(self) -> bool:
        """Whether something waits."""
        return bool(self.queued or self.newest or self._marker or self.is_lost)

    def offer(self, batch: Shared[K]) -> None:
        """Add a message; never waits."""
        if self.is_lost:
            return
        if not self.newest and self._marker is None and len(self.queued) < self._limit:
            self.queued.append(batch)
        else:
            while self.queued:
                self._fold(self.queued.popleft())
            self._fold(batch)
            if len(self.newest) > MOST_WAITING:
                self.newest, self.is_lost = {}, True
        self.wake()

    def _fold(self, batch: Shared[K]) -> None:
        if batch.is_marker:
            self._marker = batch.message
        for update in batch.updates:
            before = self.newest.pop(update.slot, None)
            self.newest[update.slot] = (update, 0 if before is None else before[1] + 1)

    def keep_only(self, topics: Collection[K], rebuild: Callable[[Sequence[Update[K]]], bytes]) -> None:
        """Take out of what waits all of other topics."""
        kept: deque[Shared[K]] = deque()
        for batch in self.queued:
            updates = [update for update in batch.updates if update.topic in topics]
            if batch.is_marker or len(updates) == len(batch.updates):
                kept.append(batch)
            elif updates:
                kept.append(Shared(updates, rebuild(updates)))
        self.queued = kept
        self.newest = {slot: one for slot, one in self.newest.items() if one[0].topic in topics}

    def take_marker(self) -> bytes | None:
        """The last marker of those that were folded, once."""
        marker, self._marker = self._marker, None
        return marker

    def take_newest(self) -> list[tuple[Update[K], int]]:
        """The conflated updates, each with how many it replaced; the reader keeps up again."""
        taken = list(self.newest.values())
        self.newest = {}
        return taken

    async def wait(self) -> None:
        """Until there is something, or it has been quiet for the heartbeat's time."""
        self._served = self._loop.time()
        self._waiter = self._loop.create_future()
        await self._waiter

    def wake(self) -> None:
        """End ``wait``."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def close(self) -> None:
        """It has gone."""
        self._timer.cancel()

    def _beat(self) -> None:
        # one timer a reader, moved on when it comes due: an await with a timeout costs a timer a message
        due = self._served + self._heartbeat_s
        if self._loop.time() >= due:
            self.wake()
            due = self._loop.time() + self._heartbeat_s
        self._timer = self._loop.call_at(due, self._beat)
