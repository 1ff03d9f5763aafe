"""Requests and log entries, for tests of risk."""

from __future__ import annotations

import uuid
from typing import Any

from bifrost.execution.v1 import order_pb2
from bifrost.risk.v1 import pre_trade_service_pb2 as pb
from bifrost.type.v1.order_terms_pb2 import OrderTerms
from tests.contract.risk.risk_peers import AAPL


def limit(price: str = "100", quantity: str = "10", side: str = "SIDE_BUY") -> OrderTerms:
    return OrderTerms(
        side=side,
        type="ORDER_TYPE_LIMIT",
        time_in_force="TIME_IN_FORCE_DAY",
        quantity=quantity,
        limit_price=price,
    )


def market(quantity: str = "10", side: str = "SIDE_BUY") -> OrderTerms:
    return OrderTerms(
        side=side, type="ORDER_TYPE_MARKET", time_in_force="TIME_IN_FORCE_DAY", quantity=quantity
    )


def reserve_request(account_id: str, terms: OrderTerms, **changes: Any) -> pb.ReserveOrderRequest:
    values = {
        "account_id": account_id,
        "order_id": str(uuid.uuid4()),
        "request_id": str(uuid.uuid4()),
        "instrument_id": AAPL,
        "terms": terms,
        "terms_version": 1,
        **changes,
    }
    return pb.ReserveOrderRequest(**values)


def order_event(
    kind: str, account_id: str, order_id: str, terms: OrderTerms, *, state: str = "ACCEPTED", version: int = 1
) -> order_pb2.OrderEvent:
    """An entry of the order log: kind and state are the enums' names without prefix."""
    return order_pb2.OrderEvent(
        type=f"ORDER_EVENT_TYPE_{kind}",
        order=order_pb2.Order(
            order_id=order_id,
            account_id=account_id,
            instrument_id=AAPL,
            terms=terms,
            state=f"ORDER_STATE_{state}",
            currency="USD",
            terms_version=version,
        ),
    )


def fill_event(
    account_id: str,
    order_id: str,
    quantity: str,
    price: str,
    *,
    terms: OrderTerms | None = None,
    side: str = "SIDE_BUY",
    fee: str = "0",
    execution_id: str = "",
    state: str = "PARTIALLY_FILLED",
    currency: str = "USD",
) -> order_pb2.OrderEvent:
    event = order_event("FILLED", account_id, order_id, terms or limit(), state=state)
    event.fill.CopyFrom(
        order_pb2.Fill(
            venue="XSIM",
            execution_id=execution_id or str(uuid.uuid4()),
            order_id=order_id,
            account_id=account_id,
            instrument_id=AAPL,
            side=side,
            quantity=quantity,
            price=price,
            fee=fee,
            currency=currency,
        )
    )
    return event
