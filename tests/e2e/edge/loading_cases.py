"""Bad input of what loads from sources: ingestions and schedules."""

from __future__ import annotations

from functools import partial

from tests.e2e.edge.calls import Json
from tests.e2e.edge.kinds import Case, domain_of, invalid
from tests.e2e.edge.world import UNKNOWN_ID, World

_INGEST = "data.v1.IngestionService/CreateIngestion"
_SCHEDULE = "data.v1.ScheduleService/CreateSchedule"
_WHO = "founder"


def _ingestion(fields: Json, _world: World) -> Json:
    return {"request_id": "bad", "source": "sample", "symbols": ["IBM"]} | fields


def _schedule(fields: Json, _world: World) -> Json:
    time = {"minutes_after_close": 30}
    request = {"request_id": "bad", "source": "sample", "symbols": ["IBM"], "calendar": "XNYS", "time": time}
    whole = request | fields
    return {name: value for name, value in whole.items() if value is not None}


def _refused(
    method: str, reason: str, fields: Json, *, field: str = "", code: str = "INVALID_ARGUMENT"
) -> Case:
    name = f"{method.partition('/')[2]}: {reason}"
    made = {_INGEST: partial(_ingestion, fields), _SCHEDULE: partial(_schedule, fields)}
    request = made.get(method, lambda _world: fields)
    return Case(name, method, request, code, reason, domain_of(method), field, _WHO)


_BOTH = (_INGEST, _SCHEDULE)
LOADING_CASES = [
    invalid("ingestion of no source", "source", partial(_ingestion, {"source": "No Source"}), _INGEST, _WHO),
    invalid("ingestion of kind 77", "kind", partial(_ingestion, {"kind": 77}), _INGEST, _WHO),
    invalid("ingestion of interval 77", "interval", partial(_ingestion, {"interval": 77}), _INGEST, _WHO),
    invalid(
        "start on no day", "start_date", partial(_ingestion, {"start_date": "2024-02-30"}), _INGEST, _WHO
    ),
    invalid(
        "start that is no date", "start_date", partial(_ingestion, {"start_date": "today"}), _INGEST, _WHO
    ),
    invalid(
        "facts of an interval",
        "interval",
        partial(
            _ingestion,
            {"source": "yahoo", "kind": "INGESTION_KIND_FACTS", "interval": "BAR_INTERVAL_DAY"},
        ),
        _INGEST,
        _WHO,
    ),
    *(_refused(method, "SOURCE_UNKNOWN", {"source": "nowhere"}, field="source") for method in _BOTH),
    *(_refused(one, "FACTS_UNSUPPORTED", {"kind": "INGESTION_KIND_FACTS"}, field="kind") for one in _BOTH),
    *(
        _refused(one, "INTERVAL_UNSUPPORTED", {"interval": "BAR_INTERVAL_MINUTE"}, field="interval")
        for one in _BOTH
    ),
    *(
        _refused(one, "SYMBOLS_REQUIRED", {"source": "yahoo", "symbols": []}, field="symbols")
        for one in _BOTH
    ),
    _refused(
        _INGEST, "RANGE_INVALID", {"start_date": "2024-01-02", "end_date": "2024-01-01"}, field="end_date"
    ),
    *(
        _refused(
            f"data.v1.IngestionService/{name}",
            "INGESTION_NOT_FOUND",
            {"ingestion_id": UNKNOWN_ID},
            code="NOT_FOUND",
        )
        for name in ("GetIngestion", "CancelIngestion")
    ),
    *(
        _refused(
            f"data.v1.ScheduleService/{name}",
            "SCHEDULE_NOT_FOUND",
            {"schedule_id": UNKNOWN_ID},
            code="NOT_FOUND",
        )
        for name in ("PauseSchedule", "ResumeSchedule", "DeleteSchedule")
    ),
    _refused(_SCHEDULE, "CALENDAR_NOT_FOUND", {"calendar": "XNOW"}, code="NOT_FOUND"),
    invalid("schedule without a time", "time", partial(_schedule, {"time": None}), _SCHEDULE, _WHO),
    invalid(
        "schedule of 24:00",
        "time.local_time",
        partial(_schedule, {"time": {"local_time": "24:00"}}),
        _SCHEDULE,
        _WHO,
    ),
]
