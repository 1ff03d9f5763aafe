"""What someone typed to find an instrument, and what a search found."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from services.data.domain.instrument import AssetClass, Instrument, InstrumentStatus

_LONGEST = 64
# Below, a part of a name says nothing; letters of other scripts say more than Latin ones.
_SHORTEST_PART = 3


class MatchReason(IntEnum):
    """Why an instrument was found, numbered as in the contract."""

    SYMBOL_EXACT = 1
    SYMBOL_PREFIX = 2
    SYMBOL_SIMILAR = 3
    NAME_SIMILAR = 4
    IDENTIFIER = 5
    FORMER_SYMBOL = 6
    UNDERLYING = 7


@dataclass(frozen=True, slots=True)
class Match:
    """An instrument that was found."""

    instrument: Instrument
    score: float
    """Over 0, 1 for the exact symbol."""
    reason: MatchReason


@dataclass(frozen=True, slots=True)
class InstrumentQuery:
    """What was typed, brought into one form, and what it may find."""

    text: str
    """In lower case, one space between words, no control characters, compatibility forms resolved (NFKC)."""
    mic: str = ""
    asset_class: AssetClass | None = None
    status: InstrumentStatus | None = None

    @classmethod
    def of(
        cls, typed: str, mic: str, asset_class: AssetClass | None, status: InstrumentStatus | None
    ) -> Self | None:
        """The query; None when nothing is left of what was typed."""
        # Categories of C: control and format characters, unassigned code points; PostgreSQL keeps no NUL.
        shown = (
            " " if character.isspace() else character
            for character in unicodedata.normalize("NFKC", typed)
            if character.isspace() or unicodedata.category(character)[0] != "C"
        )
        text = " ".join("".join(shown).lower().split())[:_LONGEST].rstrip()
        return cls(text, mic, asset_class, status) if text else None

    @property
    def symbol(self) -> str:
        """As a symbol would be written."""
        return self.text.upper()

    @property
    def with_neighbours_exchanged(self) -> list[str]:
        """Symbols that become this one when two neighbours change places: trigrams hardly see it."""
        symbol = self.symbol
        swapped = {
            symbol[:place] + symbol[place + 1] + symbol[place] + symbol[place + 2 :]
            for place in range(len(symbol) - 1)
        }
        return sorted(swapped - {symbol})

    @property
    def may_be_part_of_name(self) -> bool:
        """Whether to look for it within names."""
        return len(self.text) >= _SHORTEST_PART or not self.text.isascii()

    @property
    def may_be_like_name(self) -> bool:
        """Whether to look for names like it: a single letter is like too many."""
        return len(self.text) > 1
