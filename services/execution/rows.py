"""Rows of the tables <-> domain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final, TypeAlias

import asyncpg

from services.execution.domain.order import Fill, Order, OrderState, Replacement
from services.execution.domain.terms import OrderTerms, OrderType, Side, TimeInForce

Value: TypeAlias = str | int | bool | Decimal | None
Columns: TypeAlias = Sequence[Sequence[Value]]

# Column, PostgreSQL type, where its value stands in an order. A list of texts travels as one text, since
# unnest() would flatten an array of arrays; names of reasons hold no comma.
ORDER_KEY: Final[list[tuple[str, str, Callable[[Order], Value]]]] = [
    ("order_id", "text", lambda o: o.order_id),
    ("account_id", "text", lambda o: o.account_id),
    ("request_id", "text", lambda o: o.request_id),
    ("digest", "text", lambda o: o.digest),
    ("instrument_id", "text", lambda o: o.instrument_id),
    ("symbol", "text", lambda o: o.symbol),
    ("currency", "text", lambda o: o.currency),
    ("venue", "text", lambda o: o.venue),
    ("user_id", "text", lambda o: o.user_id),
    ("tag", "text", lambda o: o.tag),
    ("side", "smallint", lambda o: int(o.terms.side)),
    ("type", "smallint", lambda o: int(o.terms.type)),
    ("time_in_force", "smallint", lambda o: int(o.terms.time_in_force)),
    ("create_time_ns", "bigint", lambda o: o.create_time_ns),
]
ORDER_LIFE: Final[list[tuple[str, str, Callable[[Order], Value]]]] = [
    ("quantity", "numeric", lambda o: o.terms.quantity),
    ("limit_price", "numeric", lambda o: o.terms.limit_price),
    ("stop_price", "numeric", lambda o: o.terms.stop_price),
    ("protection_price", "numeric", lambda o: o.protection_price),
    ("terms_version", "integer", lambda o: o.terms_version),
    ("state", "smallint", lambda o: int(o.state)),
    ("filled_quantity", "numeric", lambda o: o.filled_quantity),
    ("notional", "numeric", lambda o: o.notional),
    ("message", "text", lambda o: o.message),
    ("reject_reasons", "text", lambda o: ",".join(o.reject_reasons)),
    ("new_quantity", "numeric", lambda o: o.replacement.terms.quantity if o.replacement else None),
    ("new_limit_price", "numeric", lambda o: o.replacement.terms.limit_price if o.replacement else None),
    ("new_stop_price", "numeric", lambda o: o.replacement.terms.stop_price if o.replacement else None),
    ("new_protection_price", "numeric", lambda o: o.replacement.protection_price if o.replacement else None),
    ("triggered", "boolean", lambda o: o.triggered),
    ("update_time_ns", "bigint", lambda o: o.update_time_ns),
    ("version", "bigint", lambda o: o.version),
]
FILL: Final[list[tuple[str, str, Callable[[Fill], Value]]]] = [
    ("venue", "text", lambda f: f.venue),
    ("execution_id", "text", lambda f: f.execution_id),
    ("fill_id", "text", lambda f: f.fill_id),
    ("order_id", "text", lambda f: f.order_id),
    ("account_id", "text", lambda f: f.account_id),
    ("instrument_id", "text", lambda f: f.instrument_id),
    ("symbol", "text", lambda f: f.symbol),
    ("side", "smallint", lambda f: int(f.side)),
    ("quantity", "numeric", lambda f: f.quantity),
    ("price", "numeric", lambda f: f.price),
    ("fee", "numeric", lambda f: f.fee),
    ("currency", "text", lambda f: f.currency),
    ("event_time_ns", "bigint", lambda f: f.event_time_ns),
]


def order_of(row: asyncpg.Record) -> Order:
    """The order of a row, which may carry `execution_ids`."""
    side, kind = Side(row["side"]), OrderType(row["type"])
    time_in_force = TimeInForce(row["time_in_force"])
    replacement = None
    if row["new_quantity"] is not None:
        new_terms = OrderTerms(
            side, kind, time_in_force, row["new_quantity"], row["new_limit_price"], row["new_stop_price"]
        )
        replacement = Replacement(new_terms, row["new_protection_price"])
    return Order(
        order_id=row["order_id"],
        account_id=row["account_id"],
        request_id=row["request_id"],
        digest=row["digest"],
        instrument_id=row["instrument_id"],
        symbol=row["symbol"],
        currency=row["currency"],
        venue=row["venue"],
        user_id=row["user_id"],
        tag=row["tag"],
        terms=OrderTerms(side, kind, time_in_force, row["quantity"], row["limit_price"], row["stop_price"]),
        protection_price=row["protection_price"],
        create_time_ns=row["create_time_ns"],
        update_time_ns=row["update_time_ns"],
        state=OrderState(row["state"]),
        terms_version=row["terms_version"],
        filled_quantity=row["filled_quantity"],
        notional=row["notional"],
        message=row["message"],
        reject_reasons=tuple(row["reject_reasons"]),
        replacement=replacement,
        triggered=row["triggered"],
        execution_ids=frozenset(row["execution_ids"]),
        version=row["version"],
    )


def fill_of(row: asyncpg.Record) -> Fill:
    """The fill of a row."""
    return Fill(
        fill_id=row["fill_id"],
        venue=row["venue"],
        execution_id=row["execution_id"],
        order_id=row["order_id"],
        account_id=row["account_id"],
        instrument_id=row["instrument_id"],
        symbol=row["symbol"],
        side=Side(row["side"]),
        quantity=row["quantity"],
        price=row["price"],
        fee=row["fee"],
        currency=row["currency"],
        event_time_ns=row["event_time_ns"],
    )
