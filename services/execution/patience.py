"""Holding back what need not be dealt with at once, so that it is dealt with together with what follows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from typing import TypeVar

T = TypeVar("T")


async def held_back(
    stream: AsyncIterable[T], may_wait: Callable[[T], bool], *, wait_s: float, limit: int = 500
) -> AsyncGenerator[T, None]:
    """The stream's items in their order.

    Those that may wait come with the next one that may not, `wait_s` after the first of them, or when there
    are `limit` of them; at the end of the stream at once.
    """
    loop = asyncio.get_running_loop()
    items = aiter(stream)
    held: list[T] = []
    due = 0.0
    reading: asyncio.Task[T | None] | None = None
    try:
        while True:
            if reading is None:
                reading = loop.create_task(_next(items))
            arrived, _ = await asyncio.wait([reading], timeout=due - loop.time() if held else None)
            if arrived and reading.exception() is None and (item := reading.result()) is not None:
                reading = None
                due = due if held else loop.time() + wait_s
                held.append(item)
                if may_wait(item) and len(held) < limit:
                    continue
            for ready in held:
                yield ready
            held = []
            if arrived and reading is not None:
                reading.result()  # what the stream ended in, if that was an error
                return
    finally:
        if reading is not None:
            reading.cancel()
        cancel = getattr(stream, "cancel", None)  # a gRPC call
        if cancel is not None:
            cancel()


async def _next(items: AsyncIterator[T]) -> T | None:
    """The next item; None at the end."""
    try:
        return await anext(items)
    except StopAsyncIteration:
        return None
