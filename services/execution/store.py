"""Orders and fills in PostgreSQL: what is written goes through the transaction of the event log."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import asyncpg

from services.execution.domain.order import Fill, Order, OrderState
from services.execution.rows import FILL, ORDER_KEY, ORDER_LIFE, Value, fill_of, order_of
from services.execution.tables import SCHEMA
from services.runtime.database import Database

T = TypeVar("T")

# ruff: noqa: S608  # names of our own columns only
_ORDERS: Final = f"{SCHEMA}.orders"
_FILLS: Final = f"{SCHEMA}.fill"
_REPLACES: Final = f"{SCHEMA}.replace_request"


class StaleOrderError(RuntimeError):
    """A row is not at the version it was changed from; nothing was written."""


@dataclass(frozen=True, slots=True)
class ReplaceRequest:
    """A replace that was recorded, by its idempotency key within the account."""

    account_id: str
    request_id: str
    digest: str
    order_id: str
    create_time_ns: int


class OrderStore:
    """Queries on orders and fills."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = _Statements()

    async def insert_orders(self, driver: asyncpg.Connection, orders: Sequence[Order]) -> None:
        """Write new orders."""
        await driver.execute(self._sql.insert_orders, *_columns(_ORDER_COLUMNS, orders))

    def addition(self, orders: Sequence[Order]) -> tuple[str, list[object]]:
        """What `EventLog.write` needs to write new orders."""
        if len(orders) == 1:
            return self._sql.add_order, [value(orders[0]) for _, _, value in _ORDER_COLUMNS]
        return self._sql.add_orders, list(_columns(_ORDER_COLUMNS, orders))

    def alteration(self, order: Order, version: int) -> tuple[str, list[object]]:
        """What `EventLog.write` needs to write what has changed of one order, if it stands at `version`."""
        values = [value(order) for _, _, value in ORDER_LIFE]
        return self._sql.alter_order, [order.order_id, version, *values]

    async def update_orders(
        self, driver: asyncpg.Connection, orders: Sequence[Order], versions: Sequence[int]
    ) -> None:
        """Write what has changed of orders that stand at `versions`.

        Raises:
            StaleOrderError: one of them does not.
        """
        rows = [
            (order.order_id, version, *(value(order) for _, _, value in ORDER_LIFE))
            for order, version in zip(orders, versions, strict=True)
        ]
        # Row by row in one round trip: a join with unnest() would be planned as a scan of all orders.
        updated = await driver.fetchmany(self._sql.update_order, rows)
        if len(updated) != len(rows):
            raise StaleOrderError(f"{len(updated)} of {len(rows)} orders are at the version they had")

    async def insert_fills(self, driver: asyncpg.Connection, fills: Sequence[Fill]) -> None:
        """Write fills; one that is there already is a violation of its key, and undoes the transaction."""
        await driver.execute(self._sql.insert_fills, *_columns(FILL, fills))

    async def insert_replace_requests(
        self, driver: asyncpg.Connection, requests: Sequence[ReplaceRequest]
    ) -> None:
        """Write idempotency keys of replaces."""
        columns = [
            [request.account_id for request in requests],
            [request.request_id for request in requests],
            [request.digest for request in requests],
            [request.order_id for request in requests],
            [request.create_time_ns for request in requests],
        ]
        await driver.execute(self._sql.insert_replaces, *columns)

    async def find_by_request(self, account_id: str, request_ids: Sequence[str]) -> dict[str, Order]:
        """The account's orders that were submitted with these ids, by id."""
        async with self._database.raw() as driver:
            rows = await driver.fetch(self._sql.by_request, [f"{account_id}/{each}" for each in request_ids])
        if not rows:  # nearly always, so their content is asked for apart
            return {}
        found = await self.find_orders([row["order_id"] for row in rows])
        return {order.request_id: order for order in found.values()}

    async def find_replace_request(self, account_id: str, request_id: str) -> ReplaceRequest | None:
        """The replace recorded under this key."""
        async with self._database.raw() as driver:
            row = await driver.fetchrow(self._sql.replace_request, account_id, request_id)
        return None if row is None else ReplaceRequest(**row)

    async def find_orders(self, order_ids: Collection[str]) -> dict[str, Order]:
        """Orders by id; those that are not there are left out."""
        async with self._database.raw() as driver:
            rows = await driver.fetch(self._sql.by_id, list(order_ids))
        return {row["order_id"]: order_of(row) for row in rows}

    async def load_open(self) -> list[Order]:
        """Every order that has not ended."""
        async with self._database.raw() as driver:
            return [order_of(row) for row in await driver.fetch(self._sql.open)]

    async def list_orders(
        self,
        account_id: str,
        *,
        before: str | None,
        limit: int,
        state: OrderState | None,
        open_only: bool,
        instrument_id: str,
    ) -> list[Order]:
        """Orders of an account, newest first, from before the order id `before`."""
        query, values = f"{self._sql.listed} WHERE account_id = $1", list[Value]([account_id])
        if before is not None:
            values.append(before)
            query += f" AND order_id < ${len(values)}"
        if state is not None:
            values.append(int(state))
            query += f" AND state = ${len(values)}"
        if instrument_id:
            values.append(instrument_id)
            query += f" AND instrument_id = ${len(values)}"
        if open_only:
            query += " AND is_open"
        async with self._database.raw() as driver:
            rows = await driver.fetch(f"{query} ORDER BY order_id DESC LIMIT {limit:d}", *values)
        return [order_of(row) for row in rows]

    async def list_fills(
        self, account_id: str, *, after: str | None, limit: int, order_id: str
    ) -> list[Fill]:
        """Fills of an account, oldest first, from after the fill id `after`."""
        query = f"SELECT * FROM {_FILLS} WHERE account_id = $1 AND fill_id > $2"
        values = [account_id, after or ""]
        if order_id:
            values.append(order_id)
            query += " AND order_id = $3"
        async with self._database.raw() as driver:
            rows = await driver.fetch(f"{query} ORDER BY fill_id LIMIT {limit:d}", *values)
        return [fill_of(row) for row in rows]

    async def last_event_time(self) -> int | None:
        """Market time of the newest event of the log; None when there is none."""
        async with self._database.raw() as driver:
            time_ns: int | None = await driver.fetchval(self._sql.last_event_time)
        return time_ns


_ORDER_COLUMNS: Final = [*ORDER_KEY, *ORDER_LIFE]


def _columns(
    columns: Sequence[tuple[str, str, Callable[[T], Value]]], items: Sequence[T]
) -> list[list[Value]]:
    return [[value(item) for item in items] for _, _, value in columns]


class _Statements:
    """The statements; an insert or update of any number of rows is one, fed with a column at a time."""

    def __init__(self) -> None:
        executed = f"ARRAY(SELECT execution_id FROM {_FILLS} f WHERE f.order_id = o.order_id)"
        select = f"SELECT o.*, {executed} AS execution_ids FROM {_ORDERS} o"
        self.insert_orders = _insert(_ORDERS, _ORDER_COLUMNS)
        self.add_orders = f"added AS ({_insert(_ORDERS, _ORDER_COLUMNS, 'writer, ')})"
        self.add_order = f"added AS ({_insert_one(_ORDERS, _ORDER_COLUMNS)})"
        self.insert_fills = _insert(_FILLS, FILL)
        self.insert_replaces = (
            f"INSERT INTO {_REPLACES} (account_id, request_id, digest, order_id, create_time_ns) "
            "SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])"
        )
        self.update_order = f"{_update(_ORDERS, ORDER_LIFE)} RETURNING order_id"
        self.alter_order = f"changed AS ({_update(_ORDERS, ORDER_LIFE, 'FROM writer')} RETURNING 1)"
        self.by_request = (
            f"SELECT order_id FROM {_ORDERS} WHERE account_id || '/' || request_id = ANY($1::text[])"
        )
        self.by_id = f"{select} WHERE order_id = ANY($1::text[])"
        self.open = f"{select} WHERE is_open ORDER BY order_id"
        # Lists are for display: which executions an order has counted is not shown.
        self.listed = f"SELECT *, '{{}}'::text[] AS execution_ids FROM {_ORDERS}"
        self.replace_request = f"SELECT * FROM {_REPLACES} WHERE account_id = $1 AND request_id = $2"
        self.last_event_time = f"SELECT event_time_ns FROM {SCHEMA}.event_log ORDER BY sequence DESC LIMIT 1"


def _insert(table: str, columns: Sequence[tuple[str, str, object]], beside: str = "") -> str:
    names = [name for name, _, _ in columns]
    given = ", ".join(f"${n}::{kind}[]" for n, (_, kind, _) in enumerate(columns, start=1))
    taken = ", ".join(_stored(name, f"new.{name}") for name in names)
    return (
        f"INSERT INTO {table} ({', '.join(names)}) "
        f"SELECT {taken} FROM {beside}unnest({given}) AS new({', '.join(names)})"
    )


def _insert_one(table: str, columns: Sequence[tuple[str, str, object]]) -> str:
    """As `_insert`, of values instead of arrays, which takes the driver and PostgreSQL half the time."""
    names = ", ".join(name for name, _, _ in columns)
    given = (_stored(name, f"${n}::{kind}") for n, (name, kind, _) in enumerate(columns, start=1))
    return f"INSERT INTO {table} ({names}) SELECT {', '.join(given)} FROM writer"


def _update(table: str, columns: Sequence[tuple[str, str, object]], beside: str = "") -> str:
    sets = ", ".join(
        f"{name} = {_stored(name, f'${n}::{kind}')}" for n, (name, kind, _) in enumerate(columns, start=3)
    )
    return f"UPDATE {table} SET {sets} {beside} WHERE order_id = $1 AND version = $2"


def _stored(name: str, given: str) -> str:
    return f"string_to_array({given}, ',')" if name == "reject_reasons" else given
