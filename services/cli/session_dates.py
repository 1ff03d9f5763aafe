"""Dates of daily and longer bars: those of the market's sessions, not the days in UTC on which they open."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Final, Self
from zoneinfo import ZoneInfo

import grpc

from bifrost.data.v1 import (
    calendar_pb2,
    calendar_service_pb2,
    calendar_service_pb2_grpc,
    instrument_service_pb2,
    instrument_service_pb2_grpc,
)
from bifrost.type.v1 import value_pb2
from services.cli.client import EdgeClient
from services.cli.paging import pages

DATED: Final = frozenset({"1d", "1w", "1mo"})
"""Intervals whose bars are called by a date."""
_NANOS: Final = 10**9
_TIMEOUT_S: Final = 30.0
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_NO_CALENDAR: Final = (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT)


class SessionDates:
    """The sessions of one market; the days of its clocks beyond its calendar, and of UTC without one."""

    def __init__(self, client: EdgeClient, mic: str, zone: dt.tzinfo) -> None:
        self._stub = client.stub(calendar_service_pb2_grpc.CalendarServiceStub)
        self._mic = mic
        self._zone = zone

    @classmethod
    async def of_symbol(cls, client: EdgeClient, symbol: str) -> Self:
        """Of the market where the symbol is listed; AioRpcError as of GetInstrument."""
        ref = value_pb2.InstrumentRef(listed=value_pb2.ListedSymbol(symbol=symbol))
        stub = client.stub(instrument_service_pb2_grpc.InstrumentServiceStub)
        request = instrument_service_pb2.GetInstrumentRequest(instrument=ref)
        return await cls.of_market(
            client, (await stub.GetInstrument(request, timeout=_TIMEOUT_S)).instrument.mic
        )

    @classmethod
    async def of_market(cls, client: EdgeClient, mic: str) -> Self:
        """Of a market by its MIC, which may have no calendar."""
        stub = client.stub(calendar_service_pb2_grpc.CalendarServiceStub)
        request = calendar_service_pb2.ListCalendarsRequest(page_size=1000)
        async for page in pages(stub.ListCalendars, request):
            for one in page.calendars:
                if mic == one.mic or mic in one.aliases:
                    return cls(client, mic, ZoneInfo(one.time_zone))
        return cls(client, "", dt.UTC)

    async def dates(self, open_times_ns: Sequence[int]) -> list[str]:
        """The session date, ISO 8601, of each bar that opened at these times."""
        if not open_times_ns:
            return []
        days = [dt.datetime.fromtimestamp(ns // _NANOS, self._zone).date() for ns in open_times_ns]
        a_day = dt.timedelta(days=1)
        # Some markets open on the evening before.
        sessions = await self._sessions(min(days) - a_day, max(days) + a_day)
        named = {one.open_time.ToNanoseconds(): one.session_date for one in sessions}
        return [named.get(ns, day.isoformat()) for ns, day in zip(open_times_ns, days, strict=True)]

    async def opening(self, moment: str) -> str | int:
        """When the first session from a day on opens, ns since the epoch, UTC; other moments as they are."""
        if not _DAY.fullmatch(moment):
            return moment
        day = dt.date.fromisoformat(moment)
        sessions = await self._sessions(day, None)
        if sessions:
            return sessions[0].open_time.ToNanoseconds()
        return int(dt.datetime.combine(day, dt.time(), self._zone).timestamp()) * _NANOS

    async def _sessions(self, first: dt.date, last: dt.date | None) -> list[calendar_pb2.Session]:
        """All from the first day to the last, or one when no last is given; none where none are known."""
        if not self._mic:
            return []
        request = calendar_service_pb2.ListSessionsRequest(
            calendar=self._mic,
            start_date=first.isoformat(),
            end_date=last.isoformat() if last else "",
            page_size=1000 if last else 1,
        )
        found: list[calendar_pb2.Session] = []
        try:
            async for page in pages(self._stub.ListSessions, request):
                found += page.sessions
                if last is None:
                    break
        except grpc.aio.AioRpcError as error:
            if error.code() not in _NO_CALENDAR:
                raise
        return found
