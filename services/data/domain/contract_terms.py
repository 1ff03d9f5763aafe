"""What options and futures are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import IntEnum


class OptionRight(IntEnum):
    """What its holder may do, numbered as in the contract."""

    CALL = 1
    PUT = 2


class ExerciseStyle(IntEnum):
    """When it may be exercised, numbered as in the contract."""

    AMERICAN = 1
    EUROPEAN = 2


@dataclass(frozen=True, slots=True)
class ContractTerms:
    """Terms of an option or a future."""

    expiry_date: date
    multiplier: Decimal
    """Units per contract."""
    underlying_id: str = ""
    """Instrument it is on; empty when none is held."""
    strike: Decimal | None = None
    """Of an option."""
    right: OptionRight | None = None
    """Of an option."""
    style: ExerciseStyle | None = None
    """Of an option."""

    @property
    def is_option(self) -> bool:
        """It is one of an option; else of a future."""
        return self.right is not None


def terms_problems(terms: ContractTerms, *, listing_date: date) -> list[tuple[str, str]]:
    """(Field, what is wrong) of the terms of something listed on that day."""
    problems = []
    if terms.expiry_date < listing_date:
        text = f"it expires on {terms.expiry_date}, before it is listed on {listing_date}"
        problems.append(("expiry_date", text))
    if terms.multiplier <= 0:
        problems.append(("multiplier", f"is over 0, not {terms.multiplier}"))
    if terms.strike is not None and terms.strike <= 0:
        problems.append(("strike", f"is over 0, not {terms.strike}"))
    return problems
