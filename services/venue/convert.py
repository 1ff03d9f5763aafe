"""Between the contract's messages and the venue's own terms and records."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from bifrost.type.v1 import order_terms_pb2 as terms_pb
from bifrost.venue.v1 import error_reason_pb2, session_pb2
from bifrost.venue.v1 import market_pb2 as market_pb
from bifrost.venue.v1 import venue_order_pb2 as pb
from services.runtime.clock import to_timestamp
from services.runtime.decimals import format_decimal, parse_decimal
from services.runtime.errors import invalid_argument
from services.venue.domain.book import DepthLevel
from services.venue.domain.events import BookChanged, Liquidity, TradePrinted
from services.venue.domain.order import (
    HAS_LIMIT,
    CancelReason,
    OrderStatus,
    OrderTerms,
    OrderType,
    RejectReason,
    Side,
    TimeInForce,
    check_shape,
)
from services.venue.domain.price import UNITS_PER_CURRENCY
from services.venue.records import REJECTED, ExecutionRecord, OrderRecord, ReplayRecord, SessionState

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_SIDES = {Side.BUY: terms_pb.SIDE_BUY, Side.SELL: terms_pb.SIDE_SELL}
_TYPES = {
    OrderType.MARKET: terms_pb.ORDER_TYPE_MARKET,
    OrderType.LIMIT: terms_pb.ORDER_TYPE_LIMIT,
    OrderType.STOP: terms_pb.ORDER_TYPE_STOP,
    OrderType.STOP_LIMIT: terms_pb.ORDER_TYPE_STOP_LIMIT,
}
_TIMES_IN_FORCE = {
    TimeInForce.DAY: terms_pb.TIME_IN_FORCE_DAY,
    TimeInForce.GOOD_TILL_CANCELLED: terms_pb.TIME_IN_FORCE_GTC,
    TimeInForce.IMMEDIATE_OR_CANCEL: terms_pb.TIME_IN_FORCE_IOC,
    TimeInForce.FILL_OR_KILL: terms_pb.TIME_IN_FORCE_FOK,
}
_SIDES_BACK = {wire: own for own, wire in _SIDES.items()}
_TYPES_BACK = {wire: own for own, wire in _TYPES.items()}
_TIMES_IN_FORCE_BACK = {wire: own for own, wire in _TIMES_IN_FORCE.items()}
_STATES = {
    OrderStatus.WORKING.value: pb.VENUE_ORDER_STATE_WORKING,
    OrderStatus.FILLED.value: pb.VENUE_ORDER_STATE_FILLED,
    OrderStatus.CANCELLED.value: pb.VENUE_ORDER_STATE_CANCELLED,
    OrderStatus.EXPIRED.value: pb.VENUE_ORDER_STATE_EXPIRED,
    REJECTED: pb.VENUE_ORDER_STATE_REJECTED,
}
_REJECT_REASONS = {
    RejectReason.UNKNOWN_INSTRUMENT: error_reason_pb2.REJECT_REASON_UNKNOWN_INSTRUMENT,
    RejectReason.OFF_TICK: error_reason_pb2.REJECT_REASON_OFF_TICK,
    RejectReason.LOT_SIZE: error_reason_pb2.REJECT_REASON_LOT_SIZE,
    RejectReason.MARKET_CLOSED: error_reason_pb2.REJECT_REASON_MARKET_CLOSED,
    RejectReason.NO_LIQUIDITY: error_reason_pb2.REJECT_REASON_NO_LIQUIDITY,
    RejectReason.PRICE_BAND: error_reason_pb2.REJECT_REASON_PRICE_BAND,
    RejectReason.ORDER_ID_FENCED: error_reason_pb2.REJECT_REASON_ORDER_ID_FENCED,
}
_LIQUIDITY = {
    Liquidity.MAKER: pb.LIQUIDITY_FLAG_MAKER,
    Liquidity.TAKER: pb.LIQUIDITY_FLAG_TAKER,
}
_SESSION_STATES = {
    SessionState.RUNNING: session_pb2.SESSION_STATE_RUNNING,
    SessionState.PAUSED: session_pb2.SESSION_STATE_PAUSED,
    SessionState.ENDED: session_pb2.SESSION_STATE_ENDED,
}
REJECT_TEXTS = {
    RejectReason.UNKNOWN_INSTRUMENT: "the instrument is not listed in this session",
    RejectReason.OFF_TICK: "a price is not a multiple of the tick size",
    RejectReason.LOT_SIZE: "the quantity is not a whole number of shares",
    RejectReason.MARKET_CLOSED: "the instrument is not being traded now",
    RejectReason.NO_LIQUIDITY: "the book does not hold what the order needs at once",
    RejectReason.PRICE_BAND: "the limit is more than 50 % through the last trade",
    RejectReason.ORDER_ID_FENCED: "the id was resolved as never seen and is refused since",
    RejectReason.TERMS_VERSION: "terms_version is not the present version plus one",
}
_CANCEL_TEXTS = {
    CancelReason.REQUESTED: "cancelled by request",
    CancelReason.SELF_TRADE: "cancelled: it would have traded with an older order of its own account",
    CancelReason.IMMEDIATE_REMAINDER: "what could not be filled at once was cancelled",
    CancelReason.NOT_FILLABLE: "cancelled when triggered: it could not be filled whole",
    CancelReason.BEYOND_PROTECTION: "what could only be filled beyond the protection was cancelled",
}


def order_terms(message: terms_pb.OrderTerms, protection_price: str) -> OrderTerms:
    """The terms of a request. ApiError INVALID_ARGUMENT when they make no order."""
    order_type = _TYPES_BACK[message.type]
    if not protection_price and order_type not in HAS_LIMIT:
        text = f"protection_price is required for {order_type.name}: the worst price it may fill at"
        raise invalid_argument("FIELD_INVALID", text, field="protection_price")
    terms = OrderTerms(
        _SIDES_BACK[message.side],
        order_type,
        _TIMES_IN_FORCE_BACK[message.time_in_force],
        parse_decimal(message.quantity, field="terms.quantity"),
        _price(message.limit_price, "terms.limit_price"),
        _price(message.stop_price, "terms.stop_price"),
        _price(protection_price, "protection_price"),
    )
    try:
        check_shape(terms)
    except ValueError as error:
        raise invalid_argument("FIELD_INVALID", str(error), field="terms") from error
    return terms


def _price(text: str, field: str) -> Decimal | None:
    return parse_decimal(text, field=field) if text else None


def order_message(record: OrderRecord, *, note: str = "") -> pb.VenueOrder:
    """The contract's view of an order; `note` replaces the line for people."""
    reject_reason, cancel_reason = record.reject_reason, record.cancel_reason
    if reject_reason is not None:
        note = note or REJECT_TEXTS[reject_reason]
    elif cancel_reason is not None:
        note = note or _CANCEL_TEXTS[cancel_reason]
    terms = record.terms
    return pb.VenueOrder(
        venue_order_id=record.venue_order_id,
        client_order_id=record.client_order_id,
        account_id=record.account_id,
        instrument_id=record.instrument_id,
        terms=terms_pb.OrderTerms(
            side=_SIDES[terms.side],
            type=_TYPES[terms.order_type],
            time_in_force=_TIMES_IN_FORCE[terms.time_in_force],
            quantity=format_decimal(terms.quantity),
            limit_price="" if terms.limit_price is None else format_decimal(terms.limit_price),
            stop_price="" if terms.stop_price is None else format_decimal(terms.stop_price),
        ),
        state=_STATES[record.state],
        filled_quantity=format_decimal(record.filled),
        reject_reason=None if reject_reason is None else _REJECT_REASONS[reject_reason],
        message=note,
        terms_version=record.terms_version,
        accept_time=to_timestamp(record.accepted_ns),
        update_time=to_timestamp(record.updated_ns),
    )


def fenced_message(account_id: str, client_order_id: str, now_ns: int) -> pb.VenueOrder:
    """The answer to a submission under a fenced id: refused, and no record of it."""
    return pb.VenueOrder(
        client_order_id=client_order_id,
        account_id=account_id,
        state=pb.VENUE_ORDER_STATE_REJECTED,
        filled_quantity="0",
        reject_reason=error_reason_pb2.REJECT_REASON_ORDER_ID_FENCED,
        message=REJECT_TEXTS[RejectReason.ORDER_ID_FENCED],
        accept_time=to_timestamp(now_ns),
        update_time=to_timestamp(now_ns),
    )


def execution_message(record: ExecutionRecord) -> pb.Execution:
    """The contract's view of a fill."""
    return pb.Execution(
        execution_id=record.execution_id,
        venue_order_id=record.venue_order_id,
        client_order_id=record.client_order_id,
        account_id=record.account_id,
        instrument_id=record.instrument_id,
        side=_SIDES[record.side],
        quantity=format_decimal(record.quantity),
        price=format_decimal(record.price),
        fee=format_decimal(record.fee),
        currency=record.currency,
        liquidity=_LIQUIDITY[record.liquidity],
        synthetic_counterparty=record.against_synthetic,
        event_time=to_timestamp(record.event_time_ns),
    )


def quote_message(book: BookChanged) -> market_pb.VenueQuote:
    """The best bid and ask of a book."""
    bid, ask = book.bids[:1], book.asks[:1]
    return market_pb.VenueQuote(
        instrument_id=book.instrument_id,
        bid=_double(bid[0].price) if bid else 0.0,
        bid_size=bid[0].quantity if bid else 0.0,
        ask=_double(ask[0].price) if ask else 0.0,
        ask_size=ask[0].quantity if ask else 0.0,
        last=0.0 if book.last is None else _double(book.last),
        event_time_ns=book.event_time_ns,
        open=book.trading,
    )


def trade_message(trade: TradePrinted) -> market_pb.VenueTrade:
    """One print."""
    return market_pb.VenueTrade(
        instrument_id=trade.instrument_id,
        price=_double(trade.price),
        size=trade.quantity,
        event_time_ns=trade.event_time_ns,
        trade_number=trade.trade_number,
        user=not trade.synthetic,
        session_day=trade.session_date.toordinal() - _EPOCH_DAY,
        session_end=trade.session_end,
    )


def book_message(book: BookChanged) -> market_pb.Book:
    """The levels of a book."""
    return market_pb.Book(
        instrument_id=book.instrument_id,
        bids=[_level(each) for each in book.bids],
        asks=[_level(each) for each in book.asks],
        event_time_ns=book.event_time_ns,
    )


def session_message(record: ReplayRecord) -> session_pb2.Session:
    """The contract's view of a replay session."""
    plan = record.plan
    day = max(record.position, 0) // plan.steps_per_session
    return session_pb2.Session(
        session_id=record.session_id,
        state=_SESSION_STATES[record.state],
        instrument_ids=[each.instrument_id for each in plan.instruments],
        start_date=plan.sessions[0].session_date.isoformat(),
        end_date=plan.sessions[-1].session_date.isoformat(),
        current_date=plan.sessions[day].session_date.isoformat(),
        market_time=to_timestamp(record.market_time_ns),
        seconds_per_day=record.seconds_per_day,
        seed=plan.seed,
        steps_per_day=plan.steps_per_session,
        step=record.position + 1,
        total_steps=record.total_steps,
    )


def session_state(state: session_pb2.SessionState) -> SessionState | None:
    """The state asked for; None when it is left as it is."""
    return next((own for own, wire in _SESSION_STATES.items() if wire == state), None)


def _level(level: DepthLevel) -> market_pb.BookLevel:
    return market_pb.BookLevel(
        price=_double(level.price), size=level.quantity, synthetic_size=level.synthetic, orders=level.orders
    )


def _double(units: int) -> float:
    """The double nearest to the price: one correctly rounded division."""
    return units / UNITS_PER_CURRENCY
