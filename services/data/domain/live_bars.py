"""Bars in progress, made from the prints of the market."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from services.data.domain.bars import BarInterval

_SECOND_NS: Final = 1_000_000_000
LENGTHS_NS: Final = {
    BarInterval.SECOND: _SECOND_NS,
    BarInterval.FIVE_SECONDS: 5 * _SECOND_NS,
    BarInterval.FIFTEEN_SECONDS: 15 * _SECOND_NS,
    BarInterval.THIRTY_SECONDS: 30 * _SECOND_NS,
    BarInterval.MINUTE: 60 * _SECOND_NS,
    BarInterval.TWO_MINUTES: 120 * _SECOND_NS,
    BarInterval.FIVE_MINUTES: 300 * _SECOND_NS,
    BarInterval.TEN_MINUTES: 600 * _SECOND_NS,
    BarInterval.FIFTEEN_MINUTES: 900 * _SECOND_NS,
    BarInterval.THIRTY_MINUTES: 1_800 * _SECOND_NS,
    BarInterval.HOUR: 3_600 * _SECOND_NS,
    BarInterval.TWO_HOURS: 7_200 * _SECOND_NS,
    BarInterval.FOUR_HOURS: 14_400 * _SECOND_NS,
}
"""Intervals within a day, the shortest first."""
LIVE_INTERVALS: Final = (*LENGTHS_NS, BarInterval.DAY)
_NEVER_NS: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Trade:
    """One print; price in the instrument's currency, size in shares."""

    instrument_id: str
    price: float
    size: float
    event_time_ns: int
    """Market time, nanoseconds since the epoch, UTC."""
    trade_number: int
    """From 1 within instrument and trading session, without gaps."""
    is_user: bool
    """A user's order took part: the print stands apart from the replayed bar."""
    session_day: int
    """The trading session's date, days since the epoch."""
    ends_session: bool
    """The last print of the replayed session."""


@dataclass(frozen=True, slots=True)
class LiveBar:
    """A bar as far as it is known."""

    instrument_id: str
    interval: BarInterval
    open_time_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    is_closed: bool = False


class Stretch(NamedTuple):
    """A part of a market's day: bars within it are counted from ``anchor_ns`` and do not reach beyond it."""

    begin_ns: int
    end_ns: int
    anchor_ns: int


StretchOf: TypeAlias = Callable[[int], Stretch]
"""The part of the day that a market time lies in."""

_NOWHERE: Final = Stretch(0, 0, 0)


@dataclass(slots=True)
class _Forming:
    """A bar in progress."""

    open_time_ns: int
    end_ns: int
    open: float
    high: float = field(init=False)
    low: float = field(init=False)
    close: float = field(init=False)
    volume: float = 0.0

    def __post_init__(self) -> None:
        self.high = self.low = self.close = self.open

    def add(self, price: float, size: float) -> None:
        self.close = price
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        self.volume += size


class BarBuilder:
    """The bars of one instrument that are in progress, of all live intervals.

    Only bars whose every print was seen are told of: after a gap in the trade numbers the day's bar is left
    out until the next session begins, and shorter ones until the next of theirs does. Users' prints count for
    the numbers alone. A print that comes after its bar was closed changes no bar that was told of as closed.
    """

    def __init__(self, instrument_id: str, stretch_of: StretchOf) -> None:
        self._instrument_id = instrument_id
        self._stretch_of = stretch_of
        self._stretch = _NOWHERE
        self._session_day: int | None = None
        self._last_number = 0
        self._is_session_whole = False
        self._forming: dict[BarInterval, _Forming] = {}
        self._begins_ns: dict[BarInterval, int] = {}
        """Of each interval: bars that open before this are left out, closed already or broken."""
        self._first_end_ns = _NEVER_NS
        """When the first of the bars within a day is complete."""

    def has_seen(self, trade: Trade) -> bool:
        """Whether it is told again, as by a restarted source. Number 1 always begins a session anew."""
        return trade.session_day == self._session_day and 1 < trade.trade_number <= self._last_number

    def restart(self) -> None:
        """Another source goes on: what it tells does not join what was told."""
        self._session_day = None
        self._forgo()

    def add(self, trade: Trade, wanted: Collection[BarInterval] = LIVE_INTERVALS) -> list[LiveBar]:
        """The bars of these intervals that the print changed or closed, the shortest interval first."""
        self._follow(trade)
        if trade.is_user:
            return []
        told: list[LiveBar] = []
        at_ns = trade.event_time_ns
        is_complete = at_ns >= self._first_end_ns
        stretch = self._stretch_at(at_ns)
        for interval, length_ns in LENGTHS_NS.items():
            bar = self._forming.get(interval)
            if bar is not None and is_complete and at_ns >= bar.end_ns:
                self._close(interval, bar)
                if interval in wanted:
                    told.append(self._told(interval, bar, is_closed=True))
                bar = None
            if bar is None:
                bar = self._begin(interval, length_ns, stretch, trade)
                if bar is None:
                    continue
            self._extend(interval, bar, trade, wanted, told)
        self._note_first_end()
        self._add_to_day(trade, wanted, told)
        return told

    def reach(self, at_ns: int, wanted: Collection[BarInterval] = LIVE_INTERVALS) -> list[LiveBar]:
        """The bars within a day that are complete now that the market's clock is there."""
        if at_ns < self._first_end_ns:
            return []
        told = []
        for interval in LENGTHS_NS:
            bar = self._forming.get(interval)
            if bar is not None and at_ns >= bar.end_ns:
                self._close(interval, bar)
                if interval in wanted:
                    told.append(self._told(interval, bar, is_closed=True))
        self._note_first_end()
        return told

    def forming(self, interval: BarInterval) -> LiveBar | None:
        """The bar in progress."""
        bar = self._forming.get(interval)
        return None if bar is None else self._told(interval, bar, is_closed=False)

    def _follow(self, trade: Trade) -> None:
        if trade.trade_number == 1:
            self._is_session_whole = True
            self._forgo()
        elif trade.session_day != self._session_day or trade.trade_number != self._last_number + 1:
            self._is_session_whole = False
            self._forgo()
            stretch = self._stretch_at(trade.event_time_ns)
            for interval, length_ns in LENGTHS_NS.items():
                self._begins_ns[interval] = _bounds(stretch, length_ns, trade.event_time_ns)[1]
        self._session_day, self._last_number = trade.session_day, trade.trade_number

    def _forgo(self) -> None:
        self._forming.clear()
        self._begins_ns.clear()
        self._first_end_ns = _NEVER_NS

    def _begin(
        self, interval: BarInterval, length_ns: int, stretch: Stretch, trade: Trade
    ) -> _Forming | None:
        open_time_ns, end_ns = _bounds(stretch, length_ns, trade.event_time_ns)
        if open_time_ns < self._begins_ns.get(interval, open_time_ns):
            return None
        bar = self._forming[interval] = _Forming(open_time_ns, end_ns, trade.price)
        return bar

    def _extend(
        self,
        interval: BarInterval,
        bar: _Forming,
        trade: Trade,
        wanted: Collection[BarInterval],
        told: list[LiveBar],
    ) -> None:
        bar.add(trade.price, trade.size)
        if trade.ends_session:
            self._close(interval, bar)
        if interval in wanted:
            told.append(self._told(interval, bar, is_closed=trade.ends_session))

    def _add_to_day(self, trade: Trade, wanted: Collection[BarInterval], told: list[LiveBar]) -> None:
        if not self._is_session_whole:
            return
        bar = self._forming.get(BarInterval.DAY)
        if bar is None:  # the first print of a session is at its open
            if trade.event_time_ns < self._begins_ns.get(BarInterval.DAY, trade.event_time_ns):
                return
            bar = self._forming[BarInterval.DAY] = _Forming(trade.event_time_ns, _NEVER_NS, trade.price)
        self._extend(BarInterval.DAY, bar, trade, wanted, told)

    def _close(self, interval: BarInterval, bar: _Forming) -> None:
        del self._forming[interval]
        self._begins_ns[interval] = bar.open_time_ns + 1

    def _note_first_end(self) -> None:
        self._first_end_ns = min((bar.end_ns for bar in self._forming.values()), default=_NEVER_NS)

    def _told(self, interval: BarInterval, bar: _Forming, *, is_closed: bool) -> LiveBar:
        return LiveBar(
            self._instrument_id,
            interval,
            bar.open_time_ns,
            bar.open,
            bar.high,
            bar.low,
            bar.close,
            bar.volume,
            is_closed,
        )

    def _stretch_at(self, at_ns: int) -> Stretch:
        if not self._stretch.begin_ns <= at_ns < self._stretch.end_ns:
            self._stretch = self._stretch_of(at_ns)
        return self._stretch


def _bounds(stretch: Stretch, length_ns: int, at_ns: int) -> tuple[int, int]:
    """Start and end of the bar; where the market's day is cut, so is the bar."""
    start_ns = at_ns - (at_ns - stretch.anchor_ns) % length_ns
    return start_ns, min(start_ns + length_ns, stretch.end_ns)
