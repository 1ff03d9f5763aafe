"""Which symbols an instrument had, and when: a symbol ends on the day the next begins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class SymbolPeriod:
    """A symbol at a market from a day on, up to the day before ``to_date``."""

    symbol: str
    mic: str
    from_date: date
    to_date: date | None = None
    """None: to this day."""

    def holds_on(self, day: date) -> bool:
        """Whether the symbol was in force on the day."""
        return self.from_date <= day and (self.to_date is None or day < self.to_date)

    def overlaps(self, other: SymbolPeriod) -> bool:
        """Whether both name something on one day; one without days overlaps nothing."""
        if self.is_empty or other.is_empty:
            return False
        starts_in_time = self.to_date is None or other.from_date < self.to_date
        return starts_in_time and (other.to_date is None or self.from_date < other.to_date)

    @property
    def is_empty(self) -> bool:
        """It holds on no day."""
        return self.to_date is not None and self.to_date <= self.from_date


def history_problem(periods: Sequence[SymbolPeriod], *, listing_date: date) -> str:
    """What is wrong with an instrument's periods, oldest first; empty when nothing is."""
    if periods[0].from_date != listing_date:
        return f"the first symbol begins on the listing date, {listing_date}, not {periods[0].from_date}"
    for earlier, later in pairwise(periods):
        if earlier.to_date is None:
            return f"{earlier.symbol} has no last day, but {later.symbol} follows"
        if earlier.is_empty:
            return f"{earlier.symbol} ends on {earlier.to_date}, not after it began on {earlier.from_date}"
        if later.from_date < earlier.to_date:
            return f"{earlier.symbol} and {later.symbol} overlap from {later.from_date} to {earlier.to_date}"
        if later.from_date > earlier.to_date:
            return f"there is no symbol from {earlier.to_date} to {later.from_date}"
        if (earlier.symbol, earlier.mic) == (later.symbol, later.mic):
            return f"{later.symbol} at {later.mic} follows itself"
    last = periods[-1]
    if last.is_empty:
        return f"{last.symbol} ends on {last.to_date}, not after it began on {last.from_date}"
    return ""


def conflicting(periods: Iterable[SymbolPeriod], held: Iterable[SymbolPeriod]) -> SymbolPeriod | None:
    """A period another holds the symbol in at the same market; None when there is none."""
    theirs = list(held)
    for one in periods:
        for other in theirs:
            if (one.symbol, one.mic) == (other.symbol, other.mic) and one.overlaps(other):
                return other
    return None
