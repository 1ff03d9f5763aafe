"""A source whose histories a test writes, and which it may hold back."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np

from services.data.domain.instrument import Listing
from services.data.sources.source import DailyHistory, SymbolUnknownError

PRICE_COLUMNS = ("open", "high", "low", "close", "volume", "adjusted_close")
Row = tuple[str, float, float, float, float, float, float]


def history(symbol: str, rows: Sequence[Row]) -> DailyHistory:
    """Rows of (date, open, high, low, close, volume, adjusted close)."""
    days, *columns = zip(*rows, strict=True)
    return DailyHistory(
        Listing(symbol, symbol, "XNYS", f"{symbol} Corporation", date(1999, 1, 4)),
        np.array(days, dtype="datetime64[D]"),
        *(np.array(column, dtype=float) for column in columns),
    )


class ScriptedSource:
    description = "a test's rows"

    def __init__(self, name: str, histories: Mapping[str, DailyHistory | Exception]) -> None:
        self.name = name
        self.histories = dict(histories)
        self.reading = threading.Event()
        """Set when a symbol is asked for."""
        self.go_on = threading.Event()
        """Reading waits for it."""
        self.go_on.set()

    def symbols(self) -> Sequence[str]:
        return sorted(self.histories)

    def read(self, symbol: str) -> DailyHistory:
        self.reading.set()
        if not self.go_on.wait(timeout=10):
            raise TimeoutError("the test never let the source go on")
        found = self.histories.get(symbol)
        if found is None:
            raise SymbolUnknownError(f"no {symbol} here")
        if isinstance(found, Exception):
            raise found
        return found
