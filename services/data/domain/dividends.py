"""Dividends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Dividend:
    """Cash paid a share to who held it before the session of ``ex_date``."""

    ex_date: date
    ex_time_ns: int
    """Open of that session, nanoseconds since the epoch, UTC."""
    amount: Decimal
    """A share of that day, not adjusted for later splits; all that is paid for the ex date together."""
    currency: str
    """ISO 4217."""


@dataclass(frozen=True, slots=True)
class PriceFactor:
    """What prices before an ex date are multiplied by."""

    ex_time_ns: int
    factor: float


def price_factor(dividend: Dividend, close_before: float, new_per_old: float = 1.0) -> PriceFactor:
    """1 - dividend / close of the session before the ex date: the price falls by as much when it is paid.

    The method of the Center for Research in Security Prices (CRSP) as vendors of adjusted closes apply it:
    "multipliers are calculated based on dividend as a percentage of the price" (Yahoo Finance, "What is the
    adjusted close?", https://help.yahoo.com/kb/SLN28256.html).

    Args:
        dividend: its amount is of a share after splits of the same day.
        close_before: as printed.
        new_per_old: shares for one by splits on the ex date itself.

    Raises:
        ValueError: the dividend is no less than the close.
    """
    factor = 1 - float(dividend.amount) * new_per_old / close_before
    if factor <= 0:
        raise ValueError(f"a dividend of {dividend.amount} on a close of {close_before:g}")
    return PriceFactor(dividend.ex_time_ns, factor)
