"""When a schedule is due: on every trading day of a market, after its close or at a time of its clocks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from services.data.domain.bars import BarInterval
from services.data.domain.ingestion import IngestionKind
from services.data.domain.trading_calendar import SessionTable

_NANOS = 10**9
_MINUTE_NS = 60 * _NANOS
# Sessions looked at before the moment: a due time lies at most a day after its session's close.
_BACK = 8


@dataclass(frozen=True, slots=True)
class Schedule:
    """As recorded; times are wall clock, nanoseconds since the epoch, UTC."""

    schedule_id: str
    source: str
    symbols: tuple[str, ...]
    """Empty means all the source has."""
    interval: BarInterval
    calendar: str
    """MIC."""
    minutes_after_close: int | None
    local_time: time | None
    """One of the two is given."""
    create_time_ns: int
    last_due_ns: int
    """Due times up to it are made or let go."""
    paused: bool = False
    last_ingestion_id: str = ""
    delete_time_ns: int | None = None
    kind: IngestionKind = IngestionKind.BARS

    @property
    def is_deleted(self) -> bool:
        """It makes no ingestions any more."""
        return self.delete_time_ns is not None


def request_id_of(schedule_id: str, due_ns: int) -> str:
    """The key under which a due time makes its one ingestion."""
    return f"{schedule_id}:{due_ns // _NANOS}"


def next_due_ns(schedule: Schedule, table: SessionTable, zone: ZoneInfo, after_ns: int) -> int | None:
    """The first due time after a moment; None when the calendar knows no session so late."""
    return next((due for due in _due_times(schedule, table, zone, after_ns) if due > after_ns), None)


def missed_ns(schedule: Schedule, table: SessionTable, zone: ZoneInfo, now_ns: int) -> int | None:
    """The last due time up to now that is neither made nor let go; None when there is none.

    Of several that were missed only the last is made up for: an ingestion loads all that is missing.
    """
    after_ns = schedule.last_due_ns
    due = [one for one in _due_times(schedule, table, zone, now_ns) if after_ns < one <= now_ns]
    return max(due, default=None)


def _due_times(schedule: Schedule, table: SessionTable, zone: ZoneInfo, around_ns: int) -> list[int]:
    """Those of the sessions around a moment, oldest first."""
    place = int(np.searchsorted(table.close_ns, around_ns))
    places = range(max(0, place - _BACK), min(place + _BACK, len(table.close_ns)))
    if schedule.minutes_after_close is not None:
        pause_ns = schedule.minutes_after_close * _MINUTE_NS
        return [int(table.close_ns[one]) + pause_ns for one in places]
    at = schedule.local_time or time()
    return [_moment(table.session_date[one].item(), at, zone) for one in places]


def _moment(day: date, at: time, zone: ZoneInfo) -> int:
    """When clocks show a time on a day: first where they do twice, after the gap where they never do."""
    local = datetime.combine(day, at, zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
        # Read by the offset of before the gap, it lies as far behind the gap as it was into it.
        moment = _end_of_gap(moment, zone)
    return int(moment.timestamp()) * _NANOS


def _end_of_gap(moment: datetime, zone: ZoneInfo) -> datetime:
    """The moment clocks were put forward, some hours before at most, to the minute."""
    offset = moment.astimezone(zone).utcoffset()
    while (moment - timedelta(minutes=1)).astimezone(zone).utcoffset() == offset:
        moment -= timedelta(minutes=1)
    return moment
