"""A source's blocking iterator, read in a thread of its own, one item ahead."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.data.domain.ingestion import SymbolError
from services.data.sources.source import SourceError

_POLL_S = 0.05
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Item(Generic[T]):
    value: T


class SourceReader(Generic[T]):
    """Items as they come; at most two are in memory besides the one that is used.

    The thread is a daemon and not of a pool: a source that hangs for ever holds up neither the service nor
    its end.
    """

    def __init__(self, fetch: Callable[[], Iterator[T]], *, name: str, silence_s: float) -> None:
        self._fetch = fetch
        self._silence_s = silence_s
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self._queue: queue.Queue[_Item[T] | BaseException | None] = queue.Queue(maxsize=1)
        self._stopped = threading.Event()
        threading.Thread(target=self._run, name=f"source {name}", daemon=True).start()

    async def items(self) -> AsyncIterator[T]:
        """All items.

        Raises:
            SourceError: TIMED_OUT when none came for ``silence_s``; else what the source raised.
        """
        try:
            while True:
                got = await self._next()
                if isinstance(got, BaseException):
                    raise got
                if got is None:
                    return
                yield got.value
        finally:
            self.stop()

    def stop(self) -> None:
        """Take no more: the thread ends when its source next gives something."""
        self._stopped.set()

    async def _next(self) -> _Item[T] | BaseException | None:
        """None is the end."""
        try:
            async with asyncio.timeout(self._silence_s):
                await self._ready.wait()
        except TimeoutError:
            message = f"the source gave nothing for {self._silence_s:g} s"
            raise SourceError(SymbolError.TIMED_OUT, message) from None
        self._ready.clear()
        return self._queue.get_nowait()

    def _run(self) -> None:
        try:
            for item in self._fetch():
                if not self._put(_Item(item)):
                    return
        except BaseException as error:  # noqa: BLE001  it is raised again where the chunks are read
            self._put(error)
        else:
            self._put(None)

    def _put(self, item: _Item[T] | BaseException | None) -> bool:
        """Hand over, waiting for the one before to be taken; False when no more is wanted."""
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=_POLL_S)
            except queue.Full:
                continue
            try:
                self._loop.call_soon_threadsafe(self._ready.set)
            except RuntimeError:  # the loop is closed: the service ended
                return False
            return True
        return False
