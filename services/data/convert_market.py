"""Live market data: the venue's messages to domain objects, and those to messages of ours."""

from __future__ import annotations

from bifrost.data.v1 import bar_pb2, market_stream_service_pb2, quote_pb2
from bifrost.venue.v1 import market_pb2
from services.data.domain.live_bars import LiveBar, Trade
from services.data.domain.live_status import LiveMarketStatus
from services.data.domain.quotes import Quote
from services.data.domain.source_choice import SourceChange

_NS_PER_MS = 1_000_000


def quote_of_venue(quote: market_pb2.VenueQuote, receive_time_ns: int, source: str) -> Quote:
    """The venue's quote, received now."""
    return Quote(
        instrument_id=quote.instrument_id,
        bid=quote.bid,
        bid_size=quote.bid_size,
        ask=quote.ask,
        ask_size=quote.ask_size,
        last=quote.last,
        event_time_ns=quote.event_time_ns,
        receive_time_ns=receive_time_ns,
        is_open=quote.open,
        source=source,
        is_halted=quote.halted,
    )


def trade_of_venue(trade: market_pb2.VenueTrade) -> Trade:
    """The venue's print."""
    return Trade(
        instrument_id=trade.instrument_id,
        price=trade.price,
        size=trade.size,
        event_time_ns=trade.event_time_ns,
        trade_number=trade.trade_number,
        is_user=trade.user,
        session_day=trade.session_day,
        ends_session=trade.session_end,
    )


def quote_message(quote: Quote, now_ns: int) -> quote_pb2.Quote:
    """The quote as sent now. All liquidity of the simulated exchange is generated, but for users' orders."""
    return quote_pb2.Quote(
        instrument_id=quote.instrument_id,
        bid=quote.bid,
        bid_size=quote.bid_size,
        ask=quote.ask,
        ask_size=quote.ask_size,
        last=quote.last,
        event_time_ns=quote.event_time_ns,
        receive_time_ns=quote.receive_time_ns,
        stale=quote.is_stale,
        age_ms=age_ms(quote.receive_time_ns, now_ns),
        synthetic=True,
        source=quote.source,
        halted=quote.is_halted,
    )


def age_ms(receive_time_ns: int, now_ns: int) -> int:
    """Milliseconds since; 0 when the clock was set back meanwhile."""
    return max(now_ns - receive_time_ns, 0) // _NS_PER_MS


def trade_message(trade: Trade) -> quote_pb2.Trade:
    """The print."""
    return quote_pb2.Trade(
        instrument_id=trade.instrument_id,
        price=trade.price,
        size=trade.size,
        event_time_ns=trade.event_time_ns,
        trade_number=trade.trade_number,
        synthetic=not trade.is_user,
        user=trade.is_user,
    )


def bar_message(bar: LiveBar, *, is_stale: bool = False, age_ms: int = 0) -> bar_pb2.Bar:
    """The bar as far as it is known; of one in progress whether trades may be missing, and since when."""
    return bar_pb2.Bar(
        instrument_id=bar.instrument_id,
        interval=f"BAR_INTERVAL_{bar.interval.name}",
        open_time_ns=bar.open_time_ns,
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        volume=bar.volume,
        closed=bar.is_closed,
        stale=is_stale,
        age_ms=age_ms,
    )


def source_change_message(change: SourceChange) -> market_stream_service_pb2.SourceChange:
    """The change."""
    return market_stream_service_pb2.SourceChange(
        source=change.source,
        previous_source=change.previous,
        reason=f"SOURCE_CHANGE_REASON_{change.reason.name}",
    )


def market_status_message(status: LiveMarketStatus) -> market_stream_service_pb2.LiveMarketStatus:
    """What the market does."""
    return market_stream_service_pb2.LiveMarketStatus(
        mic=status.mic,
        state=f"LIVE_MARKET_STATE_{status.state.name}",
        from_source=status.is_from_source,
        stale=status.is_stale,
        halted_instrument_ids=status.halted_instrument_ids,
        event_time_ns=status.event_time_ns,
    )
