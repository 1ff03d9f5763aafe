"""Orders as people read them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from bifrost.execution.v1 import order_pb2
from bifrost.type.v1 import order_terms_pb2
from services.cli.console import short_name, table
from services.cli.money import show_price, show_quantity

_COLUMNS = ("time UTC", "order", "what", "filled", "average", "state")
_NUMBERS = ("filled", "average")
# An order id is a UUIDv7: its first 13 characters are its millisecond, alone in most hands.
_SHORTEST_PREFIX = 13


def order_table(title: str, orders: Sequence[order_pb2.Order]) -> Table:
    """A table of orders; ids are shortened to what tells these orders apart."""
    length = prefix_length([order.order_id for order in orders])
    rows = [_row(order, length) for order in orders]
    return table(title, _COLUMNS, rows, right=_NUMBERS, whole=("time UTC", "order"))


def describe_terms(order: order_pb2.Order) -> str:
    """ "buy 10 AAPL limit 500.00 gtc"."""
    terms = order.terms
    words = [short_name(order_terms_pb2.Side, terms.side), show_quantity(terms.quantity), order.symbol]
    if terms.stop_price:
        words += ["stop", show_price(terms.stop_price, order.currency)]
    if terms.limit_price:
        words += ["limit", show_price(terms.limit_price, order.currency)]
    if not (terms.stop_price or terms.limit_price):
        words.append("market")
    return " ".join([*words, short_name(order_terms_pb2.TimeInForce, terms.time_in_force)])


def describe_event(event: order_pb2.OrderEvent) -> str:
    """One line: "13:26:05.123  filled  buy 10 IBM market day  10 at 198.25, fee 0.05  01a2036f-9dc2"."""
    order, fill = event.order, event.fill
    what = short_name(order_pb2.OrderEventType, event.type).replace("_", " ")
    detail = order.message
    if event.HasField("fill"):
        price = show_price(fill.price, fill.currency)
        detail = f"{show_quantity(fill.quantity)} at {price}, fee {show_price(fill.fee, fill.currency)}"
    time = f"{order.update_time.ToDatetime():%H:%M:%S.%f}"[:-3]
    words = [time, f"{what:<16}", f"{describe_terms(order):<28}", order.order_id[:_SHORTEST_PREFIX], detail]
    return "  ".join(words).rstrip()


def prefix_length(ids: Sequence[str]) -> int:
    """How many characters tell ids apart; thirteen at least."""
    length = _SHORTEST_PREFIX
    while len({order_id[:length] for order_id in ids}) < len(set(ids)):
        length += 1
    return length


def _row(order: order_pb2.Order, length: int) -> list[str | Text]:
    state = short_name(order_pb2.OrderState, order.state).replace("_", " ")
    reasons = " ".join(reason.lower() for reason in order.reject_reasons)
    return [
        f"{order.create_time.ToDatetime():%H:%M:%S}",
        order.order_id[:length],
        describe_terms(order),
        show_quantity(order.filled_quantity),
        show_price(order.average_price, order.currency),
        f"{state}: {reasons}" if reasons else state,
    ]
