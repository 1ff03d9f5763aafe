"""The cash ledger: every movement of an account's cash is one entry, numbered within the account."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum

from services.portfolio.domain.lot import Holding, Trade, apply_trade
from services.portfolio.domain.money import posting_amount
from services.runtime.decimals import format_decimal, round_money


class EntryType(Enum):
    """What moved the cash."""

    DEPOSIT = "deposit"
    TRADE = "trade"


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution as execution's order log tells it."""

    venue: str
    execution_id: str
    fill_id: str
    order_id: str
    account_id: str
    instrument_id: str
    symbol: str
    quantity: Decimal
    """Shares: bought if positive, sold if negative."""
    price: Decimal
    fee: Decimal
    """Owed, exact, not rounded."""
    currency: str
    event_time_ns: int
    """Market time, nanoseconds since the epoch, UTC."""


@dataclass(frozen=True, slots=True)
class Cash:
    """The cash of an account, and how many entries made it."""

    account_id: str
    currency: str
    balance: Decimal
    fees: Decimal
    """Paid so far, each fill's rounded half-even to the minor unit."""
    entry_count: int


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One posting, never changed."""

    entry_id: str
    account_id: str
    number: int
    """1 for the account's first entry, then without gaps."""
    type: EntryType
    amount: Decimal
    currency: str
    balance_after: Decimal
    fill_id: str
    execution_id: str
    event_time_ns: int
    post_time_ns: int
    memo: str


def post_deposit(
    cash: Cash, amount: Decimal, *, entry_id: str, post_time_ns: int, memo: str
) -> tuple[Cash, LedgerEntry]:
    """Money in, exactly."""
    cash = replace(cash, balance=cash.balance + amount, entry_count=cash.entry_count + 1)
    entry = LedgerEntry(
        entry_id=entry_id,
        account_id=cash.account_id,
        number=cash.entry_count,
        type=EntryType.DEPOSIT,
        amount=amount,
        currency=cash.currency,
        balance_after=cash.balance,
        fill_id="",
        execution_id="",
        event_time_ns=post_time_ns,
        post_time_ns=post_time_ns,
        memo=memo,
    )
    return cash, entry


def post_fill(
    cash: Cash, holding: Holding, fill: Fill, *, entry_id: str, post_time_ns: int
) -> tuple[Cash, Holding, LedgerEntry]:
    """The fill's effect on cash and on its instrument's lots. ValueError when its currency is another."""
    if fill.currency != cash.currency:
        raise ValueError(f"fill {fill.fill_id} is in {fill.currency}, its account in {cash.currency}")
    amount = posting_amount(fill.quantity, fill.price, fill.fee, cash.currency)
    cash = replace(
        cash,
        balance=cash.balance + amount,
        fees=cash.fees + round_money(fill.fee, cash.currency),
        entry_count=cash.entry_count + 1,
    )
    trade = Trade(fill.fill_id, fill.quantity, -amount, fill.event_time_ns)
    entry = LedgerEntry(
        entry_id=entry_id,
        account_id=cash.account_id,
        number=cash.entry_count,
        type=EntryType.TRADE,
        amount=amount,
        currency=cash.currency,
        balance_after=cash.balance,
        fill_id=fill.fill_id,
        execution_id=fill.execution_id,
        event_time_ns=fill.event_time_ns,
        post_time_ns=post_time_ns,
        memo=_memo(fill),
    )
    return cash, apply_trade(holding, trade, cash.currency), entry


def _memo(fill: Fill) -> str:
    verb = "Bought" if fill.quantity > 0 else "Sold"
    return f"{verb} {format_decimal(abs(fill.quantity))} {fill.symbol} at {format_decimal(fill.price)}"
