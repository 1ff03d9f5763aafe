"""From yfinance's table to bars as they were traded.

Yahoo's prices, volumes and dividends are in the terms after all splits up to today, also with
``auto_adjust=False``. They are brought back by Yahoo's own splits, so that what is stored stays true when the
next one comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from services.data.domain.bars import BarInterval, Doubles
from services.data.sources.source import Chunk, SourceDividend, SourceSplit
from services.data.sources.yahoo.listings import YahooListing

if TYPE_CHECKING:
    from pandas import DataFrame

_PRICES = ("Open", "High", "Low", "Close")
_LARGEST_TERM = 1000
_LONG = (BarInterval.DAY, BarInterval.WEEK, BarInterval.MONTH)
# Yahoo's prices are single floats: seven digits of them are true.
_DIGITS = 7


def splits_of(daily: DataFrame) -> list[SourceSplit]:
    """The splits in a table of days, oldest first."""
    column = daily["Stock Splits"]
    found = []
    for time, ratio in column[column != 0].items():
        terms = Fraction(float(ratio)).limit_denominator(_LARGEST_TERM)
        found.append(SourceSplit(time.date(), terms.numerator, terms.denominator))
    return found


def dividends_of(daily: DataFrame, splits: Sequence[SourceSplit], unit: float) -> list[SourceDividend]:
    """The dividends in a table of days, a share of their day, oldest first."""
    column = daily["Dividends"]
    column = column[column != 0]
    days = _dates(column.to_frame())
    amounts = column.to_numpy(dtype=float) * shares_since(days, splits) * unit
    rounded = _significant(amounts).tolist()
    return [
        SourceDividend(day.item(), Decimal(repr(amount))) for day, amount in zip(days, rounded, strict=True)
    ]


def chunk_of(
    table: DataFrame,
    interval: BarInterval,
    listing: YahooListing,
    splits: Sequence[SourceSplit],
    dividends: Sequence[SourceDividend],
) -> Chunk:
    """The bars of a table; rows without any price, where nothing was traded, are left out."""
    table = table[table[list(_PRICES)].notna().any(axis=1)]
    dates = _dates(table)
    factor = shares_since(dates, splits)
    scale = factor * listing.price_unit
    open_, high, low, close = (_significant(table[name].to_numpy(dtype=float) * scale) for name in _PRICES)
    volume = np.round(table["Volume"].to_numpy(dtype=float) / factor)
    times = dates if interval in _LONG else _times(table)
    # Its adjusted close is not kept, for it changes with every dividend to come: what adjusts are the facts.
    return Chunk(listing.listing, times, open_, high, low, close, volume, close.copy(), splits, dividends)


def shares_since(dates: NDArray[np.datetime64], splits: Sequence[SourceSplit]) -> Doubles:
    """For each day, today's shares per share then."""
    factor = np.ones(len(dates))
    for split in splits:
        factor[dates < np.datetime64(split.ex_date, "D")] *= split.new_shares / split.old_shares
    return factor


def _dates(table: DataFrame) -> NDArray[np.datetime64]:
    """The local days of the rows."""
    return np.array([time.date() for time in table.index], dtype="datetime64[D]")


def _times(table: DataFrame) -> NDArray[np.datetime64]:
    utc = table.index.tz_convert("UTC").tz_localize(None)
    times: NDArray[np.datetime64] = utc.to_numpy().astype("datetime64[ns]")
    return times


def _significant(values: Doubles) -> Doubles:
    """Rounded to as many digits as Yahoo's numbers have; NaN stays."""
    with np.errstate(divide="ignore", invalid="ignore"):
        places = _DIGITS - 1 - np.floor(np.log10(np.abs(values)))
    places = np.where(np.isfinite(places), places, 0)
    scale = 10.0**places
    return np.round(values * scale) / scale
