"""What yfinance is asked, its errors typed: plain objects, and tables of bars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime

# Any: yfinance has no types.
from typing import Any

from pandas import DataFrame
from yfinance.data import YfData
from yfinance.exceptions import (
    YFDataException,
    YFException,
    YFPricesMissingError,
    YFRateLimitError,
    YFTzMissingError,
)

from services.data.domain.facts import FactPeriod
from services.data.domain.ingestion import SymbolError
from services.data.sources.source import SourceError

_FREQUENCIES = {FactPeriod.YEAR: "yearly", FactPeriod.QUARTER: "quarterly"}


def forget() -> None:
    """Let yfinance ask anew: it keeps some answers as long as the process lives."""
    YfData.cache_get.cache_clear()


def history(ticker: Any, interval: str, start: datetime | None, end: datetime | None) -> DataFrame | None:
    """A table of bars; None when Yahoo has none in that time."""
    span = {"period": "max"} if start is None else {"start": start, "end": end}
    with _typed():
        try:
            table: DataFrame = ticker.history(interval=interval, auto_adjust=False, actions=True, **span)
        except YFPricesMissingError:
            return None
    return table if len(table) else None


def info(ticker: Any) -> Mapping[str, object]:
    """Yahoo's summary by its own names."""
    with _typed():
        found: Mapping[str, object] = ticker.get_info()
    return found


def earnings(ticker: Any) -> Mapping[datetime, Mapping[str, object]]:
    """Rows of the earnings calendar by time of the report; empty when Yahoo has none."""
    with _typed():
        table = ticker.get_earnings_dates(limit=25)
        if table is None:
            return {}
        return {moment.to_pydatetime(): row.to_dict() for moment, row in table.iterrows()}


def income(ticker: Any, period: FactPeriod) -> Mapping[date, Mapping[str, object]]:
    """Items of income statements by end of their period; empty when Yahoo has none."""
    with _typed():
        try:
            table = ticker.get_income_stmt(freq=_FREQUENCIES[period])
        except (YFDataException, YFRateLimitError):
            raise
        except YFException:  # "Empty fundamentals-timeseries result"; what is no answer the session refused
            return {}
        return {column.date(): table[column].to_dict() for column in table.columns}


@contextmanager
def _typed() -> Iterator[None]:
    try:
        yield
    except YFTzMissingError as error:
        raise SourceError(SymbolError.SYMBOL_UNKNOWN, str(error)) from error
    except YFRateLimitError as error:
        raise SourceError(SymbolError.RATE_LIMITED, str(error)) from error
    except YFDataException as error:
        raise SourceError(SymbolError.SOURCE_UNAVAILABLE, str(error)) from error
    except (YFException, KeyError, TypeError, IndexError, AttributeError) as error:
        message = f"Yahoo's answer is not what yfinance knows: {type(error).__name__} {error}"
        raise SourceError(SymbolError.ANSWER_MALFORMED, message) from error
