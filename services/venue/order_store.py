"""Orders, executions, commands and fences in PostgreSQL: one statement writes all that a commit changes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import asyncpg

from services.runtime.database import Database
from services.venue.domain.commands import RecordedCommand
from services.venue.durable_state import command_to_json
from services.venue.records import ExecutionRecord, OrderRecord, SessionState

OrderKey = tuple[str, str]

_ORDER = (
    "venue_order_id, account_id, client_order_id, instrument_id, side, order_type, time_in_force, quantity, "
    "limit_price, stop_price, protection_price, terms_version, state, reason, filled, accepted_ns, updated_ns"
)
_CHANGING = (
    "quantity, limit_price, stop_price, protection_price, terms_version, state, reason, filled, updated_ns"
)
_EXECUTION = (
    "execution_id, venue_order_id, account_id, client_order_id, instrument_id, side, quantity, price, fee, "
    "currency, liquidity, against_synthetic, event_time_ns"
)
_OTHER = _ORDER.replace("account_id, client_order_id, ", "")
# ruff: noqa: S608  # the columns are ours
# What a commit changes, a query each; `{n}` stands for the n-th of the query's own parameters.
_ORDERS = f"""orders AS (
  INSERT INTO venue_order ({_ORDER}) SELECT {_ORDER}
  FROM writer, json_populate_recordset(NULL::venue_order, {{0}}::json)
  ON CONFLICT (venue_order_id) DO UPDATE SET
    ({_CHANGING}) = ROW({", ".join(f"excluded.{name.strip()}" for name in _CHANGING.split(","))})
)"""
_EXECUTIONS = f"""executions AS (
  INSERT INTO execution ({_EXECUTION}) SELECT {_EXECUTION}
  FROM writer, json_populate_recordset(NULL::execution, {{0}}::json)
)"""
_FENCES = """fences AS (
  INSERT INTO fenced_id (account_id, client_order_id, fence_time_ns)
  SELECT fence.*, {2}::bigint FROM writer, unnest({0}::text[], {1}::text[]) AS fence ON CONFLICT DO NOTHING
)"""
_COMMANDS = """commands AS (
  INSERT INTO command (session_no, day_no, position, body)
  SELECT {0}::int, day_no, position, body FROM writer, json_populate_recordset(NULL::command, {1}::json)
)"""
_CARRIED = """carried AS (
  INSERT INTO carried_state (session_no, state) SELECT {0}::int, {1}::json FROM writer
  ON CONFLICT (session_no) DO UPDATE SET state = excluded.state
)"""
_STANDING = """standing AS (
  UPDATE replay_position SET state = {1}, seconds_per_day = {2}, position = {3}, market_time_ns = {4}
  FROM writer WHERE session_no = {0}::int
)"""
_FIND = f"""
SELECT account_id, client_order_id, fenced_id.fence_time_ns, {_OTHER}
FROM unnest($1::text[], $2::text[]) AS key (account_id, client_order_id)
LEFT JOIN venue_order USING (account_id, client_order_id)
LEFT JOIN fenced_id USING (account_id, client_order_id)
WHERE venue_order.venue_order_id IS NOT NULL OR fenced_id.fence_time_ns IS NOT NULL
"""
# Asked first, since it is planned in a third of the time and nearly every id is new; it may say too much.
_IS_KNOWN = """
SELECT FROM venue_order WHERE account_id = ANY($1::text[]) AND client_order_id = ANY($2::text[])
UNION ALL SELECT FROM fenced_id WHERE account_id = ANY($1::text[]) AND client_order_id = ANY($2::text[])
LIMIT 1
"""
_LIST_ORDERS = f"""
SELECT record_no, {_ORDER} FROM venue_order WHERE account_id = $1 AND record_no > $2
ORDER BY record_no LIMIT $3
"""
_LIST_EXECUTIONS = f"""
SELECT record_no, {_EXECUTION} FROM execution WHERE account_id = $1 AND record_no > $2
ORDER BY record_no LIMIT $3
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the session stands at a commit."""

    session_no: int
    state: SessionState
    seconds_per_day: float
    position: int
    market_time_ns: int


@dataclass(slots=True)
class Changes:
    """What one commit makes durable; `carried` is the JSON of a new carried state, None for the old one."""

    orders: dict[str, OrderRecord] = field(default_factory=dict)
    executions: list[ExecutionRecord] = field(default_factory=list)
    fences: list[OrderKey] = field(default_factory=list)
    commands: list[tuple[int, RecordedCommand]] = field(default_factory=list)
    carried: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows of an id: an order, or that it is fenced."""

    order: OrderRecord | None
    fenced: bool


class OrderStore:
    """The venue's record. Writes belong to the engine alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, keys: Iterable[OrderKey]) -> dict[OrderKey, Known]:
        """What is recorded under these (account id, client order id); ids never seen are left out."""
        wanted = sorted(set(keys))
        if not wanted:
            return {}
        columns = [account_id for account_id, _ in wanted], [client_order_id for _, client_order_id in wanted]
        async with self._database.raw() as driver:
            if await driver.fetchrow(_IS_KNOWN, *columns) is None:
                return {}
            rows = await driver.fetch(_FIND, *columns)
        return {
            (row["account_id"], row["client_order_id"]): Known(
                None if row["venue_order_id"] is None else OrderRecord.from_row(row),
                row["fence_time_ns"] is not None,
            )
            for row in rows
        }

    async def write(
        self, driver: asyncpg.Connection, changes: Changes, standing: Standing | None, now_ns: int
    ) -> None:
        """Write all changes; without a session, as `standing` None says, there can be fences only."""
        queries, values = self.writing(changes, standing, now_ns)
        if queries:
            await driver.execute(f"WITH writer AS (SELECT), {queries} SELECT", *values)

    def writing(self, changes: Changes, standing: Standing | None, now_ns: int) -> tuple[str, list[object]]:
        """What `EventLog.write` needs to do the same: a query for each kind of change that there is."""
        queries: list[str] = []
        values: list[object] = []
        for query, own in _queries(changes, standing, now_ns):
            first = len(values) + 1
            queries.append(query.format(*(f"${first + n}" for n in range(len(own)))))
            values += own
        return ", ".join(queries), values

    async def list_orders(self, account_id: str, after: int, limit: int) -> Sequence[tuple[int, OrderRecord]]:
        """An account's orders after a record number, oldest first, each with its number."""
        async with self._database.raw() as driver:
            rows = await driver.fetch(_LIST_ORDERS, account_id, after, limit)
        return [(row["record_no"], OrderRecord.from_row(row)) for row in rows]

    async def list_executions(
        self, account_id: str, after: int, limit: int
    ) -> Sequence[tuple[int, ExecutionRecord]]:
        """An account's executions after a record number, oldest first, each with its number."""
        async with self._database.raw() as driver:
            rows = await driver.fetch(_LIST_EXECUTIONS, account_id, after, limit)
        return [(row["record_no"], ExecutionRecord.from_row(row)) for row in rows]


def _queries(
    changes: Changes, standing: Standing | None, now_ns: int
) -> Iterator[tuple[str, Sequence[object]]]:
    if changes.orders:
        yield _ORDERS, [json.dumps([order.to_row() for order in changes.orders.values()])]
    if changes.executions:
        yield _EXECUTIONS, [json.dumps([execution.to_row() for execution in changes.executions])]
    if changes.fences:
        yield _FENCES, [*map(list, zip(*changes.fences, strict=True)), now_ns]
    if standing is None:
        return
    if changes.commands:
        commands = [
            {"day_no": day_no, "position": each.position, "body": command_to_json(each.command)}
            for day_no, each in changes.commands
        ]
        yield _COMMANDS, [standing.session_no, json.dumps(commands)]
    if changes.carried is not None:
        yield _CARRIED, [standing.session_no, changes.carried]
    yield (
        _STANDING,
        [
            standing.session_no,
            standing.state.value,
            standing.seconds_per_day,
            standing.position,
            standing.market_time_ns,
        ],
    )
