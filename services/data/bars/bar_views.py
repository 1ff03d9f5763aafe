"""Bars of any interval in chunks: as stored, or made of shorter ones, adjusted and of chosen hours."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from services.data.bars.bar_chunks import BarChunks, StoredRange
from services.data.bars.bar_pages import BarPages, BarQuestion, has_hours, in_hours
from services.data.bars.bar_stream import CHUNK_ROWS, Chunk
from services.data.bars.history import History
from services.data.domain.adjustment import Adjustment, adjust
from services.data.domain.bars import Bars, SourceBars
from services.data.domain.resampling import is_intraday
from services.runtime.errors import aborted


class BarViews:
    """Reads chunks, adjusts them and leaves out other hours."""

    def __init__(self, history: History, chunks: BarChunks, pages: BarPages) -> None:
        self._history = history
        self._chunks = chunks
        self._pages = pages

    async def read(self, question: BarQuestion, start_ns: int, end_ns: int) -> AsyncGenerator[Chunk[Bars]]:
        """Chunks of one state of the bars, oldest first; at least one, the last marked; any may be empty.

        Raises:
            ApiError: as of `BarPages.page` and `BarChunks.read`.
        """
        if question.as_of_ns is not None:
            await self._history.known_at(question.instrument, question.as_of_ns)
        if has_hours(question.interval, question.hours):
            # Most ask for what is stored: without looking whether it is.
            async with aclosing(self._stored(question, start_ns, end_ns)) as stored:
                is_found = False
                async for chunk in stored:
                    if (
                        not is_found
                        and chunk.last
                        and not len(chunk.bars)
                        and not await self._holds(question)
                    ):
                        break
                    is_found = True
                    yield chunk
            if is_found:
                return
        async with aclosing(self._made(question, start_ns, end_ns)) as made:
            async for chunk in made:
                yield chunk

    async def _holds(self, question: BarQuestion) -> bool:
        return question.interval in await self._history.intervals(question.instrument, question.as_of_ns)

    async def _stored(self, question: BarQuestion, start_ns: int, end_ns: int) -> AsyncGenerator[Chunk[Bars]]:
        instrument, as_of_ns = question.instrument, question.as_of_ns
        actions = await self._history.actions(instrument, question.adjustment, as_of_ns)
        filters = is_intraday(question.interval) and await self._pages.may_filter(question)
        kind = SourceBars if question.adjustment is Adjustment.FULL else Bars
        asked = StoredRange(kind, instrument.instrument_no, question.interval, start_ns, end_ns, as_of_ns)
        async with aclosing(self._chunks.read(asked)) as chunks:
            async for chunk in chunks:
                bars = adjust(chunk.bars, actions)
                if filters and len(bars):
                    first_ns, last_ns = int(bars.open_time_ns[0]), int(bars.open_time_ns[-1])
                    sessions = await self._history.sessions(instrument, first_ns, last_ns)
                    bars = in_hours(bars, question.hours, sessions)
                yield Chunk(bars, chunk.last)

    async def _made(self, question: BarQuestion, start_ns: int, end_ns: int) -> AsyncGenerator[Chunk[Bars]]:
        held = await self._history.intervals(question.instrument)
        number = question.instrument.instrument_no
        states = await self._chunks.states(number, held)
        following: int | None = start_ns
        while following is not None:
            page = await self._pages.page(question, following, end_ns, CHUNK_ROWS)
            if question.as_of_ns is None and await self._chunks.states(number, held) != states:
                raise aborted("HISTORY_CHANGED", "the bars changed while they were read; read them again")
            following = page.next_ns
            yield Chunk(page.bars, last=following is None)
