"""How often a source's servers are asked: a minute's share in memory, a day's in the database.

Requests are reserved before a fetch and what it did not use is given back: a killed process may have counted
some that were never made, and never fewer than were.
"""

from __future__ import annotations

import threading
from collections import deque
from datetime import UTC, date, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.data import tables
from services.data.domain.ingestion import SymbolError
from services.data.sources.limits import BudgetLimits
from services.data.sources.source import SourceError
from services.runtime.clock import NANOS, Clock
from services.runtime.database import Database

_MINUTE_NS: Final = 60 * NANOS


class FetchAllowance:
    """What one fetch may ask; its ``take`` is called in the source's thread."""

    def __init__(self, minute: MinuteWindow, granted: int | None) -> None:
        self.used = 0
        self._minute = minute
        self._granted = granted
        self._stopped = threading.Event()

    @property
    def unused(self) -> int:
        """Granted and not asked."""
        return 0 if self._granted is None else self._granted - self.used

    def stop(self) -> None:
        """The fetch was given up: no more requests."""
        self._stopped.set()

    def take(self) -> None:
        """Wait until one more request may be made.

        Raises:
            SourceError: BUDGET_EXHAUSTED; TIMED_OUT when the fetch was given up.
        """
        if self._granted is not None and self.used >= self._granted:
            raise _exhausted()
        while pause_s := self._minute.try_take():
            if self._stopped.wait(pause_s):
                break
        if self._stopped.is_set():
            raise SourceError(SymbolError.TIMED_OUT, "the fetch was given up")
        self.used += 1


class MinuteWindow:
    """The requests of the last sixty seconds, shared by all fetches of a source."""

    def __init__(self, limit: int, clock: Clock) -> None:
        self._limit = limit
        self._clock = clock
        self._times: deque[int] = deque()
        self._lock = threading.Lock()

    def try_take(self) -> float:
        """0 when a request may be made now, which is then counted; else how many seconds to wait."""
        if not self._limit:
            return 0.0
        with self._lock:
            now = self._clock.monotonic_ns()
            while self._times and self._times[0] <= now - _MINUTE_NS:
                self._times.popleft()
            if len(self._times) < self._limit:
                self._times.append(now)
                return 0.0
            return (self._times[0] + _MINUTE_NS - now) / NANOS


class RequestBudget:
    """The budget of one source."""

    def __init__(self, source: str, limits: BudgetLimits, database: Database, *, clock: Clock) -> None:
        self._source = source
        self._limits = limits
        self._database = database
        self._clock = clock
        self._minute = MinuteWindow(limits.per_minute, clock)

    async def reserve(self, requests: int) -> tuple[FetchAllowance, date]:
        """Set up to ``requests`` of today aside for a fetch; a source that asks no server reserves none.

        Raises:
            SourceError: BUDGET_EXHAUSTED, none is left today.
        """
        today = datetime.fromtimestamp(self._clock.now_ns() // NANOS, UTC).date()
        if not requests:
            return FetchAllowance(self._minute, None), today
        table = tables.source_requests
        async with self._database.transaction() as connection:
            key = {"source": self._source, "request_date": today}
            await connection.execute(insert(table).values(**key, requests=0).on_conflict_do_nothing())
            mine = sa.and_(table.c.source == self._source, table.c.request_date == today)
            held = sa.select(table.c.requests).where(mine).with_for_update()
            spent: int = (await connection.execute(held)).scalar_one()
            granted = min(requests, self._limits.per_day - spent) if self._limits.per_day else requests
            if granted <= 0:
                raise _exhausted()
            await connection.execute(sa.update(table).where(mine).values(requests=spent + granted))
        return FetchAllowance(self._minute, granted), today

    async def give_back(self, allowance: FetchAllowance, day: date) -> None:
        """Stop the fetch and return what it did not use."""
        allowance.stop()
        unused = allowance.unused
        if not unused:
            return
        table = tables.source_requests
        mine = sa.and_(table.c.source == self._source, table.c.request_date == day)
        async with self._database.transaction() as connection:
            await connection.execute(sa.update(table).where(mine).values(requests=table.c.requests - unused))


def _exhausted() -> SourceError:
    return SourceError(SymbolError.BUDGET_EXHAUSTED, "the requests of today are used up; more from 00:00 UTC")
