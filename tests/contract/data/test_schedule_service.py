"""ScheduleService over a socket and a real database, by a clock that the test sets."""

from __future__ import annotations

import asyncio
import datetime as dt
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import grpc
import pytest

from bifrost.data.v1 import bar_pb2, ingestion_pb2, ingestion_service_pb2, schedule_pb2
from bifrost.data.v1 import schedule_service_pb2 as pb
from bifrost.data.v1.schedule_service_pb2_grpc import ScheduleServiceStub
from services.data.calendars.calendars import Calendars, unavailable
from services.data.calendars.markets import Market
from services.data.domain.trading_calendar import SessionTable
from services.runtime.clock import ManualClock, from_timestamp
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import new_database
from services.runtime.testing_keys import MeshKeys, bearer
from services.runtime.waiting import until
from tests.contract.data.data_harness import RunningData, failure_of, start_data
from tests.contract.data.scripted_source import ScriptedSource, history

NEW_YORK = ZoneInfo("America/New_York")
START = dt.datetime(2024, 7, 1, 12, 0, tzinfo=NEW_YORK)
MINUTE = 60 * 10**9
DAY = 24 * 60 * MINUTE


class Scheduled:
    """A service whose clock stands until the test moves it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.keys = MeshKeys(folder)
        self.clock = ManualClock(int(START.timestamp()) * 10**9)
        self.source = ScriptedSource(
            "scripted", {"ONE": history("ONE", [("2010-01-04", 10, 11, 9, 10, 1, 10)])}
        )

    async def start(self) -> None:
        self.data: RunningData = await start_data(
            self.url, self.keys, clock=self.clock, sources={"scripted": self.source}, schedule_poll_s=0.02
        )
        begin = int(START.timestamp())
        token = self.keys.user_token(scope="market:read data:write", iat=begin, exp=begin + 30 * 86_400)
        self.data.headers = bearer(token)
        self.stub = ScheduleServiceStub(self.data.channel)

    async def create(
        self,
        *,
        request_id: str = "",
        source: str = "scripted",
        calendar: str = "NASDAQ",
        time: schedule_pb2.ScheduleTime | None = None,
    ) -> pb.CreateScheduleResponse:
        request = pb.CreateScheduleRequest(
            request_id=request_id or str(uuid.uuid4()),
            source=source,
            symbols=["ONE"],
            calendar=calendar,
            time=schedule_pb2.ScheduleTime(minutes_after_close=30) if time is None else time,
        )
        return await self.stub.CreateSchedule(request, metadata=self.data.headers)

    async def schedules(self) -> list[schedule_pb2.Schedule]:
        answer = await self.stub.ListSchedules(pb.ListSchedulesRequest(), metadata=self.data.headers)
        return list(answer.schedules)

    async def ingestions(self) -> list[ingestion_pb2.Ingestion]:
        request = ingestion_service_pb2.ListIngestionsRequest()
        answer = await self.data.ingestions.ListIngestions(request, metadata=self.data.headers)
        return list(answer.ingestions)

    async def until_made(self, count: int) -> list[ingestion_pb2.Ingestion]:
        async def is_made() -> bool:
            return len(await self.ingestions()) >= count

        await until(is_made, timeout_s=60)
        return await self.ingestions()


@pytest.fixture
async def scheduled(postgres_server: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Scheduled]:
    made = Scheduled(new_database(postgres_server), tmp_path)
    await made.start()
    yield made
    await made.data.stop()


def local(schedule: schedule_pb2.Schedule) -> str:
    at = dt.datetime.fromtimestamp(from_timestamp(schedule.next_due_time) / 10**9, NEW_YORK)
    return f"{at:%Y-%m-%d %H:%M}"


async def test_a_due_time_makes_one_ingestion(scheduled: Scheduled) -> None:
    made = (await scheduled.create()).schedule
    assert (made.calendar, made.interval, local(made)) == (
        "XNYS",
        bar_pb2.BAR_INTERVAL_DAY,
        "2024-07-01 16:30",
    )
    scheduled.clock.advance(4 * 60 * MINUTE + 29 * MINUTE)
    assert not await scheduled.ingestions()
    scheduled.clock.advance(MINUTE)
    (ingestion,) = await scheduled.until_made(1)
    assert (ingestion.source, list(ingestion.symbols)) == ("scripted", ["ONE"])
    assert (await scheduled.data.wait_ended(ingestion.ingestion_id)).results[0].rows_stored == 1
    (now,) = await scheduled.schedules()
    assert (now.last_ingestion_id, local(now)) == (ingestion.ingestion_id, "2024-07-02 16:30")


async def test_what_was_missed_while_away_is_made_up_for_once(scheduled: Scheduled) -> None:
    await scheduled.create()
    await scheduled.data.stop()
    scheduled.clock.advance(9 * DAY)
    await scheduled.start()
    (one,) = await scheduled.until_made(1)
    await scheduled.data.stop()
    await scheduled.start()
    scheduled.clock.advance(DAY)
    both = await scheduled.until_made(2)
    assert len(both) == 2
    assert one.ingestion_id in {each.ingestion_id for each in both}
    assert local((await scheduled.schedules())[0]) == "2024-07-11 16:30"


async def test_two_services_make_it_once(scheduled: Scheduled, tmp_path: Path) -> None:
    await scheduled.create()
    folder = tmp_path / "twin"
    folder.mkdir()
    twin = Scheduled(scheduled.url, folder)
    twin.clock = scheduled.clock
    await twin.start()
    scheduled.clock.advance(DAY)
    await scheduled.until_made(1)
    await asyncio.gather(*(one.data.stop() for one in (twin, scheduled)))
    await scheduled.start()
    assert len(await scheduled.ingestions()) == 1


async def test_paused_it_makes_nothing_and_makes_up_for_nothing(scheduled: Scheduled) -> None:
    made = (await scheduled.create(time=schedule_pb2.ScheduleTime(local_time="08:00"))).schedule
    assert local(made) == "2024-07-02 08:00"
    pause = pb.PauseScheduleRequest(schedule_id=made.schedule_id)
    paused = (await scheduled.stub.PauseSchedule(pause, metadata=scheduled.data.headers)).schedule
    assert paused.paused
    assert not paused.HasField("next_due_time")
    scheduled.clock.advance(2 * DAY)
    resume = pb.ResumeScheduleRequest(schedule_id=made.schedule_id)
    for _ in range(2):
        resumed = (await scheduled.stub.ResumeSchedule(resume, metadata=scheduled.data.headers)).schedule
    assert (resumed.paused, local(resumed)) == (False, "2024-07-05 08:00")
    assert not await scheduled.ingestions()
    scheduled.clock.advance(2 * DAY)
    assert len(await scheduled.until_made(1)) == 1


async def test_one_whose_calendar_fails_says_so_and_the_others_go_on(
    scheduled: Scheduled, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = (await scheduled.create(calendar="XLON")).schedule
    good = (await scheduled.create()).schedule
    assert not bad.error_message
    await scheduled.data.stop()
    # As after a release whose libraries do not fit the calendar any more.
    sessions = Calendars.sessions

    async def broken(calendars: Calendars, market: Market) -> SessionTable:
        if market.mic == "XLON":
            raise unavailable(market.mic, market.name)
        return await sessions(calendars, market)

    with monkeypatch.context() as patch:
        patch.setattr(Calendars, "sessions", broken)
        await scheduled.start()
        scheduled.clock.advance(DAY + 5 * 60 * MINUTE)
        (made,) = await scheduled.until_made(1)
        first, second = await scheduled.schedules()
        assert first.error_message.startswith("CALENDAR_UNAVAILABLE: the calendar of XLON")
        assert not first.HasField("next_due_time")
        assert (second.schedule_id, second.last_ingestion_id) == (good.schedule_id, made.ingestion_id)
        assert not second.error_message
    # It is made up for once the calendar is there again.
    await scheduled.until_made(2)

    async def is_well() -> bool:
        return not (await scheduled.schedules())[0].error_message

    await until(is_well, timeout_s=60)
    assert (await scheduled.schedules())[0].HasField("next_due_time")


async def test_a_deleted_one_is_gone(scheduled: Scheduled) -> None:
    made = (await scheduled.create()).schedule
    request = pb.DeleteScheduleRequest(schedule_id=made.schedule_id)
    for _ in range(2):
        await scheduled.stub.DeleteSchedule(request, metadata=scheduled.data.headers)
    assert not await scheduled.schedules()
    pause = pb.PauseScheduleRequest(schedule_id=made.schedule_id)
    unknown = pb.DeleteScheduleRequest(schedule_id=str(uuid.uuid4()))
    for call in (
        scheduled.stub.PauseSchedule(pause, metadata=scheduled.data.headers),
        scheduled.stub.DeleteSchedule(unknown, metadata=scheduled.data.headers),
    ):
        failure = await failure_of(call)
        assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "SCHEDULE_NOT_FOUND")


async def test_a_request_id_makes_one(scheduled: Scheduled) -> None:
    first = await scheduled.create(request_id="once")
    again = await scheduled.create(request_id="once")
    assert (first.duplicate, again.duplicate) == (False, True)
    assert first.schedule.schedule_id == again.schedule.schedule_id
    failure = await failure_of(scheduled.create(request_id="once", calendar="XLON"))
    assert failure.reason == "REQUEST_ID_REUSED"


async def test_what_makes_no_sense_is_refused(scheduled: Scheduled) -> None:
    time = schedule_pb2.ScheduleTime
    for refused, reason in (
        (scheduled.create(source="bloomberg"), "SOURCE_UNKNOWN"),
        (scheduled.create(calendar="XNYC"), "CALENDAR_NOT_FOUND"),
        (scheduled.create(time=time()), "FIELD_INVALID"),
        (scheduled.create(time=time(local_time="25:00")), "FIELD_INVALID"),
        (scheduled.create(time=time(minutes_after_close=1441)), "FIELD_INVALID"),
    ):
        assert (await failure_of(refused)).reason == reason


async def test_list_pages_oldest_first(scheduled: Scheduled) -> None:
    made = [(await scheduled.create()).schedule.schedule_id for _ in range(3)]
    request = pb.ListSchedulesRequest(page_size=2)
    first = await scheduled.stub.ListSchedules(request, metadata=scheduled.data.headers)
    request.page_token = first.next_page_token
    rest = await scheduled.stub.ListSchedules(request, metadata=scheduled.data.headers)
    assert [one.schedule_id for one in (*first.schedules, *rest.schedules)] == made
