"""Yahoo Finance as a source: one symbol after the other by yfinance's ``Ticker``."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.data.domain.bars import BarInterval
from services.data.domain.facts import FactPeriod
from services.data.domain.ingestion import SymbolError
from services.data.domain.instrument import AssetClass
from services.data.sources.source import Allowance, Chunk, FactRequest, FetchRequest, SourceError, SourceFacts

if TYPE_CHECKING:
    from services.data.sources.yahoo.session import YahooSession

_NANOS: Final = 10**9
_NAMES: Final = {
    BarInterval.MINUTE: "1m",
    BarInterval.FIVE_MINUTES: "5m",
    BarInterval.FIFTEEN_MINUTES: "15m",
    BarInterval.THIRTY_MINUTES: "30m",
    BarInterval.HOUR: "1h",
    BarInterval.DAY: "1d",
    BarInterval.WEEK: "1wk",
    BarInterval.MONTH: "1mo",
}
# How far back Yahoo has bars, a day less to be on the safe side, and how many days it gives at once.
_REACH: Final = {
    BarInterval.MINUTE: (29, 7),
    BarInterval.FIVE_MINUTES: (59, 59),
    BarInterval.FIFTEEN_MINUTES: (59, 59),
    BarInterval.THIRTY_MINUTES: (59, 59),
    BarInterval.HOUR: (729, 729),
}

_STATEMENTS: Final = (FactPeriod.YEAR, FactPeriod.QUARTER)
# Bars are asked for to learn what is listed.
_LATELY: Final = timedelta(days=14)


class YahooSettings(BaseSettings):
    """Read from the environment, prefix BIFROST_YAHOO_."""

    model_config = SettingsConfigDict(env_prefix="BIFROST_YAHOO_", extra="ignore", frozen=True)

    timeout_s: float = Field(default=15.0, gt=0)
    """Of one request."""
    cache_dir: Path = Path.home() / ".bifrost" / "yahoo"
    """Where yfinance keeps time zones and cookies."""


class YahooSource:
    """Fetches with yfinance, which is loaded when it is first used: it brings pandas."""

    name = "yahoo"
    description = "Yahoo Finance"
    intervals = frozenset(_NAMES)
    needs_symbols = True
    # Quotes of some exchanges are 20 minutes late, and so is what their last bars are made of.
    settle_s = 30 * 60.0
    # A price brought back over a split is rounded again.
    price_tolerance = 2e-6
    silence_s = 120.0
    # Cookie, crumb, time zone, days, five weeks of minutes or six requests for facts, and what a 401 and
    # empty statements make yfinance ask.
    requests_per_fetch = 24

    def __init__(self, settings: YahooSettings | None = None) -> None:
        self._settings = settings or YahooSettings()
        self._session: YahooSession | None = None
        self._making = threading.Lock()

    def symbols(self) -> Sequence[str]:
        """None: Yahoo cannot list them."""
        return ()

    def fetch(self, request: FetchRequest) -> Iterator[Chunk]:
        """All bars asked for in one chunk: Yahoo has no more of a symbol than fits.

        Raises:
            SourceError: typed by what Yahoo answered.
        """
        from services.data.sources.yahoo.answers import history  # noqa: PLC0415  brings pandas
        from services.data.sources.yahoo.bars import chunk_of, dividends_of, splits_of  # noqa: PLC0415
        from services.data.sources.yahoo.listings import yahoo_listing  # noqa: PLC0415

        ticker = self._ticker(request.symbol, request.allowance)
        windows = _windows(request)
        since = windows[0][0]
        daily = history(ticker, "1d", since, None)
        if daily is None:
            raise SourceError(SymbolError.ANSWER_EMPTY, f"Yahoo has no bars of {request.symbol}")
        listing = yahoo_listing(request.symbol, ticker.get_history_metadata())
        if listing.listing.asset_class is AssetClass.FX and request.interval in _REACH:
            message = f"of {request.symbol} only days, weeks and months are held: Yahoo's begin in London"
            raise SourceError(SymbolError.SYMBOL_UNSUPPORTED, message)
        splits = splits_of(daily)
        dividends = dividends_of(daily, splits, listing.price_unit)
        if request.interval is BarInterval.DAY:
            yield chunk_of(daily, request.interval, listing, splits, dividends)
            return
        tables = [
            table
            for start, end in windows
            if (table := history(ticker, _NAMES[request.interval], start, end)) is not None
        ]
        if not tables:
            message = f"Yahoo has no bars of {request.symbol} of {request.interval.name} in that time"
            raise SourceError(SymbolError.ANSWER_EMPTY, message)
        import pandas as pd  # noqa: PLC0415

        table = pd.concat(tables)
        table = table[~table.index.duplicated(keep="last")]
        yield chunk_of(table, request.interval, listing, splits, dividends)

    def fetch_facts(self, request: FactRequest) -> SourceFacts:
        """Profile, valuation, governance risk and dividend facts; of equities also earnings and income.

        Raises:
            SourceError: typed by what Yahoo answered.
        """
        from services.data.sources.yahoo import answers  # noqa: PLC0415  brings pandas
        from services.data.sources.yahoo import facts as said  # noqa: PLC0415
        from services.data.sources.yahoo.listings import yahoo_listing  # noqa: PLC0415

        ticker = self._ticker(request.symbol, request.allowance)
        now = datetime.fromtimestamp(request.clock.now_ns() // _NANOS, UTC)
        if answers.history(ticker, "1d", now - _LATELY, None) is None:
            raise SourceError(SymbolError.ANSWER_EMPTY, f"{request.symbol} was not traded lately")
        metadata = ticker.get_history_metadata()
        listing = yahoo_listing(request.symbol, metadata).listing
        answers.forget()
        info = answers.info(ticker)
        is_equity = listing.asset_class is AssetClass.EQUITY
        earnings = answers.earnings(ticker) if is_equity else {}
        income = {period: answers.income(ticker, period) for period in _STATEMENTS if is_equity}
        fetch_time_ns = request.clock.now_ns()
        facts = said.facts_of_info(info, fetch_time_ns=fetch_time_ns)
        statements, prices = said.statement_currency(info), said.price_currency(info)
        facts += said.facts_of_earnings(
            earnings,
            zone=ZoneInfo(str(metadata["exchangeTimezoneName"])),
            # Yahoo does not say which of two currencies these are in.
            currency=prices if prices == statements else "",
            fetch_time_ns=fetch_time_ns,
        )
        for period, columns in income.items():
            facts += said.facts_of_income(columns, period, currency=statements, fetch_time_ns=fetch_time_ns)
        if not facts:
            raise SourceError(SymbolError.ANSWER_EMPTY, f"Yahoo says nothing of {request.symbol}")
        return SourceFacts(listing, facts, fetch_time_ns)

    # Any: yfinance has no types.
    def _ticker(self, symbol: str, allowance: Allowance) -> Any:
        import yfinance  # noqa: PLC0415

        session = self._shared_session()
        session.begin(allowance)
        return yfinance.Ticker(symbol, session=session)

    def _shared_session(self) -> YahooSession:
        with self._making:
            if self._session is None:
                import yfinance  # noqa: PLC0415

                from services.data.sources.yahoo.session import YahooSession  # noqa: PLC0415

                # Else 503, 401, HTML and time-outs all look like a symbol without bars.
                yfinance.config.debug.hide_exceptions = False
                yfinance.config.network.retries = 0
                self._settings.cache_dir.mkdir(parents=True, exist_ok=True)
                yfinance.set_tz_cache_location(str(self._settings.cache_dir))
                self._session = YahooSession(timeout_s=self._settings.timeout_s)
            return self._session


def _windows(request: FetchRequest) -> list[tuple[datetime | None, datetime | None]]:
    """The stretches to ask for one by one, up to now: splits that came later are needed too."""
    now = datetime.fromtimestamp(request.now_ns // _NANOS, UTC)
    since = None if request.since_ns is None else datetime.fromtimestamp(request.since_ns // _NANOS, UTC)
    reach = _REACH.get(request.interval)
    if reach is None:
        return [(since, None)]
    days, at_once = reach
    earliest = now - timedelta(days=days)
    if request.until_ns is not None and request.until_ns < int(earliest.timestamp()) * _NANOS:
        message = f"Yahoo has bars of {request.interval.name} of the last {days} days"
        raise SourceError(SymbolError.RANGE_UNAVAILABLE, message)
    start = earliest if since is None else max(since, earliest)
    found: list[tuple[datetime | None, datetime | None]] = []
    while start < now:
        end = start + timedelta(days=at_once)
        found.append((start, end if end < now else None))
        start = end
    return found
