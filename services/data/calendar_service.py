"""CalendarService: when markets trade."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bifrost.data.v1 import calendar_service_pb2 as pb
from bifrost.data.v1 import calendar_service_pb2_grpc as pb_grpc
from services.data.calendars.calendars import Calendars, market_named
from services.data.calendars.markets import MARKETS, Market
from services.data.convert import date_of
from services.data.convert_calendars import calendar_message, session_message, status_response
from services.data.domain.trading_calendar import SessionTable
from services.runtime.clock import Clock, from_timestamp
from services.runtime.errors import ApiError, invalid_argument
from services.runtime.pagination import decode_page_token, encode_page_token, number, page_size, text

if TYPE_CHECKING:
    from grpc.aio import ServicerContext


class CalendarService(pb_grpc.CalendarServiceServicer):
    """The servicer."""

    def __init__(self, calendars: Calendars, *, clock: Clock) -> None:
        self._calendars = calendars
        self._clock = clock

    async def ListCalendars(
        self,
        request: pb.ListCalendarsRequest,
        _context: ServicerContext[pb.ListCalendarsRequest, pb.ListCalendarsResponse],
    ) -> pb.ListCalendarsResponse:
        """A page by MIC."""
        position = decode_page_token(request, request.page_token, mic=text)
        after = "" if position is None else position["mic"]
        size = page_size(request.page_size)
        found = [market for market in MARKETS if market.mic > after]
        token = encode_page_token(request, {"mic": found[size - 1].mic}) if len(found) > size else ""
        return pb.ListCalendarsResponse(calendars=map(calendar_message, found[:size]), next_page_token=token)

    async def ListSessions(
        self,
        request: pb.ListSessionsRequest,
        _context: ServicerContext[pb.ListSessionsRequest, pb.ListSessionsResponse],
    ) -> pb.ListSessionsResponse:
        """A page of sessions, oldest first."""
        market = market_named(request.calendar)
        table = await self._calendars.sessions(market)
        first, last = self._requested_dates(request, market, table)
        position = decode_page_token(request, request.page_token, day=number)
        if position is not None:
            # Days since the epoch; a forged one stays inside of what the request asks for.
            day = min(max(int(position["day"]), _day_number(first)), _day_number(last) + 1)
            first = _day(day)
        size = page_size(request.page_size)
        found = table.between(first, last, size + 1)
        token = ""
        if len(found) > size:
            token = encode_page_token(request, {"day": str(_day_number(found[size].session_date))})
        return pb.ListSessionsResponse(
            calendar=calendar_message(market),
            sessions=map(session_message, found[:size]),
            next_page_token=token,
        )

    async def GetMarketStatus(
        self,
        request: pb.GetMarketStatusRequest,
        _context: ServicerContext[pb.GetMarketStatusRequest, pb.GetMarketStatusResponse],
    ) -> pb.GetMarketStatusResponse:
        """What the market does at a moment, or now."""
        market = market_named(request.calendar)
        table = await self._calendars.sessions(market)
        at_ns = from_timestamp(request.at_time) if request.HasField("at_time") else self._clock.now_ns()
        if not table.knows(at_ns):
            raise _out_of_calendar("at_time", market, table)
        return status_response(market, at_ns, table.status(at_ns))

    def _requested_dates(
        self, request: pb.ListSessionsRequest, market: Market, table: SessionTable
    ) -> tuple[date, date]:
        """First and last date asked for; ApiError INVALID_ARGUMENT naming what is wrong."""
        first = date_of(request.start_date, field="start_date") or self._today(market)
        last = date_of(request.end_date, field="end_date") or table.last_date
        for field, day in (("start_date", first), ("end_date", last)):
            if not table.first_date <= day <= table.last_date:
                raise _out_of_calendar(field, market, table)
        if last < first:
            raise invalid_argument("RANGE_INVALID", f"{last} is before {first}", field="end_date")
        return first, last

    def _today(self, market: Market) -> date:
        """The market's own date."""
        now = datetime.fromtimestamp(self._clock.now_ns() // 10**9, UTC)
        return now.astimezone(ZoneInfo(market.time_zone)).date()


_EPOCH = date(1970, 1, 1)


def _day_number(day: date) -> int:
    return (day - _EPOCH).days


def _day(number_of_day: int) -> date:
    return _EPOCH + timedelta(days=number_of_day)


def _out_of_calendar(field: str, market: Market, table: SessionTable) -> ApiError:
    first, last = table.first_date.isoformat(), table.last_date.isoformat()
    message = f"the calendar of {market.mic} is known from {first} to {last}"
    return invalid_argument("DATE_OUT_OF_CALENDAR", message, field=field, first=first, last=last)
