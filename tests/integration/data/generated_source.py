"""Minute bars made up by a rule, as many as one likes: a source of an installed package, for tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from services.data.calendars.source import build_session_table
from services.data.domain.bars import BarInterval
from services.data.domain.instrument import Listing
from services.data.sources.source import Chunk, FetchRequest

SYMBOLS = ("GENA", "GENB", "GENC", "GEND")
ROWS = 2_500_000
"""Of each symbol."""
_CHUNK = 250_000
_MINUTES = 390
_MINUTE_NS = 60 * 10**9


class GeneratedSource:
    name = "generated"
    description = "made up"
    intervals = frozenset({BarInterval.MINUTE})
    needs_symbols = False
    settle_s = 0.0
    price_tolerance = 0.0
    silence_s = 60.0
    requests_per_fetch = 0

    def symbols(self) -> Sequence[str]:
        return SYMBOLS

    def fetch(self, request: FetchRequest) -> Iterator[Chunk]:
        times = minute_opens()
        first = 0 if request.since_ns is None else int(np.searchsorted(times, request.since_ns))
        for start in range(first, ROWS, _CHUNK):
            yield chunk_of(request.symbol, times, start, min(start + _CHUNK, ROWS))


def minute_opens() -> NDArray[np.int64]:
    """When the minutes of the last sessions before 2026 open, nanoseconds since the epoch, UTC."""
    table = build_session_table("XNYS", 2025)
    opens = table.open_ns[-(ROWS // _MINUTES + 1) :]
    return (opens[:, None] + np.arange(_MINUTES) * _MINUTE_NS).ravel()[-ROWS:]


def chunk_of(symbol: str, times: NDArray[np.int64], start: int, end: int) -> Chunk:
    """The bars from ``start`` to before ``end``: each value follows from symbol and place alone."""
    place = np.arange(start, end, dtype=np.float64)
    close = 100 + 20 * np.sin(place / 5000 + SYMBOLS.index(symbol)) + np.cos(place * 7) / 50
    open_ = close + np.sin(place * 3) / 100
    high = np.maximum(open_, close) + 0.01
    low = np.minimum(open_, close) - 0.01
    volume = 1000 + place % 977
    listing = Listing(symbol, symbol, "XNYS", symbol, date(1990, 1, 2))
    time = times[start:end].astype("datetime64[ns]")
    return Chunk(listing, time, open_, high, low, close, volume, close)
