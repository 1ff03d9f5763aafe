"""ScheduleService: makes ingestions by the trading days of a market."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from bifrost.data.v1 import schedule_pb2
from bifrost.data.v1 import schedule_service_pb2 as pb
from bifrost.data.v1 import schedule_service_pb2_grpc as pb_grpc
from services.data.calendars.calendars import market_named
from services.data.convert import interval_name
from services.data.domain.schedule import Schedule
from services.data.ingestions.schedule_runner import ScheduleRunner
from services.data.ingestions.schedule_store import ScheduleStore, insert_schedule
from services.data.ingestions.source_requests import check_source
from services.data.sources.source import Sources
from services.runtime.auth import current_principal
from services.runtime.clock import Clock, to_timestamp
from services.runtime.database import Database
from services.runtime.errors import ApiError, not_found
from services.runtime.idempotency import IdempotencyStore, request_digest
from services.runtime.ids import new_id
from services.runtime.pagination import decode_page_token, encode_page_token, page_size, text

if TYPE_CHECKING:
    from grpc.aio import ServicerContext

_CREATE = "CreateSchedule"


class ScheduleService(pb_grpc.ScheduleServiceServicer):
    """The servicer."""

    def __init__(
        self,
        database: Database,
        store: ScheduleStore,
        runner: ScheduleRunner,
        idempotency: IdempotencyStore,
        sources: Sources,
        *,
        clock: Clock,
    ) -> None:
        self._database = database
        self._store = store
        self._runner = runner
        self._idempotency = idempotency
        self._sources = sources
        self._clock = clock

    async def CreateSchedule(
        self,
        request: pb.CreateScheduleRequest,
        _context: ServicerContext[pb.CreateScheduleRequest, pb.CreateScheduleResponse],
    ) -> pb.CreateScheduleResponse:
        """Record a schedule."""
        kind, interval = check_source(self._sources, request)
        market = market_named(request.calendar)
        is_after_close = request.time.WhichOneof("kind") == "minutes_after_close"
        now_ns = self._clock.now_ns()
        made = Schedule(
            new_id(self._clock),
            request.source,
            tuple(request.symbols),
            interval,
            market.mic,
            request.time.minutes_after_close if is_after_close else None,
            None if is_after_close else dt.time.fromisoformat(request.time.local_time),
            create_time_ns=now_ns,
            last_due_ns=now_ns,
            kind=kind,
        )
        principal = current_principal()
        owner, digest = principal.caller, request_digest(request)
        async with self._database.transaction() as connection:
            stored = await self._idempotency.begin(connection, owner, _CREATE, request.request_id, digest)
            if stored is None:
                await insert_schedule(connection, made)
                await self._idempotency.finish(
                    connection, owner, _CREATE, request.request_id, made.schedule_id
                )
        if stored is not None:
            found = await self._store.read(stored.resource_id) or made
            return pb.CreateScheduleResponse(schedule=await self._message(found), duplicate=True)
        self._runner.notify()
        return pb.CreateScheduleResponse(schedule=await self._message(made))

    async def ListSchedules(
        self,
        request: pb.ListSchedulesRequest,
        _context: ServicerContext[pb.ListSchedulesRequest, pb.ListSchedulesResponse],
    ) -> pb.ListSchedulesResponse:
        """A page, oldest first."""
        position = decode_page_token(request, request.page_token, schedule_id=text)
        size = page_size(request.page_size)
        after = None if position is None else position["schedule_id"]
        found = await self._store.list_page(after=after, limit=size + 1)
        token = ""
        if len(found) > size:
            token = encode_page_token(request, {"schedule_id": found[size - 1].schedule_id})
        schedules = [await self._message(one) for one in found[:size]]
        return pb.ListSchedulesResponse(schedules=schedules, next_page_token=token)

    async def PauseSchedule(
        self,
        request: pb.PauseScheduleRequest,
        _context: ServicerContext[pb.PauseScheduleRequest, pb.PauseScheduleResponse],
    ) -> pb.PauseScheduleResponse:
        """Keep it from making ingestions."""
        schedule = await self._find(request.schedule_id)
        await self._store.change(schedule.schedule_id, paused=True)
        return pb.PauseScheduleResponse(schedule=await self._message(await self._find(request.schedule_id)))

    async def ResumeSchedule(
        self,
        request: pb.ResumeScheduleRequest,
        _context: ServicerContext[pb.ResumeScheduleRequest, pb.ResumeScheduleResponse],
    ) -> pb.ResumeScheduleResponse:
        """Let it make them again; what fell due meanwhile is let go."""
        schedule = await self._find(request.schedule_id)
        if schedule.paused:
            await self._store.change(schedule.schedule_id, paused=False, last_due_ns=self._clock.now_ns())
            self._runner.notify()
        return pb.ResumeScheduleResponse(schedule=await self._message(await self._find(request.schedule_id)))

    async def DeleteSchedule(
        self,
        request: pb.DeleteScheduleRequest,
        _context: ServicerContext[pb.DeleteScheduleRequest, pb.DeleteScheduleResponse],
    ) -> pb.DeleteScheduleResponse:
        """End it."""
        found = await self._store.read(request.schedule_id.lower())
        if found is None:
            raise _unknown(request.schedule_id)
        await self._store.change(found.schedule_id, delete_time_ns=self._clock.now_ns())
        return pb.DeleteScheduleResponse()

    async def _find(self, schedule_id: str) -> Schedule:
        found = await self._store.read(schedule_id.lower())
        if found is None or found.is_deleted:
            raise _unknown(schedule_id)
        return found

    async def _message(self, schedule: Schedule) -> schedule_pb2.Schedule:
        time = schedule_pb2.ScheduleTime(minutes_after_close=schedule.minutes_after_close)
        if schedule.local_time is not None:
            time = schedule_pb2.ScheduleTime(local_time=f"{schedule.local_time:%H:%M}")
        due_ns = None if schedule.is_deleted else await self._runner.next_due_ns(schedule)
        problem = "" if schedule.is_deleted or schedule.paused else self._runner.problem_of(schedule)
        return schedule_pb2.Schedule(
            schedule_id=schedule.schedule_id,
            source=schedule.source,
            symbols=schedule.symbols,
            interval=interval_name(schedule.kind, schedule.interval),
            kind=f"INGESTION_KIND_{schedule.kind.name}",
            calendar=schedule.calendar,
            time=time,
            paused=schedule.paused,
            create_time=to_timestamp(schedule.create_time_ns),
            next_due_time=None if due_ns is None else to_timestamp(due_ns),
            last_ingestion_id=schedule.last_ingestion_id,
            error_message=problem,
        )


def _unknown(schedule_id: str) -> ApiError:
    return not_found("SCHEDULE_NOT_FOUND", f"there is no schedule {schedule_id}", schedule_id=schedule_id)
