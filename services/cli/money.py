"""How amounts and prices are shown: in the currency's digits."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from rich.text import Text

from services.runtime.decimals import minor_unit, round_money

_PRICE_DIGITS = 4


def show_money(amount: str, currency: str) -> str:
    """An amount for a table: "249,133.50" in USD, rounded half-even to the minor unit; empty stays empty."""
    return f"{round_money(Decimal(amount), currency):,f}" if amount else ""


def show_price(price: str, currency: str) -> str:
    """A price for a table: the currency's digits at least, four at most (half-even); empty stays empty."""
    if not price:
        return ""
    exact, least = Decimal(price), minor_unit(currency)
    return f"{exact:,.{min(max(_digits(exact), least), max(_PRICE_DIGITS, least))}f}"


def show_pnl(amount: str, currency: str) -> Text:
    """Profit and loss for a table: with its sign, red when it is a loss; empty stays empty."""
    text = show_money(amount, currency)
    if not amount or Decimal(amount) == 0:
        return Text(text)
    gain = Decimal(amount) > 0
    return Text(f"+{text}" if gain else text, style="green" if gain else "red")


def show_quantity(quantity: str) -> str:
    """A quantity for a table, with thousands separators; empty stays empty."""
    return f"{Decimal(quantity):,f}" if quantity else ""


def pad_money(amount: str, currency: str) -> str:
    """An amount for machines: the currency's digits at least, none lost, no separators; empty stays empty."""
    if not amount:
        return ""
    exact = Decimal(amount)
    return f"{exact:.{max(_digits(exact), minor_unit(currency))}f}"


def with_money(document: Mapping[str, Any], currency: str, fields: tuple[str, ...]) -> dict[str, Any]:
    """A message as data, with its fields of money in the currency's digits."""
    return {key: pad_money(value, currency) if key in fields else value for key, value in document.items()}


def _digits(exact: Decimal) -> int:
    exponent = exact.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
