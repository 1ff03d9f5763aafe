"""Taking from a stream all that has arrived: one transaction or one redraw for many messages under load."""

import asyncio
import contextlib
from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

R = TypeVar("R")


class _End:
    """What the pump leaves behind: the stream's error, or None for an orderly end."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error


@dataclass(frozen=True, slots=True)
class Patience(Generic[R]):
    """Which responses need not be dealt with at once, and for how long they may wait for what follows."""

    may_wait: Callable[[R], bool]
    wait_s: float


class Arrivals(Generic[R]):
    """A stream read ahead, by at most two batches; use ``arriving`` to make one."""

    def __init__(
        self, stream: AsyncIterable[R], batch: int, silence_s: float, patience: Patience[R] | None
    ) -> None:
        self._stream = stream
        self._batch = batch
        self._silence_s = silence_s
        self._patience = patience
        self._arrived: asyncio.Queue[R | _End] = asyncio.Queue(maxsize=2 * batch)
        self._ended: _End | None = None

    async def take(self) -> list[R]:
        """What has arrived since the last call, at most a batch; waits for one. Empty at the stream's end.

        While all of it may wait, as ``patience`` says, it also takes what follows.

        Raises:
            TimeoutError: nothing came for ``silence_s``.
            Exception: what the stream ended in, once all before it is taken.
        """
        taken: list[R] = []
        due: float | None = None
        while self._ended is None and len(taken) < self._batch:
            item = await self._next_of(taken, due)
            if item is None:
                break
            if isinstance(item, _End):
                self._ended = item
                break
            if not self._waits(item):
                due = None
            elif not taken:
                due = self._due()
            taken.append(item)
        if not taken and self._ended is not None and self._ended.error is not None:
            raise self._ended.error
        return taken

    async def _next_of(self, taken: list[R], due: float | None) -> R | _End | None:
        """The next response; None when those taken should wait for no more."""
        if not self._arrived.empty():
            return self._arrived.get_nowait()
        if taken and due is None:
            return None
        until = due if taken else asyncio.get_running_loop().time() + self._silence_s
        try:
            async with asyncio.timeout_at(until):
                return await self._arrived.get()
        except TimeoutError:
            if taken:
                return None
            raise

    def _waits(self, response: R) -> bool:
        return self._patience is not None and self._patience.may_wait(response)

    def _due(self) -> float | None:
        if self._patience is None:
            return None
        return asyncio.get_running_loop().time() + self._patience.wait_s

    async def pump(self) -> None:
        """Read the stream to its end."""
        try:
            async for response in self._stream:
                await self._arrived.put(response)
        except Exception as error:  # noqa: BLE001  # raised where the responses are taken
            await self._arrived.put(_End(error))
        else:
            await self._arrived.put(_End())


@contextlib.asynccontextmanager
async def arriving(
    stream: AsyncIterable[R], *, batch: int, silence_s: float, patience: Patience[R] | None = None
) -> AsyncIterator[Arrivals[R]]:
    """Read ``stream`` ahead within the block; at its end the stream is cancelled."""
    arrivals = Arrivals(stream, batch, silence_s, patience)
    pumping = asyncio.get_running_loop().create_task(arrivals.pump())
    try:
        yield arrivals
    finally:
        pumping.cancel()
        await asyncio.wait([pumping])
        cancel = getattr(stream, "cancel", None)  # a gRPC call; the pump may have been waiting elsewhere
        if cancel is not None:
            cancel()
