"""Instruments: what a listing is, and its derived id."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import IntEnum

from services.data.domain.contract_terms import ContractTerms
from services.data.domain.symbol_history import SymbolPeriod
from services.data.domain.tick_table import TickBand

# Fixed for ever: with it every installation derives the same ids.
_NAMESPACE = uuid.UUID("9f6d1c3e-5b0a-5c0e-9a53-2c9d0f6b7a41")


class AssetClass(IntEnum):
    """Kind of instrument, numbered as in the contract."""

    EQUITY = 1
    ETF = 2
    INDEX = 3
    FX = 4
    CRYPTO = 5
    FUTURE = 6
    OPTION = 7


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
    """Of the first band where steps depend on the price."""
    lot_size: Decimal = Decimal(1)
    tick_bands: tuple[TickBand, ...] = ()
    """Empty when the tick is the same at every price."""
    status: InstrumentStatus = InstrumentStatus.ACTIVE
    delisting_date: date | None = None
    """Last day."""
    isin: str = ""
    figi: str = ""
    contract: ContractTerms | None = None
    """Of an option or a future."""
    former_symbols: tuple[SymbolPeriod, ...] = ()
    """Oldest first."""

    @property
    def instrument_id(self) -> str:
        """UUIDv5 of first market, first symbol and listing date: the same on every installation."""
        mic = self.former_symbols[0].mic if self.former_symbols else self.mic
        return str(uuid.uuid5(_NAMESPACE, f"{mic}:{self.first_symbol}:{self.listing_date.isoformat()}"))

    @property
    def is_listed(self) -> bool:
        """It has not left the market."""
        return self.status is not InstrumentStatus.DELISTED

    @property
    def symbol_periods(self) -> list[SymbolPeriod]:
        """All symbols, oldest first, the present one last."""
        return periods_of(self.symbol, self.mic, self.listing_date, self.delisting_date, self.former_symbols)


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
    isin: str
    figi: str
    tick_bands: tuple[TickBand, ...]
    """Empty when the tick is the same at every price."""
    contract: ContractTerms | None
    """Of an option or a future."""
    version: int
    """Counts changes."""

    @property
    def etag(self) -> str:
        """Another after every change."""
        return str(self.version)

    @property
    def is_listed(self) -> bool:
        """It has not left the market."""
        return self.status is not InstrumentStatus.DELISTED

    @property
    def tick_table(self) -> tuple[TickBand, ...]:
        """Its steps by price, of one band at least."""
        return self.tick_bands or (TickBand(Decimal(0), self.tick_size),)

    def symbol_periods(self, former: Sequence[SymbolPeriod]) -> list[SymbolPeriod]:
        """All symbols, oldest first, the present one last, when ``former`` are those it had before."""
        return periods_of(self.symbol, self.mic, self.listing_date, self.delisting_date, former)


def periods_of(
    symbol: str,
    mic: str,
    listing_date: date,
    delisting_date: date | None,
    former: Sequence[SymbolPeriod],
) -> list[SymbolPeriod]:
    """The former symbols and, from the end of the last of them or the listing on, the present one."""
    begins = (former[-1].to_date if former else None) or listing_date
    ends = None if delisting_date is None else delisting_date + timedelta(days=1)
    return [*former, SymbolPeriod(symbol, mic, begins, ends)]
