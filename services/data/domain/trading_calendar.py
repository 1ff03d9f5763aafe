"""When a market trades: its sessions, and what the market does at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from services.data.domain.bars import Ints

NO_BREAK = int(np.iinfo(np.int64).min)
"""Stands for the times of a break in a session that has none."""


class MarketState(IntEnum):
    """Whether a market trades, numbered as in the contract."""

    CLOSED = 1
    OPEN = 2
    BREAK = 3


@dataclass(frozen=True, slots=True)
class Session:
    """A trading day, from its open to just before its close; times in nanoseconds since the epoch, UTC."""

    session_date: date
    open_ns: int
    close_ns: int
    break_ns: tuple[int, int] | None
    """Start and end of the break."""
    early_close: bool
    late_open: bool


@dataclass(frozen=True, slots=True)
class MarketStatus:
    """What a market does at a moment."""

    state: MarketState
    session: Session | None
    """The one under way."""
    next_open_ns: int | None
    """When trading next starts, be it after a break; None when the calendar knows no later start."""
    next_close_ns: int | None
    """When trading next stops, be it for a break; None when it never does."""


@dataclass(frozen=True)
class SessionTable:
    """The sessions from ``first_date`` to ``last_date``, oldest first; columns of shape (s,)."""

    first_date: date
    last_date: date
    session_date: NDArray[np.datetime64]
    """datetime64[D], rising."""
    open_ns: Ints
    close_ns: Ints
    break_start_ns: Ints
    """NO_BREAK where there is none; so for its end."""
    break_end_ns: Ints
    early_close: NDArray[np.bool_]
    late_open: NDArray[np.bool_]

    def between(self, first: date, last: date, limit: int) -> list[Session]:
        """Up to ``limit`` sessions named after the days from ``first`` to ``last``, both included."""
        start, end = np.searchsorted(
            self.session_date, np.array([first, last], dtype="datetime64[D]") + np.array([0, 1])
        )
        return [self._session(place) for place in range(start, min(int(end), int(start) + limit))]

    def knows(self, at_ns: int) -> bool:
        """Whether the moment lies between the first open and the last close."""
        return int(self.open_ns[0]) <= at_ns < int(self.close_ns[-1])

    def status(self, at_ns: int) -> MarketStatus:
        """What the market does at a moment the table ``knows``."""
        place = int(np.searchsorted(self.close_ns, at_ns, side="right"))
        session = self._session(place) if self.open_ns[place] <= at_ns else None
        starts, ends = self._stretches
        state = MarketState.CLOSED
        if session is not None:
            paused = session.break_ns is not None and session.break_ns[0] <= at_ns < session.break_ns[1]
            state = MarketState.BREAK if paused else MarketState.OPEN
        return MarketStatus(state, session, _first_after(starts, at_ns), _first_after(ends, at_ns))

    @cached_property
    def _stretches(self) -> tuple[Ints, Ints]:
        """Starts and ends of unbroken trading: sessions cut at breaks, joined where one follows at once."""
        has_break = self.break_start_ns != NO_BREAK
        starts = np.concatenate((self.open_ns, self.break_end_ns[has_break]))
        ends = np.concatenate((self.close_ns, self.break_start_ns[has_break]))
        joined = np.setdiff1d(starts, ends), np.setdiff1d(ends, starts)
        # Trading that begins and ends with the table goes on beyond it.
        return joined if len(joined[0]) > 1 else (joined[0], joined[1][:0])

    def _session(self, place: int) -> Session:
        begins, ends = int(self.break_start_ns[place]), int(self.break_end_ns[place])
        return Session(
            session_date=self.session_date[place].item(),
            open_ns=int(self.open_ns[place]),
            close_ns=int(self.close_ns[place]),
            break_ns=None if begins == NO_BREAK else (begins, ends),
            early_close=bool(self.early_close[place]),
            late_open=bool(self.late_open[place]),
        )


@dataclass(frozen=True, slots=True)
class MarketCalendar:
    """The sessions of a market, and where its clocks are."""

    sessions: SessionTable
    time_zone: str


def _first_after(times_ns: Ints, at_ns: int) -> int | None:
    place = int(np.searchsorted(times_ns, at_ns, side="right"))
    return int(times_ns[place]) if place < len(times_ns) else None
