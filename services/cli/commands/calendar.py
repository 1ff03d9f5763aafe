"""bifrost calendar."""

from __future__ import annotations

import datetime as dt
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from google.protobuf.timestamp_pb2 import Timestamp
from rich.text import Text

from bifrost.data.v1 import calendar_pb2, calendar_service_pb2, calendar_service_pb2_grpc
from services.cli import completion
from services.cli.client import EdgeClient
from services.cli.console import (
    EdgeOption,
    HomeOption,
    Json,
    Target,
    as_dict,
    command,
    out,
    print_json,
    short_name,
    table,
)
from services.cli.days import check_day
from services.cli.paging import pages

_USUAL_SESSIONS = 10
_SESSION_COLUMNS = ("date", "day", "opens", "closes", "break", "")
_COLORS = {calendar_pb2.MARKET_STATE_OPEN: "green", calendar_pb2.MARKET_STATE_BREAK: "yellow"}


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(calendar)


@command
async def calendar(
    mic: Annotated[
        str,
        typer.Argument(
            metavar="[MIC]", help="Market, e.g. XNYS; none lists all.", autocompletion=completion.calendars
        ),
    ] = "",
    start: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD; today if not given.")] = "",
    end: Annotated[
        str, typer.Option("--to", help="Last day, YYYY-MM-DD; if not given, ten sessions are shown.")
    ] = "",
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """When a market trades, and whether it is open now. Times are the market's own."""
    start, end = check_day("--from", start), check_day("--to", end)
    async with Target.find(home, edge).connect() as client:
        if not mic:
            await _list_all(client, as_json=as_json)
            return
        stub = client.stub(calendar_service_pb2_grpc.CalendarServiceStub)
        request = calendar_service_pb2.GetMarketStatusRequest(calendar=mic)
        status = await stub.GetMarketStatus(request, timeout=30)
        sessions = await _sessions(client, mic, start, end)
    if as_json:
        print_json({"status": as_dict(status), "sessions": [as_dict(one) for one in sessions]})
        return
    zone = ZoneInfo(status.calendar.time_zone)
    out.print(_status_line(status, zone))
    out.print()
    title = f"sessions of {status.calendar.name} ({zone.key})"
    rows = [_session_row(one, zone) for one in sessions]
    out.print(table(title, _SESSION_COLUMNS, rows, whole=_SESSION_COLUMNS))


async def _sessions(client: EdgeClient, mic: str, start: str, end: str) -> list[calendar_pb2.Session]:
    """Those from start to end, or the first of them when no end is given."""
    request = calendar_service_pb2.ListSessionsRequest(
        calendar=mic, start_date=start, end_date=end, page_size=1000 if end else _USUAL_SESSIONS
    )
    found: list[calendar_pb2.Session] = []
    method = client.stub(calendar_service_pb2_grpc.CalendarServiceStub).ListSessions
    async for page in pages(method, request):
        found += page.sessions
        if not end:
            break
    return found


async def _list_all(client: EdgeClient, *, as_json: bool) -> None:
    request = calendar_service_pb2.ListCalendarsRequest(page_size=1000)
    method = client.stub(calendar_service_pb2_grpc.CalendarServiceStub).ListCalendars
    found = [entry async for page in pages(method, request) for entry in page.calendars]
    if as_json:
        for entry in found:
            print_json(as_dict(entry))
        return
    rows = [[entry.mic, entry.name, entry.time_zone, ", ".join(entry.aliases)] for entry in found]
    out.print(table("calendars", ("MIC", "market", "time zone", "also called"), rows, whole=("MIC",)))


def _status_line(status: calendar_service_pb2.GetMarketStatusResponse, zone: ZoneInfo) -> Text:
    """The market now: "XNYS is closed, opens Mon 2026-11-23 09:30 EST"."""
    state = short_name(calendar_pb2.MarketState, status.state)
    line = Text(f"{status.calendar.mic} is ").append(
        "in its break" if status.state == calendar_pb2.MARKET_STATE_BREAK else state,
        style=f"bold {_COLORS.get(status.state, 'red')}",
    )
    if status.state == calendar_pb2.MARKET_STATE_OPEN:
        change, at, field = "closes", status.next_close_time, "next_close_time"
    else:
        change, at, field = "opens", status.next_open_time, "next_open_time"
    if status.HasField(field):
        line.append(f", {change} {_local(at, zone):%a %Y-%m-%d %H:%M %Z}")
    now = _local(status.at_time, zone)
    return line.append(f"  (now {now:%a %Y-%m-%d %H:%M %Z})", style="dim")


def _session_row(session: calendar_pb2.Session, zone: ZoneInfo) -> list[str | Text]:
    day = dt.date.fromisoformat(session.session_date)
    remarks = ("early close", session.early_close), ("late open", session.late_open)
    pause = ""
    if session.HasField("break_start_time"):
        pause = f"{_clock(session.break_start_time, zone, day)}-{_clock(session.break_end_time, zone, day)}"
    return [
        session.session_date,
        f"{day:%a}",
        _clock(session.open_time, zone, day),
        _clock(session.close_time, zone, day),
        pause,
        Text(", ".join(remark for remark, holds in remarks if holds), style="yellow"),
    ]


def _clock(stamp: Timestamp, zone: ZoneInfo, day: dt.date) -> str:
    """Local time of day, with the weekday when it is not on that day."""
    at = _local(stamp, zone)
    return f"{at:%H:%M}" if at.date() == day else f"{at:%a %H:%M}"


def _local(stamp: Timestamp, zone: ZoneInfo) -> dt.datetime:
    return stamp.ToDatetime(dt.UTC).astimezone(zone)
