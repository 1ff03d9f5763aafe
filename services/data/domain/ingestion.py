"""An ingestion: a job that loads the history or the facts of symbols from a source, one symbol at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import IntEnum

from services.data.domain.bars import BarInterval
from services.runtime.jobs import job as jobs
from services.runtime.jobs.job import Job, JobState


class IngestionKind(IntEnum):
    """What an ingestion loads, numbered as in the contract."""

    BARS = 1
    FACTS = 2

    @property
    def rows(self) -> str:
        """What its rows are called."""
        return self.name.lower()


class SymbolError(IntEnum):
    """Why a symbol could not be loaded, numbered as in the contract; 0 is none."""

    SYMBOL_UNKNOWN = 1
    SYMBOL_UNSUPPORTED = 2
    INSTRUMENT_DIFFERS = 3
    RANGE_UNAVAILABLE = 4
    ANSWER_EMPTY = 5
    ANSWER_MALFORMED = 6
    RATE_LIMITED = 7
    BUDGET_EXHAUSTED = 8
    SOURCE_UNAUTHORISED = 9
    SOURCE_UNAVAILABLE = 10
    TIMED_OUT = 11

    @property
    def may_pass(self) -> bool:
        """Asking again after a while may help."""
        return self in {
            SymbolError.ANSWER_MALFORMED,
            SymbolError.RATE_LIMITED,
            SymbolError.SOURCE_UNAVAILABLE,
            SymbolError.TIMED_OUT,
        }


@dataclass(frozen=True, slots=True)
class SymbolResult:
    """What came of one symbol so far."""

    symbol: str
    state: JobState = JobState.SUCCEEDED
    progress: float = 1.0
    """Share of its bars done, 0 to 1, by time."""
    instrument_id: str = ""
    rows_stored: int = 0
    rows_revised: int = 0
    rows_refused: int = 0
    first_date: date | None = None
    last_date: date | None = None
    error: SymbolError | None = None
    error_message: str = ""
    attempts: int = 1
    requests: int = 0
    """Asked of the source's servers."""
    position_ns: int | None = None
    """When the last bar done opened."""

    @property
    def has_failed(self) -> bool:
        """The source has no such symbol, or could not give all of it."""
        return self.state is JobState.FAILED


@dataclass(frozen=True, slots=True)
class Ingestion(Job):
    """The job as recorded."""

    ingestion_id: str
    source: str
    symbols: tuple[str, ...]
    """As asked; empty means all the source has."""
    interval: BarInterval = BarInterval.DAY
    """Of bars."""
    kind: IngestionKind = IngestionKind.BARS
    start_date: date | None = None
    """First day asked for, UTC; None: only what is missing."""
    end_date: date | None = None
    """Last day asked for, UTC; None: up to now."""
    results: tuple[SymbolResult, ...] = ()

    @property
    def job_id(self) -> str:
        """Its id."""
        return self.ingestion_id

    def result_of(self, symbol: str) -> SymbolResult | None:
        """What came of the symbol so far; None when it was not begun."""
        return next((one for one in self.results if one.symbol == symbol), None)


def record_symbol(ingestion: Ingestion, result: SymbolResult, *, of: int, now_ns: int) -> Ingestion:
    """The job with what came of one of ``of`` symbols so far."""
    others = tuple(one for one in ingestion.results if one.symbol != result.symbol)
    results = (*others, result)
    rows = ingestion.kind.rows
    progress = sum(one.progress if not one.state.has_ended else 1.0 for one in results) / of
    message = f"{result.symbol}: {result.error_message or f'{result.rows_stored:,} {rows} stored'}"
    begun = replace(ingestion, results=results)
    return jobs.advance(begun, f"store {rows}", progress, now_ns, message=message)


def finish(ingestion: Ingestion, now_ns: int) -> Ingestion:
    """The job with all symbols done: FAILED when none could be loaded."""
    failed = [one for one in ingestion.results if one.has_failed]
    if failed and len(failed) == len(ingestion.results):
        unknown = all(one.error is SymbolError.SYMBOL_UNKNOWN for one in failed)
        reason = "INSTRUMENT_NOT_FOUND" if unknown else "SYMBOLS_FAILED"
        return jobs.fail(ingestion, reason, _names(failed), now_ns)
    stored = sum(one.rows_stored for one in ingestion.results)
    message = f"{stored:,} {ingestion.kind.rows} stored for {len(ingestion.results) - len(failed)} symbols"
    if failed:
        message += f"; {_names(failed)}"
    return jobs.finish(ingestion, message, now_ns)


def _names(failed: Sequence[SymbolResult]) -> str:
    return "; ".join(f"{one.symbol}: {one.error_message}" for one in failed[:20])
