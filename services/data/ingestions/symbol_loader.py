"""Loads one symbol of an ingestion: a transaction a chunk, tried again after errors that pass."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import structlog

from services.data.bars.bar_store import span_of_bars
from services.data.calendars.calendars import Calendars
from services.data.domain.bar_times import overlap_ns
from services.data.domain.ingestion import (
    Ingestion,
    IngestionKind,
    SymbolError,
    SymbolResult,
    record_symbol,
)
from services.data.domain.instrument import Listing
from services.data.facts.fact_loading import record_source_facts
from services.data.imports.placing import session_dates
from services.data.ingestions.ingestion_store import IngestionStore, put_result, update_ingestion
from services.data.ingestions.ingestion_writer import hold_instrument, store_chunk
from services.data.instruments.directory import InstrumentDirectory
from services.data.sources.budget import FetchAllowance, RequestBudget
from services.data.sources.preparation import ChunkPreparer, Prepared
from services.data.sources.reading import SourceReader
from services.data.sources.retrying import RetryPolicy
from services.data.sources.source import (
    Chunk,
    FactRequest,
    FactSource,
    FetchRequest,
    Source,
    SourceError,
    SourceFacts,
)
from services.runtime.clock import NANOS, Clock
from services.runtime.database import Database, DatabaseUnavailableError
from services.runtime.failpoints import failpoint
from services.runtime.jobs.job import JobCancelledError, JobState
from services.runtime.jobs.runner import JobRunner

_log = structlog.get_logger(__name__)
# What is not done of a symbol whose end is not known.
_NEARLY = 0.99


class SymbolLoader:
    """Loads symbols; what is committed stays, whatever comes after."""

    def __init__(
        self,
        database: Database,
        store: IngestionStore,
        runner: JobRunner[Ingestion],
        directory: InstrumentDirectory,
        calendars: Calendars,
        budgets: dict[str, RequestBudget],
        retry: RetryPolicy,
        *,
        clock: Clock,
    ) -> None:
        self._database = database
        self._store = store
        self._runner = runner
        self._directory = directory
        self._calendars = calendars
        self._budgets = budgets
        self._retry = retry
        self._clock = clock
        self._random = random.Random()  # noqa: S311  spreads repeated requests

    async def load(self, ingestion: Ingestion, source: Source, symbol: str, *, of: int) -> Ingestion:
        """The job with the symbol done, or failed for a reason that its result says."""
        loading = _Loading(ingestion, source, symbol, of)
        tries = 0
        while True:
            tries += 1
            loading.result = replace(loading.result, attempts=loading.result.attempts + 1)
            try:
                await self._fetch(loading)
                return loading.ingestion
            except DatabaseUnavailableError:
                raise
            except JobCancelledError:
                await self._stop(loading)
                raise
            except (SourceError, OSError, ValueError) as error:  # what a source can be blamed for
                failure = error if isinstance(error, SourceError) else _failure(error)
            pause_s = self._retry.pause_s(failure, tries, self._random.random())
            if pause_s is None:
                await self._fail(loading, failure)
                return loading.ingestion
            _log.info("ingestion_retry", symbol=symbol, error=failure.error.name, pause_s=pause_s)
            await self._wait(loading.ingestion, pause_s)

    async def _wait(self, ingestion: Ingestion, pause_s: float) -> None:
        """Pause, or end at once when the job is cancelled meanwhile."""
        end = self._clock.monotonic_ns() + int(pause_s * NANOS)
        while (left_s := (end - self._clock.monotonic_ns()) / NANOS) > 0:
            await self._runner.check_cancelled(ingestion)
            await asyncio.sleep(min(left_s, 0.5))

    async def _fetch(self, loading: _Loading) -> None:
        source, budget = loading.source, self._budgets[loading.source.name]
        allowance, day = await budget.reserve(source.requests_per_fetch)
        loading.begin(allowance)
        try:
            if loading.ingestion.kind is IngestionKind.FACTS:
                await self._read_facts(loading, FactRequest(loading.symbol, self._clock, allowance))
            else:
                await self._read(loading, await self._request(loading, allowance))
        finally:
            await budget.give_back(allowance, day)

    async def _request(self, loading: _Loading, allowance: FetchAllowance) -> FetchRequest:
        ingestion = loading.ingestion
        since_ns, until_ns = await self._since_ns(loading), _day_ns(ingestion.end_date, after=1)
        now_ns = self._clock.now_ns()
        return FetchRequest(loading.symbol, ingestion.interval, since_ns, until_ns, now_ns, allowance)

    async def _read_facts(self, loading: _Loading, request: FactRequest) -> None:
        source = loading.source
        if not isinstance(source, FactSource):  # it had facts when the job was made
            raise SourceError(SymbolError.SYMBOL_UNSUPPORTED, f"{source.name} has no facts")

        def fetch() -> Iterator[SourceFacts]:
            yield source.fetch_facts(request)

        name = f"{source.name} {loading.symbol}"
        reader = SourceReader(fetch, name=name, silence_s=source.silence_s)
        async for found in reader.items():
            await self._runner.check_cancelled(loading.ingestion)
            await self._commit_facts(loading, found)

    async def _commit_facts(self, loading: _Loading, found: SourceFacts) -> None:
        ingestion, symbol = loading.ingestion, loading.symbol
        async with self._database.transaction() as connection:
            recorded = await record_source_facts(
                connection, ingestion.ingestion_id, loading.source, symbol, found, clock=self._clock
            )
            result = replace(
                loading.result,
                state=JobState.SUCCEEDED,
                progress=1.0,
                instrument_id=recorded.instrument_id,
                rows_stored=recorded.recorded,
                rows_refused=recorded.refused,
                error_message=f"left out: {recorded.why}" if recorded.why else "",
                requests=loading.requests,
            )
            ingestion = record_symbol(ingestion, result, of=loading.of, now_ns=self._clock.now_ns())
            await put_result(connection, ingestion.ingestion_id, result)
            await update_ingestion(connection, ingestion)
            failpoint("data.ingest.before_commit")
        loading.ingestion, loading.result, loading.held = ingestion, result, True
        await self._directory.refresh([recorded.instrument_id])
        self._runner.changed(ingestion)

    async def _read(self, loading: _Loading, request: FetchRequest) -> None:
        source = loading.source
        reader = SourceReader(
            lambda: source.fetch(request), name=f"{source.name} {loading.symbol}", silence_s=source.silence_s
        )
        preparer: ChunkPreparer | None = None
        listing: Listing | None = None
        try:
            async for chunk in reader.items():
                if preparer is None:
                    listing = chunk.listing
                    preparer = ChunkPreparer(
                        request.interval,
                        await self._calendars.of_market(listing.mic),
                        now_ns=request.now_ns,
                        settle_ns=int(source.settle_s * NANOS),
                        until_ns=request.until_ns,
                    )
                prepared = await asyncio.to_thread(preparer.take, chunk)
                await self._store_chunk(loading, chunk, prepared, request)
                await self._runner.check_cancelled(loading.ingestion)
        finally:
            reader.stop()
        if preparer is None or listing is None:
            raise SourceError(SymbolError.ANSWER_EMPTY, f"the source has no bars of {loading.symbol}")
        rest = await asyncio.to_thread(preparer.finish)
        await self._finish(loading, listing, rest, preparer)

    async def _store_chunk(
        self, loading: _Loading, chunk: Chunk, prepared: Prepared, request: FetchRequest
    ) -> None:
        position = prepared.position_ns or loading.result.position_ns
        if loading.first_ns is None and len(prepared.checked.good):
            loading.first_ns = request.since_ns or int(prepared.checked.good.open_time_ns[0])
        progress = _share(loading.first_ns, position, request.until_ns or request.now_ns)
        result = replace(
            loading.result,
            state=JobState.RUNNING,
            progress=max(progress, loading.result.progress if loading.resumed else 0.0),
            position_ns=position,
        )
        await self._commit(loading, chunk.listing, prepared, result)

    async def _finish(
        self, loading: _Loading, listing: Listing, rest: Prepared | None, preparer: ChunkPreparer
    ) -> None:
        refusals = preparer.findings.quarantined
        quarantined = ", ".join(f"{count} {reason.name}" for reason, count in sorted(refusals.items()))
        messages = [f"bars in quarantine: {quarantined}"] if quarantined else []
        if loading.left:
            messages.append(f"left as repaired: {', '.join(loading.left)}")
        result = replace(
            loading.result,
            state=JobState.SUCCEEDED,
            progress=1.0,
            error_message="; ".join(messages),
            position_ns=rest.position_ns if rest is not None else loading.result.position_ns,
        )
        await self._commit(loading, listing, rest, result)

    async def _commit(
        self, loading: _Loading, listing: Listing, prepared: Prepared | None, result: SymbolResult
    ) -> None:
        async with self._database.open_transaction() as transaction:
            connection = transaction.connection
            instrument = await hold_instrument(connection, loading.source, loading.symbol, listing)
            result = replace(result, instrument_id=instrument[1], requests=loading.requests)
            if prepared is not None:
                stored = await store_chunk(
                    transaction,
                    loading.ingestion.ingestion_id,
                    loading.source,
                    instrument,
                    loading.ingestion.interval,
                    prepared,
                    clock=self._clock,
                )
                loading.left.update(dict.fromkeys(stored.left))
                result = replace(
                    result,
                    rows_stored=result.rows_stored + stored.inserted,
                    rows_revised=result.rows_revised + stored.revised,
                    rows_refused=result.rows_refused + len(prepared.checked.bad),
                )
            span = await span_of_bars(transaction.driver, instrument[0], loading.ingestion.interval)
            if span is not None:
                first, last = session_dates(await self._calendars.of_market(listing.mic), np.array(span))
                result = replace(result, first_date=first, last_date=last)
            ingestion = record_symbol(loading.ingestion, result, of=loading.of, now_ns=self._clock.now_ns())
            await put_result(connection, ingestion.ingestion_id, result)
            await update_ingestion(connection, ingestion)
            failpoint("data.ingest.before_commit")
            await transaction.commit()
        is_first, loading.held = not loading.held, True
        loading.ingestion, loading.result = ingestion, result
        if is_first or result.state.has_ended:
            await self._directory.refresh([result.instrument_id])
        self._runner.changed(ingestion)

    async def _fail(self, loading: _Loading, failure: SourceError) -> None:
        result = replace(
            loading.result, state=JobState.FAILED, error=failure.error, error_message=str(failure)
        )
        await self._record(loading, result)

    async def _stop(self, loading: _Loading) -> None:
        if loading.held or loading.resumed:
            await self._record(loading, replace(loading.result, state=JobState.CANCELLED))

    async def _record(self, loading: _Loading, result: SymbolResult) -> None:
        result = replace(result, requests=loading.requests)
        ingestion = record_symbol(loading.ingestion, result, of=loading.of, now_ns=self._clock.now_ns())
        async with self._database.transaction() as connection:
            await put_result(connection, ingestion.ingestion_id, result)
            await update_ingestion(connection, ingestion)
        loading.ingestion, loading.result = ingestion, result
        self._runner.changed(ingestion)

    async def _since_ns(self, loading: _Loading) -> int | None:
        """From when on the source is asked: where this job stopped, else what is asked for or missing."""
        interval = loading.ingestion.interval
        if loading.result.position_ns is not None:
            return loading.result.position_ns - overlap_ns(interval)
        if loading.ingestion.start_date is not None:
            return _day_ns(loading.ingestion.start_date)
        last = await self._store.last_open_time(loading.source.name, loading.symbol, interval)
        return None if last is None else last - overlap_ns(interval)


class _Loading:
    """A symbol under way."""

    def __init__(self, ingestion: Ingestion, source: Source, symbol: str, of: int) -> None:
        found = ingestion.result_of(symbol)
        self.ingestion = ingestion
        self.source = source
        self.symbol = symbol
        self.of = of
        self.resumed = found is not None
        self.result = found or SymbolResult(symbol, state=JobState.RUNNING, progress=0.0, attempts=0)
        self.first_ns: int | None = None
        self.held = False
        # Keys alone: each once, in the order in which they came.
        self.left: dict[str, None] = {}
        self._requests_before = self.result.requests
        self._allowance: FetchAllowance | None = None

    def begin(self, allowance: FetchAllowance) -> None:
        """Another attempt, with what it may ask."""
        self._requests_before, self._allowance = self.requests, allowance

    @property
    def requests(self) -> int:
        """Asked of the source's servers in all attempts."""
        return self._requests_before + (self._allowance.used if self._allowance else 0)


def _failure(error: OSError | ValueError) -> SourceError:
    kind = SymbolError.SOURCE_UNAVAILABLE if isinstance(error, OSError) else SymbolError.ANSWER_MALFORMED
    return SourceError(kind, str(error) or type(error).__name__)


def _share(first_ns: int | None, position_ns: int | None, end_ns: int) -> float:
    if first_ns is None or position_ns is None or end_ns <= first_ns:
        return 0.0
    return min(max((position_ns - first_ns) / (end_ns - first_ns), 0.0), _NEARLY)


def _day_ns(day: date | None, *, after: int = 0) -> int | None:
    if day is None:
        return None
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=after)
    return int(midnight.timestamp()) * NANOS
