"""Rows of instruments from domain objects, and back; nothing else."""

from __future__ import annotations

from dataclasses import fields

import sqlalchemy as sa

from services.data.domain.contract_terms import ContractTerms, ExerciseStyle, OptionRight
from services.data.domain.instrument import AssetClass, Instrument, InstrumentStatus, Listing
from services.data.domain.tick_table import TickBand

_NOT_COLUMNS = {"asset_class", "status", "tick_bands", "contract"}
_PLAIN = [one.name for one in fields(Instrument) if one.name not in _NOT_COLUMNS]
_FACTS = (
    "symbol",
    "mic",
    "name",
    "currency",
    "tick_size",
    "lot_size",
    "listing_date",
    "delisting_date",
    "isin",
    "figi",
)


def instrument_of(row: sa.RowMapping) -> Instrument:
    """The instrument of a row of the table."""
    return Instrument(
        asset_class=AssetClass(row["asset_class"]),
        status=InstrumentStatus(row["status"]),
        tick_bands=tuple(map(TickBand, row["tick_prices"], row["tick_sizes"])),
        contract=_contract_of(row),
        **{name: row[name] for name in _PLAIN},
    )


def values_of(facts: Listing | Instrument) -> dict[str, object]:
    """The columns of what is stated of an instrument; neither its keys nor its version."""
    contract = facts.contract
    values: dict[str, object] = {name: getattr(facts, name) for name in _FACTS}
    return values | {
        "asset_class": int(facts.asset_class),
        "status": int(facts.status),
        "tick_prices": [band.from_price for band in facts.tick_bands],
        "tick_sizes": [band.tick_size for band in facts.tick_bands],
        "underlying_id": (contract.underlying_id or None) if contract else None,
        "expiry_date": contract.expiry_date if contract else None,
        "multiplier": contract.multiplier if contract else None,
        "strike": contract.strike if contract else None,
        "option_right": int(contract.right) if contract and contract.right else None,
        "exercise_style": int(contract.style) if contract and contract.style else None,
    }


def _contract_of(row: sa.RowMapping) -> ContractTerms | None:
    if row["expiry_date"] is None:
        return None
    return ContractTerms(
        expiry_date=row["expiry_date"],
        multiplier=row["multiplier"],
        underlying_id=row["underlying_id"] or "",
        strike=row["strike"],
        right=OptionRight(row["option_right"]) if row["option_right"] else None,
        style=ExerciseStyle(row["exercise_style"]) if row["exercise_style"] else None,
    )
