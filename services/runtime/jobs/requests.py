"""What callers do with jobs: make one once, ask it to stop, watch it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Generic

from google.protobuf.message import Message

from bifrost.type.v1 import stream_pb2
from services.runtime.auth import current_principal
from services.runtime.clock import Clock, to_timestamp
from services.runtime.errors import ApiError
from services.runtime.failures import draining
from services.runtime.idempotency import IdempotencyStore, request_digest
from services.runtime.ids import new_id
from services.runtime.jobs.changes import JobChanges
from services.runtime.jobs.job import J
from services.runtime.jobs.job_store import JobStore, insert_job


class JobRequests(Generic[J]):
    """What a servicer of jobs of one kind stands on."""

    def __init__(
        self,
        store: JobStore[J],
        changes: JobChanges,
        idempotency: IdempotencyStore,
        *,
        missing: Callable[[str], ApiError],
        clock: Clock,
        heartbeat_s: float,
    ) -> None:
        """``missing``: the error that says there is no job with this id."""
        self._store = store
        self._changes = changes
        self._idempotency = idempotency
        self._missing = missing
        self._clock = clock
        self._heartbeat_s = heartbeat_s
        self._epoch = new_id(clock)
        self._sequence = 0

    async def find(self, job_id: str) -> J:
        """One job.

        Raises:
            ApiError: there is none.
        """
        job = await self._store.read(job_id.lower())
        if job is None:
            raise self._missing(job_id)
        return job

    async def create(self, job: J, method: str, request: Message, request_id: str) -> tuple[J, bool]:
        """Record the job, once for all calls of the method by this caller with this request_id.

        Returns:
            The job that the first of them made, as it is now, and whether that was another call.

        Raises:
            ApiError: ALREADY_EXISTS (REQUEST_ID_REUSED).
        """
        key = (current_principal().caller, method, request_id)
        async with self._store.database.transaction() as connection:
            stored = await self._idempotency.begin(connection, *key, request_digest(request))
            if stored is None:
                await insert_job(connection, self._store.table, job)
                await self._idempotency.finish(connection, *key, job.job_id)
        if stored is not None:
            return await self.find(stored.resource_id), True
        self._changes.made()
        return job, False

    async def request_cancel(self, job: J) -> J:
        """Ask the job to stop, which its work sees to; returns it as it is now. An ended one stays so."""
        await self._store.request_cancel(job.job_id, self._clock.now_ns())
        self._changes.changed(job.job_id)
        return await self.find(job.job_id)

    async def watch(self, job_id: str) -> AsyncGenerator[tuple[stream_pb2.StreamHeader, J | None], None]:
        """The job as it is now, then at every change until it has ended; None is a heartbeat.

        A change that another process made is seen at the next heartbeat.

        Raises:
            ApiError: there is no such job; UNAVAILABLE (DRAINING).
        """
        loop = asyncio.get_running_loop()
        sent: J | None = None
        beat_at, is_due = loop.time() + self._heartbeat_s, False
        with self._changes.waiting(job_id.lower()) as changed:
            while True:
                changed.clear()
                job = await self.find(job_id)
                if job != sent or is_due:
                    yield self._header(), job if job != sent else None
                    sent = job
                    beat_at, is_due = loop.time() + self._heartbeat_s, False
                if job.state.has_ended:
                    return
                if self._changes.draining.is_set():
                    raise draining()
                try:
                    async with asyncio.timeout_at(beat_at):
                        await changed.wait()
                    is_due = loop.time() >= beat_at  # also when it is woken for nothing all the time
                except TimeoutError:
                    is_due = True

    def _header(self) -> stream_pb2.StreamHeader:
        self._sequence += 1
        now = to_timestamp(self._clock.now_ns())
        return stream_pb2.StreamHeader(
            epoch=self._epoch, sequence=self._sequence, event_time=now, publish_time=now
        )
