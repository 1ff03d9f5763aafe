"""What a rule says, with the numbers it said it on."""

from __future__ import annotations

import decimal
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum

# For ratios shown to people; nothing is decided on a rounded number.
_DISPLAY = decimal.Context(prec=60, rounding=decimal.ROUND_HALF_EVEN, traps=[decimal.InvalidOperation])
_RATIO_DIGITS = Decimal("0.000001")


class Rule(IntEnum):
    """The pre-trade rules; the numbers are the contract's."""

    INSTRUMENT_TRADABLE = 1
    ORDER_QUANTITY = 2
    ORDER_NOTIONAL = 3
    PRICE_COLLAR = 4
    POSITION = 5
    BUYING_POWER = 6
    ORDER_RATE = 7
    DUPLICATE_ORDER = 8
    KILL_SWITCH = 9


class Verdict(IntEnum):
    """PASS lets the order go on; anything else refuses it. The numbers are the contract's."""

    PASS = 1
    FAIL = 2
    UNDECIDED = 3


@dataclass(frozen=True, slots=True)
class RuleResult:
    """One rule explained. `headroom` is negative outside the limit; None stands for "there is no number"."""

    rule: Rule
    verdict: Verdict
    message: str
    value: Decimal | None = None
    limit: Decimal | None = None
    headroom: Decimal | None = None
    unit: str = ""


def at_most(rule: Rule, value: Decimal, limit: Decimal, unit: str, message: str) -> RuleResult:
    """PASS while the value does not exceed the limit."""
    verdict = Verdict.PASS if value <= limit else Verdict.FAIL
    return RuleResult(rule, verdict, message, value, limit, limit - value, unit)


def ratio(numerator: Decimal, denominator: Decimal) -> Decimal:
    """The quotient to six digits, half-even, for display."""
    return _DISPLAY.divide(numerator, denominator).quantize(_RATIO_DIGITS, context=_DISPLAY)
