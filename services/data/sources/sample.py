"""The real daily bars that come with the bokeh_sampledata package: AAPL, FB, GOOG, IBM, MSFT, 2000 to 2013.

Open, high, low, close and volume are unadjusted; "Adj Close" is adjusted for the splits and dividends up to
the day it was collected, some years after the last bar.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from importlib.resources import files

import numpy as np

from services.data.domain.instrument import Listing
from services.data.sources.source import DailyHistory, SymbolUnknownError

# Listing dates are facts of the exchanges, not of the file; ids are derived from them.
_LISTINGS = {
    listing.symbol: listing
    for listing in (
        Listing("AAPL", "AAPL", "XNAS", "Apple Inc.", date(1980, 12, 12)),
        Listing("FB", "FB", "XNAS", "Facebook, Inc. Class A", date(2012, 5, 18)),
        Listing("GOOG", "GOOG", "XNAS", "Google Inc. Class A", date(2004, 8, 19)),
        Listing("IBM", "IBM", "XNYS", "International Business Machines Corporation", date(1915, 11, 11)),
        Listing("MSFT", "MSFT", "XNAS", "Microsoft Corporation", date(1986, 3, 13)),
    )
}
_PRICES = ("Open", "High", "Low", "Close", "Volume", "Adj Close")


class SampleSource:
    """Reads the file of the installed package; nothing is downloaded."""

    name = "sample"
    description = "bokeh_sampledata adjusted close"

    def symbols(self) -> Sequence[str]:
        """All symbols it has, sorted."""
        return sorted(self._histories)

    def read(self, symbol: str) -> DailyHistory:
        """The whole history of one symbol, oldest first; SymbolUnknownError when it has none."""
        try:
            return self._histories[symbol]
        except KeyError:
            raise SymbolUnknownError(f"the sample holds {', '.join(self.symbols())}, not {symbol}") from None

    @cached_property
    def _histories(self) -> Mapping[str, DailyHistory]:
        rows: dict[str, list[dict[str, str]]] = defaultdict(list)
        file = files("bokeh_sampledata") / "_data" / "stocks.csv.gz"
        for row in csv.DictReader(gzip.decompress(file.read_bytes()).decode().splitlines()):
            rows[row["Ticker"]].append(row)
        return {symbol: _history(_LISTINGS[symbol], rows[symbol]) for symbol in rows}


def _history(listing: Listing, rows: Sequence[Mapping[str, str]]) -> DailyHistory:
    dates = np.array([row["Date"] for row in rows], dtype="datetime64[D]")
    columns = (np.array([float(row[name]) for row in rows]) for name in _PRICES)
    return DailyHistory(listing, dates, *columns)
