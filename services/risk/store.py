"""What risk keeps besides reservations: accounts, positions, fills, postings, limits, switches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal

import asyncpg

from services.risk.domain.cash import Fill
from services.risk.domain.limits import KillSwitch, Limits

# ruff: noqa: S608
_LIMIT_COLUMNS = ", ".join(field.name for field in fields(Limits))


@dataclass(frozen=True, slots=True)
class Posting:
    """An entry of portfolio's ledger that is no trade."""

    entry_id: str
    account_id: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account as it is kept."""

    account_id: str
    owner_user_id: str
    currency: str
    cash: Decimal


async def account_rows(driver: asyncpg.Connection) -> list[AccountRow]:
    """Every account."""
    records = await driver.fetch("SELECT account_id, owner_user_id, currency, cash FROM account")
    return [AccountRow(**record) for record in records]


async def position_rows(driver: asyncpg.Connection) -> list[tuple[str, str, Decimal]]:
    """Every position: account, instrument, shares."""
    records = await driver.fetch("SELECT account_id, instrument_id, quantity FROM position")
    return [(record["account_id"], record["instrument_id"], record["quantity"]) for record in records]


async def upsert_account_owner(
    driver: asyncpg.Connection, account_id: str, owner_user_id: str, currency: str
) -> None:
    """Remember whose the account is; one not seen before starts without cash."""
    await driver.execute(
        "INSERT INTO account (account_id, owner_user_id, currency, cash) VALUES ($1, $2, $3, 0) "
        "ON CONFLICT (account_id) DO UPDATE SET owner_user_id = excluded.owner_user_id",
        account_id,
        owner_user_id,
        currency,
    )


async def upsert_cash(driver: asyncpg.Connection, accounts: Iterable[tuple[str, str, Decimal]]) -> None:
    """Write (account, currency, cash)."""
    if rows := list(accounts):
        await driver.execute(
            "INSERT INTO account (account_id, owner_user_id, currency, cash) "
            "SELECT a.id, '', a.currency, a.cash "
            "FROM unnest($1::text[], $2::text[], $3::numeric[]) AS a(id, currency, cash) "
            "ON CONFLICT (account_id) DO UPDATE SET cash = excluded.cash",
            *zip(*rows, strict=True),
        )


async def upsert_positions(driver: asyncpg.Connection, positions: Iterable[tuple[str, str, Decimal]]) -> None:
    """Write (account, instrument, shares); the accounts are there."""
    if rows := list(positions):
        await driver.execute(
            "INSERT INTO position (account_id, instrument_id, quantity) "
            "SELECT * FROM unnest($1::text[], $2::text[], $3::numeric[]) "
            "ON CONFLICT (account_id, instrument_id) DO UPDATE SET quantity = excluded.quantity",
            *zip(*rows, strict=True),
        )


async def insert_fills(driver: asyncpg.Connection, fills: Sequence[Fill]) -> set[tuple[str, str]]:
    """Keep fills; returns (venue, execution_id) of those that were not known."""
    if not fills:
        return set()
    columns = zip(
        *(
            (
                fill.venue,
                fill.execution_id,
                fill.order_id,
                fill.account_id,
                fill.instrument_id,
                fill.side,
                fill.quantity,
                fill.price,
                fill.fee,
                fill.currency,
                fill.cash_effect,
            )
            for fill in fills
        ),
        strict=True,
    )
    records = await driver.fetch(
        "INSERT INTO fill (venue, execution_id, order_id, account_id, instrument_id, side, quantity, price, "
        "fee, currency, cash_effect) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], "
        "$5::text[], $6::int2[], $7::numeric[], $8::numeric[], $9::numeric[], $10::text[], $11::numeric[]) "
        "ON CONFLICT DO NOTHING RETURNING venue, execution_id",
        *columns,
    )
    return {(record["venue"], record["execution_id"]) for record in records}


async def insert_postings(driver: asyncpg.Connection, postings: Sequence[Posting]) -> set[str]:
    """Keep postings; returns the entry_id of those that were not known."""
    if not postings:
        return set()
    columns = zip(*((p.entry_id, p.account_id, p.amount, p.currency) for p in postings), strict=True)
    records = await driver.fetch(
        "INSERT INTO posting (entry_id, account_id, amount, currency) "
        "SELECT * FROM unnest($1::text[], $2::text[], $3::numeric[], $4::text[]) "
        "ON CONFLICT DO NOTHING RETURNING entry_id",
        *columns,
    )
    return {record["entry_id"] for record in records}


async def limit_rows(driver: asyncpg.Connection) -> dict[str, Limits]:
    """Limits that were ever changed, by account."""
    records = await driver.fetch(f"SELECT account_id, {_LIMIT_COLUMNS} FROM limits")
    return {
        record["account_id"]: Limits(**{field.name: record[field.name] for field in fields(Limits)})
        for record in records
    }


async def upsert_limits(driver: asyncpg.Connection, account_id: str, limits: Limits) -> None:
    """Write an account's limits."""
    names = [field.name for field in fields(Limits)]
    marks = ", ".join(f"${number}" for number in range(2, len(names) + 2))
    updates = ", ".join(f"{name} = excluded.{name}" for name in names)
    await driver.execute(
        f"INSERT INTO limits (account_id, {_LIMIT_COLUMNS}) VALUES ($1, {marks}) "
        f"ON CONFLICT (account_id) DO UPDATE SET {updates}",
        account_id,
        *(getattr(limits, name) for name in names),
    )


async def kill_switch_rows(driver: asyncpg.Connection) -> dict[str, KillSwitch]:
    """Every switch that was ever set, by account."""
    records = await driver.fetch(
        "SELECT account_id, is_engaged, reason, user_id, update_time_ns FROM kill_switch"
    )
    return {record["account_id"]: KillSwitch(**record) for record in records}


async def upsert_kill_switch(driver: asyncpg.Connection, switch: KillSwitch) -> None:
    """Write a switch."""
    await driver.execute(
        "INSERT INTO kill_switch (account_id, is_engaged, reason, user_id, update_time_ns) "
        "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account_id) DO UPDATE "
        "SET is_engaged = excluded.is_engaged, reason = excluded.reason, user_id = excluded.user_id, "
        "update_time_ns = excluded.update_time_ns",
        switch.account_id,
        switch.is_engaged,
        switch.reason,
        switch.user_id,
        switch.update_time_ns,
    )
