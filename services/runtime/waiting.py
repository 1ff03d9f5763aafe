"""Waiting for what gives no event to wait for: another process, a row."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

_PAUSE_S: Final = 0.02


async def until(condition: Callable[[], Awaitable[bool] | bool], *, timeout_s: float | None = None) -> None:
    """Wait until `condition` holds.

    Raises:
        TimeoutError: it did not hold within `timeout_s` seconds.
    """
    async with asyncio.timeout(timeout_s):
        # There is no event: that is what this is for.
        while not (held if isinstance(held := condition(), bool) else await held):  # noqa: ASYNC110
            await asyncio.sleep(_PAUSE_S)
