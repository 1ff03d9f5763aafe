"""What every job is, and how it may change; pure, so that a domain can say what its own jobs are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TypeVar


class JobState(IntEnum):
    """Where a job stands, numbered as in the contract."""

    PENDING = 1
    RUNNING = 2
    SUCCEEDED = 3
    FAILED = 4
    CANCELLED = 5

    @property
    def has_ended(self) -> bool:
        """It will not change any more."""
        return self in {JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}


_NEXT = {
    JobState.PENDING: {JobState.RUNNING, JobState.FAILED, JobState.CANCELLED},
    # Once more RUNNING: after its process was ended, and at every step.
    JobState.RUNNING: {JobState.RUNNING, JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED},
}


class JobEndedError(RuntimeError):
    """The job has ended, so it cannot change any more."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"job {job_id} has ended")


class JobFailedError(Exception):
    """Raised by a job's work: it ends FAILED. ``reason`` names a value of the domain's ErrorReason."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class JobCancelledError(Exception):
    """Raised in a job's work when somebody asked it to stop: it ends CANCELLED with the error's text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job(ABC):
    """A job as recorded: the contract's JobStatus. A service's own jobs add what they are about."""

    create_time_ns: int
    """Wall clock, nanoseconds since the epoch, UTC; the next one too."""
    update_time_ns: int
    state: JobState = JobState.PENDING
    progress: float = 0.0
    """Share done, 0 to 1."""
    stage: str = ""
    message: str = ""
    error_reason: str = ""
    error_message: str = ""
    cancel_requested: bool = False

    @property
    @abstractmethod
    def job_id(self) -> str:
        """UUIDv7, so that ids are ordered by the time of creation."""


J = TypeVar("J", bound=Job)


def start(job: J, stage: str, now_ns: int) -> J:
    """The job under way, again when its process was ended.

    Raises:
        JobEndedError: the job has ended; so do all that follow.
    """
    return replace(_moved(job, JobState.RUNNING, now_ns), stage=stage)


def advance(job: J, stage: str, progress: float, now_ns: int, *, message: str = "") -> J:
    """The job, begun, at a stage; progress is a share from 0 to 1 and never goes back.

    Raises:
        ValueError: the job was not begun.
    """
    if job.state is JobState.PENDING:
        raise ValueError(f"job {job.job_id} was not begun")
    progress = max(job.progress, min(1.0, progress))
    return replace(_moved(job, JobState.RUNNING, now_ns), stage=stage, progress=progress, message=message)


def finish(job: J, message: str, now_ns: int) -> J:
    """The job, begun, done.

    Raises:
        ValueError: the job was not begun.
    """
    return replace(_moved(job, JobState.SUCCEEDED, now_ns), progress=1.0, stage="", message=message)


def fail(job: J, reason: str, error_message: str, now_ns: int) -> J:
    """The job ended by an error; progress stays as far as it came."""
    ended = _moved(job, JobState.FAILED, now_ns)
    return replace(ended, stage="", message="", error_reason=reason, error_message=error_message)


def cancel(job: J, message: str, now_ns: int) -> J:
    """The job ended by request; progress stays as far as it came."""
    return replace(_moved(job, JobState.CANCELLED, now_ns), stage="", message=message, cancel_requested=True)


def _moved(job: J, state: JobState, now_ns: int) -> J:
    if job.state.has_ended:
        raise JobEndedError(job.job_id)
    if state not in _NEXT[job.state]:
        raise ValueError(f"job {job.job_id} was not begun")
    # Wall clocks are set back now and then; no change of a job is before the one before.
    return replace(job, state=state, update_time_ns=max(job.update_time_ns, now_ns))
