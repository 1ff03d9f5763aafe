"""Fills of execution's order log, booked: each once, with the cursor, in one transaction.

Written in arrays, a statement a table, so that a batch of hundreds of fills costs the round trips of one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import asyncpg

from bifrost.execution.v1 import order_pb2
from bifrost.execution.v1.order_service_pb2 import StreamOrderLogResponse
from services.portfolio.convert import fill_of
from services.portfolio.domain.ledger import Fill, LedgerEntry, post_fill
from services.portfolio.domain.lot import Holding, Lot
from services.portfolio.postings import lock_cash, write_postings
from services.portfolio.tables import fills, lots, positions
from services.runtime.clock import Clock
from services.runtime.errors import ApiError
from services.runtime.event_log import LogTransaction
from services.runtime.failpoints import failpoint
from services.runtime.follower import FollowerHaltedError
from services.runtime.ids import new_id

Key = tuple[str, str]
"""Account and instrument."""

_FILL_COLUMNS = tuple(Fill.__dataclass_fields__)
# ruff: noqa: S608  # names of our own tables and columns
_KNOWN = (
    f"SELECT {', '.join(f'f.{name}' for name in _FILL_COLUMNS)} FROM {fills.fullname} f "
    "JOIN unnest($1::text[], $2::text[]) AS n(venue, execution_id) USING (venue, execution_id)"
)
_KEYS = (
    "JOIN unnest($1::text[], $2::text[]) AS n(account_id, instrument_id) USING (account_id, instrument_id)"
)
_POSITIONS = (
    f"SELECT account_id, instrument_id, realized_pnl, last_lot_number FROM {positions.fullname} {_KEYS}"
)
_LOTS = (
    "SELECT account_id, instrument_id, number, fill_id, quantity, cost, open_time_ns "
    f"FROM {lots.fullname} {_KEYS} ORDER BY number"
)
_INSERT_FILLS = (
    f"INSERT INTO {fills.fullname} ({', '.join(_FILL_COLUMNS)}) SELECT * FROM unnest("
    "$1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], "
    "$8::numeric[], $9::numeric[], $10::numeric[], $11::text[], $12::bigint[])"
)
_UPSERT_POSITIONS = (
    f"INSERT INTO {positions.fullname} (account_id, instrument_id, symbol, quantity, cost, realized_pnl, "
    "last_lot_number, event_time_ns) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::numeric[], "
    "$5::numeric[], $6::numeric[], $7::bigint[], $8::bigint[]) ON CONFLICT (account_id, instrument_id) "
    "DO UPDATE SET symbol = excluded.symbol, quantity = excluded.quantity, cost = excluded.cost, "
    "realized_pnl = excluded.realized_pnl, last_lot_number = excluded.last_lot_number, "
    "event_time_ns = excluded.event_time_ns"
)
_DELETE_LOTS = (
    f"DELETE FROM {lots.fullname} l USING unnest($1::text[], $2::text[], $3::bigint[]) "
    "AS n(account_id, instrument_id, number) WHERE l.account_id = n.account_id "
    "AND l.instrument_id = n.instrument_id AND l.number = n.number"
)
_UPSERT_LOTS = (
    f"INSERT INTO {lots.fullname} (account_id, instrument_id, number, fill_id, quantity, cost, open_time_ns) "
    "SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::numeric[], $6::numeric[], "
    "$7::bigint[]) ON CONFLICT (account_id, instrument_id, number) "
    "DO UPDATE SET quantity = excluded.quantity, cost = excluded.cost"
)


class FillStore:
    """Turns the order log into cash, lots and positions."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock

    async def apply(self, transaction: LogTransaction, responses: Sequence[StreamOrderLogResponse]) -> None:
        """Book the fills among the events; the caller moves the cursor in the same transaction.

        Raises:
            FollowerHaltedError: a fill that cannot be booked: nobody may guess about money.
        """
        events = [response.order_event for response in responses]
        told = [event.fill for event in events if event.type == order_pb2.ORDER_EVENT_TYPE_FILLED]
        if not told:
            return
        try:
            await self._book(transaction, [fill_of(message) for message in told])
        except (ValueError, ApiError) as error:
            raise FollowerHaltedError(str(error)) from error
        failpoint("portfolio.apply.before_commit")

    async def _book(self, transaction: LogTransaction, told: Sequence[Fill]) -> None:
        driver = transaction.driver
        cash = await lock_cash(driver, {fill.account_id for fill in told})
        new = await _unknown(driver, told)
        if not new:
            return
        before = await _holdings(driver, {(fill.account_id, fill.instrument_id) for fill in new})
        after, entries, last = dict(before), list[LedgerEntry](), dict[Key, Fill]()
        for fill in new:
            account = cash.get(fill.account_id)
            if account is None:
                raise ValueError(f"fill {fill.fill_id} is of account {fill.account_id}, which is not here")
            key = fill.account_id, fill.instrument_id
            cash[fill.account_id], after[key], entry = post_fill(
                account,
                after[key],
                fill,
                entry_id=new_id(self._clock),
                post_time_ns=self._clock.now_ns(),
            )
            entries.append(entry)
            last[key] = fill
        await _execute(driver, _INSERT_FILLS, (tuple(getattr(f, n) for n in _FILL_COLUMNS) for f in new))
        await _write_holdings(driver, before, after, last)
        await write_postings(transaction, cash.values(), entries)


def tells_no_fill(response: StreamOrderLogResponse) -> bool:
    """Whether this is an event of the order log that has no effect here."""
    return response.HasField("order_event") and response.order_event.type != order_pb2.ORDER_EVENT_TYPE_FILLED


async def _unknown(driver: asyncpg.Connection, told: Sequence[Fill]) -> list[Fill]:
    """The fills that were not booked before. ValueError when one was, with other content."""
    ids = [(fill.venue, fill.execution_id) for fill in told]
    rows = await driver.fetch(_KNOWN, *map(list, zip(*ids, strict=True)))
    booked = {(row["venue"], row["execution_id"]): Fill(**row) for row in rows}
    new = []
    for fill in told:
        first = booked.setdefault((fill.venue, fill.execution_id), fill)
        if first is fill:
            new.append(fill)
        elif replace(fill, fill_id=first.fill_id) != first:
            raise ValueError(f"execution {fill.execution_id} of {fill.venue} came again with other content")
    return new


async def _holdings(driver: asyncpg.Connection, keys: Iterable[Key]) -> dict[Key, Holding]:
    wanted = sorted(keys)
    columns = [list(column) for column in zip(*wanted, strict=True)]
    open_lots = defaultdict[Key, list[Lot]](list)
    for account_id, instrument_id, *lot in await driver.fetch(_LOTS, *columns):
        open_lots[account_id, instrument_id].append(Lot(*lot))
    holdings = dict.fromkeys(wanted, Holding())
    for account_id, instrument_id, realized_pnl, last_lot_number in await driver.fetch(_POSITIONS, *columns):
        key = account_id, instrument_id
        holdings[key] = Holding(tuple(open_lots[key]), realized_pnl, last_lot_number)
    return holdings


async def _write_holdings(
    driver: asyncpg.Connection,
    before: Mapping[Key, Holding],
    after: Mapping[Key, Holding],
    last: Mapping[Key, Fill],
) -> None:
    rows, closed, changed = [], [], []
    for key, holding in after.items():
        fill = last[key]
        amounts = holding.quantity, holding.cost, holding.realized_pnl
        rows.append((*key, fill.symbol, *amounts, holding.last_lot_number, fill.event_time_ns))
        old = {lot.number: lot for lot in before[key].lots}
        new = {lot.number: lot for lot in holding.lots}
        closed += [(*key, number) for number in old.keys() - new.keys()]
        changed += [
            (*key, lot.number, lot.fill_id, lot.quantity, lot.cost, lot.open_time_ns)
            for lot in holding.lots
            if old.get(lot.number) != lot
        ]
    await _execute(driver, _UPSERT_POSITIONS, rows)
    await _execute(driver, _DELETE_LOTS, closed)
    await _execute(driver, _UPSERT_LOTS, changed)


async def _execute(driver: asyncpg.Connection, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    if columns:
        await driver.execute(statement, *columns)
