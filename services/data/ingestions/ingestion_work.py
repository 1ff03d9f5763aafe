"""The work of an ingestion: its symbols, one after the other, from where a killed process stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from services.data import tables
from services.data.domain import ingestion as ingestions
from services.data.domain.ingestion import Ingestion
from services.data.ingestions.symbol_loader import SymbolLoader
from services.data.sources.source import Source, Sources
from services.runtime.clock import Clock
from services.runtime.jobs.job import JobCancelledError, JobFailedError, start
from services.runtime.jobs.runner import JobRunner


class IngestionWork:
    """What is done for ingestions; each source has its own queue, so that a slow one holds up no other."""

    def __init__(
        self, runner: JobRunner[Ingestion], sources: Sources, loader: SymbolLoader, *, clock: Clock
    ) -> None:
        self._runner = runner
        self._sources = sources
        self._loader = loader
        self._clock = clock

    async def run(self, source: str) -> None:
        """Run those of a source until the service drains.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away; run it again and it goes on where it stopped.
        """
        await self._runner.run(self._load_symbols, tables.ingestions.c.source == source)

    async def end_orphans(self) -> None:
        """End what is recorded for sources that are not installed, or not any more."""
        await self._runner.run(_end_orphan, tables.ingestions.c.source.not_in([*self._sources]))

    async def _load_symbols(self, ingestion: Ingestion) -> Ingestion:
        try:
            await self._runner.check_cancelled(ingestion)
            ingestion = await self._runner.record(start(ingestion, "read source", self._clock.now_ns()))
            source = self._sources[ingestion.source]
            symbols = list(dict.fromkeys(ingestion.symbols or await _symbols_of(source)))
            for symbol in symbols:
                result = ingestion.result_of(symbol)
                if result is None or not result.state.has_ended:
                    await self._runner.check_cancelled(ingestion)
                    ingestion = await self._loader.load(ingestion, source, symbol, of=len(symbols))
        except JobCancelledError as error:
            recorded = await self._runner.recorded(ingestion)
            ended = sum(one.state.has_ended for one in recorded.results)
            raise JobCancelledError(f"cancelled after {ended} symbols") from error
        return ingestions.finish(ingestion, self._clock.now_ns())


async def _end_orphan(ingestion: Ingestion) -> Ingestion:
    raise JobFailedError("SOURCE_UNKNOWN", f"the source {ingestion.source} is not installed any more")


async def _symbols_of(source: Source) -> Sequence[str]:
    return await asyncio.to_thread(source.symbols)
