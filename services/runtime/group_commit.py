"""Many callers, one flush: while one batch is being written, the next gathers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class GroupCommit(Generic[T, R]):
    """Gathers items into batches for ``flush``, which runs one at a time, at once when it is idle.

    Args:
        flush: writes a batch; returns one outcome for each item, in order. An outcome that is an exception is
            raised to that item's submitter alone; an exception raised by ``flush`` goes to the whole batch.
        max_batch: most items of one flush.
    """

    def __init__(
        self, flush: Callable[[list[T]], Awaitable[Sequence[R | Exception]]], *, max_batch: int = 500
    ) -> None:
        self._flush = flush
        self._max_batch = max_batch
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._flusher: asyncio.Task[None] | None = None

    async def submit(self, item: T) -> R:
        """Write ``item`` with whatever else waits; returns its outcome.

        A submitter that is cancelled does not take its item back: it is flushed all the same.
        """
        outcome: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, outcome))
        if self._flusher is None:
            self._flusher = asyncio.get_running_loop().create_task(self._run())
        return await outcome

    async def close(self) -> None:
        """Wait until everything submitted is flushed."""
        while self._flusher is not None:
            await asyncio.wait([self._flusher])

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[: self._max_batch]
                del self._waiting[: self._max_batch]
                await self._flush_batch(batch)
        finally:
            self._flusher = None

    async def _flush_batch(self, batch: list[tuple[T, asyncio.Future[R]]]) -> None:
        try:
            outcomes = await self._flush([item for item, _ in batch])
            if len(outcomes) != len(batch):
                raise RuntimeError(f"flush gave {len(outcomes)} outcomes for {len(batch)} items")
        except Exception as error:  # noqa: BLE001  # handed on to every submitter
            outcomes = [error] * len(batch)
        except BaseException:
            for _, future in batch:
                future.cancel()
            raise
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if future.done():
                continue  # its submitter was cancelled
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
