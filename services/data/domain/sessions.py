"""The days on which a market trades and the parts of each: what bars are grouped by."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from services.data.domain.bars import Ints, Mask
from services.data.domain.trading_calendar import NO_BREAK

_DAY_NS: Final = 86_400 * 10**9


class TradingHours(IntEnum):
    """Which bars shorter than a day, numbered as in the contract."""

    REGULAR = 1
    EXTENDED = 2
    ALL = 3


@dataclass(frozen=True, slots=True)
class Sessions:
    """Trading sessions, oldest first, all columns of shape (s,); times in ns since the epoch, UTC."""

    open_time_ns: Ints
    close_time_ns: Ints
    break_start_ns: Ints
    """NO_BREAK where there is none; so for its end."""
    break_end_ns: Ints
    date: NDArray[np.datetime64]
    """The days they are named after, datetime64[D]."""
    day_start_ns: Ints
    """Midnight before the session where the market is, or its open when that is earlier."""
    day_end_ns: Ints
    """Midnight after it, or its close when that is later; never after the next session's day starts."""

    @classmethod
    def around_the_clock(cls, first_ns: int, last_ns: int) -> Self:
        """Days in UTC, for what trades without pause."""
        days = np.arange(first_ns // _DAY_NS, last_ns // _DAY_NS + 1)
        starts, none = days * _DAY_NS, np.full(len(days), NO_BREAK)
        ends = starts + _DAY_NS
        return cls(starts, ends, none, none, days.astype("datetime64[D]"), starts, ends)

    def __len__(self) -> int:
        return len(self.open_time_ns)

    def covering(self, first_ns: int, last_ns: int) -> Self:
        """With days in UTC before the first session and after the last one, as far as the times reach."""
        begin, end = int(self.day_start_ns[0]), int(self.day_end_ns[-1])
        parts = [self]
        if first_ns < begin:
            parts.insert(0, self.around_the_clock(first_ns, begin - _DAY_NS))
        if last_ns >= end:
            parts.append(self.around_the_clock(end + _DAY_NS - 1, max(last_ns, end + _DAY_NS - 1)))
        names = (column.name for column in fields(self))
        return type(self)(*(np.concatenate([getattr(one, name) for one in parts]) for name in names))

    def day_start(self, time_ns: int) -> int:
        """When the day of the session begins that opens at this time; the time itself when none does."""
        place = int(np.searchsorted(self.open_time_ns, time_ns))
        opens = place < len(self) and int(self.open_time_ns[place]) == time_ns
        return int(self.day_start_ns[place]) if opens else time_ns

    def of(self, open_time_ns: Ints) -> Ints:
        """Place of the day that began last, for each bar; bars before the first are in it."""
        return np.maximum(np.searchsorted(self.day_start_ns, open_time_ns, side="right") - 1, 0)

    def within(self, open_time_ns: Ints, hours: TradingHours) -> Mask:
        """Which bars open in these hours of a day that has a session."""
        place = self.of(open_time_ns)
        on_day = (open_time_ns >= self.day_start_ns[place]) & (open_time_ns < self.day_end_ns[place])
        if hours is TradingHours.ALL:
            return on_day
        trades = (open_time_ns >= self.open_time_ns[place]) & (open_time_ns < self.close_time_ns[place])
        trades &= (open_time_ns < self.break_start_ns[place]) | (open_time_ns >= self.break_end_ns[place])
        return trades if hours is TradingHours.REGULAR else on_day & ~trades

    def part_starts(self, open_time_ns: Ints) -> Ints:
        """Where the bars of each bar's part of its day are counted from.

        The parts: before the open (counted back from it), to the break, the break, after it, after the close.
        """
        place = self.of(open_time_ns)
        starts = self.open_time_ns[place]
        for later in (self.break_start_ns, self.break_end_ns, self.close_time_ns):
            begins = later[place]
            starts = np.where((begins != NO_BREAK) & (open_time_ns >= begins), begins, starts)
        return starts
