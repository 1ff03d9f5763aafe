"""The view behind StreamPositions: a snapshot, then what fills, deposits and quotes change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from bifrost.portfolio.v1 import portfolio_pb2
from bifrost.portfolio.v1.portfolio_service_pb2 import PositionBatch, StreamPositionsResponse
from bifrost.type.v1.stream_pb2 import Heartbeat, ReplayEnd, StreamHeader
from services.portfolio.book_store import BookStore
from services.portfolio.convert import balance_message, position_message
from services.portfolio.domain.books import Books
from services.portfolio.gate import Gate
from services.portfolio.ledger_store import account_not_found
from services.portfolio.marks import Marks
from services.runtime.clock import Clock, to_timestamp
from services.runtime.event_log import EventLog
from services.runtime.failures import draining as draining_error
from services.runtime.ids import new_id

# A mark grows stale without anything arriving: how often a quiet reader's marks are looked at.
_STALENESS_CHECK_S = 1.0


@dataclass
class _Shown:
    """What a reader has been sent."""

    positions: dict[str, portfolio_pb2.Position] = field(default_factory=dict)
    balance: portfolio_pb2.Balance | None = None


class PositionView:
    """Positions of accounts, live; any number of readers, each with its own pace and its own differences."""

    def __init__(
        self,
        store: BookStore,
        marks: Marks,
        log: EventLog,
        gate: Gate,
        *,
        clock: Clock,
        interval_s: float,
        heartbeat_s: float,
        draining: asyncio.Event,
    ) -> None:
        self._store = store
        self._marks = marks
        self._log = log
        self._gate = gate
        self._clock = clock
        self._interval_s = interval_s
        self._heartbeat_s = heartbeat_s
        self._draining = draining
        self._epoch = new_id(clock)
        self._sequence = 0

    async def stream(self, account_id: str) -> AsyncIterator[StreamPositionsResponse]:
        """A snapshot, its end, then at most one update an interval, and heartbeats when there is no news.

        Raises:
            ApiError: NOT_FOUND (ACCOUNT_NOT_FOUND), UNAVAILABLE (DRAINING, or DEPENDENCY_UNAVAILABLE once the
                order log cannot be followed any more).
        """
        self._gate.check()
        after = self._log.head  # before reading: what is posted later is seen as an event
        shown, books = _Shown(), await self._read(account_id)
        snapshot = self._difference(books, shown) or PositionBatch()
        held = [position for position in snapshot.positions if position.quantity != "0"]
        batch = PositionBatch(positions=held, balance=snapshot.balance)
        yield self._response(self._next(), self._event_time_ns(books), snapshot=batch)
        sequence = self._sequence
        yield self._response(sequence, self._clock.now_ns(), replay_end=ReplayEnd())
        loop = asyncio.get_running_loop()
        spoke_at = loop.time()
        drained: asyncio.Future[bool] = loop.create_task(self._draining.wait())
        try:
            while not drained.done():
                await asyncio.wait([drained], timeout=self._interval_s)
                logged, quoted = self._log.changed, self._marks.changed  # before looking: nothing is missed
                self._gate.check()
                posted, after = await self._posted(account_id, after)
                if posted:
                    books = await self._read(account_id)
                update = self._difference(books, shown)
                if update is not None:
                    sequence = self._next()
                    yield self._response(sequence, self._event_time_ns(books), update=update)
                    spoke_at = loop.time()
                elif loop.time() >= spoke_at + self._heartbeat_s:
                    yield self._response(sequence, self._clock.now_ns(), heartbeat=Heartbeat())
                    spoke_at = loop.time()
                else:
                    patience_s = min(spoke_at + self._heartbeat_s - loop.time(), _STALENESS_CHECK_S)
                    await asyncio.wait(
                        (logged, quoted, drained), timeout=patience_s, return_when=asyncio.FIRST_COMPLETED
                    )
        finally:
            drained.cancel()
        raise draining_error()

    async def _read(self, account_id: str) -> Books:
        books = await self._store.read_books(account_id)
        if books is None:
            raise account_not_found(account_id)
        return books

    async def _posted(self, account_id: str, after: int) -> tuple[bool, int]:
        """Whether the account had postings beyond `after`, and the log's head."""
        posted = False
        while True:
            events, reached = await self._log.page(after, keys={account_id})
            posted = posted or bool(events)
            if reached == after:
                return posted, after
            after = reached

    def _difference(self, books: Books, shown: _Shown) -> PositionBatch | None:
        """What the reader has not been shown yet, noted as shown; None when there is nothing.

        The order log's sequence alone is no news: it moves with every event of every account.
        """
        batch = PositionBatch()
        for position in books.positions:
            mark = self._marks.get(position.instrument_id)
            message = position_message(position, books.cash.currency, mark)
            news = message if position.quantity else _without_mark(message)
            if shown.positions.get(position.instrument_id) != news:
                shown.positions[position.instrument_id] = news
                batch.positions.append(message)
        balance = balance_message(books, self._marks.get)
        comparable = portfolio_pb2.Balance()
        comparable.CopyFrom(balance)
        comparable.ClearField("order_log_sequence")
        if not batch.positions and comparable == shown.balance:
            return None
        shown.balance = comparable
        batch.balance.CopyFrom(balance)
        return batch

    def _event_time_ns(self, books: Books) -> int:
        """The newest market time in what is shown; the wall clock's before anything was traded."""
        marks = (self._marks.get(position.instrument_id) for position in books.positions if position.quantity)
        times = [mark.event_time_ns for mark in marks if mark is not None]
        times += [position.event_time_ns for position in books.positions]
        return max(times, default=self._clock.now_ns())

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _response(
        self,
        sequence: int,
        event_time_ns: int,
        *,
        snapshot: PositionBatch | None = None,
        update: PositionBatch | None = None,
        replay_end: ReplayEnd | None = None,
        heartbeat: Heartbeat | None = None,
    ) -> StreamPositionsResponse:
        header = StreamHeader(
            epoch=self._epoch,
            sequence=sequence,
            event_time=to_timestamp(event_time_ns),
            publish_time=to_timestamp(self._clock.now_ns()),
        )
        return StreamPositionsResponse(
            header=header, snapshot=snapshot, update=update, replay_end=replay_end, heartbeat=heartbeat
        )


def _without_mark(message: portfolio_pb2.Position) -> portfolio_pb2.Position:
    """What is news about a flat position: its quotes are none."""
    news = portfolio_pb2.Position()
    news.CopyFrom(message)
    for name in ("mark_price", "mark_stale", "unrealized_pnl"):
        news.ClearField(name)
    return news
