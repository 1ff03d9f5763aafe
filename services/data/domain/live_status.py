"""Whether markets trade, by what the live source says of their instruments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from services.data.domain.quotes import Quote


class LiveMarketState(IntEnum):
    """Whether a market trades now, numbered as in the contract."""

    CLOSED = 1
    OPEN = 2
    BREAK = 3
    HALTED = 4


@dataclass(frozen=True, slots=True)
class LiveMarketStatus:
    """What a market does."""

    mic: str
    state: LiveMarketState
    is_from_source: bool
    """Else by its calendar."""
    is_stale: bool
    """The source has been silent for too long to know."""
    halted_instrument_ids: tuple[str, ...]
    """Sorted."""
    event_time_ns: int
    """Market time of the newest quote; without any the wall clock."""

    def says_as(self, other: LiveMarketStatus | None) -> bool:
        """Whether a reader of the other one learns nothing from it: time passes all the while."""
        return other is not None and (
            (self.state, self.is_from_source, self.is_stale, self.halted_instrument_ids)
            == (other.state, other.is_from_source, other.is_stale, other.halted_instrument_ids)
        )


def status_by_source(
    mic: str, quotes: Sequence[Quote], *, in_break: bool, is_stale: bool
) -> LiveMarketStatus:
    """Of a market whose instruments' quotes are given, at least one; ``in_break`` by its calendar."""
    in_session = [quote for quote in quotes if quote.is_open]
    halted = tuple(sorted(quote.instrument_id for quote in in_session if quote.is_halted))
    state = LiveMarketState.OPEN
    if not in_session:
        state = LiveMarketState.CLOSED
    elif in_break:
        state = LiveMarketState.BREAK
    elif len(halted) == len(in_session):
        state = LiveMarketState.HALTED
    newest_ns = max(quote.event_time_ns for quote in quotes)
    return LiveMarketStatus(mic, state, True, is_stale, halted, newest_ns)
