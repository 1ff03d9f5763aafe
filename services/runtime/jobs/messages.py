"""A job as the contract shows it."""

from __future__ import annotations

from bifrost.type.v1 import job_pb2
from services.runtime.clock import to_timestamp
from services.runtime.jobs.job import Job


def status_message(job: Job) -> job_pb2.JobStatus:
    """The progress report that all jobs share."""
    return job_pb2.JobStatus(
        state=f"JOB_STATE_{job.state.name}",
        progress=job.progress,
        stage=job.stage,
        message=job.message,
        error_reason=job.error_reason,
        error_message=job.error_message,
        create_time=to_timestamp(job.create_time_ns),
        update_time=to_timestamp(job.update_time_ns),
    )
