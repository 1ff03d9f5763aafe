"""Reading streams that end and are taken up again."""

import asyncio
import random
from collections.abc import AsyncIterable, AsyncIterator, Callable
from typing import Protocol, TypeVar

import grpc
import structlog

from bifrost.type.v1.stream_pb2 import Heartbeat, ReplayEnd, StreamHeader, StreamPosition
from services.runtime.errors import error_from_rpc

_log = structlog.get_logger(__name__)
_MARKERS = frozenset({"replay_end", "heartbeat"})
_POSITION_GONE = frozenset({"STREAM_EPOCH_CHANGED", "STREAM_POSITION_INVALID"})
_FOR_GOOD = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.OUT_OF_RANGE,
    }
)


class StreamResponse(Protocol):
    """What every stream's response has."""

    @property
    def header(self) -> StreamHeader:
        """Position and times."""
        ...

    @property
    def replay_end(self) -> ReplayEnd:
        """Set in the message that ends the replay."""
        ...

    @property
    def heartbeat(self) -> Heartbeat:
        """Set in heartbeats."""
        ...

    def WhichOneof(self, oneof_group: str, /) -> str | None:  # noqa: N802  # protobuf's name
        """The field of the oneof that is set."""
        ...


R = TypeVar("R", bound=StreamResponse)


class Backoff:
    """Pauses between attempts: doubling, jittered so that readers do not come all at once."""

    def __init__(self, *, first_s: float = 0.05, longest_s: float = 5.0) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._next_s = first_s

    def reset(self) -> None:
        """It went well: the next pause is the shortest."""
        self._next_s = self._first_s

    async def pause(self, *, at_least_s: float = 0.0) -> None:
        """Wait before the next attempt; ``at_least_s`` is what the server asked for."""
        pause_s = max(self._next_s, min(at_least_s, self._longest_s))
        self._next_s = min(self._next_s * 2, self._longest_s)
        await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311  # jitter, not a secret


async def resuming(
    open_stream: Callable[[StreamPosition | None], AsyncIterable[R]],
    *,
    resume_after: StreamPosition | None = None,
) -> AsyncIterator[R]:
    """Responses of a view's stream for ever, taken up after the last event whenever the stream ends.

    Replay ends and heartbeats do not move that position, so in a filtered log each event's
    ``previous_sequence`` is that of the event before it, through every cut.

    When the server no longer knows the position (a view's process restarted) the stream is opened anew and
    begins with a snapshot. Not for what turns events into money: that is ``Follower``, which stops instead.

    Raises:
        grpc.aio.AioRpcError: the server refused for good (bad request, no right, no such thing).
    """
    position, backoff = resume_after, Backoff()
    while True:
        asked_s, begun = 0.0, False
        try:
            async for response in open_stream(position):
                begun = True
                backoff.reset()
                if response.WhichOneof("event") not in _MARKERS:
                    position = StreamPosition(epoch=response.header.epoch, sequence=response.header.sequence)
                yield response
        except grpc.aio.AioRpcError as error:
            failure = error_from_rpc(error)
            if failure.reason in _POSITION_GONE and position is not None:
                position = None
                continue
            outlived_its_token = begun and failure.reason == "TOKEN_EXPIRED"
            if failure.code in _FOR_GOOD and not outlived_its_token:
                raise
            _log.info("stream_ended", code=failure.code.name, message=failure.message)
            asked_s = failure.retry_after_s or 0.0
        await backoff.pause(at_least_s=asked_s)
