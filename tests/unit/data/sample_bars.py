"""The sample's real daily bars, each at the open of its session, for tests that plant faults in them."""

from __future__ import annotations

import csv
import gzip
from functools import cache
from importlib.resources import files

import numpy as np

from services.data.calendars.source import build_session_table
from services.data.domain.bars import SourceBars
from services.data.domain.quality import session_of_dates
from services.data.domain.trading_calendar import MarketCalendar

SYMBOLS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
COLUMNS = ("Open", "High", "Low", "Close", "Volume", "Adj Close")


@cache
def new_york() -> MarketCalendar:
    return MarketCalendar(build_session_table("XNYS", 2027), "America/New_York")


@cache
def _rows() -> list[dict[str, str]]:
    file = files("bokeh_sampledata") / "_data" / "stocks.csv.gz"
    return list(csv.DictReader(gzip.decompress(file.read_bytes()).decode().splitlines()))


def sample_bars(symbol: str) -> SourceBars:
    """Bars of one's own: they may be changed."""
    return SourceBars(*(column.copy() for column in _columns(symbol)))


@cache
def _columns(symbol: str) -> tuple[np.ndarray, ...]:
    rows = [row for row in _rows() if row["Ticker"] == symbol]
    dates = np.array([row["Date"] for row in rows], dtype="datetime64[D]")
    opens, is_session = session_of_dates(new_york().sessions, dates, np.zeros(len(rows), dtype=np.int64))
    assert is_session.all()
    return opens, *(np.array([float(row[name]) for row in rows]) for name in COLUMNS)
