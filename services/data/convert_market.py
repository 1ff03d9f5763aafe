"""Live market data: the venue's messages to domain objects, and those to messages of ours."""

from __future__ import annotations

from bifrost.data.v1 import bar_pb2, quote_pb2
from bifrost.venue.v1 import market_pb2
from services.data.domain.live_bars import LiveBar, Trade
from services.data.domain.quotes import Quote

_NS_PER_MS = 1_000_000


def quote_of_venue(quote: market_pb2.VenueQuote, receive_time_ns: int) -> Quote:
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


def bar_message(bar: LiveBar) -> bar_pb2.Bar:
    """The bar as far as it is known."""
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
    )
