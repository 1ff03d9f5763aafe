"""A source whose histories a test writes, and which it may hold back."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import numpy as np

from services.data.domain.bars import BarInterval
from services.data.domain.instrument import Listing
from services.data.sources.source import Chunk, FetchRequest, SymbolUnknownError

Row = tuple[str, float, float, float, float, float, float]
History = Chunk | Sequence[Chunk | Exception] | Exception


def history(symbol: str, rows: Sequence[Row], *, listed: date = date(1999, 1, 4), mic: str = "XNYS") -> Chunk:
    """Rows of (date, open, high, low, close, volume, adjusted close)."""
    days, *columns = zip(*rows, strict=True)
    open_, high, low, close, volume, adjusted = (np.array(column, dtype=float) for column in columns)
    listing = Listing(symbol, symbol, mic, f"{symbol} Corporation", listed)
    time = np.array(days, dtype="datetime64[D]")
    return Chunk(listing, time, open_, high, low, close, volume, adjusted)


class ScriptedSource:
    description = "a test's rows"
    intervals = frozenset(BarInterval)
    needs_symbols = False
    settle_s = 0.0
    price_tolerance = 0.0
    silence_s = 10.0
    requests_per_fetch = 0

    def __init__(self, name: str, histories: Mapping[str, History]) -> None:
        self.name = name
        self.histories: dict[str, History] = dict(histories)
        self.requests: list[FetchRequest] = []
        self.reading = threading.Event()
        """Set when a symbol is asked for."""
        self.go_on = threading.Event()
        """Reading waits for it."""
        self.go_on.set()

    def symbols(self) -> Sequence[str]:
        return sorted(self.histories)

    def fetch(self, request: FetchRequest) -> Iterator[Chunk]:
        self.requests.append(request)
        self.reading.set()
        if not self.go_on.wait(timeout=60):
            raise TimeoutError("the test never let the source go on")
        found = self.histories.get(request.symbol)
        if found is None:
            raise SymbolUnknownError(f"no {request.symbol} here")
        if isinstance(found, Exception):
            raise found
        for chunk in [found] if isinstance(found, Chunk) else found:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk
