"""Money, prices and quantities: exact decimals, one rounding rule, one text form."""

from __future__ import annotations

import decimal
import re
from decimal import Decimal

from services.runtime.currencies import MINOR_UNITS
from services.runtime.errors import ApiError, invalid_argument

_TRAPS = (decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow)

# Precision 60 holds any product of two wire decimals (27 digits each) and long sums of them. Inexact is
# trapped: a cent that silently rounds away is a defect, so rounding happens in `round_money` or not at all.
CONTEXT = decimal.Context(prec=60, rounding=decimal.ROUND_HALF_EVEN, traps=[*_TRAPS, decimal.Inexact])
_ROUNDING = decimal.Context(prec=60, rounding=decimal.ROUND_HALF_EVEN, traps=list(_TRAPS))

_WIRE_FORM = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?")


def install_context() -> None:
    """Make CONTEXT the context of this task and of every thread and task that starts from now on."""
    decimal.DefaultContext.prec = CONTEXT.prec
    decimal.DefaultContext.rounding = CONTEXT.rounding
    for signal, trapped in CONTEXT.traps.items():
        decimal.DefaultContext.traps[signal] = trapped
    decimal.setcontext(CONTEXT)


def parse_decimal(text: str, *, field: str) -> Decimal:
    """The wire form as a decimal: optional minus, up to 18 digits, up to 9 after the point.

    Exponents, signs of plus, blanks, NaN and infinities raise ApiError INVALID_ARGUMENT naming `field`.
    """
    if _WIRE_FORM.fullmatch(text) is None:
        raise _not_a_decimal(text, field)
    return Decimal(text)


def _not_a_decimal(text: str, field: str) -> ApiError:
    shown = text if len(text) <= 40 else f"{text[:40]}…"
    return invalid_argument(
        "FIELD_INVALID",
        f"{field} must be a plain decimal with at most 18 digits before and 9 after the point, "
        f"such as 12.50; got {shown!r}",
        field=field,
    )


def format_decimal(value: Decimal) -> str:
    """Plain notation, no exponent, no trailing zeros, "0" for every zero; ValueError unless finite."""
    if not value.is_finite():
        raise ValueError(f"{value} has no wire form")
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"0", "-0"} else text


def shortest(text: str) -> str:
    """The one spelling of a number in wire form ("7" for "07.00"); any other text comes back as it is."""
    return format_decimal(Decimal(text)) if _WIRE_FORM.fullmatch(text) else text


def from_double(value: float) -> Decimal:
    """The double's shortest repr as a decimal (0.1 is 0.1); NaN and infinities raise ValueError."""
    number = Decimal(repr(float(value)))
    if not number.is_finite():
        raise ValueError(f"{value} is not a number that can be traded on")
    return number


def minor_unit(currency: str) -> int:
    """Digits after the point of an ISO 4217 currency (USD 2, JPY 0, KWD 3); ValueError when unknown."""
    try:
        return MINOR_UNITS[currency]
    except KeyError:
        raise ValueError(f"{currency!r} is not an ISO 4217 currency code") from None


def round_money(value: Decimal, currency: str) -> Decimal:
    """The amount rounded half-even to the currency's minor unit."""
    return value.quantize(Decimal(1).scaleb(-minor_unit(currency)), context=_ROUNDING)
