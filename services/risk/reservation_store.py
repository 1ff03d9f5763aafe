"""Rows of reservations: the hot statement that keeps decisions, and what reads them back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import asyncpg

from services.risk.domain.book import Hold, HoldKey
from services.risk.domain.terms import OrderType, Side, Terms
from services.runtime.writer_lock import FencedError


class HoldState(StrEnum):
    """What became of a decision."""

    HELD = "HELD"
    RELEASED = "RELEASED"
    REFUSED = "REFUSED"


@dataclass(slots=True)
class ReservationRow:
    """One decision as it is kept. Read back, its hold does not know when it was asked for."""

    account_id: str
    instrument_id: str
    hold: Hold
    filled: Decimal
    state: HoldState
    decided_ns: int
    """By the wall clock."""


@dataclass(frozen=True, slots=True)
class HoldUpdate:
    """What became of a decision that was kept before; `filled` is None when it is not known any more."""

    key: HoldKey
    state: HoldState
    confirmed: bool
    filled: Decimal | None


_TYPE_OF_COLUMN = {
    "order_id": "text",
    "terms_version": "int4",
    "attempt": "int4",
    "request_id": "text",
    "account_id": "text",
    "instrument_id": "text",
    "side": "int2",
    "type": "int2",
    "quantity": "numeric",
    "limit_price": "numeric",
    "stop_price": "numeric",
    "lot_size": "numeric",
    "per_lot": "numeric",
    "filled": "numeric",
    "state": "text",
    "confirmed": "bool",
    "decided_ns": "int8",
    "answer": "bytea",
}
_COLUMNS = ", ".join(_TYPE_OF_COLUMN)
_KEY = "order_id, terms_version, attempt"

# ruff: noqa: S608
# One statement, so that a decision costs one round trip and one commit. The fenced writer inserts nothing.
_WRITER = "SELECT 1 FROM event_log_head WHERE writer_token = $1 FOR SHARE"
_ARRAYS = ", ".join(f"${number}::{name}[]" for number, name in enumerate(_TYPE_OF_COLUMN.values(), 2))
_INSERT_ROWS = (
    f"INSERT INTO reservation ({_COLUMNS}) SELECT decided.* FROM writer, unnest({_ARRAYS}) AS decided"
)
_INSERT = f"WITH writer AS ({_WRITER}) {_INSERT_ROWS}"
# Of one row, which is what an order waits for: arrays take the driver and PostgreSQL half as long again.
_VALUES = ", ".join(f"${number}::{name}" for number, name in enumerate(_TYPE_OF_COLUMN.values(), 2))
_INSERT_ONE = f"WITH writer AS ({_WRITER}) INSERT INTO reservation ({_COLUMNS}) SELECT {_VALUES} FROM writer"
_GIVE_UP_AND_INSERT = (
    f"WITH writer AS ({_WRITER}), "
    "given_up AS (UPDATE reservation SET state = 'RELEASED' FROM writer "
    f"WHERE ({_KEY}) IN (SELECT * FROM unnest($20::text[], $21::int[], $22::int[]))) {_INSERT_ROWS}"
)
# One at a time: a plan for a join with unnest() that was made while the table was small reads all of it.
_UPDATE = (
    "UPDATE reservation SET state = $4, confirmed = $5, filled = coalesce($6, filled) "
    "WHERE order_id = $1 AND terms_version = $2 AND attempt = $3"
)
_SELECT = f"SELECT {_COLUMNS} FROM reservation"


async def check_writer(driver: asyncpg.Connection, token: int) -> None:
    """Hold the writer's right until the open transaction ends; FencedError when another process has it."""
    if await driver.fetchval(_WRITER, token) is None:
        raise FencedError("another process keeps the books of risk")


async def wait_for_commits(driver: asyncpg.Connection) -> None:
    """Wait until no writer's transaction is open: one whose connection was lost may be committing still."""
    await driver.execute("SELECT 1 FROM event_log_head FOR UPDATE")


async def insert_decisions(
    driver: asyncpg.Connection, rows: Sequence[ReservationRow], given_up: Sequence[HoldKey], *, token: int
) -> None:
    """Keep decisions and mark what was given up for them, in one statement, a transaction of its own.

    Raises:
        asyncpg.UniqueViolationError: one of them was decided in an earlier life; nothing was written.
        FencedError: another process has become the writer; nothing was written.
    """
    values = [_values(row) for row in rows]
    if given_up:
        columns = [*zip(*values, strict=True), *_keys(given_up)]
        status = await driver.execute(_GIVE_UP_AND_INSERT, token, *columns)
    elif len(values) == 1:
        status = await driver.execute(_INSERT_ONE, token, *values[0])
    else:
        status = await driver.execute(_INSERT, token, *zip(*values, strict=True))
    if status != f"INSERT 0 {len(rows)}":
        raise FencedError("another process keeps the books of risk")


async def update_holds(driver: asyncpg.Connection, updates: Sequence[HoldUpdate]) -> None:
    """Write state, confirmation and filled quantity of decisions that were kept before."""
    if updates:
        rows = [(*update.key, update.state, update.confirmed, update.filled) for update in updates]
        await driver.executemany(_UPDATE, rows)


async def rows_of_orders(driver: asyncpg.Connection, order_ids: Iterable[str]) -> list[ReservationRow]:
    """Every decision about these orders, in the order they were made."""
    records = await driver.fetch(
        f"{_SELECT} WHERE order_id = ANY($1::text[]) ORDER BY decided_ns, terms_version, attempt",
        list(order_ids),
    )
    return [_row(record) for record in records]


async def held_rows(driver: asyncpg.Connection) -> list[ReservationRow]:
    """Everything that is held, in the order it was decided."""
    records = await driver.fetch(
        f"{_SELECT} WHERE state = 'HELD' ORDER BY decided_ns, terms_version, attempt"
    )
    return [_row(record) for record in records]


async def passed_since(driver: asyncpg.Connection, instant_ns: int) -> list[ReservationRow]:
    """Decisions after the instant that passed, oldest first."""
    records = await driver.fetch(
        f"{_SELECT} WHERE decided_ns > $1 AND state <> 'REFUSED' ORDER BY decided_ns", instant_ns
    )
    return [_row(record) for record in records]


def _keys(keys: Sequence[HoldKey]) -> list[tuple[object, ...]]:
    return list(zip(*keys, strict=True))


def _values(row: ReservationRow) -> tuple[object, ...]:
    hold, terms = row.hold, row.hold.terms
    return (
        *hold.key,
        hold.request_id,
        row.account_id,
        row.instrument_id,
        terms.side,
        terms.type,
        terms.quantity,
        terms.limit_price,
        terms.stop_price,
        hold.lot_size,
        hold.per_lot,
        row.filled,
        row.state,
        hold.confirmed,
        row.decided_ns,
        hold.answer,
    )


def _row(record: asyncpg.Record) -> ReservationRow:
    hold = Hold(
        key=HoldKey(record["order_id"], record["terms_version"], record["attempt"]),
        request_id=record["request_id"],
        terms=Terms(
            side=Side(record["side"]),
            type=OrderType(record["type"]),
            quantity=record["quantity"],
            limit_price=record["limit_price"],
            stop_price=record["stop_price"],
        ),
        lot_size=record["lot_size"],
        per_lot=record["per_lot"],
        answer=record["answer"],
        asked_ns=0,
        confirmed=record["confirmed"],
    )
    return ReservationRow(
        record["account_id"],
        record["instrument_id"],
        hold,
        record["filled"],
        HoldState(record["state"]),
        record["decided_ns"],
    )
