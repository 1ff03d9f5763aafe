"""Market data to many readers: one serialisation for all that keep up, conflation for each that does not.

Updates are flushed at once when it is quiet, gathered while the loop is busy. Readers of the same topics get
the very same bytes. A reader whose queue is full gets the newest update of each slot instead, in a message of
its own that counts what it skipped; it keeps nobody waiting.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Collection, Hashable, Iterable, Sequence
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from google.protobuf.message import Message

from bifrost.type.v1.stream_pb2 import StreamHeader
from services.runtime.clock import Clock, to_timestamp
from services.runtime.errors import resource_exhausted, unavailable
from services.runtime.fanout_reader import MOST_WAITING, Reader, Shared, Update
from services.runtime.wire import extend_first, field_bytes, field_number, nested_number, uint_field

K = TypeVar("K", bound=Hashable)

HEARTBEAT_S = 5.0
_CONFLATED = field_number(StreamHeader, "conflated")


class Item(NamedTuple, Generic[K]):
    """What a topic has to show now, serialised."""

    topic: K
    message: bytes
    event_time_ns: int
    slot: Hashable | None = None
    """What it stands for when a newer one replaces it; None for the topic."""


Present: TypeAlias = Callable[[frozenset[K] | None], Iterable[Item[K]]]
"""The present state of some topics (None: of all)."""


class Fanout(Generic[K]):
    """One stream of updates and its readers.

    Args:
        response_type: the response; has ``header``, ``update_field`` (a message with the repeated field
            ``items_field``) and ``heartbeat``.
        update_field: the response's field for a batch of updates.
        items_field: the batch's repeated field, whose messages are published; where they have a field
            ``conflated``, it tells a slow reader how many updates each of them replaced.
        clock: stamps ``publish_time``.
        snapshot_field: where the present state goes: a reader's first message, followed by ``replay_end``,
            and what topics it adds have to show; None for streams that begin with what comes.
        present: the present state; by default the newest of each slot.
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
        present: Present[K] | None = None,
        queue: int = 16,
        gather_s: float = 0.001,
    ) -> None:
        self.epoch = secrets.token_hex(8)
        self.sequence = 0
        self.queue = queue
        self._response = response_type
        self._update_field = update_field
        self._snapshot_field = snapshot_field
        self._present = present
        self._item_number = nested_number(response_type, update_field, items_field)
        self._item_conflated = _item_conflated_number(response_type, update_field, items_field)
        self._header_number = field_number(response_type, "header")
        self._clock = clock
        self._gather_s = gather_s
        self._pending: list[Update[K]] = []
        self._flushing: asyncio.TimerHandle | None = None
        self._newest: dict[Hashable, Update[K]] = {}
        self._groups: dict[frozenset[K] | None, set[Reader[K]]] = {}
        self._next_flush = 0.0

    @property
    def readers(self) -> int:
        """How many read now."""
        return sum(len(group) for group in self._groups.values())

    def publish(self, topic: K, message: bytes, *, event_time_ns: int, slot: Hashable | None = None) -> None:
        """Send a serialised item to the readers of ``topic``; it never waits.

        For a slow reader it replaces the item of the same ``slot`` (default: the topic) that still waits.
        """
        update = self._update(Item(topic, message, event_time_ns, slot))
        if self._snapshot_field is not None and self._present is None:
            self._newest[update.slot] = update
        self._pending.append(update)
        if len(self._pending) == 1:
            loop = asyncio.get_running_loop()
            self._flushing = loop.call_at(max(self._next_flush, loop.time()), self._flush)

    def announce(self, field: str, content: bytes) -> None:
        """Send all readers a marker, the serialised message of the response's ``field``, and then a snapshot.

        To one that is behind, before all that waits for it; of several only the last.
        """
        self._flush_now()
        self.sequence += 1
        marker = self._header(self._clock.now_ns()) + field_bytes(self._number(field), content)
        for wanted, readers in self._groups.items():
            messages = [Shared[K]((), marker, is_marker=True)]
            if self._snapshot_field is not None:
                messages.append(self._snapshot(self._snapshot_field, wanted))
            for reader in readers:
                for message in messages:
                    reader.offer(message)

    def subscribe(
        self, topics: Collection[K] | None, *, draining: asyncio.Event, heartbeat_s: float = HEARTBEAT_S
    ) -> AsyncGenerator[bytes, None]:
        """Serialised responses for one reader of ``topics`` (None: all), until the server drains.

        Raises:
            ApiError: UNAVAILABLE (DRAINING).
        """
        return Subscription(self, topics, draining=draining, heartbeat_s=heartbeat_s).messages()

    def join(self, topics: frozenset[K] | None, reader: Reader[K], tag: bytes) -> Sequence[bytes]:
        """Take on a reader; its first messages, the very first ending with ``tag``."""
        self._flush_now()  # what came before is in the snapshot
        self._groups.setdefault(topics, set()).add(reader)
        if self._snapshot_field is not None:
            first = self._snapshot(self._snapshot_field, topics).message
            return first + tag, self.marker("replay_end")
        return (self.marker("heartbeat") + tag,) if tag else ()

    def move(self, reader: Reader[K], before: frozenset[K], topics: frozenset[K]) -> None:
        """Let a reader have other topics: it is shown what the new ones have, and no more of the others."""
        self._flush_now()
        self.leave(before, reader)
        self._groups.setdefault(topics, set()).add(reader)
        reader.keep_only(topics, lambda updates: self._message(self._update_field, updates))
        if self._snapshot_field is not None and topics - before:
            self.sequence += 1
            reader.offer(self._snapshot(self._snapshot_field, topics - before))

    def leave(self, topics: frozenset[K] | None, reader: Reader[K]) -> None:
        """Let a reader go."""
        group = self._groups[topics]
        group.discard(reader)
        if not group:
            del self._groups[topics]

    def marker(self, field: str) -> bytes:
        """A response that only says one thing."""
        return self._header(self._clock.now_ns()) + field_bytes(self._number(field), b"")

    def conflated(self, newest: Sequence[tuple[Update[K], int]]) -> bytes:
        """The updates, each with how many it replaced."""
        skipped = sum(count for _, count in newest)
        updates = [self._counted(update, count) for update, count in newest]
        return extend_first(self._message(self._update_field, updates), uint_field(_CONFLATED, skipped))

    def _flush_now(self) -> None:
        if self._pending and self._flushing is not None:
            self._flushing.cancel()
            self._flush()

    def _flush(self) -> None:
        self._next_flush = asyncio.get_running_loop().time() + self._gather_s
        pending, self._pending = self._pending, []
        self.sequence += 1
        for wanted, readers in self._groups.items():
            updates = pending if wanted is None else [u for u in pending if u.topic in wanted]
            if not updates:
                continue
            batch = Shared(updates, self._message(self._update_field, updates))
            for reader in readers:
                reader.offer(batch)

    def _snapshot(self, field: str, topics: frozenset[K] | None) -> Shared[K]:
        if self._present is not None:
            state = [self._update(item) for item in self._present(topics)]
        else:
            state = [u for u in self._newest.values() if topics is None or u.topic in topics]
        return Shared(state, self._message(field, state))

    def _update(self, item: Item[K]) -> Update[K]:
        slot = item.topic if item.slot is None else item.slot
        entry = field_bytes(self._item_number, item.message)
        return Update(item.topic, slot, item.message, entry, item.event_time_ns)

    def _message(self, field: str, updates: Sequence[Update[K]]) -> bytes:
        event_time_ns = max((update.event_time_ns for update in updates), default=self._clock.now_ns())
        items = b"".join([update.entry for update in updates])
        return self._header(event_time_ns) + field_bytes(self._number(field), items)

    def _counted(self, update: Update[K], count: int) -> Update[K]:
        if not count or self._item_conflated is None:
            return update
        item = update.item + uint_field(self._item_conflated, count)
        return update._replace(entry=field_bytes(self._item_number, item))

    def _number(self, field: str) -> int:
        return field_number(self._response, field)

    def _header(self, event_time_ns: int) -> bytes:
        header = StreamHeader(
            epoch=self.epoch,
            sequence=self.sequence,
            event_time=to_timestamp(event_time_ns),
            publish_time=to_timestamp(self._clock.now_ns()),
        )
        return field_bytes(self._header_number, header.SerializeToString())


class Subscription(Generic[K]):
    """One reader of a fanout, whose topics may change while it reads.

    Args:
        fanout: what is read.
        topics: of what; None for all, which cannot change then.
        draining: set when the server stops.
        heartbeat_s: pause after which a quiet stream says that it is alive.
        tag: serialised fields at the end of the first message, which without a snapshot is a heartbeat.
    """

    def __init__(
        self,
        fanout: Fanout[K],
        topics: Collection[K] | None,
        *,
        draining: asyncio.Event,
        heartbeat_s: float = HEARTBEAT_S,
        tag: bytes = b"",
    ) -> None:
        self.topics = None if topics is None else frozenset(topics)
        self._fanout = fanout
        self._draining = draining
        self._heartbeat_s = heartbeat_s
        self._tag = tag
        self._reader: Reader[K] | None = None

    def change(self, add: Collection[K], drop: Collection[K]) -> frozenset[K]:
        """Other topics, those now read; of those added what they have to show comes in a snapshot.

        ValueError when it reads all.
        """
        if self.topics is None:
            raise ValueError("a reader of all topics cannot add or drop any")
        before, self.topics = self.topics, (self.topics - frozenset(drop)) | frozenset(add)
        if self._reader is not None and self.topics != before:
            self._fanout.move(self._reader, before, self.topics)
        return self.topics

    async def messages(self) -> AsyncGenerator[bytes, None]:
        """Serialised responses until the server drains.

        Raises:
            ApiError: UNAVAILABLE (DRAINING), RESOURCE_EXHAUSTED (READER_TOO_SLOW).
        """
        fanout, draining = self._fanout, self._draining
        reader = self._reader = Reader[K](fanout.queue, self._heartbeat_s)
        first = fanout.join(self.topics, reader, self._tag)
        drained = asyncio.get_running_loop().create_task(draining.wait())
        drained.add_done_callback(lambda _task: reader.wake())
        try:
            for message in first:
                yield message
            while not draining.is_set():
                if reader.is_lost:
                    text = f"more than {MOST_WAITING:,} updates waited; open the stream again"
                    raise resource_exhausted("READER_TOO_SLOW", text)
                if reader.queued:
                    yield reader.queued.popleft().message
                    continue
                if (marker := reader.take_marker()) is not None:
                    yield marker
                    continue
                if reader.newest:
                    yield fanout.conflated(reader.take_newest())
                    continue
                await reader.wait()
                if not reader.has_something and not draining.is_set():
                    yield fanout.marker("heartbeat")
        finally:
            self._reader = None
            drained.cancel()
            reader.close()
            fanout.leave(self.topics, reader)
        raise unavailable("DRAINING", "the service is stopping; open the stream again")


def _item_conflated_number(response_type: type[Message], update_field: str, items_field: str) -> int | None:
    """Number of the items' own field ``conflated``, if they have one."""
    batch = response_type.DESCRIPTOR.fields_by_name[update_field].message_type
    item = None if batch is None else batch.fields_by_name[items_field].message_type
    field = None if item is None else item.fields_by_name.get("conflated")
    return None if field is None else field.number
