"""Commands and carried state as JSON, exact: what a restarted venue rebuilds the exchange from."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from services.venue.domain.commands import CancelOrder, Command, ReplaceOrder, ResolveOrder, SubmitOrder
from services.venue.domain.journal import Counters
from services.venue.domain.order import EngineTerms, Order
from services.venue.domain.plan import CarriedState
from services.venue.records import terms_from_row, terms_to_row

# Any: JSON.
_CARRIED_FIELDS = (
    "order_id",
    "client_order_id",
    "account_id",
    "instrument_id",
    "accepted_ns",
    "updated_ns",
    "priority",
    "filled",
    "notional",
    "terms_version",
    "triggered",
    "queue_ahead",
)


def command_to_json(command: Command) -> dict[str, object]:
    """A command as a JSON object."""
    body: dict[str, object] = {
        "account_id": command.account_id,
        "client_order_id": command.client_order_id,
    }
    match command:
        case SubmitOrder():
            return {
                "kind": "submit",
                **body,
                "instrument_id": command.instrument_id,
                "terms": terms_to_row(command.terms),
            }
        case ReplaceOrder():
            return {
                "kind": "replace",
                **body,
                "terms": terms_to_row(command.terms),
                "terms_version": command.terms_version,
            }
        case CancelOrder():
            return {"kind": "cancel", **body}
        case ResolveOrder():
            return {"kind": "resolve", **body}


def command_from_json(body: dict[str, Any]) -> Command:
    """The command that `command_to_json` wrote."""
    key = body["account_id"], body["client_order_id"]
    match body["kind"]:
        case "submit":
            return SubmitOrder(*key, body["instrument_id"], terms_from_row(body["terms"]))
        case "replace":
            return ReplaceOrder(*key, terms_from_row(body["terms"]), body["terms_version"])
        case "cancel":
            return CancelOrder(*key)
        case "resolve":
            return ResolveOrder(*key)
        case kind:
            raise ValueError(f"there is no command {kind!r}")


def carried_to_json(carried: CarriedState) -> str:
    """Carried state as JSON text."""
    orders = [
        {
            **{name: getattr(order, name) for name in _CARRIED_FIELDS},
            "terms": terms_to_row(order.terms),
            "engine_terms": asdict(order.engine_terms),
        }
        for order in carried.orders
    ]
    return json.dumps(
        {
            "next_session": carried.next_session,
            "closed_ns": carried.closed_ns,
            "orders": orders,
            "last_prices": dict(carried.last_prices),
            "counters": asdict(carried.counters),
        }
    )


def carried_from_json(text: str) -> CarriedState:
    """The carried state that `carried_to_json` wrote."""
    state = json.loads(text)
    orders = [
        Order(
            **{name: order[name] for name in _CARRIED_FIELDS},
            terms=terms_from_row(order["terms"]),
            engine_terms=EngineTerms(**order["engine_terms"]),
        )
        for order in state["orders"]
    ]
    return CarriedState(
        next_session=state["next_session"],
        closed_ns=state["closed_ns"],
        orders=tuple(orders),
        last_prices=state["last_prices"],
        counters=Counters(**state["counters"]),
    )
