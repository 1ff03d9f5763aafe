"""What makes the facts of a listing wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.data.domain.contract_terms import ContractTerms, terms_problems
from services.data.domain.identifiers import figi_problem, isin_problem
from services.data.domain.instrument import AssetClass, InstrumentStatus, Listing
from services.data.domain.symbol_history import history_problem
from services.data.domain.tick_table import TickBand, tick_table_problem

_FIELD = "FIELD_INVALID"
_TERMS = "CONTRACT_TERMS_INVALID"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with one field."""

    reason: str
    """As of ErrorReason, without its prefix."""
    field: str
    text: str
    instrument_id: str = ""
    """Whose it is, where it is another's."""


def listing_problems(listing: Listing) -> list[Problem]:
    """All that is wrong with a listing; fields are named as in InstrumentSpec."""
    problems = [
        *identifier_problems(listing.isin, listing.figi),
        *step_problems(listing.tick_size, listing.tick_bands, listing.lot_size),
        *_contract_problems(listing),
    ]
    dates = list(date_problems(listing.status, listing.listing_date, listing.delisting_date))
    problems += dates
    if not dates and (text := history_problem(listing.symbol_periods, listing_date=listing.listing_date)):
        problems.append(Problem("SYMBOL_PERIOD_INVALID", "former_symbols", text))
    return problems


def identifier_problems(isin: str, figi: str) -> Iterator[Problem]:
    """What is wrong with identifiers, where there are any."""
    if isin and (text := isin_problem(isin)):
        yield Problem("IDENTIFIER_INVALID", "isin", text)
    if figi and (text := figi_problem(figi)):
        yield Problem("IDENTIFIER_INVALID", "figi", text)


def step_problems(tick_size: Decimal, bands: Sequence[TickBand], lot_size: Decimal) -> Iterator[Problem]:
    """What is wrong with the steps of prices and quantities."""
    if bands:
        if text := tick_table_problem(bands):
            yield Problem("TICK_TABLE_INVALID", "tick_bands", text)
    elif tick_size <= 0:
        yield Problem(_FIELD, "tick_size", f"is over 0, not {tick_size}")
    if lot_size <= 0:
        yield Problem(_FIELD, "lot_size", f"is over 0, not {lot_size}")


def date_problems(
    status: InstrumentStatus, listing_date: date, delisting_date: date | None
) -> Iterator[Problem]:
    """What is wrong with when it is listed."""
    if status is InstrumentStatus.DELISTED and delisting_date is None:
        yield Problem(_FIELD, "delisting_date", "is required of what is delisted")
    if delisting_date is not None and delisting_date < listing_date:
        text = f"it is delisted on {delisting_date}, before it is listed on {listing_date}"
        yield Problem(_FIELD, "delisting_date", text)


def _contract_problems(listing: Listing) -> Iterator[Problem]:
    wanted = {AssetClass.OPTION: "option", AssetClass.FUTURE: "future"}.get(listing.asset_class)
    given = _kind(listing.contract)
    if wanted != given:
        text = f"class {listing.asset_class.name} has {f'{wanted} terms' if wanted else 'no contract terms'}"
        yield Problem(_TERMS, wanted or given or "asset_class", text)
    elif listing.contract is not None:
        for field, text in terms_problems(listing.contract, listing_date=listing.listing_date):
            yield Problem(_TERMS, f"{given}.{field}", text)


def _kind(contract: ContractTerms | None) -> str | None:
    if contract is None:
        return None
    return "option" if contract.is_option else "future"
