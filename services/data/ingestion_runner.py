"""Runs ingestions one after the other, a symbol a transaction, and goes on where a killed process stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime

import asyncpg
import numpy as np
import structlog

from services.data.bar_store import held_open_times, insert_bars, span_of_bars
from services.data.domain import ingestion as jobs
from services.data.domain.bars import BarInterval
from services.data.domain.ingestion import Ingestion, SymbolResult
from services.data.ingestion_store import IngestionStore, insert_batch, insert_result, update_ingestion
from services.data.instrument_store import insert_splits, upsert_instrument
from services.data.instruments import InstrumentDirectory
from services.data.sources.preparation import PreparedHistory, prepare
from services.data.sources.source import Source, Sources
from services.runtime.clock import NANOS, Clock
from services.runtime.database import Database, DatabaseUnavailableError, Transaction
from services.runtime.failpoints import failpoint

_log = structlog.get_logger(__name__)


class IngestionRunner:
    """The background task of all ingestions."""

    def __init__(
        self,
        database: Database,
        store: IngestionStore,
        directory: InstrumentDirectory,
        sources: Sources,
        *,
        clock: Clock,
    ) -> None:
        self._database = database
        self._store = store
        self._directory = directory
        self._sources = sources
        self._clock = clock
        self._changed = asyncio.Event()

    @property
    def changed(self) -> asyncio.Event:
        """Set at the next change of any ingestion; take it before reading, then wait for it."""
        return self._changed

    def notify(self) -> None:
        """An ingestion was made or changed: wake the runner and all who watch."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Run what has not ended, oldest first, then wait for more; for ever.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away; run it again and it goes on where it stopped.
        """
        while True:
            changed = self._changed
            ingestion = await self._store.next_unfinished()
            if ingestion is None:
                await changed.wait()
            else:
                await self._run(ingestion)

    async def _run(self, ingestion: Ingestion) -> None:
        ingestion = jobs.start(ingestion, self._clock.now_ns())
        await self._record(ingestion)
        try:
            await self._load_symbols(ingestion)
        except DatabaseUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001  the job fails, the runner goes on with the next
            _log.exception("ingestion_failed", ingestion=ingestion.ingestion_id)
            recorded = await self._store.read(ingestion.ingestion_id) or ingestion
            message = f"a defect of the service ({type(error).__name__}); its log has more"
            await self._record(jobs.fail(recorded, "INTERNAL", message, self._clock.now_ns()))

    async def _load_symbols(self, ingestion: Ingestion) -> None:
        source = self._sources[ingestion.source]
        symbols: Sequence[str] = ingestion.symbols or await asyncio.to_thread(source.symbols)
        symbols = list(dict.fromkeys(symbols))
        done = {result.symbol for result in ingestion.results}
        for symbol in symbols:
            if symbol in done:
                continue
            if await self._store.is_cancel_requested(ingestion.ingestion_id):
                await self._record(jobs.cancel(ingestion, self._clock.now_ns()))
                return
            ingestion = await self._load_symbol(ingestion, source, symbol, of=len(symbols))
        await self._record(jobs.finish(ingestion, self._clock.now_ns()))

    async def _load_symbol(self, ingestion: Ingestion, source: Source, symbol: str, *, of: int) -> Ingestion:
        try:
            history = await asyncio.to_thread(prepare, source, symbol)
        except (LookupError, OSError, ValueError) as error:  # what a source's data can be blamed for
            history, result = None, SymbolResult(symbol, error_message=str(error) or type(error).__name__)
        async with self._database.open_transaction() as transaction:
            if history is not None:
                result = await self._store_history(transaction, ingestion, source, symbol, history)
            ingestion = jobs.record_symbol(ingestion, result, of=of, now_ns=self._clock.now_ns())
            await insert_result(transaction.connection, ingestion.ingestion_id, result)
            await update_ingestion(transaction.connection, ingestion)
            failpoint("data.ingest.before_commit")
            await transaction.commit()
        await self._directory.reload()
        self.notify()
        return ingestion

    async def _store_history(
        self,
        transaction: Transaction,
        ingestion: Ingestion,
        source: Source,
        symbol: str,
        history: PreparedHistory,
    ) -> SymbolResult:
        connection, driver, now_ns = transaction.connection, transaction.driver, self._clock.now_ns()
        number = await upsert_instrument(connection, history.listing)
        stored = await self._store_bars(transaction, ingestion, number, history)
        failpoint("data.ingest.after_copy")
        split_source = f"derived: {source.description}"
        await insert_splits(connection, number, history.splits, source=split_source, now_ns=now_ns)
        first_date, last_date = await _dates_held(driver, number)
        return SymbolResult(
            symbol,
            instrument_id=history.listing.instrument_id,
            rows_stored=stored,
            rows_refused=history.rows_refused,
            first_date=first_date,
            last_date=last_date,
            error_message=history.refusal_message,
        )

    async def _store_bars(
        self, transaction: Transaction, ingestion: Ingestion, number: int, history: PreparedHistory
    ) -> int:
        held = await held_open_times(transaction.driver, number, BarInterval.DAY)
        new = history.bars.take(~np.isin(history.bars.open_time_ns, held))
        if not len(new):
            return 0
        batch = await insert_batch(
            transaction.connection,
            ingestion.ingestion_id,
            source=ingestion.source,
            fetch_time_ns=self._clock.now_ns(),
        )
        return await insert_bars(transaction.driver, number, BarInterval.DAY, batch, new)

    async def _record(self, ingestion: Ingestion) -> None:
        await self._store.update(ingestion)
        self.notify()


async def _dates_held(driver: asyncpg.Connection, number: int) -> tuple[date | None, date | None]:
    span = await span_of_bars(driver, number, BarInterval.DAY)
    if span is None:
        return None, None
    first, last = (datetime.fromtimestamp(ns // NANOS, UTC).date() for ns in span)
    return first, last
