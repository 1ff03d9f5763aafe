"""Makes the ingestions of schedules when they fall due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from zoneinfo import ZoneInfo

import structlog

from services.data.calendars.calendars import Calendars, market_named
from services.data.domain.ingestion import Ingestion
from services.data.domain.schedule import Schedule, missed_ns, next_due_ns, request_id_of
from services.data.ingestions.ingestion_store import insert_ingestion
from services.data.ingestions.schedule_store import ScheduleStore, claim_due
from services.runtime.clock import NANOS, Clock
from services.runtime.database import Database, DatabaseUnavailableError
from services.runtime.errors import ApiError
from services.runtime.idempotency import IdempotencyStore
from services.runtime.ids import new_id

_log = structlog.get_logger(__name__)
_OWNER = "schedule"
_METHOD = "CreateIngestion"


class ScheduleRunner:
    """The background task of all schedules."""

    def __init__(
        self,
        database: Database,
        store: ScheduleStore,
        calendars: Calendars,
        idempotency: IdempotencyStore,
        *,
        clock: Clock,
        poll_s: float,
        on_made: Callable[[], None],
    ) -> None:
        self._database = database
        self._store = store
        self._calendars = calendars
        self._idempotency = idempotency
        self._clock = clock
        self._poll_s = poll_s
        self._on_made = on_made
        self._changed = asyncio.Event()
        self._problems: dict[str, str] = {}

    def notify(self) -> None:
        """A schedule was made or changed: look again."""
        self._changed.set()

    async def run(self) -> None:
        """Make what is due, then wait for the next; for ever.

        It looks at the clock at least every ``poll_s``, for wall clocks are set and machines sleep.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away; run it again.
        """
        while True:
            self._changed.clear()
            wait_s = self._poll_s
            schedules = await self._store.active()
            present = {one.schedule_id for one in schedules}
            self._problems = {one: text for one, text in self._problems.items() if one in present}
            for schedule in schedules:
                due_ns = await self._look(schedule)
                if due_ns is not None:
                    wait_s = min(wait_s, max(0.0, (due_ns - self._clock.now_ns()) / NANOS))
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def next_due_ns(self, schedule: Schedule) -> int | None:
        """When it is due next; None while it is paused or fails, and where the calendar ends before."""
        if schedule.paused:
            return None
        try:
            due_ns = await self._next_due_ns(schedule)
        except Exception as error:  # noqa: BLE001  whatever it is, others can be shown
            self._record(schedule, error)
            return None
        return due_ns

    def problem_of(self, schedule: Schedule) -> str:
        """Why it makes no ingestions, as last seen; empty when nothing is wrong."""
        return self._problems.get(schedule.schedule_id, "")

    async def _look(self, schedule: Schedule) -> int | None:
        """Make what is due of one; when it is due next, None when that is not known.

        Raises:
            DatabaseUnavailableError: PostgreSQL is away, for all of them.
        """
        try:
            await self._make_due(schedule)
            due_ns = await self._next_due_ns(schedule)
        except DatabaseUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001  one that fails does not keep the others from being made
            self._record(schedule, error)
            return None
        self._problems.pop(schedule.schedule_id, None)
        return due_ns

    async def _next_due_ns(self, schedule: Schedule) -> int | None:
        market = market_named(schedule.calendar)
        table = await self._calendars.sessions(market)
        after_ns = max(schedule.last_due_ns, self._clock.now_ns())
        return next_due_ns(schedule, table, ZoneInfo(market.time_zone), after_ns)

    def _record(self, schedule: Schedule, error: Exception) -> None:
        if isinstance(error, ApiError):
            problem = f"{error.reason}: {error.message}"
        else:
            problem = f"INTERNAL: a defect of the service ({type(error).__name__}); its log has more"
        if problem != self.problem_of(schedule):
            _log.error("schedule_failed", schedule=schedule.schedule_id, problem=problem, exc_info=error)
        self._problems[schedule.schedule_id] = problem

    async def _make_due(self, schedule: Schedule) -> None:
        market = market_named(schedule.calendar)
        table, now_ns = await self._calendars.sessions(market), self._clock.now_ns()
        due_ns = missed_ns(schedule, table, ZoneInfo(market.time_zone), now_ns)
        if due_ns is None:
            return
        made = Ingestion(
            new_id(self._clock),
            schedule.source,
            schedule.symbols,
            create_time_ns=now_ns,
            update_time_ns=now_ns,
            interval=schedule.interval,
            kind=schedule.kind,
        )
        key = (_OWNER, _METHOD, request_id_of(schedule.schedule_id, due_ns))
        async with self._database.transaction() as connection:
            # The claim alone keeps a due time from being made twice; the key also does after a restore of
            # schedules without their ingestions.
            if not await claim_due(connection, schedule, due_ns, made.ingestion_id):
                return
            if await self._idempotency.begin(connection, *key, str(due_ns)) is not None:
                return
            await insert_ingestion(connection, made)
            await self._idempotency.finish(connection, *key, made.ingestion_id)
        _log.info("schedule_due", schedule=schedule.schedule_id, ingestion=made.ingestion_id)
        self._on_made()
