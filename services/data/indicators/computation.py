"""Indicators over a page of bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from services.data.domain.bars import BarInterval, Bars, Doubles, Ints
from services.data.domain.resampling import group_bars, most_bars, resample
from services.data.domain.sessions import Sessions
from services.data.indicators.indicator import PriceSource, price_series
from services.data.indicators.selection import Selection
from services.data.indicators.timeframes import last_closed

_WHOLE_GROUPS: Final = 2  # the longer bar that is cut where reading begins, and the one still open


class WindowTooLongError(ValueError):
    """There are too few bars for a single value of ``selection``."""

    def __init__(self, selection: Selection, needed: int, held: int) -> None:
        super().__init__(
            f"{selection.indicator.name} needs {needed:,} bars for its first value; there are {held:,}"
        )
        self.selection = selection
        self.needed = needed
        self.held = held


def bars_before(selections: Sequence[Selection], interval: BarInterval) -> int | None:
    """How many bars of ``interval`` before a page its values need; None: all."""
    most = 0
    for one in selections:
        needed = one.indicator.bars_before(one.settings)
        if needed is None:
            return None
        if one.interval is not None:
            needed = (needed + _WHOLE_GROUPS) * most_bars(interval, one.interval)
        most = max(most, needed)
    return most


def bars_after(selections: Sequence[Selection], interval: BarInterval) -> int:
    """How many bars after a page its values need: 0 but for repainting forms."""
    return max(
        one.indicator.lookahead(one.settings) * (most_bars(interval, one.interval) if one.interval else 1)
        for one in selections
    )


class _Series:
    """Bars of one interval with the price series made of them."""

    def __init__(self, bars: Bars, group: Ints | None = None) -> None:
        self._bars = bars
        self.group = group
        self._series: dict[PriceSource, Doubles] = {}

    def __len__(self) -> int:
        return len(self._bars)

    def source(self, source: PriceSource) -> Doubles:
        if source not in self._series:
            self._series[source] = price_series(self._bars, source)
        return self._series[source]


class Computation:
    """Computes over some bars; longer bars are made once for all indicators of their interval."""

    def __init__(self, bars: Bars, sessions: Sessions | None) -> None:
        """``bars`` holds at least one; ``sessions`` are needed where a selection has an interval."""
        self._bars = bars
        self._sessions = sessions
        self._series: dict[BarInterval | None, _Series] = {None: _Series(bars)}

    def columns(self, selection: Selection) -> list[Doubles]:
        """One column an output, as long as the bars, NaN where there is no value."""
        series = self._series_of(selection.interval)
        indicator = selection.indicator
        if len(series) <= indicator.lookback(selection.settings):
            return [np.full(len(self._bars), np.nan) for _ in indicator.outputs]
        inputs = [series.source(source) for source in selection.sources]
        columns = indicator.formula(inputs, selection.settings)
        if series.group is None:
            return list(columns)
        return [last_closed(column, series.group) for column in columns]

    def check_long_enough(self, selections: Sequence[Selection]) -> None:
        """WindowTooLongError for the first that can have no value at all."""
        for one in selections:
            closed = len(self._series_of(one.interval)) - (one.interval is not None)
            needed = one.indicator.lookback(one.settings) + 1
            if closed < needed:
                raise WindowTooLongError(one, needed, closed)

    def _series_of(self, interval: BarInterval | None) -> _Series:
        if interval not in self._series:
            if interval is None or self._sessions is None:
                raise ValueError("longer bars are made by session: give the sessions")
            group = group_bars(self._bars.open_time_ns, interval, self._sessions)
            self._series[interval] = _Series(resample(self._bars, group), group)
        return self._series[interval]
