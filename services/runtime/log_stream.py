"""Serving an event log as a resumable stream: replay, its end marked, then live, with heartbeats.

The bytes of an event's response are made once for all readers; what differs by reader (``previous_sequence``
in a filtered stream) is put into the header at its front. Each reader pulls at its own pace, so a slow one
keeps nobody waiting and misses nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Collection

import grpc
from google.protobuf.message import Message

from bifrost.type.v1.stream_pb2 import StreamHeader, StreamPosition
from services.runtime.clock import Clock, SystemClock, to_timestamp
from services.runtime.errors import ApiError, failed_precondition, unavailable
from services.runtime.event_log import EventLog, LoggedEvent
from services.runtime.wire import extend_first, field_bytes, field_number, uint_field

HEARTBEAT_S = 5.0
_PREVIOUS_SEQUENCE = field_number(StreamHeader, "previous_sequence")


async def stream_log(
    log: EventLog,
    *,
    resume_after: StreamPosition | None,
    response_type: type[Message],
    event_field: str,
    draining: asyncio.Event,
    keys: Collection[str] | None = None,
    heartbeat_s: float = HEARTBEAT_S,
    clock: Clock = SystemClock(),  # noqa: B008  # has no state
) -> AsyncIterator[bytes]:
    """Serialised responses: the events beyond ``resume_after``, ``replay_end``, then events as they come.

    Args:
        log: the log to serve.
        resume_after: the reader's position; None is before the first event.
        response_type: the response; has ``header``, ``event_field``, ``replay_end`` and ``heartbeat``.
        event_field: the response's field that holds an event's payload.
        draining: set when the server stops; it ends the stream.
        keys: only events of these keys; their headers carry ``previous_sequence``.
        heartbeat_s: after so long a silence a heartbeat is sent.
        clock: stamps markers.

    Raises:
        ApiError: FAILED_PRECONDITION (STREAM_EPOCH_CHANGED), OUT_OF_RANGE (STREAM_POSITION_INVALID, beyond
            the head), UNAVAILABLE (DRAINING).
    """
    after = _start(log, resume_after)
    encoder = _Encoder(log.epoch, response_type, event_field, clock)
    wanted = None if keys is None else frozenset(keys)
    loop = asyncio.get_running_loop()
    drained = loop.create_task(draining.wait())
    replay_end, replaying, previous = log.head, True, after
    next_heartbeat = loop.time() + heartbeat_s
    try:
        while not draining.is_set():
            changed = log.changed
            events, reached = await log.page(after, keys=wanted)
            for event in events:
                shared = encoder.event(event)
                yield shared if wanted is None else _linked(shared, previous)
                previous = event.sequence
            at_head, after = reached == after, reached
            if replaying and after >= replay_end:
                replaying = False
                yield encoder.marker("replay_end", after)
            elif not events and loop.time() >= next_heartbeat:
                yield encoder.marker("heartbeat", after)
            elif not events:
                if at_head:
                    await asyncio.wait(
                        (changed, drained),
                        timeout=next_heartbeat - loop.time(),
                        return_when=asyncio.FIRST_COMPLETED,
                    )
                continue
            next_heartbeat = loop.time() + heartbeat_s
    finally:
        drained.cancel()
    raise unavailable("DRAINING", "the service is stopping; open the stream again and resume")


def _start(log: EventLog, position: StreamPosition | None) -> int:
    if position is None or (not position.epoch and not position.sequence):
        return 0
    if position.epoch != log.epoch:
        raise failed_precondition(
            "STREAM_EPOCH_CHANGED",
            f"the log's epoch is {log.epoch!r}, not {position.epoch!r}: it was restored from a backup",
            epoch=log.epoch,
            head_sequence=str(log.head),
        )
    if position.sequence > log.head:
        raise ApiError(
            grpc.StatusCode.OUT_OF_RANGE,
            "STREAM_POSITION_INVALID",
            f"resume_after.sequence {position.sequence} is beyond the head {log.head}; the oldest held is 1",
            metadata={"oldest_sequence": "1", "head_sequence": str(log.head)},
        )
    return position.sequence


def _linked(response: bytes, previous_sequence: int) -> bytes:
    """A filtered reader's response: the shared one, naming the sequence sent before it."""
    return extend_first(response, uint_field(_PREVIOUS_SEQUENCE, previous_sequence))


class _Encoder:
    """Turns events into the response's wire form."""

    def __init__(self, epoch: str, response_type: type[Message], event_field: str, clock: Clock) -> None:
        self._epoch = epoch
        self._clock = clock
        self._response = response_type
        self._header_number = field_number(response_type, "header")
        self._event_number = field_number(response_type, event_field)

    def event(self, event: LoggedEvent) -> bytes:
        """The response of an event, the same bytes object for every reader."""
        wire = event.wire.get(self._event_number)
        if wire is None:
            header = self._header(event.sequence, event.event_time_ns, event.publish_time_ns)
            wire = header + field_bytes(self._event_number, event.payload)
            event.wire[self._event_number] = wire
        return wire

    def marker(self, field: str, reached: int) -> bytes:
        """A replay end or heartbeat at ``reached``: nothing up to there was left out."""
        now_ns = self._clock.now_ns()
        return self._header(reached, now_ns, now_ns) + field_bytes(field_number(self._response, field), b"")

    def _header(self, sequence: int, event_time_ns: int, publish_time_ns: int) -> bytes:
        header = StreamHeader(
            epoch=self._epoch,
            sequence=sequence,
            event_time=to_timestamp(event_time_ns),
            publish_time=to_timestamp(publish_time_ns),
        )
        return field_bytes(self._header_number, header.SerializeToString())
