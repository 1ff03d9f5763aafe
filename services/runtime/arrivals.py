"""Taking from a stream all that has arrived: one transaction or one redraw for many messages under load."""

import asyncio
import contextlib
from collections.abc import AsyncIterable, AsyncIterator
from typing import Generic, TypeVar

R = TypeVar("R")


class _End:
    """What the pump leaves behind: the stream's error, or None for an orderly end."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error


class Arrivals(Generic[R]):
    """A stream read ahead, by at most two batches; use ``arriving`` to make one."""

    def __init__(self, stream: AsyncIterable[R], batch: int, silence_s: float) -> None:
        self._stream = stream
        self._batch = batch
        self._silence_s = silence_s
        self._arrived: asyncio.Queue[R | _End] = asyncio.Queue(maxsize=2 * batch)
        self._ended: _End | None = None

    async def take(self) -> list[R]:
        """What has arrived since the last call, at most a batch; waits for one. Empty at the stream's end.

        Raises:
            TimeoutError: nothing came for ``silence_s``.
            Exception: what the stream ended in, once all before it is taken.
        """
        taken: list[R] = []
        while self._ended is None and len(taken) < self._batch and not (taken and self._arrived.empty()):
            item = await self._next()
            if isinstance(item, _End):
                self._ended = item
            else:
                taken.append(item)
        if not taken and self._ended is not None and self._ended.error is not None:
            raise self._ended.error
        return taken

    async def _next(self) -> R | _End:
        if not self._arrived.empty():
            return self._arrived.get_nowait()
        async with asyncio.timeout(self._silence_s):
            return await self._arrived.get()

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
async def arriving(stream: AsyncIterable[R], *, batch: int, silence_s: float) -> AsyncIterator[Arrivals[R]]:
    """Read ``stream`` ahead within the block; at its end the stream is cancelled."""
    arrivals = Arrivals(stream, batch, silence_s)
    pumping = asyncio.get_running_loop().create_task(arrivals.pump())
    try:
        yield arrivals
    finally:
        pumping.cancel()
        await asyncio.wait([pumping])
        cancel = getattr(stream, "cancel", None)  # a gRPC call; the pump may have been waiting elsewhere
        if cancel is not None:
            cancel()
