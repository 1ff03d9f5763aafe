"""The server streams that are open: each can be ended from outside, by its token's end or by a drain."""

from __future__ import annotations

import asyncio

from services.runtime.auth import Principal
from services.runtime.clock import NANOS
from services.runtime.errors import ApiError, unauthenticated
from services.runtime.failures import draining

# What a reader has to take the message in hand, before its stream is cut without a status.
_STALLED_S = 2.0
# Timers of event loops do not reach arbitrarily far; no token lives that long anyway.
_LONGEST_TIMER_S = 24 * 3600.0


class OpenStream:
    """One server stream being served, living in the task that made it."""

    def __init__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a stream is served in a task")
        self._task = task
        self._loop = asyncio.get_running_loop()
        self._timers: list[asyncio.TimerHandle] = []
        self.reading = True
        """Whether the handler is being asked for a message; otherwise grpc is sending one."""
        self.ended_by: ApiError | None = None

    def end_with_token(self, principal: Principal, now_ns: int) -> None:
        """End the stream when the principal's token does."""
        left_s = min((principal.expires_at_ns - now_ns) / NANOS, _LONGEST_TIMER_S)
        expired = unauthenticated(
            "TOKEN_EXPIRED", "the token has expired; refresh it, open the stream again and resume"
        )
        self._timers.append(self._loop.call_later(left_s, self.end, expired))

    def end(self, error: ApiError) -> None:
        """End with this error: at once while the handler is waited for, else after the message in hand."""
        if self.ended_by is not None:
            return
        self.ended_by = error
        if self.reading:
            self._task.cancel()
        else:
            self._timers.append(self._loop.call_later(_STALLED_S, self._task.cancel))

    def resume(self) -> None:
        """The message was taken; go on, or raise what ended the stream meanwhile."""
        if self.ended_by is not None:
            raise self.ended_by
        self.reading = True

    def close(self) -> None:
        """It has ended: nothing may end it any more."""
        for timer in self._timers:
            timer.cancel()


class OpenStreams:
    """All open streams of a service."""

    def __init__(self) -> None:
        self._streams: set[OpenStream] = set()
        self._none_left = asyncio.Event()
        self._none_left.set()
        self.draining = False

    def __len__(self) -> int:
        return len(self._streams)

    def open(self) -> OpenStream:
        """A stream in the running task."""
        stream = OpenStream()
        self._streams.add(stream)
        self._none_left.clear()
        return stream

    def close(self, stream: OpenStream) -> None:
        """The stream has ended."""
        stream.close()
        self._streams.discard(stream)
        if not self._streams:
            self._none_left.set()

    async def drain(self, *, patience_s: float) -> None:
        """Take no more; give handlers `patience_s` seconds to end on their own, then end what is left."""
        self.draining = True
        try:
            await asyncio.wait_for(self._none_left.wait(), patience_s)
        except TimeoutError:
            for stream in list(self._streams):
                stream.end(draining())
