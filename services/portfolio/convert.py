"""protobuf <-> domain, nothing else."""

from __future__ import annotations

from collections.abc import Callable

from bifrost.execution.v1 import order_pb2
from bifrost.portfolio.v1 import ledger_pb2, portfolio_pb2
from bifrost.type.v1 import order_terms_pb2, value_pb2
from services.portfolio.domain.account import Account, AccountType, Portfolio
from services.portfolio.domain.books import Books, Position
from services.portfolio.domain.ledger import EntryType, Fill, LedgerEntry
from services.portfolio.domain.lot import Lot
from services.portfolio.domain.money import ZERO, average_price
from services.portfolio.domain.valuation import Mark, unrealized_pnl, worth
from services.runtime.clock import from_timestamp, to_timestamp
from services.runtime.decimals import format_decimal, parse_decimal

MarkOf = Callable[[str], Mark | None]
"""The mark of an instrument, None when there never was one."""

_ENTRY_TYPES = {
    EntryType.DEPOSIT: ledger_pb2.LEDGER_ENTRY_TYPE_DEPOSIT,
    EntryType.TRADE: ledger_pb2.LEDGER_ENTRY_TYPE_TRADE,
}
_ENTRY_TYPE_OF = {wire: entry_type for entry_type, wire in _ENTRY_TYPES.items()}
_ACCOUNT_TYPES = {AccountType.CASH: portfolio_pb2.ACCOUNT_TYPE_CASH}
_ACCOUNT_TYPE_OF = {wire: account_type for account_type, wire in _ACCOUNT_TYPES.items()}
_SIGN = {order_terms_pb2.SIDE_BUY: 1, order_terms_pb2.SIDE_SELL: -1}


def portfolio_message(portfolio: Portfolio) -> portfolio_pb2.Portfolio:
    """A stored portfolio."""
    return portfolio_pb2.Portfolio(
        portfolio_id=portfolio.portfolio_id,
        owner_user_id=portfolio.owner_user_id,
        name=portfolio.name,
        create_time=to_timestamp(portfolio.create_time_ns),
    )


def account_message(account: Account) -> portfolio_pb2.Account:
    """A stored account."""
    return portfolio_pb2.Account(
        account_id=account.account_id,
        portfolio_id=account.portfolio_id,
        owner_user_id=account.owner_user_id,
        name=account.name,
        currency=account.currency,
        venue=account.venue,
        type=_ACCOUNT_TYPES[account.type],
        create_time=to_timestamp(account.create_time_ns),
    )


def account_type(wire: portfolio_pb2.AccountType) -> AccountType:
    """The type asked for; the field rules let only known ones through."""
    return _ACCOUNT_TYPE_OF[wire]


def entry_type_filter(wire: ledger_pb2.LedgerEntryType) -> EntryType | None:
    """The type asked for; None for every type."""
    return _ENTRY_TYPE_OF.get(wire)


def entry_message(entry: LedgerEntry) -> ledger_pb2.LedgerEntry:
    """A posting."""
    return ledger_pb2.LedgerEntry(
        entry_id=entry.entry_id,
        account_id=entry.account_id,
        type=_ENTRY_TYPES[entry.type],
        amount=value_pb2.Money(currency=entry.currency, amount=format_decimal(entry.amount)),
        balance_after=format_decimal(entry.balance_after),
        fill_id=entry.fill_id,
        execution_id=entry.execution_id,
        event_time=to_timestamp(entry.event_time_ns),
        post_time=to_timestamp(entry.post_time_ns),
        memo=entry.memo,
    )


def fill_of(message: order_pb2.Fill) -> Fill:
    """A fill of the order log. ValueError or ApiError when it is none that can be booked."""
    sign = _SIGN.get(message.side)
    if sign is None:
        raise ValueError(f"fill {message.fill_id} is neither bought nor sold")
    return Fill(
        venue=message.venue,
        execution_id=message.execution_id,
        fill_id=message.fill_id,
        order_id=message.order_id,
        account_id=message.account_id,
        instrument_id=message.instrument_id,
        symbol=message.symbol,
        quantity=sign * parse_decimal(message.quantity, field="fill.quantity"),
        price=parse_decimal(message.price, field="fill.price"),
        fee=parse_decimal(message.fee, field="fill.fee"),
        currency=message.currency,
        event_time_ns=from_timestamp(message.event_time),
    )


def position_message(position: Position, currency: str, mark: Mark | None) -> portfolio_pb2.Position:
    """A position at its mark, without lots."""
    average = average_price(position.cost, position.quantity)
    gain = unrealized_pnl(position.quantity, position.cost, mark, currency)
    return portfolio_pb2.Position(
        account_id=position.account_id,
        instrument_id=position.instrument_id,
        symbol=position.symbol,
        quantity=format_decimal(position.quantity),
        cost=format_decimal(position.cost),
        average_cost="" if average is None else format_decimal(average),
        realized_pnl=format_decimal(position.realized_pnl),
        unrealized_pnl="" if gain is None else format_decimal(gain),
        mark_price="" if mark is None else format_decimal(mark.price),
        mark_stale=mark is not None and mark.is_stale,
        currency=currency,
    )


def lot_message(lot: Lot) -> portfolio_pb2.Lot:
    """An open lot."""
    return portfolio_pb2.Lot(
        fill_id=lot.fill_id,
        quantity=format_decimal(lot.quantity),
        cost=format_decimal(lot.cost),
        open_time=to_timestamp(lot.open_time_ns),
    )


def balance_message(books: Books, mark_of: MarkOf) -> portfolio_pb2.Balance:
    """The account's cash and worth at the marks."""
    cash = books.cash
    total = worth([(p.quantity, p.cost, mark_of(p.instrument_id)) for p in books.positions], cash.currency)
    balance = portfolio_pb2.Balance(
        account_id=cash.account_id,
        currency=cash.currency,
        cash=format_decimal(cash.balance),
        realized_pnl=format_decimal(sum((p.realized_pnl for p in books.positions), ZERO)),
        fees=format_decimal(cash.fees),
        mark_stale=total.is_stale,
        order_log_sequence=books.order_log_sequence,
    )
    if total.market_value is not None and total.unrealized_pnl is not None:
        balance.market_value = format_decimal(total.market_value)
        balance.equity = format_decimal(cash.balance + total.market_value)
        balance.unrealized_pnl = format_decimal(total.unrealized_pnl)
    return balance
