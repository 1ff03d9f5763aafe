"""Bars in progress, made from the prints of the market."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from services.data.domain.bars import BarInterval

_MINUTE_NS = 60 * 1_000_000_000


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


class BarBuilder:
    """The bars of one instrument that are in progress.

    Only bars whose every print was seen are told of: after a gap in the trade numbers the day's bar is left
    out until the next session begins, and the minute's until the next minute does. Users' prints count for
    the numbers alone.
    """

    def __init__(self) -> None:
        self._session_day: int | None = None
        self._last_number = 0
        self._is_session_whole = False
        self._broken_minute: int | None = None
        self._day: LiveBar | None = None
        self._minute: LiveBar | None = None

    def has_seen(self, trade: Trade) -> bool:
        """Whether it is told again, as by a restarted source. Number 1 always begins a session anew."""
        return trade.session_day == self._session_day and 1 < trade.trade_number <= self._last_number

    def add(self, trade: Trade) -> list[LiveBar]:
        """The bars that the print changed or closed: minutes first, in the order of their times."""
        self._follow(trade)
        if trade.is_user:
            return []
        return [*self._add_to_minute(trade), *self._add_to_day(trade)]

    def _follow(self, trade: Trade) -> None:
        if trade.trade_number == 1:
            self._is_session_whole, self._broken_minute = True, None
            self._day = self._minute = None
        elif trade.session_day != self._session_day or trade.trade_number != self._last_number + 1:
            self._is_session_whole, self._broken_minute = False, trade.event_time_ns // _MINUTE_NS
            self._day = self._minute = None
        self._session_day, self._last_number = trade.session_day, trade.trade_number

    def _add_to_minute(self, trade: Trade) -> Iterator[LiveBar]:
        minute = trade.event_time_ns // _MINUTE_NS
        if minute == self._broken_minute:
            return
        bar, self._minute = self._minute, None
        if bar is not None and bar.open_time_ns != minute * _MINUTE_NS:
            yield replace(bar, is_closed=True)
            bar = None
        bar = _extended(bar, trade, BarInterval.MINUTE, minute * _MINUTE_NS)
        yield bar
        self._minute = None if bar.is_closed else bar

    def _add_to_day(self, trade: Trade) -> Iterator[LiveBar]:
        if not self._is_session_whole:
            return
        # The first print of a session is at its open.
        bar = _extended(self._day, trade, BarInterval.DAY, trade.event_time_ns)
        yield bar
        self._day = None if bar.is_closed else bar


def _extended(bar: LiveBar | None, trade: Trade, interval: BarInterval, open_time_ns: int) -> LiveBar:
    price = trade.price
    if bar is None:
        return LiveBar(
            trade.instrument_id,
            interval,
            open_time_ns,
            open=price,
            high=price,
            low=price,
            close=price,
            volume=trade.size,
            is_closed=trade.ends_session,
        )
    return replace(
        bar,
        high=max(bar.high, price),
        low=min(bar.low, price),
        close=price,
        volume=bar.volume + trade.size,
        is_closed=trade.ends_session,
    )
