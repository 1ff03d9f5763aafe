"""Wakes those in this process who wait for a change of jobs."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

_QUEUES: Final = ""


class JobChanges:
    """Who waits, by job; one of each kind of jobs."""

    def __init__(self, draining: asyncio.Event) -> None:
        """``draining``: set when the process is about to stop; it wakes everybody."""
        self.draining = draining
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    def made(self) -> None:
        """A job was made: wake the runner."""
        self._wake(_QUEUES)

    def changed(self, job_id: str) -> None:
        """A job was changed: wake who watches it."""
        self._wake(job_id)

    @contextlib.contextmanager
    def waiting(self, job_id: str = _QUEUES) -> Iterator[asyncio.Event]:
        """An event of the caller's own, set at each change of the job, or by default at each new job.

        Clear it before reading, then wait for it: what changes after the read sets it again.
        """
        event = asyncio.Event()
        self._waiting[job_id].add(event)
        drained = asyncio.get_running_loop().create_task(self.draining.wait())
        drained.add_done_callback(lambda _: event.set())
        try:
            yield event
        finally:
            drained.cancel()
            self._waiting[job_id].discard(event)
            if not self._waiting[job_id]:
                del self._waiting[job_id]

    def _wake(self, job_id: str) -> None:
        for event in self._waiting.get(job_id, ()):
            event.set()
