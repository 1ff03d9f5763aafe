"""An ingestion: a job that loads the history of symbols from a source, one symbol at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import IntEnum


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


@dataclass(frozen=True, slots=True)
class SymbolResult:
    """What came of one symbol."""

    symbol: str
    instrument_id: str = ""
    rows_stored: int = 0
    rows_refused: int = 0
    first_date: date | None = None
    last_date: date | None = None
    error_message: str = ""

    @property
    def has_failed(self) -> bool:
        """Nothing was loaded: the source has no such symbol, or could not read it."""
        return not self.instrument_id


@dataclass(frozen=True, slots=True)
class Ingestion:
    """The job as recorded; times are wall clock, nanoseconds since the epoch, UTC."""

    ingestion_id: str
    source: str
    symbols: tuple[str, ...]
    """As asked; empty means all the source has."""
    create_time_ns: int
    update_time_ns: int
    state: JobState = JobState.PENDING
    progress: float = 0.0
    """Share done, 0 to 1."""
    stage: str = ""
    message: str = ""
    error_reason: str = ""
    error_message: str = ""
    cancel_requested: bool = False
    results: tuple[SymbolResult, ...] = ()


def start(ingestion: Ingestion, now_ns: int) -> Ingestion:
    """The job under way, again after a restart."""
    return replace(ingestion, state=JobState.RUNNING, stage="read source", update_time_ns=now_ns)


def record_symbol(ingestion: Ingestion, result: SymbolResult, *, of: int, now_ns: int) -> Ingestion:
    """The job with one more of ``of`` symbols done."""
    results = (*ingestion.results, result)
    return replace(
        ingestion,
        results=results,
        progress=len(results) / of,
        stage="store bars",
        message=f"{result.symbol}: {result.error_message or f'{result.rows_stored:,} bars stored'}",
        update_time_ns=now_ns,
    )


def finish(ingestion: Ingestion, now_ns: int) -> Ingestion:
    """The job with all symbols done: FAILED when none could be loaded."""
    failed = [one for one in ingestion.results if one.has_failed]
    if failed and len(failed) == len(ingestion.results):
        return fail(ingestion, "INSTRUMENT_NOT_FOUND", _names(failed), now_ns)
    stored = sum(one.rows_stored for one in ingestion.results)
    message = f"{stored:,} bars stored for {len(ingestion.results) - len(failed)} symbols"
    if failed:
        message += f"; {_names(failed)}"
    return replace(
        ingestion, state=JobState.SUCCEEDED, progress=1.0, stage="", message=message, update_time_ns=now_ns
    )


def fail(ingestion: Ingestion, reason: str, error_message: str, now_ns: int) -> Ingestion:
    """The job ended by an error; symbols done before stay stored."""
    return replace(
        ingestion,
        state=JobState.FAILED,
        stage="",
        message="",
        error_reason=reason,
        error_message=error_message,
        update_time_ns=now_ns,
    )


def cancel(ingestion: Ingestion, now_ns: int) -> Ingestion:
    """The job ended by request; symbols done before stay stored."""
    message = f"cancelled after {len(ingestion.results)} symbols"
    return replace(
        ingestion,
        state=JobState.CANCELLED,
        cancel_requested=True,
        stage="",
        message=message,
        update_time_ns=now_ns,
    )


def _names(failed: Sequence[SymbolResult]) -> str:
    return "; ".join(f"{one.symbol}: {one.error_message}" for one in failed)
