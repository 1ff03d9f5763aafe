"""An account's limits, their defaults and their ranges; and the kill switch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """Pre-trade limits; the field names are the contract's. `revision` is 0 while they are the defaults."""

    max_order_quantity: Decimal = Decimal(10_000)
    max_order_notional: Decimal = Decimal(1_000_000)
    price_collar: Decimal = Decimal("0.10")
    max_position_quantity: Decimal = Decimal(100_000)
    max_orders_per_second: int = 200
    duplicate_window_ms: int = 250
    max_price_age_ms: int = 10_000
    revision: int = 0

    @property
    def etag(self) -> str:
        """Changes with every change."""
        return f"r{self.revision}"


@dataclass(frozen=True, slots=True)
class Range:
    """What a limit may be, both ends included."""

    lowest: Decimal
    highest: Decimal

    def __contains__(self, value: Decimal | int) -> bool:
        return self.lowest <= value <= self.highest

    def __str__(self) -> str:
        return f"from {self.lowest} to {self.highest}"


# A quantity, notional or position of zero refuses every order. Past half the price a collar guards nothing.
RANGES: Final[Mapping[str, Range]] = {
    "max_order_quantity": Range(Decimal(0), Decimal(1_000_000_000)),
    "max_order_notional": Range(Decimal(0), Decimal(1_000_000_000_000)),
    "price_collar": Range(Decimal("0.0001"), Decimal("0.5")),
    "max_position_quantity": Range(Decimal(0), Decimal(1_000_000_000_000)),
    "max_orders_per_second": Range(Decimal(1), Decimal(10_000)),
    "duplicate_window_ms": Range(Decimal(0), Decimal(60_000)),
    "max_price_age_ms": Range(Decimal(1), Decimal(600_000)),
}
LONGEST_WINDOW_NS: Final = 60_000 * 1_000_000
"""How far back any rule looks at earlier orders."""


class LimitRangeError(ValueError):
    """One or more limits are out of range; `violations` are (field, what is allowed)."""

    def __init__(self, violations: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field} {text}" for field, text in violations))
        self.violations = violations


def check_limits(values: Mapping[str, Decimal | int]) -> None:
    """Raise LimitRangeError naming every value that is out of its range."""
    violations = [
        (name, f"must be {RANGES[name]}; got {value}")
        for name, value in values.items()
        if value not in RANGES[name]
    ]
    if violations:
        raise LimitRangeError(violations)


def change_limits(limits: Limits, values: Mapping[str, Decimal | int]) -> Limits:
    """The limits with these values, one revision on; LimitRangeError when one is out of its range."""
    check_limits(values)
    return replace(limits, **values, revision=limits.revision + 1)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """Halts trading of one account, or of all when `account_id` is empty."""

    account_id: str
    is_engaged: bool
    reason: str
    user_id: str
    update_time_ns: int
