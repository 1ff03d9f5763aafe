"""What Yahoo's symbols are listed as, by the metadata of its charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from services.data.domain.ingestion import SymbolError
from services.data.domain.instrument import AssetClass, Listing
from services.data.sources.source import SourceError
from services.runtime.currencies import MINOR_UNITS

# Yahoo's codes of exchanges: https://help.yahoo.com/kb/SLN2310.html names the exchanges and suffixes.
_MARKETS: Final = {
    "NMS": "XNAS",
    "NGM": "XNAS",
    "NCM": "XNAS",
    "NIM": "XNAS",
    "NYQ": "XNYS",
    "PCX": "ARCX",
    "ASE": "XASE",
    "BTS": "BATS",
    "SNP": "XNYS",
    "DJI": "XNYS",
    "LSE": "XLON",
    "GER": "XETR",
    "FRA": "XFRA",
    "PAR": "XPAR",
    "AMS": "XAMS",
    "BRU": "XBRU",
    "LIS": "XLIS",
    "MIL": "XMIL",
    "MCE": "XMAD",
    "EBS": "XSWX",
    "VIE": "XWBO",
    "STO": "XSTO",
    "CPH": "XCSE",
    "HEL": "XHEL",
    "OSL": "XOSL",
    "TOR": "XTSE",
    "VAN": "XTSE",
    "JPX": "XTKS",
    "HKG": "XHKG",
    "ASX": "XASX",
    "NZE": "XNZE",
    "KSC": "XKRX",
    "TAI": "XTAI",
    "SES": "XSES",
    "BSE": "XBOM",
    "NSI": "XNSE",
    "SAO": "BVMF",
    "MEX": "XMEX",
    "JNB": "XJSE",
    # Currencies and cryptocurrencies, which no exchange lists: by the hours they trade.
    "CCY": "X245",
    "CCC": "X247",
}
_CLASSES: Final = {
    "EQUITY": AssetClass.EQUITY,
    "ETF": AssetClass.ETF,
    "INDEX": AssetClass.INDEX,
    "CURRENCY": AssetClass.FX,
    "CRYPTOCURRENCY": AssetClass.CRYPTO,
}
_WHY_NOT: Final = {
    "FUTURE": "Yahoo's futures go on from contract to contract; each is held by itself: import its bars",
    "OPTION": "an option is made with its terms, and its bars are imported",
}
_CURRENCY_SUFFIX: Final = "=X"
# Currencies that Yahoo quotes in hundredths.
_HUNDREDTHS: Final = {"GBp": "GBP", "GBX": "GBP", "ZAc": "ZAR", "ILA": "ILS"}


@dataclass(frozen=True, slots=True)
class YahooListing:
    """A listing, and what Yahoo's prices are multiplied by to be in its currency."""

    listing: Listing
    price_unit: float


def yahoo_listing(symbol: str, metadata: Mapping[str, object]) -> YahooListing:
    """The listing that the metadata of a chart tells.

    Raises:
        SourceError: SYMBOL_UNSUPPORTED, an exchange or a kind of instrument that is not held here.
    """
    exchange, kind = str(metadata.get("exchangeName")), str(metadata.get("instrumentType"))
    mic, asset_class = _MARKETS.get(exchange), _CLASSES.get(kind)
    if mic is None or asset_class is None:
        why = f"; {_WHY_NOT[kind]}" if kind in _WHY_NOT else ""
        message = f"{symbol} is a {kind} at Yahoo's exchange {exchange}, which is not held here{why}"
        raise SourceError(SymbolError.SYMBOL_UNSUPPORTED, message)
    quoted = str(metadata.get("currency"))
    currency = _HUNDREDTHS.get(quoted, quoted)
    if currency not in MINOR_UNITS:
        raise SourceError(SymbolError.SYMBOL_UNSUPPORTED, f"{symbol} has no currency that is known: {quoted}")
    ticker = _pair(symbol) if asset_class is AssetClass.FX else _ticker(symbol)
    name = str(metadata.get("longName") or metadata.get("shortName") or ticker)
    listing = Listing(
        ticker,
        ticker,
        mic,
        name,
        _first_trade(symbol, metadata),
        asset_class=asset_class,
        currency=currency,
        tick_size=_tick_size(asset_class, currency),
    )
    return YahooListing(listing, 0.01 if quoted in _HUNDREDTHS else 1.0)


def _ticker(symbol: str) -> str:
    """The symbol as the exchange has it: without Yahoo's suffix for the exchange."""
    ticker, dot, suffix = symbol.rpartition(".")
    return ticker if dot and suffix.isalpha() else symbol


def _pair(symbol: str) -> str:
    """Both currencies, the one that is priced first: Yahoo's JPY=X is the yen a dollar."""
    pair = symbol.removesuffix(_CURRENCY_SUFFIX)
    return f"USD{pair}" if len(pair) == 3 else pair


def _tick_size(asset_class: AssetClass, currency: str) -> Decimal:
    """Usual steps of price: a tenth of a pip of currencies, a hundred-millionth of what is no money."""
    if asset_class is AssetClass.FX:
        return Decimal("0.001") if currency == "JPY" else Decimal("0.00001")
    return Decimal("0.00000001") if asset_class is AssetClass.CRYPTO else Decimal("0.01")


def _first_trade(symbol: str, metadata: Mapping[str, object]) -> date:
    first = metadata.get("firstTradeDate")
    if isinstance(first, (int, float)):
        return datetime.fromtimestamp(first, UTC).date()
    if isinstance(first, datetime):
        return first.date()
    raise SourceError(SymbolError.ANSWER_MALFORMED, f"Yahoo does not say when {symbol} was first traded")
