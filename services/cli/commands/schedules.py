"""bifrost ingest schedule: ingestions by the trading days of a market."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence
from typing import Annotated

import typer

from bifrost.data.v1 import (
    bar_pb2,
    ingestion_pb2,
    schedule_pb2,
    schedule_service_pb2,
    schedule_service_pb2_grpc,
)
from services.cli import completion
from services.cli.console import (
    EdgeOption,
    HomeOption,
    Json,
    Target,
    UsageError,
    as_dict,
    command,
    out,
    print_json,
    short_name,
    table,
)
from services.cli.intervals import IntervalOption, parse_interval
from services.cli.paging import pages

_TIMEOUT_S = 30.0
_PAGE = 100
_SHOWN = 5
ScheduleId = Annotated[
    str, typer.Argument(help="Which; see: bifrost ingest schedule list", metavar="SCHEDULE")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="Load history on every trading day of a market.", no_args_is_help=True)
    group.command()(add)
    group.command("list")(list_schedules)
    group.command()(pause)
    group.command()(resume)
    group.command()(remove)
    app.add_typer(group, name="schedule")


@command
async def add(
    source: Annotated[str, typer.Argument(help="Where from, e.g. yahoo.")],
    symbols: Annotated[
        list[str] | None,
        typer.Argument(help="Which; none means all the source has.", autocompletion=completion.symbols),
    ] = None,
    calendar: Annotated[
        str, typer.Option(help="Market whose trading days count.", autocompletion=completion.calendars)
    ] = "XNYS",
    after_close: Annotated[
        int | None, typer.Option(help="Minutes after the close; 30 unless --at is given.", min=0, max=1440)
    ] = None,
    at: Annotated[str, typer.Option(help="Or a time of the market's clocks, HH:MM.", show_default="")] = "",
    interval: IntervalOption = "1d",
    facts: Annotated[bool, typer.Option("--facts", help="Load facts, not bars.")] = False,
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Load what is missing on every trading day, some minutes after the close or at a time."""
    if at and after_close is not None:
        raise UsageError("give --after-close or --at, not both")
    time = (
        schedule_pb2.ScheduleTime(local_time=at)
        if at
        else schedule_pb2.ScheduleTime(minutes_after_close=30 if after_close is None else after_close)
    )
    request = schedule_service_pb2.CreateScheduleRequest(
        request_id=secrets.token_hex(16),
        source=source,
        symbols=[symbol.upper() for symbol in symbols or ()],
        interval=None if facts else parse_interval(interval),
        kind=ingestion_pb2.INGESTION_KIND_FACTS if facts else ingestion_pb2.INGESTION_KIND_BARS,
        calendar=calendar,
        time=time,
    )
    async with Target.find(home, edge).connect() as client:
        stub = client.stub(schedule_service_pb2_grpc.ScheduleServiceStub)
        made = (await stub.CreateSchedule(request, timeout=_TIMEOUT_S)).schedule
    if as_json:
        print_json(as_dict(made))
    else:
        out.print(f"schedule {made.schedule_id}: {_when(made)}, next at {_next(made)} UTC")


@command
async def list_schedules(home: HomeOption = None, edge: EdgeOption = None, as_json: Json = False) -> None:
    """All schedules, oldest first."""
    async with Target.find(home, edge).connect() as client:
        stub = client.stub(schedule_service_pb2_grpc.ScheduleServiceStub)
        request = schedule_service_pb2.ListSchedulesRequest(page_size=_PAGE)
        found = [one async for page in pages(stub.ListSchedules, request) for one in page.schedules]
    if as_json:
        print_json({"schedules": [as_dict(one) for one in found]})
        return
    rows = [
        [
            one.schedule_id,
            one.source,
            _names(one.symbols),
            _what(one),
            _when(one),
            "paused" if one.paused else _next(one),
        ]
        for one in found
    ]
    columns = ("schedule", "source", "symbols", "loads", "when", "next, UTC")
    out.print(table("schedules", columns, rows, whole=("schedule", "next, UTC")))


@command
async def pause(
    schedule: ScheduleId, home: HomeOption = None, edge: EdgeOption = None, as_json: Json = False
) -> None:
    """Make no ingestions until it is resumed."""
    request = schedule_service_pb2.PauseScheduleRequest(schedule_id=schedule)
    async with Target.find(home, edge).connect() as client:
        stub = client.stub(schedule_service_pb2_grpc.ScheduleServiceStub)
        now = (await stub.PauseSchedule(request, timeout=_TIMEOUT_S)).schedule
    if as_json:
        print_json(as_dict(now))
    else:
        out.print(f"schedule {now.schedule_id} is paused")


@command
async def resume(
    schedule: ScheduleId, home: HomeOption = None, edge: EdgeOption = None, as_json: Json = False
) -> None:
    """Make ingestions again, from the next due time on."""
    request = schedule_service_pb2.ResumeScheduleRequest(schedule_id=schedule)
    async with Target.find(home, edge).connect() as client:
        stub = client.stub(schedule_service_pb2_grpc.ScheduleServiceStub)
        now = (await stub.ResumeSchedule(request, timeout=_TIMEOUT_S)).schedule
    if as_json:
        print_json(as_dict(now))
    else:
        out.print(f"schedule {now.schedule_id} is due next at {_next(now)} UTC")


@command
async def remove(
    schedule: ScheduleId, home: HomeOption = None, edge: EdgeOption = None, as_json: Json = False
) -> None:
    """End a schedule; what it loaded stays."""
    request = schedule_service_pb2.DeleteScheduleRequest(schedule_id=schedule)
    async with Target.find(home, edge).connect() as client:
        stub = client.stub(schedule_service_pb2_grpc.ScheduleServiceStub)
        await stub.DeleteSchedule(request, timeout=_TIMEOUT_S)
    if as_json:
        print_json({"schedule_id": schedule})
    else:
        out.print(f"schedule {schedule} is removed")


def _names(symbols: Sequence[str]) -> str:
    if not symbols:
        return "all"
    more = f" and {len(symbols) - _SHOWN} more" if len(symbols) > _SHOWN else ""
    return " ".join(symbols[:_SHOWN]) + more


def _when(one: schedule_pb2.Schedule) -> str:
    if one.time.WhichOneof("kind") == "local_time":
        return f"{one.time.local_time} on trading days of {one.calendar}"
    return f"{one.time.minutes_after_close} min after the close of {one.calendar}"


def _next(one: schedule_pb2.Schedule) -> str:
    if one.error_message:
        return one.error_message
    if not one.HasField("next_due_time"):
        return "never"
    return f"{one.next_due_time.ToDatetime(dt.UTC):%Y-%m-%d %H:%M}"


def _what(one: schedule_pb2.Schedule) -> str:
    if one.kind == ingestion_pb2.INGESTION_KIND_FACTS:
        return "facts"
    return short_name(bar_pb2.BarInterval, one.interval).replace("_", " ")
