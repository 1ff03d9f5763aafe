"""How a job may change: whatever is tried in whatever order, it never says what cannot be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost.type.v1 import job_pb2
from services.runtime.jobs.job import Job, JobEndedError, JobState, advance, cancel, fail, finish, start
from services.runtime.jobs.messages import status_message

Change = Callable[[Job, int], Job]


@dataclass(frozen=True, slots=True)
class Baking(Job):
    cake: str

    @property
    def job_id(self) -> str:
        return f"baking of {self.cake}"


def baking(**status: object) -> Baking:
    return Baking("pie", create_time_ns=1000, update_time_ns=1000, **status)  # type: ignore[arg-type]


shares = st.floats(-2, 3, allow_nan=False)
changes: st.SearchStrategy[Change] = st.one_of(
    st.just(lambda job, now: start(job, "oven", now)),
    shares.map(lambda share: lambda job, now: advance(job, "oven", share, now, message="brown")),
    st.just(lambda job, now: finish(job, "done", now)),
    st.just(lambda job, now: fail(job, "BURNT", "it is black", now)),
    st.just(lambda job, now: cancel(job, "not hungry", now)),
)


@given(st.lists(st.tuples(changes, st.integers(0, 3000)), max_size=12))
def test_whatever_is_tried_the_job_stays_sound(tried: list[tuple[Change, int]]) -> None:
    job: Job = baking()
    for change, now_ns in tried:
        before = job
        try:
            job = change(job, now_ns)
        except JobEndedError:
            assert before.state.has_ended
        except ValueError:
            assert before.state is JobState.PENDING
        assert not before.state.has_ended or job is before
        assert before.progress <= job.progress <= 1
        assert before.update_time_ns <= job.update_time_ns
        assert job.state is not JobState.SUCCEEDED or job.progress == 1
        assert job.state is not JobState.PENDING or job == baking()
        assert (job.state is JobState.RUNNING) == bool(job.stage)
        assert (job.state is JobState.FAILED) == bool(job.error_reason)
        assert (job.state is JobState.CANCELLED) == job.cancel_requested
        assert (job.create_time_ns, job.job_id) == (1000, "baking of pie")


@given(changes)
def test_a_job_that_has_ended_stays_so(change: Change) -> None:
    for state in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED):
        with pytest.raises(JobEndedError, match="baking of pie"):
            change(baking(state=state), 2000)


def test_an_interrupted_job_starts_again_where_it_was() -> None:
    job = advance(start(baking(), "oven", 2000), "oven", 0.4, 3000, message="rising")
    again = start(job, "dough", 4000)
    assert (again.state, again.progress, again.stage) == (JobState.RUNNING, 0.4, "dough")


def test_status_is_the_contracts() -> None:
    failed = fail(advance(start(baking(), "oven", 2000), "oven", 0.4, 3000), "BURNT", "it is black", 4000)
    status = status_message(failed)
    assert status.state == job_pb2.JOB_STATE_FAILED
    assert (status.progress, status.stage, status.message) == (0.4, "", "")
    assert (status.error_reason, status.error_message) == ("BURNT", "it is black")
    assert (status.create_time.nanos, status.update_time.nanos) == (1000, 4000)
