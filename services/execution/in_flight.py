"""Twins of a request wait for the one that came first."""

from __future__ import annotations

import asyncio
from collections.abc import Collection


class InFlight:
    """Keys of requests under way."""

    def __init__(self) -> None:
        self._ends: dict[tuple[str, str], asyncio.Future[None]] = {}

    async def claim(self, owner: str, request_ids: Collection[str]) -> Claim:
        """Wait until none of these is under way, and be the one that is."""
        claim = Claim(self._ends)
        try:
            for key in sorted({(owner, request_id) for request_id in request_ids}):
                while (end := self._ends.get(key)) is not None:
                    await asyncio.wait([end])
                claim.take(key)
        except BaseException:
            claim.release()
            raise
        return claim


class Claim:
    """Requests under way, until `release`."""

    def __init__(self, ends: dict[tuple[str, str], asyncio.Future[None]]) -> None:
        self._ends = ends
        self._keys: list[tuple[str, str]] = []

    def take(self, key: tuple[str, str]) -> None:
        """One more."""
        self._ends[key] = asyncio.get_running_loop().create_future()
        self._keys.append(key)

    def release(self) -> None:
        """They have ended; may be called again."""
        for key in self._keys:
            self._ends.pop(key).set_result(None)
        self._keys.clear()
