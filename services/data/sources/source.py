"""What a source of history and facts offers, and how it says that it failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from services.data.domain.bars import BarInterval, Doubles
from services.data.domain.facts import Fact
from services.data.domain.ingestion import SymbolError
from services.data.domain.instrument import Listing
from services.runtime.clock import Clock


class SourceError(Exception):
    """The source cannot give what was asked; says why, and when to ask again if it knows."""

    def __init__(self, error: SymbolError, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.error = error
        self.retry_after_s = retry_after_s


class SymbolUnknownError(SourceError):
    """The source has no such symbol."""

    def __init__(self, message: str) -> None:
        super().__init__(SymbolError.SYMBOL_UNKNOWN, message)


class Allowance(Protocol):
    """What a fetch may still ask of its source's servers."""

    def take(self) -> None:
        """Wait until one more request may be made; call it before each.

        Raises:
            SourceError: BUDGET_EXHAUSTED, or the fetch was given up.
        """
        ...


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """What is asked of a source; times in nanoseconds since the epoch, UTC."""

    symbol: str
    interval: BarInterval
    since_ns: int | None
    """Bars from about here on: a source may give earlier ones too. None: all it has."""
    until_ns: int | None
    """Bars that open before it; a source may give later ones too. None: up to now."""
    now_ns: int
    allowance: Allowance


@dataclass(frozen=True, slots=True)
class SourceSplit:
    """``new_shares`` for ``old_shares`` from the session of ``ex_date`` on."""

    ex_date: date
    new_shares: int
    old_shares: int


@dataclass(frozen=True, slots=True)
class SourceDividend:
    """Cash a share of that day, in the listing's currency."""

    ex_date: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some bars of one listing: columns of equal length n, prices and volume as they were traded that day."""

    listing: Listing
    time: NDArray[np.datetime64]
    """Local trading days (datetime64[D]) of bars of a day or longer, else opens (datetime64[ns], UTC)."""
    open: Doubles
    high: Doubles
    low: Doubles
    close: Doubles
    volume: Doubles
    adjusted_close: Doubles
    """As the source has it; the close where it has none."""
    splits: Sequence[SourceSplit] = ()
    dividends: Sequence[SourceDividend] = ()


class Source(Protocol):
    """A source of history, made without arguments by its entry point in the group `GROUP`.

    Its methods may read files or the network and take long: each fetch has a thread of its own. Other errors
    than SourceError, OSError and ValueError are taken for defects.
    """

    name: str
    """As in CreateIngestion, e.g. "sample"."""
    description: str
    """For people, e.g. beside splits it knew of."""
    intervals: frozenset[BarInterval]
    """What it can be asked for."""
    needs_symbols: bool
    """It cannot say which symbols it has."""
    settle_s: float
    """How long after its end a bar may still be incomplete."""
    price_tolerance: float
    """Relative; prices that differ by less are the same price, written another way."""
    silence_s: float
    """A fetch that gives no chunk for so long is given up."""
    requests_per_fetch: int
    """Requests that one fetch makes at most, retries by itself included; 0 when it asks no server."""

    def symbols(self) -> Sequence[str]:
        """All symbols it has, sorted; empty when it ``needs_symbols``."""
        ...

    def fetch(self, request: FetchRequest) -> Iterator[Chunk]:
        """The bars, chunk after chunk, oldest first; within a chunk in any order.

        Raises:
            SourceError: it cannot; what came before stays.
        """
        ...


@dataclass(frozen=True, slots=True)
class FactRequest:
    """Whose facts are asked of a source."""

    symbol: str
    clock: Clock
    """Tells when the source answered: a fact without a time of its own was published then."""
    allowance: Allowance


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """All that a source says of a listing now."""

    listing: Listing
    facts: Sequence[Fact]
    """Of one key and publish time at most one."""
    fetch_time_ns: int
    """When the last of it was answered."""


@runtime_checkable
class FactSource(Source, Protocol):
    """A source that has facts too."""

    def fetch_facts(self, request: FactRequest) -> SourceFacts:
        """What it says of a symbol now, all or nothing; at most ``requests_per_fetch`` requests.

        Raises:
            SourceError: it cannot.
        """
        ...


Sources = Mapping[str, Source]
