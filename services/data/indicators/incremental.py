"""Indicators kept up bar by bar: after each closed bar, and for the bar in progress, the value of the batch.

Three ways, the same values to 1e-9 (a test proves it of each indicator of the catalogue): those in `steps.py`
go on from a state; all others are computed anew over the bars that a value reaches back to, which decision
008 bounds; those of longer bars follow the closed longer bars.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Final, Protocol

import numpy as np

from services.data.domain.bars import BarInterval, Bars, Doubles, Ints
from services.data.domain.resampling import group_bars, resample
from services.data.domain.sessions import Sessions
from services.data.indicators.indicator import PriceSource, price_series
from services.data.indicators.selection import Selection
from services.data.indicators.steps import STEPPING, State, Stepping, Values

_ROOM: Final = 256  # bars taken in before those no longer needed are moved out


@dataclass(frozen=True, slots=True)
class BarRow:
    """One bar, closed or in progress; the fields of `Bars`."""

    open_time_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float

    def columns(self) -> Bars:
        """Itself as bars."""
        open_time_ns, *values = astuple(self)
        return Bars(np.array([open_time_ns], dtype=np.int64), *(np.array([value]) for value in values))


def row_of(bars: Bars, at: int) -> BarRow:
    """The bar in row ``at``."""
    return BarRow(
        int(bars.open_time_ns[at]),
        float(bars.open[at]),
        float(bars.high[at]),
        float(bars.low[at]),
        float(bars.close[at]),
        float(bars.volume[at]),
    )


class Incremental(Protocol):
    """An indicator that has seen some bars."""

    def close(self, bar: BarRow) -> Values:
        """The values at ``bar``, which is closed and taken in; NaN where there is none. One an output."""
        ...

    def forming(self, bar: BarRow) -> Values:
        """The values at ``bar`` as it stands now: nothing is taken in."""
        ...


def incremental(selection: Selection, history: Bars, sessions: Sessions | None) -> Incremental:
    """The indicator after the bars of ``history``, the oldest first.

    Of them as many are needed as `computation.bars_before` says, if there are so many. ``sessions`` are
    needed where the selection has an interval, and have to reach to the bars that follow.
    """
    if selection.interval is None:
        return _plain(selection, history)
    if sessions is None:
        raise ValueError("longer bars are made by session: give the sessions")
    return _OfLongerBars(selection, history, sessions, selection.interval)


def _plain(selection: Selection, history: Bars) -> Incremental:
    stepping = STEPPING.get(selection.indicator.name)
    if stepping is None:
        return _Windowed(selection, history)
    return _Stepped(selection, stepping, history)


def _row(bar: BarRow, sources: Sequence[PriceSource]) -> list[float]:
    columns = bar.columns()
    return [float(price_series(columns, source)[0]) for source in sources]


class _Windowed:
    """Computed anew over the last bars that a value depends on."""

    def __init__(self, selection: Selection, history: Bars) -> None:
        self._selection = selection
        self._nothing = (float("nan"),) * len(selection.indicator.outputs)
        self._lookback = selection.indicator.lookback(selection.settings)
        self._needed = selection.indicator.bars_before(selection.settings)
        kept = len(history) if self._needed is None else min(self._needed, len(history))
        self._inputs = np.empty((len(selection.sources), kept + _ROOM))
        for series, source in zip(self._inputs, selection.sources, strict=True):
            series[:kept] = price_series(history, source)[len(history) - kept :]
        self._count = kept

    def close(self, bar: BarRow) -> Values:
        values = self.forming(bar)
        self._count += 1
        return values

    def forming(self, bar: BarRow) -> Values:
        self._make_room()
        self._inputs[:, self._count] = _row(bar, self._selection.sources)
        return self._last(self._count + 1)

    def _make_room(self) -> None:
        if self._count < self._inputs.shape[1]:
            return
        keep = self._count if self._needed is None else min(self._needed, self._count)
        moved = np.empty((len(self._inputs), 2 * keep + _ROOM))
        moved[:, :keep] = self._inputs[:, self._count - keep : self._count]
        self._inputs, self._count = moved, keep

    def _last(self, end: int) -> Values:
        start = 0 if self._needed is None else max(0, end - 1 - self._needed)
        if end - start <= self._lookback:
            return self._nothing
        series: list[Doubles] = [one[start:end] for one in self._inputs]
        columns = self._selection.indicator.formula(series, self._selection.settings)
        return tuple(float(column[-1]) for column in columns)


class _Stepped:
    """Goes on from a state; until there are enough bars to begin one, computed over all there are."""

    def __init__(self, selection: Selection, stepping: Stepping, history: Bars) -> None:
        self._selection = selection
        self._stepping = stepping
        self._state: State | None = None
        self._before = history
        self._begin()

    def close(self, bar: BarRow) -> Values:
        if self._state is None:
            values = _Windowed(self._selection, self._before).forming(bar)
            self._before = self._before.followed_by(bar.columns())
            self._begin()
            return values
        self._state, values = self._step(self._state, bar)
        return values

    def forming(self, bar: BarRow) -> Values:
        if self._state is None:
            return _Windowed(self._selection, self._before).forming(bar)
        return self._step(self._state, bar)[1]

    def _step(self, state: State, bar: BarRow) -> tuple[State, Values]:
        return self._stepping.step(state, _row(bar, self._selection.sources), self._selection.settings)

    def _begin(self) -> None:
        settings = self._selection.settings
        if len(self._before) > self._selection.indicator.lookback(settings):
            inputs = [price_series(self._before, source) for source in self._selection.sources]
            self._state = self._stepping.begin(inputs, settings)
            self._before = self._before.take(slice(0))


class _OfLongerBars:
    """The values of the longer bar that closed last before a bar: the longer bar in progress is not seen.

    Which longer bar closes is known when a bar of the next one comes, in progress or not.
    """

    def __init__(
        self, selection: Selection, history: Bars, sessions: Sessions, interval: BarInterval
    ) -> None:
        self._sessions = sessions
        self._interval = interval
        self._values: Values = (float("nan"),) * len(selection.indicator.outputs)
        self._open = history  # the bars of the longer one in progress
        closed = history
        if len(history):
            group = group_bars(history.open_time_ns, interval, sessions)
            self._open = history.take(group == group[-1])
            longer = resample(history, group)
            closed = longer.take(slice(len(longer) - 1))
        self._longer = _plain(selection, closed.take(slice(max(0, len(closed) - 1))))
        if len(closed):
            self._values = self._longer.close(row_of(closed, -1))

    def close(self, bar: BarRow) -> Values:
        columns = bar.columns()
        if self._is_next(columns):
            whole = resample(self._open, _one_group(len(self._open)))
            self._values = self._longer.close(row_of(whole, -1))
            self._open = columns
        else:
            self._open = self._open.followed_by(columns)
        return self._values

    def forming(self, bar: BarRow) -> Values:
        if not self._is_next(bar.columns()):
            return self._values
        return self._longer.forming(row_of(resample(self._open, _one_group(len(self._open))), -1))

    def _is_next(self, bar: Bars) -> bool:
        if not len(self._open):
            return False
        times = np.concatenate((self._open.open_time_ns[-1:], bar.open_time_ns))
        return bool(group_bars(times, self._interval, self._sessions)[-1])


def _one_group(count: int) -> Ints:
    return np.zeros(count, dtype=np.int64)
