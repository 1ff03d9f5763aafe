"""Indicators over a stretch of an instrument's history, with the bars before it that its values need."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from services.data.bars.bar_pages import BarQuestion
from services.data.bars.history import History
from services.data.convert_indicators import indicator_columns, indicators_response
from services.data.domain.bars import Doubles, Ints
from services.data.domain.sessions import Sessions
from services.data.indicators.computation import (
    Computation,
    WindowTooLongError,
    bars_after,
    bars_before,
)
from services.data.indicators.indicator_bars import IndicatorBars, Reading
from services.data.indicators.indicator_cache import IndicatorCache, IndicatorPage
from services.data.indicators.selection import Selection
from services.runtime.columns import Pieces
from services.runtime.errors import aborted, invalid_argument

_AT_ONCE = 2
"""Computations: threads are left for what else the service does."""
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of an instrument's history."""

    bars: BarQuestion
    start_ns: int
    end_ns: int
    selections: list[Selection]

    @property
    def columns(self) -> int:
        """Columns of the answer but the times."""
        return sum(len(one.indicator.outputs) for one in self.selections)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The answer over some bars."""

    open_time_ns: Ints
    columns: Sequence[tuple[Selection, Sequence[Doubles]]]
    """Of each selection one an output, as long as the times."""
    next_ns: int | None
    """When the bar after them opened; None when there is none."""
    state: str
    """Of the bars."""

    def response(self, question: Question, rows: slice) -> bytes:
        """Some of its rows as a serialised response without token."""
        pieces: Pieces = []
        for selection, columns in self.columns:
            pieces += indicator_columns(selection, [column[rows] for column in columns])
        instrument_id = question.bars.instrument.instrument_id
        return indicators_response(instrument_id, self.open_time_ns[rows], pieces)


class IndicatorHistory:
    """Reads bars, computes off the event loop."""

    def __init__(self, history: History, bars: IndicatorBars, cache: IndicatorCache) -> None:
        self._history = history
        self._bars = bars
        self._cache = cache
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def page(self, question: Question, start_ns: int, size: int) -> IndicatorPage:
        """As `stretch`, serialised: from the cache, or computed and into it."""
        state = await self._bars.state(question.bars)
        key = self._cache.key(
            question.bars,
            state,
            question.selections,
            start_ns=start_ns,
            end_ns=question.end_ns,
            size=size,
        )
        kept = await self._cache.get(key) if state else None
        if kept is not None:
            return kept
        stretch = await self.stretch(question, start_ns, size)
        content = await asyncio.to_thread(stretch.response, question, slice(None))
        page = IndicatorPage(content, stretch.next_ns)
        # A range without bars is read anew each time: it may become an error with the time.
        if state and stretch.state == state and len(stretch.open_time_ns):
            self._cache.put(key, page)
        return page

    async def stretch(self, question: Question, start_ns: int, size: int) -> Stretch:
        """The answer over up to ``size`` bars from ``start_ns`` on, all of one state.

        Raises:
            ApiError: NOT_FOUND BARS_NOT_FOUND; INVALID_ARGUMENT INDICATOR_WINDOW_TOO_LONG, AS_OF_IN_FUTURE,
                AS_OF_TOO_EARLY, RANGE_IN_FUTURE, RANGE_BEFORE_LISTING; FAILED_PRECONDITION
                ADJUSTMENT_IMPOSSIBLE; RESOURCE_EXHAUSTED INDICATOR_HISTORY_TOO_LONG; ABORTED HISTORY_CHANGED.
        """
        asked, selections = question.bars, question.selections
        for _ in range(_ATTEMPTS):
            state = await self._bars.state(asked)
            reading = await self._bars.read(
                asked,
                state,
                start_ns=start_ns,
                end_ns=question.end_ns,
                size=size + 1 + bars_after(selections, asked.interval),
                before=bars_before(selections, asked.interval),
            )
            # Bars before and after a change, or in the terms before and after a split, are no series.
            if await self._bars.state(asked) == state:
                break
        else:
            raise aborted("HISTORY_CHANGED", "the bars changed while they were read; ask again")
        if not len(reading.bars) and start_ns == question.start_ns:
            self._history.check_range([asked.instrument], start_ns, question.end_ns)
        sessions = await self._sessions(question, reading)
        async with self._turns:
            return await asyncio.to_thread(_compute, selections, reading, size, sessions, state)

    async def _sessions(self, question: Question, reading: Reading) -> Sessions | None:
        if not len(reading.bars) or all(one.interval is None for one in question.selections):
            return None
        first = reading.before if len(reading.before) else reading.bars
        first_ns, last_ns = int(first.open_time_ns[0]), int(reading.bars.open_time_ns[-1])
        return await self._history.sessions(question.bars.instrument, first_ns, last_ns)


def _compute(
    selections: Sequence[Selection], reading: Reading, size: int, sessions: Sessions | None, state: str
) -> Stretch:
    count = min(len(reading.bars), size)
    if not count:
        nothing = reading.bars.close
        empty = [(one, [nothing] * len(one.indicator.outputs)) for one in selections]
        return Stretch(reading.bars.open_time_ns, empty, None, state)
    is_last = len(reading.bars) == count
    bars = reading.before.followed_by(reading.bars) if len(reading.before) else reading.bars
    computation = Computation(bars, sessions)
    if is_last:
        _check_long_enough(computation, selections)
    rows = slice(len(reading.before), len(reading.before) + count)
    columns = [(one, [column[rows] for column in computation.columns(one)]) for one in selections]
    next_ns = None if is_last else int(bars.open_time_ns[rows.stop])
    return Stretch(bars.open_time_ns[rows], columns, next_ns, state)


def _check_long_enough(computation: Computation, selections: Sequence[Selection]) -> None:
    try:
        computation.check_long_enough(selections)
    except WindowTooLongError as error:
        raise invalid_argument(
            "INDICATOR_WINDOW_TOO_LONG",
            str(error),
            field=error.selection.window_field,
            needed=str(error.needed),
            held=str(error.held),
        ) from error
