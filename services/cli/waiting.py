"""Waiting for what other processes do, of which no event tells."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

_PAUSE_S = 0.05


async def until(condition: Callable[[], Awaitable[bool] | bool], *, timeout_s: float | None = None) -> None:
    """Wait until the condition holds; TimeoutError after `timeout_s` seconds."""
    async with asyncio.timeout(timeout_s):
        # There is no event: that is what this is for.
        while not (held if isinstance(held := condition(), bool) else await held):  # noqa: ASYNC110
            await asyncio.sleep(_PAUSE_S)
