"""protobuf <-> domain, nothing else. Enumerations share the contract's numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

from bifrost.data.v1 import instrument_pb2
from bifrost.execution.v1 import order_pb2
from bifrost.type.v1 import order_terms_pb2
from services.execution.domain.order import Fill, Order, OrderEvent
from services.execution.domain.terms import Instrument, OrderTerms, OrderType, Side, TimeInForce
from services.runtime.clock import to_timestamp
from services.runtime.decimals import format_decimal, parse_decimal
from services.runtime.steps import Steps


def terms_of(message: order_terms_pb2.OrderTerms) -> OrderTerms:
    """Terms whose fields keep the contract's rules."""
    return OrderTerms(
        side=Side(message.side),
        type=OrderType(message.type),
        time_in_force=TimeInForce(message.time_in_force),
        quantity=parse_decimal(message.quantity, field="terms.quantity"),
        limit_price=optional_decimal(message.limit_price, field="terms.limit_price"),
        stop_price=optional_decimal(message.stop_price, field="terms.stop_price"),
    )


def terms_message(terms: OrderTerms) -> order_terms_pb2.OrderTerms:
    """Terms in their wire form."""
    return order_terms_pb2.OrderTerms(
        side=cast("order_terms_pb2.Side", terms.side),
        type=cast("order_terms_pb2.OrderType", terms.type),
        time_in_force=cast("order_terms_pb2.TimeInForce", terms.time_in_force),
        quantity=format_decimal(terms.quantity),
        limit_price=optional_text(terms.limit_price),
        stop_price=optional_text(terms.stop_price),
    )


def instrument_of(message: instrument_pb2.Instrument) -> Instrument:
    """What an order needs to know of data's instrument."""
    return Instrument(
        instrument_id=message.instrument_id,
        symbol=message.symbol,
        currency=message.currency,
        ticks=_ticks_of(message),
        lot_size=parse_decimal(message.lot_size, field="lot_size"),
    )


def _ticks_of(message: instrument_pb2.Instrument) -> Steps:
    return Steps.of(
        parse_decimal(message.tick_size, field="tick_size"),
        [
            (
                parse_decimal(band.from_price, field="tick_bands.from_price"),
                parse_decimal(band.tick_size, field="tick_bands.tick_size"),
            )
            for band in message.tick_bands
        ],
    )


def order_message(order: Order) -> order_pb2.Order:
    """An order in its wire form."""
    return order_pb2.Order(
        order_id=order.order_id,
        account_id=order.account_id,
        request_id=order.request_id,
        instrument_id=order.instrument_id,
        symbol=order.symbol,
        terms=terms_message(order.terms),
        state=cast("order_pb2.OrderState", order.state),
        filled_quantity=format_decimal(order.filled_quantity),
        average_price=optional_text(order.average_price),
        currency=order.currency,
        message=order.message,
        reject_reasons=order.reject_reasons,
        user_id=order.user_id,
        tag=order.tag,
        terms_version=order.terms_version,
        create_time=to_timestamp(order.create_time_ns),
        update_time=to_timestamp(order.update_time_ns),
        etag=order.etag,
        venue=order.venue,
    )


def fill_message(fill: Fill) -> order_pb2.Fill:
    """A fill in its wire form."""
    return order_pb2.Fill(
        fill_id=fill.fill_id,
        venue=fill.venue,
        execution_id=fill.execution_id,
        order_id=fill.order_id,
        account_id=fill.account_id,
        instrument_id=fill.instrument_id,
        symbol=fill.symbol,
        side=cast("order_terms_pb2.Side", fill.side),
        quantity=format_decimal(fill.quantity),
        price=format_decimal(fill.price),
        fee=format_decimal(fill.fee),
        currency=fill.currency,
        event_time=to_timestamp(fill.event_time_ns),
    )


def event_message(event: OrderEvent) -> order_pb2.OrderEvent:
    """An entry of the order log in its wire form."""
    return order_pb2.OrderEvent(
        type=cast("order_pb2.OrderEventType", event.type),
        order=order_message(event.order),
        fill=None if event.fill is None else fill_message(event.fill),
    )


def optional_decimal(text: str, *, field: str) -> Decimal | None:
    """A decimal; None for the empty text."""
    return parse_decimal(text, field=field) if text else None


def optional_text(value: Decimal | None) -> str:
    """A decimal's wire form; empty for None."""
    return "" if value is None else format_decimal(value)
