"""What a source of history offers, and those installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.data.domain.bars import Doubles
from services.data.domain.instrument import Listing


class SymbolUnknownError(LookupError):
    """The source has no such symbol."""


@dataclass(frozen=True, slots=True)
class DailyHistory:
    """Daily bars of one listing as the source has them: columns of equal length, prices unadjusted."""

    listing: Listing
    session_date: NDArray[np.datetime64]
    """Local trading days, datetime64[D]."""
    open: Doubles
    high: Doubles
    low: Doubles
    close: Doubles
    volume: Doubles
    adjusted_close: Doubles


class Source(Protocol):
    """A source of daily history. Its methods may read files and take long: call them in a thread."""

    name: str
    """As in CreateIngestion, e.g. "sample"."""
    description: str
    """For people, e.g. on derived splits."""

    def symbols(self) -> Sequence[str]:
        """All symbols it has, sorted."""
        ...

    def read(self, symbol: str) -> DailyHistory:
        """The whole history of one symbol; SymbolUnknownError when it has none."""
        ...


Sources = Mapping[str, Source]
