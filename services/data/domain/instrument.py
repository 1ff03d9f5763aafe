"""Instruments: what a listing is, its derived id, and finding one by id or symbol."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import IntEnum

# Fixed for ever: with it every installation derives the same ids.
_NAMESPACE = uuid.UUID("9f6d1c3e-5b0a-5c0e-9a53-2c9d0f6b7a41")


class AssetClass(IntEnum):
    """Kind of instrument, numbered as in the contract."""

    EQUITY = 1
    ETF = 2
    INDEX = 3


class InstrumentStatus(IntEnum):
    """Whether it may be traded, numbered as in the contract."""

    ACTIVE = 1
    HALTED = 2
    DELISTED = 3


@dataclass(frozen=True, slots=True)
class Listing:
    """The facts of a listing as a source states them."""

    symbol: str
    """Present ticker."""
    first_symbol: str
    """Ticker on the listing date: part of the identity, as tickers change."""
    mic: str
    """ISO 10383 code of the listing market."""
    name: str
    listing_date: date
    asset_class: AssetClass = AssetClass.EQUITY
    currency: str = "USD"
    tick_size: Decimal = Decimal("0.01")
    lot_size: Decimal = Decimal(1)

    @property
    def instrument_id(self) -> str:
        """UUIDv5 of market, first symbol and listing date: the same on every installation."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.mic}:{self.first_symbol}:{self.listing_date.isoformat()}"))


@dataclass(frozen=True, slots=True)
class Instrument:
    """An instrument as held."""

    instrument_no: int
    """Short key of this installation; never leaves the service."""
    instrument_id: str
    symbol: str
    mic: str
    name: str
    asset_class: AssetClass
    currency: str
    tick_size: Decimal
    lot_size: Decimal
    status: InstrumentStatus
    listing_date: date
    delisting_date: date | None


class InstrumentIndex:
    """All instruments held, found by id, or by symbol and market."""

    def __init__(self, instruments: Iterable[Instrument] = ()) -> None:
        self._by_id = {one.instrument_id: one for one in instruments}
        self._by_symbol: dict[str, list[Instrument]] = defaultdict(list)
        for one in self._by_id.values():
            self._by_symbol[one.symbol].append(one)

    def by_id(self, instrument_id: str) -> Instrument | None:
        """The instrument of this id (UUID text in any case)."""
        return self._by_id.get(instrument_id) or self._by_id.get(instrument_id.lower())

    def by_symbol(self, symbol: str, mic: str = "") -> list[Instrument]:
        """Every listing of the symbol at the market, at any when ``mic`` is empty; sorted by market."""
        found = [one for one in self._by_symbol.get(symbol, ()) if mic in {"", one.mic}]
        return sorted(found, key=lambda one: one.mic)
