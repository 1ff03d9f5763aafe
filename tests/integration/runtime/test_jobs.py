"""Jobs over a real PostgreSQL: run one after the other, whatever becomes of them, and watched."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from bifrost.data.v1.backup_service_pb2 import CreateBackupRequest
from services.runtime.clock import SystemClock
from services.runtime.database import Database, DatabaseUnavailableError, metadata_for
from services.runtime.errors import ApiError, not_found
from services.runtime.idempotency import IdempotencyStore, idempotency_table
from services.runtime.ids import new_id
from services.runtime.jobs.changes import JobChanges
from services.runtime.jobs.job import Job, JobEndedError, JobFailedError, JobState, advance, finish, start
from services.runtime.jobs.job_store import JobStore, insert_job, job_columns
from services.runtime.jobs.requests import JobRequests
from services.runtime.jobs.runner import JobRunner
from services.runtime.waiting import until

CLOCK = SystemClock()
metadata = metadata_for("bakery")
table = sa.Table(
    "baking",
    metadata,
    sa.Column("baking_id", sa.Text, primary_key=True),
    sa.Column("cake", sa.Text, nullable=False),
    sa.Column("slices", sa.Integer, nullable=False),
    *job_columns(cancellable=True),
)
idempotency = idempotency_table(metadata)


@dataclass(frozen=True, slots=True)
class Baking(Job):
    baking_id: str
    cake: str
    slices: int = 0

    @property
    def job_id(self) -> str:
        return self.baking_id


class BakingStore(JobStore[Baking]):
    async def load(self, connection: AsyncConnection, rows: Sequence[sa.Row[Any]]) -> list[Baking]:
        return [Baking(**{**row._mapping, "state": JobState(row.state)}) for row in rows]


Work = Callable[[Baking], Awaitable[Baking]]


class Bakery:
    """A service's jobs, as its composition root puts them together."""

    def __init__(self, database: Database, *, heartbeat_s: float = 60) -> None:
        self.draining = asyncio.Event()
        self.store = BakingStore(database, table, changing=("slices",))
        self.changes = JobChanges(self.draining)
        self.runner = JobRunner(self.store, self.changes, clock=CLOCK)
        self.requests = JobRequests(
            self.store,
            self.changes,
            IdempotencyStore(idempotency, clock=CLOCK),
            missing=lambda job_id: not_found("BAKING_NOT_FOUND", "no such cake", baking_id=job_id),
            clock=CLOCK,
            heartbeat_s=heartbeat_s,
        )

    async def order(self, cake: str) -> Baking:
        now_ns = CLOCK.now_ns()
        made = Baking(new_id(CLOCK), cake, create_time_ns=now_ns, update_time_ns=now_ns)
        async with self.store.database.transaction() as connection:
            await insert_job(connection, table, made)
        self.changes.made()
        return made

    async def begin(self, job: Baking) -> Baking:
        return await self.runner.record(start(job, "oven", CLOCK.now_ns()))

    async def bake(self, job: Baking) -> Baking:
        begun = await self.begin(job)
        if job.cake == "burnt":
            raise JobFailedError("BURNT", "it is black")
        if job.cake == "defect":
            raise ZeroDivisionError
        if job.cake == "endless":
            return begun
        await self.runner.check_cancelled(job)
        return finish(begun, f"a {job.cake}", CLOCK.now_ns())

    async def ended(self, job: Baking) -> Baking:
        """The job as it ended, watched from now on."""
        seen = job
        async with asyncio.timeout(30):
            async for _, shown in self.requests.watch(job.job_id):
                seen = shown or seen
        assert seen.state.has_ended
        return seen


@pytest.fixture
async def bakery(postgres_url: str) -> AsyncIterator[Bakery]:
    database = await Database.connect(postgres_url, schema="bakery", pool_size=8)
    async with database.transaction() as connection:
        await connection.execute(sa.schema.CreateSchema("bakery", if_not_exists=True))
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)
    yield Bakery(database)
    await database.close()


@pytest.fixture
async def baker(bakery: Bakery) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(bakery.runner.run(bakery.bake))
    yield task
    task.cancel()
    await asyncio.wait([task])


async def test_jobs_end_each_in_its_own_way(bakery: Bakery, baker: asyncio.Task[None]) -> None:
    cakes = ("pie", "burnt", "defect", "endless", "tart")
    ended = [await bakery.ended(one) for one in [await bakery.order(cake) for cake in cakes]]
    assert [(one.state.name, one.error_reason, one.error_message, one.message) for one in ended] == [
        ("SUCCEEDED", "", "", "a pie"),
        ("FAILED", "BURNT", "it is black", ""),
        ("FAILED", "INTERNAL", "a defect of the service (ZeroDivisionError); its log has more", ""),
        ("FAILED", "INTERNAL", "a defect of the service (RuntimeError); its log has more", ""),
        ("SUCCEEDED", "", "", "a tart"),
    ]
    assert [one.update_time_ns for one in ended] == sorted(one.update_time_ns for one in ended)
    page = await bakery.store.list_page(table.c.cake != "tart", before=ended[3].job_id, limit=2)
    assert page == [ended[2], ended[1]]


async def test_queues_are_apart(bakery: Bakery, baker: asyncio.Task[None]) -> None:
    baker.cancel()
    pie, tart = await bakery.order("pie"), await bakery.order("tart")
    only_tarts = asyncio.create_task(bakery.runner.run(bakery.bake, table.c.cake == "tart"))
    assert (await bakery.ended(tart)).state is JobState.SUCCEEDED
    assert await bakery.requests.find(pie.job_id.upper()) == pie
    only_tarts.cancel()
    await asyncio.wait([only_tarts])


async def test_an_interrupted_job_is_taken_up_by_the_next_runner(bakery: Bakery) -> None:
    cut = asyncio.Event()

    async def halfway(job: Baking) -> Baking:
        begun = await bakery.begin(job)
        await bakery.runner.record(advance(begun, "oven", 0.5, CLOCK.now_ns()))
        cut.set()
        await asyncio.Event().wait()
        return begun

    made = await bakery.order("pie")
    first = asyncio.create_task(bakery.runner.run(halfway))
    await asyncio.wait_for(cut.wait(), 30)
    first.cancel()
    await asyncio.wait([first])
    left = await bakery.requests.find(made.job_id)
    assert (left.state, left.progress) == (JobState.RUNNING, 0.5)

    taken: list[Baking] = []

    async def rest(job: Baking) -> Baking:
        taken.append(job)
        if len(taken) == 1:
            raise DatabaseUnavailableError("PostgreSQL is away")
        bakery.draining.set()
        return finish(job, "after all", CLOCK.now_ns())

    with pytest.raises(DatabaseUnavailableError):
        await bakery.runner.run(rest)
    await bakery.runner.run(rest)
    assert taken == [left, left]
    assert (await bakery.ended(made)).message == "after all"


async def test_a_draining_service_begins_no_job(bakery: Bakery, baker: asyncio.Task[None]) -> None:
    await bakery.ended(await bakery.order("pie"))
    bakery.draining.set()
    await asyncio.wait_for(baker, 30)
    tart = await bakery.order("tart")
    await bakery.runner.run(bakery.bake)
    assert await bakery.requests.find(tart.job_id) == tart


async def test_how_another_process_ended_a_job_stands(bakery: Bakery) -> None:
    async def overtaken(job: Baking) -> Baking:
        begun = await bakery.begin(job)
        await bakery.store.update(finish(begun, "by another", CLOCK.now_ns()))
        bakery.draining.set()
        return finish(begun, "by this one", CLOCK.now_ns())

    made = await bakery.order("pie")
    await bakery.runner.run(overtaken)
    ended = await bakery.requests.find(made.job_id)
    assert ended.message == "by another"
    with pytest.raises(JobEndedError):
        await bakery.store.update(made)


async def test_a_job_is_cancelled_by_its_work(bakery: Bakery) -> None:
    made = await bakery.order("pie")
    asked = await bakery.requests.request_cancel(made)
    assert (asked.state, asked.cancel_requested) == (JobState.PENDING, True)
    baker = asyncio.create_task(bakery.runner.run(bakery.bake))
    ended = await bakery.ended(made)
    assert (ended.state, ended.cancel_requested) == (JobState.CANCELLED, True)
    done = await bakery.ended(await bakery.order("tart"))
    baker.cancel()
    await asyncio.wait([baker])
    assert await bakery.requests.request_cancel(done) == done


async def test_what_is_reported_is_recorded_while_the_work_goes_on(bakery: Bakery) -> None:
    told = asyncio.Event()

    async def slowly(job: Baking) -> Baking:
        async with bakery.runner.reporting(await bakery.begin(job)) as report:
            await asyncio.to_thread(report, "icing", 0.7)
            await told.wait()
        raise JobFailedError("BURNT", "at the end")

    made = await bakery.order("pie")
    baker = asyncio.create_task(bakery.runner.run(slowly))
    seen = []
    async with asyncio.timeout(30):
        async for _, job in bakery.requests.watch(made.job_id):
            assert job is not None
            seen.append((job.state.name, job.stage, job.progress))
            if job.stage == "icing":
                told.set()
    baker.cancel()
    await asyncio.wait([baker])
    # What was done of it is still said when it failed.
    assert seen[-2:] == [("RUNNING", "icing", 0.7), ("FAILED", "", 0.7)]


async def test_a_report_that_cannot_be_recorded_does_not_hinder_the_work(bakery: Bakery) -> None:
    begun = await bakery.begin(await bakery.order("pie"))
    with capture_logs() as logs:
        async with bakery.runner.reporting(begun) as report:
            report("a\0b", 0.5)  # PostgreSQL has no such text
            await until(lambda: bool(logs), timeout_s=30)
            report("icing", 0.8)
            shown = begun
            async for _, job in bakery.requests.watch(begun.job_id):
                shown = job or shown
                if shown.stage == "icing":
                    break
            await bakery.store.update(finish(shown, "meanwhile", CLOCK.now_ns()))
            report("icing", 0.9)
            recorder = f"progress of {begun.job_id}"
            await until(
                lambda: recorder not in {task.get_name() for task in asyncio.all_tasks()}, timeout_s=30
            )
    assert [entry["event"] for entry in logs] == ["progress_not_recorded"]
    assert (await bakery.ended(begun)).message == "meanwhile"


async def test_watch_shows_the_job_then_its_changes_then_ends(bakery: Bakery) -> None:
    made = await bakery.order("pie")
    watch = bakery.requests.watch(made.job_id)
    header, shown = await anext(watch)
    assert shown == made
    begun = await bakery.begin(made)
    later, shown = await asyncio.wait_for(anext(watch), 30)
    assert shown == begun
    assert (header.epoch, header.sequence + 1) == (later.epoch, later.sequence)
    await bakery.runner.record(finish(begun, "a pie", CLOCK.now_ns()))
    assert [job.state for _, job in [one async for one in watch] if job] == [JobState.SUCCEEDED]
    assert [job async for _, job in bakery.requests.watch(made.job_id)] == [await bakery.ended(made)]
    assert not bakery.changes._waiting


async def test_signs_of_life_come_however_often_nothing_changes(bakery: Bakery) -> None:
    made = await bakery.order("pie")
    hurried = Bakery(bakery.store.database, heartbeat_s=0.05)

    async def wake() -> None:
        while True:
            hurried.changes.changed(made.job_id)
            await asyncio.sleep(0)

    async with asyncio.timeout(30), aclosing(hurried.requests.watch(made.job_id)) as watch:
        assert [(await anext(watch))[1] for _ in range(2)] == [made, None]
        waker = asyncio.create_task(wake())
        try:
            assert [(await anext(watch))[1] for _ in range(2)] == [None, None]
        finally:
            waker.cancel()
            await asyncio.wait([waker])
        await bakery.begin(made)  # in another process, as far as this one knows
        while (job := (await anext(watch))[1]) is None:
            pass
        assert job.state is JobState.RUNNING
    assert not hurried.changes._waiting


async def test_watches_end_themselves_when_the_service_drains(bakery: Bakery) -> None:
    made = await bakery.order("pie")
    watches = [bakery.requests.watch(made.job_id) for _ in range(3)]
    for watch in watches:
        assert (await anext(watch))[1] == made
    asking = [asyncio.ensure_future(anext(watch)) for watch in watches]
    bakery.draining.set()
    for failure in await asyncio.wait_for(asyncio.gather(*asking, return_exceptions=True), 30):
        assert isinstance(failure, ApiError)
        assert failure.reason == "DRAINING"
    assert not bakery.changes._waiting


async def test_there_is_nothing_to_watch_of_a_job_that_is_not_there(bakery: Bakery) -> None:
    with pytest.raises(ApiError) as caught:
        await anext(bakery.requests.watch("nobody"))
    assert caught.value.reason == "BAKING_NOT_FOUND"
    assert not bakery.changes._waiting


async def test_a_request_makes_one_job(bakery: Bakery, baker: asyncio.Task[None]) -> None:
    request = CreateBackupRequest(request_id="r", keep_newest=2)

    async def ask() -> tuple[Baking, bool]:
        now_ns = CLOCK.now_ns()
        job = Baking(new_id(CLOCK), "pie", create_time_ns=now_ns, update_time_ns=now_ns)
        return await bakery.requests.create(job, "CreateBaking", request, request.request_id)

    answers = await asyncio.gather(*(ask() for _ in range(4)))
    assert sorted(duplicate for _, duplicate in answers) == [False, True, True, True]
    (job_id,) = {job.job_id for job, _ in answers}
    ended = await bakery.ended(answers[0][0])
    assert await ask() == (ended, True)
    assert ended.job_id == job_id
    request.keep_newest = 3
    with pytest.raises(ApiError) as caught:
        await ask()
    assert caught.value.reason == "REQUEST_ID_REUSED"
