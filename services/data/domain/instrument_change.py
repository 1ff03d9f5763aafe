"""Changes of instruments: what is checked, and what comes of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TypeVar

from services.data.domain.instrument import Instrument, InstrumentStatus, Listing
from services.data.domain.instrument_index import InstrumentIndex
from services.data.domain.listing_rules import (
    Problem,
    date_problems,
    identifier_problems,
    step_problems,
)
from services.data.domain.symbol_history import SymbolPeriod, conflicting, history_problem
from services.data.domain.tick_table import TickBand

T = TypeVar("T")
_EXISTS = "INSTRUMENT_EXISTS"
_PERIOD = "SYMBOL_PERIOD_INVALID"


@dataclass(frozen=True, slots=True)
class InstrumentUpdate:
    """Facts to change; None leaves one as it is."""

    name: str | None = None
    isin: str | None = None
    figi: str | None = None
    lot_size: Decimal | None = None
    tick_size: Decimal | None = None
    tick_bands: tuple[TickBand, ...] | None = None
    """Empty where one step holds at every price."""
    status: InstrumentStatus | None = None
    delisting_date: date | None = None
    changes_delisting_date: bool = False
    """To None too."""


def updated(held: Instrument, update: InstrumentUpdate) -> Instrument:
    """The instrument with the facts changed, as its next version."""

    def of(new: T | None, old: T) -> T:
        return old if new is None else new

    return replace(
        held,
        version=held.version + 1,
        name=of(update.name, held.name),
        isin=of(update.isin, held.isin),
        figi=of(update.figi, held.figi),
        lot_size=of(update.lot_size, held.lot_size),
        tick_size=of(update.tick_size, held.tick_size),
        tick_bands=of(update.tick_bands, held.tick_bands),
        status=of(update.status, held.status),
        delisting_date=update.delisting_date if update.changes_delisting_date else held.delisting_date,
    )


def new_listing_problems(listing: Listing, index: InstrumentIndex) -> list[Problem]:
    """What of a listing belongs to another instrument."""
    held = index.by_id(listing.instrument_id)
    if held is not None:
        text = (
            f"{held.symbol} at {held.mic} has this id: it was listed there then under {listing.first_symbol}"
        )
        return [Problem(_EXISTS, "symbol", text, held.instrument_id)]
    return conflicts(listing, listing.symbol_periods, listing.instrument_id, index)


def conflicts(
    facts: Listing | Instrument, periods: list[SymbolPeriod], instrument_id: str, index: InstrumentIndex
) -> list[Problem]:
    """What of an instrument's facts and symbols belongs to another one."""
    problems = []
    holder = index.by_figi(facts.figi) if facts.figi else None
    if holder is not None and holder.instrument_id != instrument_id:
        text = f"{holder.symbol} at {holder.mic} has the FIGI {facts.figi}"
        problems.append(Problem(_EXISTS, "figi", text, holder.instrument_id))
    for period in periods:
        for theirs, other in index.holders(period.symbol):
            if other.instrument_id != instrument_id and conflicting([period], [theirs]):
                text = f"{period.symbol} at {period.mic} is {_who(other)} from {theirs.from_date} on"
                problems.append(Problem(_EXISTS, "symbol", text, other.instrument_id))
    listed = index.by_symbol(facts.symbol, facts.mic) if facts.is_listed and not problems else []
    for other in listed:
        if other.is_listed and other.instrument_id != instrument_id:
            text = f"{other.symbol} at {other.mic} is {_who(other)}, which is not delisted"
            problems.append(Problem(_EXISTS, "symbol", text, other.instrument_id))
    return problems


def is_same(listing: Listing, held: Instrument, index: InstrumentIndex) -> bool:
    """Whether an instrument is held just as the listing states it."""
    return _facts(listing) == _facts(held) and listing.symbol_periods == index.periods(held)


def update_problems(changed: Instrument, index: InstrumentIndex) -> list[Problem]:
    """What is wrong with an instrument after its facts have changed."""
    problems = [
        *identifier_problems(changed.isin, changed.figi),
        *step_problems(changed.tick_size, changed.tick_bands, changed.lot_size),
        *date_problems(changed.status, changed.listing_date, changed.delisting_date),
    ]
    if not changed.name:
        problems.append(Problem("FIELD_INVALID", "name", "is not empty"))
    if problems:
        return problems
    periods = index.periods(changed)
    if text := history_problem(periods, listing_date=changed.listing_date):
        return [Problem(_PERIOD, "delisting_date", text)]
    return conflicts(changed, periods, changed.instrument_id, index)


def change_symbol(
    instrument: Instrument, symbol: str, mic: str, effective: date, *, today: date, index: InstrumentIndex
) -> tuple[Instrument, SymbolPeriod] | list[Problem]:
    """The instrument under its new symbol and the period of the one before; or what forbids it.

    ``today`` is the latest date anywhere on Earth.
    """
    present = index.periods(instrument)[-1]
    if effective > today:
        return [Problem(_PERIOD, "effective_date", f"{effective} is in the future")]
    if (symbol, mic) == (present.symbol, present.mic):
        return [Problem(_PERIOD, "symbol", f"it has the symbol {symbol} at {mic} already")]
    ended = SymbolPeriod(present.symbol, present.mic, present.from_date, effective)
    if ended.is_empty:
        text = f"{present.symbol} began on {present.from_date}: another follows later, not on {effective}"
        return [Problem(_PERIOD, "effective_date", text)]
    follows = SymbolPeriod(symbol, mic, effective, present.to_date)
    if follows.is_empty:
        text = f"it is delisted on {instrument.delisting_date}, before {effective}"
        return [Problem(_PERIOD, "effective_date", text)]
    changed = replace(instrument, symbol=symbol, mic=mic, version=instrument.version + 1)
    problems = conflicts(changed, [follows], instrument.instrument_id, index)
    return problems or (changed, ended)


def as_held(listing: Listing) -> Instrument:
    """The instrument of a listing that is not stored yet: it has no number."""
    return Instrument(
        instrument_no=0,
        instrument_id=listing.instrument_id,
        symbol=listing.symbol,
        mic=listing.mic,
        name=listing.name,
        asset_class=listing.asset_class,
        currency=listing.currency,
        tick_size=listing.tick_size,
        lot_size=listing.lot_size,
        status=listing.status,
        listing_date=listing.listing_date,
        delisting_date=listing.delisting_date,
        isin=listing.isin,
        figi=listing.figi,
        tick_bands=listing.tick_bands,
        contract=listing.contract,
        version=1,
    )


def _facts(one: Listing | Instrument) -> tuple[object, ...]:
    return (
        one.name,
        one.asset_class,
        one.currency,
        one.tick_size,
        one.lot_size,
        one.tick_bands,
        one.status,
        one.listing_date,
        one.delisting_date,
        one.isin,
        one.figi,
        one.contract,
    )


def _who(instrument: Instrument) -> str:
    return f"{instrument.name} ({instrument.instrument_id})"
