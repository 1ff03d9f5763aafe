"""Work that belongs to the process rather than to a call: supervised background tasks, and owned work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine
from contextvars import copy_context
from typing import Any, Final, TypeVar

import structlog

from services.runtime.auth import Call, current_call
from services.runtime.metrics import ProcessMetrics

T = TypeVar("T")

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0
# A task that ran this long before it failed starts over with the shortest pause.
_HEALTHY_S: Final = 30.0
# How long a cancelled task has to end.
_CANCEL_PATIENCE_S: Final = 2.0
_log = structlog.get_logger(__name__)


async def supervise(name: str, run: Callable[[], Awaitable[None]], metrics: ProcessMetrics) -> None:
    """Run a background task; when it fails, log, count, pause (0.1 s doubling to 5 s) and run it again.

    Ends when the task returns or is cancelled, also when it answers its cancellation with an error.
    """
    pause_s = _FIRST_PAUSE_S
    up = metrics.tasks_up.labels(name)
    while True:
        started = time.monotonic()
        up.set(1)
        try:
            await run()
        except Exception:  # noqa: BLE001  whatever it is, it is logged, counted and tried again
            if _is_being_cancelled():
                _log.warning("background_failed_at_stop", task=name, exc_info=True)
                return
            metrics.task_failures.labels(name).inc()
            _log.exception("background_failed", task=name, retry_in_s=pause_s)
        else:
            return
        finally:
            up.set(0)
        if time.monotonic() - started > _HEALTHY_S:
            pause_s = _FIRST_PAUSE_S
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def cancel_all(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait for their ends, two seconds at most: what is stuck then is logged and left."""
    for task in tasks:
        task.cancel()
    if not tasks:
        return
    ended, stuck = await asyncio.wait(tasks, timeout=_CANCEL_PATIENCE_S)
    for task in ended:
        if not task.cancelled():
            task.exception()  # seen: it was logged where it was raised
    for task in stuck:
        _log.error("task_stuck", task=task.get_name(), after_s=_CANCEL_PATIENCE_S)


class OwnedWork:
    """Work that must be finished whoever stops waiting for it, such as what follows a committed intent."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[object]] = set()

    def start(self, work: Coroutine[None, None, T], *, deadline_s: float | None = None) -> asyncio.Task[T]:
        """Run `work` in a task of the process. The caller waits by `await asyncio.shield(task)`.

        Principal and trace are the current call's; its deadline is not: calls made by the work end after
        `deadline_s` seconds from now instead.
        """
        call = current_call.get() or Call()
        deadline = None if deadline_s is None else time.monotonic() + deadline_s
        context = copy_context()
        context.run(current_call.set, Call(call.principal, deadline, call.traceparent))
        name: str | None = getattr(work, "__qualname__", None)
        task = asyncio.get_running_loop().create_task(work, name=name, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("owned_work_failed", task=task.get_name(), exc_info=task.exception())

    async def finish(self, timeout_s: float) -> None:
        """Wait for what is under way; cancel what is not done in time."""
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=timeout_s)
            await cancel_all(late)
