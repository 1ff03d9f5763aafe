"""Waiting for what other processes do, of which no event tells."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

_PAUSE_S = 0.05
P = ParamSpec("P")
R = TypeVar("R")


async def until(condition: Callable[[], Awaitable[bool] | bool], *, timeout_s: float | None = None) -> None:
    """Wait until the condition holds; TimeoutError after `timeout_s` seconds."""
    async with asyncio.timeout(timeout_s):
        # There is no event: that is what this is for.
        while not (held if isinstance(held := condition(), bool) else await held):  # noqa: ASYNC110
            await asyncio.sleep(_PAUSE_S)


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """asyncio.to_thread for what starts and stops programs: when cancelled, the thread is waited for.

    Else what it starts would be left behind by those who were told that it never began.
    """
    work = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.gather(work, return_exceptions=True)
        raise
