"""Kinds of bad input, from which the table is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.runtime.pagination import encode_page_token
from tests.e2e.edge.calls import Json, describe, message_of
from tests.e2e.edge.world import LIMIT, UNKNOWN_ID, World

SUBMIT = "execution.v1.OrderService/SubmitOrder"
REPLACE = "execution.v1.OrderService/ReplaceOrder"
CANCEL = "execution.v1.OrderService/CancelOrder"
DEPOSIT = "portfolio.v1.LedgerService/CreateDeposit"


LISTS_OF_AN_ACCOUNT = [
    "execution.v1.OrderService/ListOrders",
    "execution.v1.OrderService/ListFills",
    "portfolio.v1.LedgerService/ListLedgerEntries",
    "venue.v1.VenueService/ListExecutions",
    "venue.v1.VenueService/ListVenueOrders",
]


@dataclass(frozen=True)
class Case:
    """One bad call."""

    name: str
    method: str
    request: Callable[[World], Json]
    code: str
    reason: str
    domain: str
    field: str = ""
    """The field that BadRequest must name."""
    who: str = "alice"
    metadata: tuple[str, ...] = ()
    """Keys that ErrorInfo must carry."""


def invalid(
    name: str, field: str, request: Callable[[World], Json], method: str = SUBMIT, who: str = "alice"
) -> Case:
    return Case(name, method, request, "INVALID_ARGUMENT", "FIELD_INVALID", domain_of(method), field, who)


def domain_of(method: str) -> str:
    return f"bifrost.{method.partition('.')[0]}"


def bad_quantity(text: str) -> Case:
    return invalid(
        f"quantity {text or 'empty'}", "terms.quantity", lambda w: w.order(terms={"quantity": text})
    )


def term_out_of_range(name: str) -> Case:
    return invalid(f"{name} out of range", f"terms.{name}", lambda w: w.order(terms={name: 77}))


def missing_term(name: str) -> Case:
    return invalid(f"{name} missing", f"terms.{name}", lambda w: w.order(drop=name))


def bad_deposit(text: str, field: str) -> Case:
    return invalid(f"deposit of {text}", field, lambda w: deposit_request(w, text), DEPOSIT)


def bad_token(who: str, reason: str) -> Case:
    name = f"token {who or 'missing'}"
    return Case(name, SUBMIT, lambda w: w.order(), "UNAUTHENTICATED", reason, "bifrost.edge", who=who)


def account_request(w: World) -> Json:
    return {"account_id": w.account_id}


# What a method asks for beside the account.
_REQUIRED: dict[str, Json] = {"execution.v1.OrderService/CancelAllOrders": {"all_instruments": True}}


def foreign(method: str, request: Callable[[World], Json] = account_request) -> Case:
    name = f"another's account: {method.partition('/')[2]}"

    def whole(w: World) -> Json:
        return request(w) | _REQUIRED.get(method, {})

    return Case(name, method, whole, "NOT_FOUND", "ACCOUNT_NOT_FOUND", domain_of(method), who="mallory")


def nobodys(method: str) -> Case:
    name = f"nobody's account: {method.partition('/')[2]}"
    request: Json = {"account_id": UNKNOWN_ID} | _REQUIRED.get(method, {})
    return Case(
        name, method, lambda _w: request, "NOT_FOUND", "ACCOUNT_NOT_FOUND", domain_of(method), who="mallory"
    )


def bad_page(method: str, kind: str, who: str = "alice") -> Case:
    """`kind`: "unknown", "foreign" (of another request) or "forged" (only its digest is right)."""

    def request(w: World) -> Json:
        owner = account_request(w) if method in LISTS_OF_AN_ACCOUNT else {}
        if kind == "forged":
            asked = message_of(describe(method), owner)
            return owner | {"page_token": encode_page_token(asked, {"no_such_column": "1"})}
        return owner | {"page_token": w.fills_page if kind == "foreign" else "no-such-token"}

    name = f"{kind} page token: {method.partition('/')[2]}"
    return Case(
        name, method, request, "INVALID_ARGUMENT", "PAGE_TOKEN_INVALID", domain_of(method), "page_token", who
    )


def reused(method: str, request: Callable[[World], Json], who: str = "alice") -> Case:
    name = f"request_id reused: {method.partition('/')[2]}"
    metadata = ("digest", "recorded_digest")
    return Case(
        name, method, request, "ALREADY_EXISTS", "REQUEST_ID_REUSED", domain_of(method), "", who, metadata
    )


def internal(method: str, request: Callable[[World], Json]) -> Case:
    name = f"internal: {method.partition('.')[0]} {method.partition('/')[2]}"
    return Case(name, method, request, "PERMISSION_DENIED", "CALLER_NOT_ALLOWED", "bifrost.edge", who="adam")


def no_scope(method: str, who: str, request: Callable[[World], Json]) -> Case:
    name = f"no scope: {who} {method.partition('/')[2]}"
    return Case(
        name, method, request, "PERMISSION_DENIED", "SCOPE_MISSING", "bifrost.edge", "", who, ("scope",)
    )


def stale(method: str, who: str, request: Callable[[World], Json]) -> Case:
    name = f"stale etag: {method.partition('/')[2]}"
    return Case(name, method, request, "ABORTED", "ETAG_MISMATCH", domain_of(method), "", who, ("etag",))


def refused(
    name: str,
    request: Callable[[World], Json],
    code: str,
    reason: str,
    *,
    method: str = SUBMIT,
    field: str = "",
) -> Case:
    return Case(name, method, request, code, reason, domain_of(method), field)


def replace_request(w: World, **terms: object) -> Json:
    return {
        "account_id": w.account_id,
        "order_id": w.working_order,
        "request_id": "r",
        "terms": LIMIT | terms,
    }


def order_reference(w: World, order_id: str) -> Json:
    return {"account_id": w.account_id, "order_id": order_id}


def deposit_request(w: World, amount: str, currency: str = "USD", request_id: str = "bad") -> Json:
    money = {"currency": currency, "amount": amount}
    return {"account_id": w.account_id, "request_id": request_id, "amount": money}


def reservation_request(w: World) -> Json:
    return {
        "account_id": w.account_id,
        "order_id": UNKNOWN_ID,
        "request_id": "bad",
        "instrument_id": UNKNOWN_ID,
        "terms": LIMIT,
        "terms_version": 1,
    }


def venue_order_request(w: World) -> Json:
    return {"account_id": w.account_id, "client_order_id": "bad", "instrument_id": UNKNOWN_ID, "terms": LIMIT}


def limits_request(w: World, etag: str = "stale", **changes: object) -> Json:
    mask = "maxOrderQuantity"
    return {
        "account_id": w.account_id,
        "limits": {"max_order_quantity": "1"} | changes,
        "update_mask": mask,
        "etag": etag,
    }
