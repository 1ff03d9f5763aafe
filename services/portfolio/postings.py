"""Ledger entries as rows: what deposits and fills have in common when they move cash."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import asyncpg

from services.portfolio.convert import entry_message
from services.portfolio.domain.ledger import Cash, EntryType, LedgerEntry
from services.portfolio.tables import accounts, ledger_entries
from services.runtime.event_log import LogTransaction, NewEvent

ENTRY_COLUMNS = tuple(LedgerEntry.__dataclass_fields__)
# ruff: noqa: S608  # names of our own tables and columns
# Locked in one order, so that two who lock several cannot wait for each other.
_LOCK = (
    f"SELECT account_id, currency, cash, fees, entry_count FROM {accounts.fullname} "
    "WHERE account_id = ANY($1::text[]) ORDER BY account_id FOR UPDATE"
)
_UPDATE = (
    f"UPDATE {accounts.fullname} AS a SET cash = n.cash, fees = n.fees, entry_count = n.entry_count "
    "FROM unnest($1::text[], $2::numeric[], $3::numeric[], $4::bigint[]) AS n(id, cash, fees, entry_count) "
    "WHERE a.account_id = n.id"
)
_INSERT = (
    f"INSERT INTO {ledger_entries.fullname} ({', '.join(ENTRY_COLUMNS)}) SELECT * FROM unnest("
    "$1::text[], $2::text[], $3::bigint[], $4::text[], $5::numeric[], $6::text[], $7::numeric[], "
    "$8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::text[])"
)


async def lock_cash(driver: asyncpg.Connection, account_ids: Collection[str]) -> dict[str, Cash]:
    """Cash of the accounts that exist, locked until the transaction ends: so balances follow one another."""
    rows = await driver.fetch(_LOCK, sorted(account_ids))
    return {row["account_id"]: Cash(*row) for row in rows}


async def write_postings(
    transaction: LogTransaction, cash: Iterable[Cash], entries: Sequence[LedgerEntry]
) -> None:
    """Write the entries, the cash after them, and an event of each to the log, in their order."""
    accounts_now = [(c.account_id, c.balance, c.fees, c.entry_count) for c in cash]
    await transaction.driver.execute(_UPDATE, *map(list, zip(*accounts_now, strict=True)))
    rows = [entry_row(entry) for entry in entries]
    await transaction.driver.execute(_INSERT, *map(list, zip(*rows, strict=True)))
    transaction.append(*(_event(entry) for entry in entries))


def entry_row(entry: LedgerEntry) -> tuple[object, ...]:
    """The values of ENTRY_COLUMNS."""
    values = (getattr(entry, name) for name in ENTRY_COLUMNS)
    return tuple(value.value if isinstance(value, EntryType) else value for value in values)


def entry_of(row: asyncpg.Record) -> LedgerEntry:
    """The entry in a row of ENTRY_COLUMNS."""
    return LedgerEntry(**{**row, "type": EntryType(row["type"])})


def _event(entry: LedgerEntry) -> NewEvent:
    return NewEvent(
        key=entry.account_id,
        kind=entry.type.value,
        event_time_ns=entry.event_time_ns,
        payload=entry_message(entry).SerializeToString(),
    )
