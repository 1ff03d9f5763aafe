"""The real daily bars that come with the bokeh_sampledata package: AAPL, FB, GOOG, IBM, MSFT, 2000 to 2013.

Open, high, low, close and volume are unadjusted; "Adj Close" is adjusted for the splits and dividends up to
the day it was collected, some years after the last bar.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib.resources import files

import numpy as np

from services.data.domain.bars import BarInterval, SourceBars
from services.data.domain.instrument import Listing
from services.data.domain.splits import derive_splits
from services.data.sources.sample.listings import LISTINGS
from services.data.sources.source import Chunk, FetchRequest, SourceSplit, SymbolUnknownError

_PRICES = ("Open", "High", "Low", "Close", "Volume", "Adj Close")


class SampleSource:
    """Reads the file of the installed package."""

    name = "sample"
    description = "derived: bokeh_sampledata adjusted close"
    intervals = frozenset({BarInterval.DAY})
    needs_symbols = False
    settle_s = 0.0
    price_tolerance = 0.0
    silence_s = 60.0
    requests_per_fetch = 0

    def symbols(self) -> Sequence[str]:
        """All symbols it has, sorted."""
        return sorted(self._histories)

    def fetch(self, request: FetchRequest) -> Iterator[Chunk]:
        """The whole history of a symbol, whatever part is asked for; SymbolUnknownError when it has none."""
        found = self._histories.get(request.symbol)
        if found is None:
            raise SymbolUnknownError(f"the sample holds {', '.join(self.symbols())}, not {request.symbol}")
        yield found

    @cached_property
    def _histories(self) -> Mapping[str, Chunk]:
        rows: dict[str, list[dict[str, str]]] = defaultdict(list)
        file = files("bokeh_sampledata") / "_data" / "stocks.csv.gz"
        for row in csv.DictReader(gzip.decompress(file.read_bytes()).decode().splitlines()):
            rows[row["Ticker"]].append(row)
        return {symbol: _history(LISTINGS[symbol], rows[symbol]) for symbol in rows}


def _history(listing: Listing, rows: Sequence[Mapping[str, str]]) -> Chunk:
    days = np.array([row["Date"] for row in rows], dtype="datetime64[D]")
    prices = (np.array([float(row[name]) for row in rows]) for name in _PRICES)
    bars = SourceBars(days.astype("datetime64[ns]").astype(np.int64), *prices)
    splits = [SourceSplit(split.ex_date, split.new_shares, split.old_shares) for split in derive_splits(bars)]
    return Chunk(
        listing, days, bars.open, bars.high, bars.low, bars.close, bars.volume, bars.adjusted_close, splits
    )
