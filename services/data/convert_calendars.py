"""Messages of CalendarService from what they say; nothing else."""

from __future__ import annotations

from bifrost.data.v1 import calendar_pb2, calendar_service_pb2
from services.data.calendars.markets import Market
from services.data.domain.trading_calendar import MarketStatus, Session
from services.runtime.clock import to_timestamp


def calendar_message(market: Market) -> calendar_pb2.Calendar:
    """The calendar."""
    return calendar_pb2.Calendar(
        mic=market.mic, name=market.name, time_zone=market.time_zone, aliases=market.aliases
    )


def session_message(session: Session) -> calendar_pb2.Session:
    """The session."""
    message = calendar_pb2.Session(
        session_date=session.session_date.isoformat(),
        open_time=to_timestamp(session.open_ns),
        close_time=to_timestamp(session.close_ns),
        early_close=session.early_close,
        late_open=session.late_open,
    )
    if session.break_ns is not None:
        begin_ns, end_ns = session.break_ns
        message.break_start_time.CopyFrom(to_timestamp(begin_ns))
        message.break_end_time.CopyFrom(to_timestamp(end_ns))
    return message


def status_response(
    market: Market, at_ns: int, status: MarketStatus
) -> calendar_service_pb2.GetMarketStatusResponse:
    """The market at a moment."""
    return calendar_service_pb2.GetMarketStatusResponse(
        calendar=calendar_message(market),
        at_time=to_timestamp(at_ns),
        state=f"MARKET_STATE_{status.state.name}",
        session=None if status.session is None else session_message(status.session),
        next_open_time=None if status.next_open_ns is None else to_timestamp(status.next_open_ns),
        next_close_time=None if status.next_close_ns is None else to_timestamp(status.next_close_ns),
    )
