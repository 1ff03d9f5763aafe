"""Indicators at one instrument's live bars, in the terms of its splits."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Final

import numpy as np

from bifrost.data.v1 import bar_pb2
from bifrost.data.v1 import market_stream_service_pb2 as pb
from services.data.bars.history import FIRST_NS
from services.data.domain.adjustment import CorporateActions, adjust
from services.data.domain.bars import Bars
from services.data.domain.sessions import Sessions
from services.data.indicators.incremental import BarRow, Incremental, incremental, row_of
from services.data.indicators.selection import Selection

_VALUES: Final = 5
"""Of a bar, beside its time."""


@dataclass(frozen=True, slots=True)
class BarsBefore:
    """What is known before a live bar."""

    bars: Bars
    """As printed."""
    actions: CorporateActions
    sessions: Sessions | None


class SeenBars:
    """The closed live bars of a stream, as printed: the last ``most`` at least."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._times = array("q")
        self._values = array("d")
        self._is_whole = True

    def append(self, row: BarRow) -> None:
        """The next."""
        open_time_ns, *values = astuple(row)
        self._times.append(open_time_ns)
        self._values.extend(values)
        if len(self._times) > 2 * self._most:
            self._is_whole = False
            gone = len(self._times) - self._most
            del self._times[:gone]
            del self._values[: gone * _VALUES]

    def after(self, earlier: Bars) -> Bars:
        """The earlier ones and then these; these alone when some were forgotten, for they are enough."""
        times = np.array(self._times, dtype=np.int64)
        columns = np.array(self._values, dtype=np.float64).reshape(-1, _VALUES).T
        seen = Bars(times, *(np.ascontiguousarray(column) for column in columns))
        return earlier.followed_by(seen) if self._is_whole else seen


class InstrumentValues:
    """All indicators of a stream at one instrument."""

    def __init__(self, selections: Sequence[Selection], before: BarsBefore, seen: SeenBars) -> None:
        """Those seen come after those before; both are brought to the same terms."""
        self._selections = selections
        self.seen = seen
        bars = adjust(seen.after(before.bars), before.actions)
        self._last = row_of(bars, len(bars) - 1) if len(bars) else None
        earlier = bars.take(slice(max(len(bars) - 1, 0)))
        self._indicators: list[Incremental] = [
            incremental(one, earlier, before.sessions) for one in selections
        ]
        self._closed_ns = FIRST_NS

    def begin(self, instrument_id: str) -> list[pb.LiveIndicatorValues]:
        """The values at the last bar there is, if there is one."""
        if self._last is None:
            return []
        return [self._values(instrument_id, self._last, is_closed=True)]

    def take(self, bar: bar_pb2.Bar) -> list[pb.LiveIndicatorValues]:
        """The values at a live bar; none for one that was closed before."""
        if bar.open_time_ns <= self._closed_ns:
            return []
        row = BarRow(bar.open_time_ns, bar.open, bar.high, bar.low, bar.close, bar.volume)
        if bar.closed:
            self.seen.append(row)
        return [self._values(bar.instrument_id, row, is_closed=bar.closed)]

    def _values(self, instrument_id: str, row: BarRow, *, is_closed: bool) -> pb.LiveIndicatorValues:
        if is_closed:
            self._closed_ns = row.open_time_ns
        return pb.LiveIndicatorValues(
            instrument_id=instrument_id,
            open_time_ns=row.open_time_ns,
            closed=is_closed,
            indicators=[
                pb.LiveIndicator(
                    label=selection.label,
                    values=one.close(row) if is_closed else one.forming(row),
                    repaints=selection.indicator.lookahead(selection.settings) > 0,
                )
                for selection, one in zip(self._selections, self._indicators, strict=True)
            ],
        )
