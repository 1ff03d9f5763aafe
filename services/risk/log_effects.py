"""Entering the logs of execution and portfolio into the books, in the follower's transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import asyncpg
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from bifrost.execution.v1 import order_pb2
from bifrost.execution.v1.order_service_pb2 import StreamOrderLogResponse
from bifrost.portfolio.v1.ledger_service_pb2 import StreamLedgerLogResponse
from services.risk.books import Books
from services.risk.convert import to_change, to_posting
from services.risk.domain.book import AccountBook, Hold, HoldKey
from services.risk.domain.order_log import OrderChange, apply_change, lacks_hold, lost_holds
from services.risk.reservation_store import HoldState, HoldUpdate, rows_of_orders, update_holds
from services.risk.store import (
    insert_fills,
    insert_postings,
    upsert_cash,
    upsert_positions,
)
from services.runtime.clock import Clock
from services.runtime.database import driver_of
from services.runtime.errors import ApiError
from services.runtime.follower import FollowerHaltedError

_log = structlog.get_logger(__name__)
_CHANGES_NO_HOLD = frozenset(
    {
        order_pb2.ORDER_EVENT_TYPE_SUBMITTED,
        order_pb2.ORDER_EVENT_TYPE_ACCEPTED,
        order_pb2.ORDER_EVENT_TYPE_CANCEL_REQUESTED,
        order_pb2.ORDER_EVENT_TYPE_TRIGGERED,
    }
)
"""At most these confirm what is held already."""


class LogEffects:
    """What a batch of log entries does; called inside `Books.transaction`."""

    def __init__(self, books: Books, *, clock: Clock) -> None:
        self._books = books
        self._clock = clock

    async def apply_ledger(
        self, connection: AsyncConnection, responses: Sequence[StreamLedgerLogResponse]
    ) -> None:
        """Enter deposits and whatever else is no trade; an entry seen before has no effect."""
        driver = await driver_of(connection)
        with _readable():
            postings = [p for response in responses if (p := to_posting(response.entry)) is not None]
        new = await insert_postings(driver, postings)
        touched: dict[str, AccountBook] = {}
        for posting in postings:
            if posting.entry_id in new:
                new.discard(posting.entry_id)
                book = touched[posting.account_id] = self._book(posting.account_id, posting.currency)
                book.cash += posting.amount
        await upsert_cash(driver, ((b.account_id, b.currency, b.cash) for b in touched.values()))
        self._books.applied()

    async def apply_orders(
        self, connection: AsyncConnection, responses: Sequence[StreamOrderLogResponse]
    ) -> None:
        """Enter order events: fills become cash and shares, holds shrink, are swapped, or are given back."""
        driver = await driver_of(connection)
        with _readable():
            changes = [to_change(response.order_event) for response in responses]
        new_fills = await insert_fills(driver, [change.fill for change in changes if change.fill])
        batch = _Batch()
        for change in changes:
            await self._apply(driver, _with_new_fill_only(change, new_fills), batch)
        await batch.write(driver)
        self._books.applied()

    async def _apply(self, driver: asyncpg.Connection, change: OrderChange, batch: _Batch) -> None:
        fill = change.fill
        if fill is not None:
            book = self._book(change.account_id, fill.currency)
            batch.filled[book.account_id, fill.instrument_id] = book
        elif change.account_id in self._books.accounts:
            book = self._books.accounts[change.account_id]
        else:
            return  # an account that nothing was ever reserved for: its order was refused
        if lacks_hold(book, change):
            await self._hold_again(driver, book, change, batch)
        batch.touch(book, apply_change(book, change))

    def _book(self, account_id: str, currency: str) -> AccountBook:
        book = self._books.book(account_id, currency)
        if book.currency != currency:
            raise FollowerHaltedError(
                f"account {account_id} holds {book.currency}, but its log has an amount in {currency}"
            )
        return book

    async def _hold_again(
        self, driver: asyncpg.Connection, book: AccountBook, change: OrderChange, batch: _Batch
    ) -> None:
        """The order lives, so what was given up for lack of a sign of it is held after all."""
        rows = await rows_of_orders(driver, [change.order_id])
        granted = {row.hold.key: row for row in rows if row.state is not HoldState.REFUSED}
        held = book.orders.get(change.order_id)
        # What is held, and what this batch has touched, is newer than its row.
        newer = {hold.key: hold for hold in (() if held is None else held.holds)}
        newer |= {key: hold for key, (_, hold) in batch.holds.items() if key in granted}
        lost = lost_holds(book, change, [newer.get(key, row.hold) for key, row in granted.items()])
        if not lost:
            _log.error("order_without_reservation", order_id=change.order_id, account_id=book.account_id)
        for hold in lost:
            row = granted[hold.key]
            hold.asked_ns = self._clock.monotonic_ns()
            order = book.add_hold(row.instrument_id, hold, filled=row.filled)
            batch.touch(book, order.holds)
            _log.warning("reservation_held_again", order_id=change.order_id, account_id=book.account_id)


def changes_no_hold(response: StreamOrderLogResponse) -> bool:
    """Whether this is an event of the order log after which as much is held, owned and owed as before."""
    return response.HasField("order_event") and response.order_event.type in _CHANGES_NO_HOLD


def _with_new_fill_only(change: OrderChange, new_fills: set[tuple[str, str]]) -> OrderChange:
    """The change, without its fill when that has been entered before; a fill is new once."""
    if change.fill is None:
        return change
    key = change.fill.venue, change.fill.execution_id
    if key in new_fills:
        new_fills.discard(key)
        return change
    return replace(change, fill=None)


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    """An entry that makes no sense stops the follower: nothing may build on what it moved."""
    try:
        yield
    except (ApiError, ValueError) as error:
        raise FollowerHaltedError(f"an entry of the log is unreadable: {error}") from error


class _Batch:
    """What a batch of changes touched, written once at its end."""

    def __init__(self) -> None:
        self.filled: dict[tuple[str, str], AccountBook] = {}
        self.holds: dict[HoldKey, tuple[AccountBook, Hold]] = {}

    def touch(self, book: AccountBook, holds: Sequence[Hold]) -> None:
        """These holds may have changed."""
        for hold in holds:
            self.holds[hold.key] = book, hold

    async def write(self, driver: asyncpg.Connection) -> None:
        """Write everything as it stands now."""
        books = {book.account_id: book for book in self.filled.values()}
        await upsert_cash(driver, ((b.account_id, b.currency, b.cash) for b in books.values()))
        await upsert_positions(
            driver,
            (
                (account, instrument, b.position(instrument))
                for (account, instrument), b in self.filled.items()
            ),
        )
        await update_holds(driver, [_update(book, hold) for book, hold in self.holds.values()])


def _update(book: AccountBook, hold: Hold) -> HoldUpdate:
    order = book.orders.get(hold.key.order_id)
    if order is None:
        return HoldUpdate(hold.key, HoldState.RELEASED, hold.confirmed, None)
    state = HoldState.HELD if hold in order.holds else HoldState.RELEASED
    return HoldUpdate(hold.key, state, hold.confirmed, order.filled)
