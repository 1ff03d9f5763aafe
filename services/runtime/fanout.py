"""Market data to many readers: one serialisation for all that keep up, conflation for each that does not.

Updates are flushed at once when it is quiet, gathered while the loop is busy. Readers of the same topics get
the very same bytes. A reader whose queue is full gets the newest update of each slot instead, in a message of
its own that counts what it skipped; it keeps nobody waiting.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Collection, Hashable, Sequence
from typing import Generic, NamedTuple, TypeVar

from google.protobuf.message import Message

from bifrost.type.v1.stream_pb2 import StreamHeader
from services.runtime.clock import Clock, to_timestamp
from services.runtime.errors import unavailable
from services.runtime.wire import extend_first, field_bytes, field_number, nested_number, uint_field

K = TypeVar("K", bound=Hashable)

HEARTBEAT_S = 5.0
_CONFLATED = field_number(StreamHeader, "conflated")


class _Update(NamedTuple, Generic[K]):
    topic: K
    slot: Hashable
    item: bytes
    entry: bytes
    event_time_ns: int


class _Shared(NamedTuple, Generic[K]):
    """A batch as every reader of the same topics gets it."""

    updates: Sequence[_Update[K]]
    message: bytes


class _Reader(Generic[K]):
    """What waits for one reader: shared messages, or when they are too many the newest of each slot."""

    def __init__(self, queue: int, heartbeat_s: float) -> None:
        self.queued: deque[_Shared[K]] = deque()
        self.newest: dict[Hashable, tuple[_Update[K], int]] = {}
        self._limit = queue
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self._heartbeat_s = heartbeat_s
        self._served = self._loop.time()
        self._timer = self._loop.call_later(heartbeat_s, self._beat)

    def offer(self, batch: _Shared[K]) -> None:
        """Add a batch; never waits."""
        if not self.newest and len(self.queued) < self._limit:
            self.queued.append(batch)
        else:
            while self.queued:
                self._fold(self.queued.popleft().updates)
            self._fold(batch.updates)
        self.wake()

    def _fold(self, updates: Sequence[_Update[K]]) -> None:
        for update in updates:
            before = self.newest.pop(update.slot, None)
            self.newest[update.slot] = (update, 0 if before is None else before[1] + 1)

    def take_newest(self) -> list[tuple[_Update[K], int]]:
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


class Fanout(Generic[K]):
    """One stream of updates and its readers.

    Args:
        response_type: the response; has ``header``, ``update_field`` (a message with the repeated field
            ``items_field``) and ``heartbeat``.
        update_field: the response's field for a batch of updates.
        items_field: the batch's repeated field, whose messages are published; where they have a field
            ``conflated``, it tells a slow reader how many updates each of them replaced.
        clock: stamps ``publish_time``.
        snapshot_field: where the present state (the newest of each slot) goes: a reader's first message,
            followed by ``replay_end``; None for streams that begin with what comes.
        queue: most batches that wait for a reader before it is conflated.
        gather_s: least time between two flushes.
    """

    def __init__(
        self,
        response_type: type[Message],
        *,
        update_field: str,
        items_field: str,
        clock: Clock,
        snapshot_field: str | None = None,
        queue: int = 16,
        gather_s: float = 0.001,
    ) -> None:
        self.epoch = secrets.token_hex(8)
        self.sequence = 0
        self._response = response_type
        self._update_field = update_field
        self._snapshot_field = snapshot_field
        self._item_number = nested_number(response_type, update_field, items_field)
        self._item_conflated = _item_conflated_number(response_type, update_field, items_field)
        self._header_number = field_number(response_type, "header")
        self._clock = clock
        self._queue = queue
        self._gather_s = gather_s
        self._pending: list[_Update[K]] = []
        self._newest: dict[Hashable, _Update[K]] = {}
        self._groups: dict[frozenset[K] | None, set[_Reader[K]]] = {}
        self._next_flush = 0.0

    @property
    def readers(self) -> int:
        """How many read now."""
        return sum(len(group) for group in self._groups.values())

    def publish(self, topic: K, message: bytes, *, event_time_ns: int, slot: Hashable | None = None) -> None:
        """Send a serialised item to the readers of ``topic``; it never waits.

        For a slow reader it replaces the item of the same ``slot`` (default: the topic) that still waits.
        """
        key = topic if slot is None else slot
        update = _Update(topic, key, message, field_bytes(self._item_number, message), event_time_ns)
        if self._snapshot_field is not None:
            self._newest[key] = update
        self._pending.append(update)
        if len(self._pending) == 1:
            loop = asyncio.get_running_loop()
            loop.call_at(max(self._next_flush, loop.time()), self._flush)

    async def subscribe(
        self, topics: Collection[K] | None, *, draining: asyncio.Event, heartbeat_s: float = HEARTBEAT_S
    ) -> AsyncIterator[bytes]:
        """Serialised responses for one reader of ``topics`` (None: all), until the server drains.

        Raises:
            ApiError: UNAVAILABLE (DRAINING).
        """
        wanted = None if topics is None else frozenset(topics)
        reader = _Reader[K](self._queue, heartbeat_s)
        self._groups.setdefault(wanted, set()).add(reader)
        drained = asyncio.get_running_loop().create_task(draining.wait())
        drained.add_done_callback(lambda _task: reader.wake())
        try:
            if self._snapshot_field is not None:
                newest = self._newest.values()
                state = [update for update in newest if wanted is None or update.topic in wanted]
                yield self._message(self._snapshot_field, state)
                yield self._marker("replay_end")
            while not draining.is_set():
                if reader.queued:
                    yield reader.queued.popleft().message
                    continue
                if reader.newest:
                    yield self._conflated(reader.take_newest())
                    continue
                await reader.wait()
                if not reader.queued and not reader.newest and not draining.is_set():
                    yield self._marker("heartbeat")
        finally:
            drained.cancel()
            reader.close()
            self._remove(wanted, reader)
        raise unavailable("DRAINING", "the service is stopping; open the stream again")

    def _flush(self) -> None:
        self._next_flush = asyncio.get_running_loop().time() + self._gather_s
        pending, self._pending = self._pending, []
        self.sequence += 1
        for wanted, readers in self._groups.items():
            updates = pending if wanted is None else [u for u in pending if u.topic in wanted]
            if not updates:
                continue
            batch = _Shared(updates, self._message(self._update_field, updates))
            for reader in readers:
                reader.offer(batch)

    def _message(self, field: str, updates: Sequence[_Update[K]]) -> bytes:
        event_time_ns = max((update.event_time_ns for update in updates), default=self._clock.now_ns())
        items = b"".join([update.entry for update in updates])
        return self._header(event_time_ns) + field_bytes(field_number(self._response, field), items)

    def _conflated(self, newest: Sequence[tuple[_Update[K], int]]) -> bytes:
        skipped = sum(count for _, count in newest)
        updates = [self._counted(update, count) for update, count in newest]
        return extend_first(self._message(self._update_field, updates), uint_field(_CONFLATED, skipped))

    def _counted(self, update: _Update[K], count: int) -> _Update[K]:
        if not count or self._item_conflated is None:
            return update
        item = update.item + uint_field(self._item_conflated, count)
        return update._replace(entry=field_bytes(self._item_number, item))

    def _marker(self, field: str) -> bytes:
        return self._header(self._clock.now_ns()) + field_bytes(field_number(self._response, field), b"")

    def _header(self, event_time_ns: int) -> bytes:
        header = StreamHeader(
            epoch=self.epoch,
            sequence=self.sequence,
            event_time=to_timestamp(event_time_ns),
            publish_time=to_timestamp(self._clock.now_ns()),
        )
        return field_bytes(self._header_number, header.SerializeToString())

    def _remove(self, wanted: frozenset[K] | None, reader: _Reader[K]) -> None:
        group = self._groups[wanted]
        group.discard(reader)
        if not group:
            del self._groups[wanted]


def _item_conflated_number(response_type: type[Message], update_field: str, items_field: str) -> int | None:
    """Number of the items' own field ``conflated``, if they have one."""
    batch = response_type.DESCRIPTOR.fields_by_name[update_field].message_type
    item = None if batch is None else batch.fields_by_name[items_field].message_type
    field = None if item is None else item.fields_by_name.get("conflated")
    return None if field is None else field.number
