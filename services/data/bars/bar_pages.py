"""Pages of bars of any interval: as stored, or made of shorter ones."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from services.data.bars.history import History, bars_not_found
from services.data.domain.adjustment import Adjustment, CorporateActions, adjust
from services.data.domain.bars import BarInterval, Bars
from services.data.domain.instrument import Instrument
from services.data.domain.resampling import (
    best_source,
    is_intraday,
    longer_bars,
    most_bars,
    whole_bars,
    without_last,
)
from services.data.domain.sessions import Sessions, TradingHours

_MOST_READ: Final = 500_000
"""Bars read at a time to make longer ones of, or twice what one of these may need."""
_AT_ONCE: Final = 2
"""Pages that are made at a time: a month of seconds takes hundreds of megabytes."""


@dataclass(frozen=True, slots=True)
class BarQuestion:
    """Which bars of an instrument are asked for."""

    instrument: Instrument
    interval: BarInterval
    adjustment: Adjustment
    hours: TradingHours
    as_of_ns: int | None


@dataclass(frozen=True, slots=True)
class BarPage:
    """Some of them."""

    bars: Bars
    made_from: BarInterval
    next_ns: int | None
    """Where the next page begins; None when this is the last."""


class BarPages:
    """Reads, adjusts, then resamples."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def page(self, question: BarQuestion, start_ns: int, end_ns: int, size: int) -> BarPage:
        """Up to ``size`` bars that open from ``start_ns`` on and before ``end_ns``.

        Raises:
            ApiError: NOT_FOUND BARS_NOT_FOUND; INVALID_ARGUMENT AS_OF_IN_FUTURE, AS_OF_TOO_EARLY;
                FAILED_PRECONDITION ADJUSTMENT_IMPOSSIBLE.
        """
        instrument, as_of_ns = question.instrument, question.as_of_ns
        if as_of_ns is not None:
            await self._history.known_at(instrument, as_of_ns)
        actions = await self._history.actions(instrument, question.adjustment, as_of_ns)
        # Most ask for what is stored: without looking whether it is.
        page = await self._stored_page(question, actions, start_ns, end_ns, size)
        if len(page.bars) or page.next_ns is not None:
            return page
        source = await self.source(question)
        if source is None:
            held = await self._history.intervals(instrument, as_of_ns)
            raise bars_not_found(instrument, question.interval, held)
        if source is question.interval:  # it is held, but not in this range
            return page
        async with self._turns:
            return await self._made_page(question, source, actions, start_ns, end_ns, size)

    async def source(self, question: BarQuestion) -> BarInterval | None:
        """The stored interval that the bars are, or are made of; None when nothing held divides theirs."""
        held = await self._history.intervals(question.instrument, question.as_of_ns)
        return best_source(question.interval, [one for one in held if has_hours(one, question.hours)])

    async def _stored_page(
        self, question: BarQuestion, actions: CorporateActions, start_ns: int, end_ns: int, size: int
    ) -> BarPage:
        is_usable = has_hours(question.interval, question.hours)
        bars = await self._read(question, question.interval, start_ns, end_ns, size + 1 if is_usable else 0)
        next_ns = int(bars.open_time_ns[size]) if len(bars) > size else None
        sessions = None
        if len(bars) and is_intraday(question.interval) and await self.may_filter(question):
            first_ns, last_ns = int(bars.open_time_ns[0]), int(bars.open_time_ns[-1])
            sessions = await self._history.sessions(question.instrument, first_ns, last_ns)

        def view() -> Bars:
            return in_hours(adjust(bars.take(slice(size)), actions), question.hours, sessions)

        return BarPage(await asyncio.to_thread(view), question.interval, next_ns)

    async def _made_page(
        self,
        question: BarQuestion,
        source: BarInterval,
        actions: CorporateActions,
        start_ns: int,
        end_ns: int,
        size: int,
    ) -> BarPage:
        instrument, interval = question.instrument, question.interval
        span = await self._history.span(instrument, source, question.as_of_ns)
        sessions = await self._history.sessions(instrument, *span)
        first_ns, past_ns = whole_bars(start_ns, end_ns, interval, sessions)
        per_bar = most_bars(source, interval)
        limit = max(2 * per_bar, min(_MOST_READ, (size + 2) * per_bar))
        bars = await self._read(question, source, first_ns, past_ns, limit)

        def make() -> BarPage:
            whole, next_ns = bars, None
            if len(bars) == limit:
                # There are at least two of the longer ones; what follows may belong to the last.
                whole, next_ns = without_last(bars, interval, sessions)
            within_hours = in_hours(
                adjust(whole, actions), question.hours, sessions if is_intraday(source) else None
            )
            made = longer_bars(within_hours, interval, sessions)
            wanted = made.take((made.open_time_ns >= start_ns) & (made.open_time_ns < end_ns))
            if len(wanted) > size:
                next_ns = int(wanted.open_time_ns[size])
            if next_ns is not None and next_ns >= end_ns:
                next_ns = None
            return BarPage(wanted.take(slice(size)), source, next_ns)

        return await asyncio.to_thread(make)

    async def may_filter(self, question: BarQuestion) -> bool:
        """Whether there may be bars of other hours: without a calendar all are regular."""
        return question.hours is TradingHours.EXTENDED or await self._history.has_calendar(
            question.instrument
        )

    async def _read(
        self, question: BarQuestion, interval: BarInterval, start_ns: int, end_ns: int, limit: int
    ) -> Bars:
        return await self._history.read(
            question.instrument,
            interval,
            question.adjustment,
            start_ns=start_ns,
            end_ns=end_ns,
            limit=limit,
            as_of_ns=question.as_of_ns,
        )


def has_hours(interval: BarInterval, hours: TradingHours) -> bool:
    """Whether bars of the interval can be told apart by hours: those of a day and longer are regular."""
    return hours is TradingHours.REGULAR or is_intraday(interval)


def in_hours(bars: Bars, hours: TradingHours, sessions: Sessions | None) -> Bars:
    """Those of the bars that are of these hours; all where there are no sessions."""
    if sessions is None or not len(bars):
        return bars
    mask = sessions.within(bars.open_time_ns, hours)
    return bars if mask.all() else bars.take(mask)
