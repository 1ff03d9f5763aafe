"""Indicators over live bars: warmed up from history, then kept up bar by bar."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from bifrost.data.v1 import bar_pb2
from bifrost.data.v1 import market_stream_service_pb2 as pb
from services.data.bars.bar_pages import BarQuestion
from services.data.bars.history import History
from services.data.domain.adjustment import Adjustment, CorporateActions
from services.data.domain.bars import BarInterval
from services.data.domain.instrument import Instrument
from services.data.domain.resampling import is_intraday
from services.data.domain.sessions import Sessions, TradingHours
from services.data.indicators.computation import bars_before
from services.data.indicators.indicator_bars import IndicatorBars
from services.data.indicators.selection import Selection
from services.data.live.live_values import BarsBefore, InstrumentValues, SeenBars
from services.data.live.market_feed import MarketFeed

_MOST_SEEN: Final = 2_000_000
"""Live bars kept where a running sum needs them all: as many as are read of history."""
_AT_ONCE: Final = 2
"""Computations: threads are left for what else the service does."""
_YEAR_NS: Final = 366 * 86_400 * 10**9
_HOUR_NS: Final = 3_600 * 10**9


@dataclass(frozen=True, slots=True)
class LiveQuestion:
    """What a stream asks for."""

    instruments: Sequence[Instrument]
    interval: BarInterval
    adjustment: Adjustment
    selections: Sequence[Selection]


@dataclass(slots=True)
class _Terms:
    """What prices of an instrument are in the terms of."""

    first_ns: int
    """When the first live bar opened."""
    checked_ns: int
    """When the bar opened at which the splits were looked for last."""
    actions: CorporateActions


@dataclass(frozen=True, slots=True)
class _Stream:
    """A stream as it stands."""

    question: LiveQuestion
    instruments: dict[str, Instrument]
    terms: dict[str, _Terms] = field(default_factory=dict)
    values: dict[str, InstrumentValues] = field(default_factory=dict)

    @property
    def needed(self) -> int | None:
        """Bars before one that its values depend on, with the one whose values come first; None: all."""
        needed = bars_before(self.question.selections, self.question.interval)
        return None if needed is None else needed + 1

    @property
    def most_seen(self) -> int:
        """Live bars to keep for the next split; none where splits change nothing."""
        if self.question.adjustment is Adjustment.RAW:
            return 0
        needed = self.needed
        return _MOST_SEEN if needed is None else min(needed, _MOST_SEEN)


class LiveIndicators:
    """Reads live bars like any reader: bars in progress are conflated while it computes, closed ones kept."""

    def __init__(
        self,
        feed: MarketFeed,
        history: History,
        bars: IndicatorBars,
        *,
        draining: asyncio.Event,
        heartbeat_s: float,
    ) -> None:
        self._feed = feed
        self._history = history
        self._bars = bars
        self._draining = draining
        self._heartbeat_s = heartbeat_s
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def stream(self, question: LiveQuestion) -> AsyncIterator[pb.StreamLiveIndicatorsResponse]:
        """The responses until the server drains.

        Raises:
            ApiError: UNAVAILABLE (DRAINING), RESOURCE_EXHAUSTED (INDICATOR_HISTORY_TOO_LONG).
        """
        stream = _Stream(question, {one.instrument_id: one for one in question.instruments})
        bars = self._feed.bars[question.interval].subscribe(
            stream.instruments.keys(), draining=self._draining, heartbeat_s=self._heartbeat_s
        )
        async with aclosing(bars) as messages:
            async for message in messages:
                told = pb.StreamBarsResponse.FromString(message)
                response = pb.StreamLiveIndicatorsResponse(header=told.header)
                match told.WhichOneof("event"):
                    case "snapshot":
                        response.snapshot.values.extend(await self._compute(stream, told.snapshot.bars))
                    case "bars":
                        values = await self._compute(stream, told.bars.bars)
                        if not values:
                            continue
                        response.update.values.extend(values)
                    case "source_change":
                        response.source_change.CopyFrom(told.source_change)
                    case "replay_end":
                        response.replay_end.SetInParent()
                    case _:
                        response.heartbeat.SetInParent()
                yield response

    async def _compute(self, stream: _Stream, bars: Sequence[bar_pb2.Bar]) -> list[pb.LiveIndicatorValues]:
        steps = [(bar, await self._new_terms(stream, bar)) for bar in bars]
        async with self._turns:
            return await asyncio.to_thread(_values, stream, steps)

    async def _new_terms(self, stream: _Stream, bar: bar_pb2.Bar) -> BarsBefore | None:
        """What to begin with at this bar: the first of its instrument, or the first after a split."""
        instrument, open_ns = stream.instruments[bar.instrument_id], bar.open_time_ns
        terms = stream.terms.get(bar.instrument_id)
        if terms is None:
            actions = await self._actions(stream.question, instrument, open_ns)
            stream.terms[bar.instrument_id] = _Terms(open_ns, open_ns, actions)
            return await self._before(stream, instrument, open_ns, open_ns, actions)
        if stream.question.adjustment is Adjustment.RAW or open_ns - terms.checked_ns < _HOUR_NS:
            return None
        # At the latest the first bar of a session is an hour after the one before it that was looked at.
        terms.checked_ns = open_ns
        actions = await self._actions(stream.question, instrument, open_ns)
        if actions == terms.actions:
            return None
        terms.actions = actions
        return await self._before(stream, instrument, terms.first_ns, open_ns, actions)

    async def _before(
        self, stream: _Stream, instrument: Instrument, first_ns: int, open_ns: int, actions: CorporateActions
    ) -> BarsBefore:
        """The bars of history before the first live one."""
        interval = stream.question.interval
        # Live bars are made of all trades, those of a day excepted that history states.
        hours = TradingHours.ALL if is_intraday(interval) else TradingHours.REGULAR
        held = BarQuestion(instrument, interval, Adjustment.RAW, hours, None)
        bars = await self._bars.before(held, first_ns, stream.needed)
        sessions: Sessions | None = None
        if any(one.interval is not None for one in stream.question.selections):
            begin_ns = int(bars.open_time_ns[0]) if len(bars) else first_ns
            sessions = await self._history.sessions(instrument, begin_ns, open_ns + _YEAR_NS)
        return BarsBefore(bars, actions, sessions)

    async def _actions(
        self, question: LiveQuestion, instrument: Instrument, open_ns: int
    ) -> CorporateActions:
        """The splits up to a bar: later ones of a replayed market are not known yet."""
        known = await self._history.actions(instrument, question.adjustment)
        return CorporateActions([one for one in known.splits if one.ex_time_ns <= open_ns])


def _values(
    stream: _Stream, steps: Sequence[tuple[bar_pb2.Bar, BarsBefore | None]]
) -> list[pb.LiveIndicatorValues]:
    found: list[pb.LiveIndicatorValues] = []
    for bar, before in steps:
        instrument_id = bar.instrument_id
        if before is not None:
            known = stream.values.get(instrument_id)
            seen = SeenBars(stream.most_seen) if known is None else known.seen
            values = InstrumentValues(stream.question.selections, before, seen)
            stream.values[instrument_id] = values
            found += values.begin(instrument_id)
        found += stream.values[instrument_id].take(bar)
    return found
