"""Runs recorded jobs one after the other, and goes on with what an ended process left."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Generic, TypeAlias

import sqlalchemy as sa
import structlog

from services.runtime.clock import Clock
from services.runtime.database import DatabaseUnavailableError
from services.runtime.jobs.changes import JobChanges
from services.runtime.jobs.job import (
    J,
    JobCancelledError,
    JobEndedError,
    JobFailedError,
    advance,
    cancel,
    fail,
)
from services.runtime.jobs.job_store import JobStore
from services.runtime.tasks import cancel_all

Report: TypeAlias = Callable[[str, float], None]
"""Takes the stage and the share done, 0 to 1; may be called from any thread."""
_PROGRESS_S: Final = 0.25
_log = structlog.get_logger(__name__)


class JobRunner(Generic[J]):
    """What works on jobs of one kind, and records how they get on."""

    def __init__(self, store: JobStore[J], changes: JobChanges, *, clock: Clock) -> None:
        self._store = store
        self._changes = changes
        self._clock = clock

    async def run(self, work: Callable[[J], Awaitable[J]], *where: sa.ColumnElement[bool]) -> None:
        """Run what has not ended, oldest first, then wait for more, until the service drains.

        ``work`` takes a job PENDING, or RUNNING as an ended process left it, records what is worth knowing on
        the way and returns the job as it ended. It may raise JobFailedError and JobCancelledError; any other
        error is a defect, which fails the job and not the runner. Jobs that ``where`` tells apart may be run
        side by side.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away; run it again and it goes on with the same job.
        """
        with self._changes.waiting() as made:
            while not self._changes.draining.is_set():
                made.clear()
                job = await self._store.next_unfinished(*where)
                if self._changes.draining.is_set():
                    return
                if job is None:
                    await made.wait()
                else:
                    await self._run(job, work)

    async def record(self, job: J) -> J:
        """Record the job as it is now, and show it to who watches it.

        Raises:
            JobEndedError: it is recorded as ended already.
        """
        await self._store.update(job)
        self.changed(job)
        return job

    def changed(self, job: J) -> None:
        """The job was recorded by other means: wake who watches it."""
        self._changes.changed(job.job_id)

    async def check_cancelled(self, job: J) -> None:
        """JobCancelledError when somebody asked the job to stop."""
        if await self._store.is_cancel_requested(job.job_id):
            raise JobCancelledError

    async def recorded(self, job: J) -> J:
        """The job as it is recorded."""
        return await self._store.read(job.job_id) or job

    @contextlib.asynccontextmanager
    async def reporting(self, job: J) -> AsyncIterator[Report]:
        """Record the stage and share last reported, up to four times a second, while the block works."""
        latest = [(job.stage, job.progress)]

        def report(stage: str, share: float) -> None:
            latest[0] = (stage, share)

        name = f"progress of {job.job_id}"
        task = asyncio.get_running_loop().create_task(self._record_progress(job, latest), name=name)
        try:
            yield report
        finally:
            await cancel_all([task])

    async def _record_progress(self, job: J, latest: list[tuple[str, float]]) -> None:
        told = (job.stage, job.progress)
        while True:
            await asyncio.sleep(_PROGRESS_S)
            if latest[0] == told:
                continue
            told = latest[0]
            try:
                job = await self.record(advance(job, *told, self._clock.now_ns()))
            except JobEndedError:
                return  # the work will hear of it
            except Exception:  # noqa: BLE001  the work goes on, and the next report may get through
                _log.warning("progress_not_recorded", job=job.job_id, exc_info=True)

    async def _run(self, job: J, work: Callable[[J], Awaitable[J]]) -> None:
        try:
            ended = await work(job)
            if not ended.state.has_ended:
                raise RuntimeError(f"the work of job {job.job_id} is over and the job is not")
            await self.record(ended)
        except DatabaseUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001  the job fails, the runner goes on with the next
            recorded = await self.recorded(job)
            if recorded.state.has_ended:  # by another process; what that recorded stands
                _log.warning("job_ended_elsewhere", job=job.job_id, exc_info=error)
            else:
                await self.record(self._ended_by(error, recorded))

    def _ended_by(self, error: Exception, job: J) -> J:
        now_ns = self._clock.now_ns()
        if isinstance(error, JobCancelledError):
            return cancel(job, str(error), now_ns)
        if isinstance(error, JobFailedError):
            return fail(job, error.reason, str(error), now_ns)
        _log.error("job_failed", job=job.job_id, exc_info=error)
        message = f"a defect of the service ({type(error).__name__}); its log has more"
        return fail(job, "INTERNAL", message, now_ns)
