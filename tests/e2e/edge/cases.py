"""The table of bad input: who asks what, and how it is refused, the same over gRPC and REST."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.e2e.edge.calls import Json
from tests.e2e.edge.world import AAPL, LIMIT, MARKET, UNKNOWN_ID, World

SUBMIT = "execution.v1.OrderService/SubmitOrder"
REPLACE = "execution.v1.OrderService/ReplaceOrder"
CANCEL = "execution.v1.OrderService/CancelOrder"
DEPOSIT = "portfolio.v1.LedgerService/CreateDeposit"


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


def _invalid(
    name: str, field: str, request: Callable[[World], Json], method: str = SUBMIT, who: str = "alice"
) -> Case:
    return Case(name, method, request, "INVALID_ARGUMENT", "FIELD_INVALID", _domain(method), field, who)


def _domain(method: str) -> str:
    return f"bifrost.{method.partition('.')[0]}"


def _quantity(text: str) -> Case:
    return _invalid(
        f"quantity {text or 'empty'}", "terms.quantity", lambda w: w.order(terms={"quantity": text})
    )


def _token(who: str, reason: str) -> Case:
    name = f"token {who or 'missing'}"
    return Case(name, SUBMIT, lambda w: w.order(), "UNAUTHENTICATED", reason, "bifrost.edge", who=who)


def _account(w: World) -> Json:
    return {"account_id": w.account_id}


def _foreign(method: str, request: Callable[[World], Json] = _account) -> Case:
    name = f"another's account: {method.partition('/')[2]}"
    return Case(name, method, request, "NOT_FOUND", "ACCOUNT_NOT_FOUND", _domain(method), who="mallory")


def _nobodys(method: str) -> Case:
    name = f"nobody's account: {method.partition('/')[2]}"
    request: Json = {"account_id": UNKNOWN_ID}
    return Case(
        name, method, lambda _w: request, "NOT_FOUND", "ACCOUNT_NOT_FOUND", _domain(method), who="mallory"
    )


def _page(method: str, *, foreign: bool, who: str = "alice") -> Case:
    def request(w: World) -> Json:
        owner = _account(w) if method in _LISTS_OF_AN_ACCOUNT else {}
        return owner | {"page_token": w.fills_page if foreign else "no-such-token"}

    name = f"{'foreign' if foreign else 'unknown'} page token: {method.partition('/')[2]}"
    return Case(
        name, method, request, "INVALID_ARGUMENT", "PAGE_TOKEN_INVALID", _domain(method), "page_token", who
    )


def _reused(method: str, request: Callable[[World], Json], who: str = "alice") -> Case:
    name = f"request_id reused: {method.partition('/')[2]}"
    metadata = ("digest", "recorded_digest")
    return Case(
        name, method, request, "ALREADY_EXISTS", "REQUEST_ID_REUSED", _domain(method), "", who, metadata
    )


def _internal(method: str, request: Callable[[World], Json]) -> Case:
    name = f"internal: {method.partition('.')[0]} {method.partition('/')[2]}"
    return Case(name, method, request, "PERMISSION_DENIED", "CALLER_NOT_ALLOWED", "bifrost.edge", who="adam")


def _no_scope(method: str, who: str, request: Callable[[World], Json]) -> Case:
    name = f"no scope: {who} {method.partition('/')[2]}"
    return Case(
        name, method, request, "PERMISSION_DENIED", "SCOPE_MISSING", "bifrost.edge", "", who, ("scope",)
    )


def _stale(method: str, who: str, request: Callable[[World], Json]) -> Case:
    name = f"stale etag: {method.partition('/')[2]}"
    return Case(name, method, request, "ABORTED", "ETAG_MISMATCH", _domain(method), "", who, ("etag",))


def _order_case(
    name: str,
    request: Callable[[World], Json],
    code: str,
    reason: str,
    *,
    method: str = SUBMIT,
    field: str = "",
) -> Case:
    return Case(name, method, request, code, reason, _domain(method), field)


def _replace(w: World, **terms: object) -> Json:
    return {
        "account_id": w.account_id,
        "order_id": w.working_order,
        "request_id": "r",
        "terms": LIMIT | terms,
    }


def _of(w: World, order_id: str) -> Json:
    return {"account_id": w.account_id, "order_id": order_id}


def _deposit(w: World, amount: str, currency: str = "USD", request_id: str = "bad") -> Json:
    money = {"currency": currency, "amount": amount}
    return {"account_id": w.account_id, "request_id": request_id, "amount": money}


def _reservation(w: World) -> Json:
    return {
        "account_id": w.account_id,
        "order_id": UNKNOWN_ID,
        "request_id": "bad",
        "instrument_id": UNKNOWN_ID,
        "terms": LIMIT,
        "terms_version": 1,
    }


def _venue_order(w: World) -> Json:
    return {"account_id": w.account_id, "client_order_id": "bad", "instrument_id": UNKNOWN_ID, "terms": LIMIT}


def _limits(w: World, etag: str = "stale", **changes: object) -> Json:
    mask = "maxOrderQuantity"
    return {
        "account_id": w.account_id,
        "limits": {"max_order_quantity": "1"} | changes,
        "update_mask": mask,
        "etag": etag,
    }


_LISTS_OF_AN_ACCOUNT = [
    "execution.v1.OrderService/ListOrders",
    "execution.v1.OrderService/ListFills",
    "portfolio.v1.LedgerService/ListLedgerEntries",
    "venue.v1.VenueService/ListExecutions",
    "venue.v1.VenueService/ListVenueOrders",
]
_LISTS = [
    *_LISTS_OF_AN_ACCOUNT,
    "portfolio.v1.PortfolioService/ListAccounts",
    "portfolio.v1.PortfolioService/ListPortfolios",
    "data.v1.InstrumentService/ListInstruments",
    "data.v1.IngestionService/ListIngestions",
]
_READ_BY_ACCOUNT = [
    *_LISTS_OF_AN_ACCOUNT,
    "execution.v1.OrderService/StreamOrderEvents",
    "execution.v1.OrderService/CancelAllOrders",
    "portfolio.v1.PortfolioService/GetAccount",
    "portfolio.v1.PortfolioService/GetBalance",
    "portfolio.v1.PortfolioService/ListPositions",
    "portfolio.v1.PortfolioService/StreamPositions",
    "risk.v1.LimitService/GetLimits",
    "risk.v1.PreTradeService/GetBuyingPower",
]

WRONG_TOKENS = (
    "forged",
    "unknown key",
    "other audience",
    "other issuer",
    "service",
    "garbage",
    "refresh",
)

CASES = [
    # Fields of an order
    _order_case(
        "unknown symbol",
        lambda w: w.order(instrument={"listed": {"symbol": "NOPE"}}),
        "NOT_FOUND",
        "INSTRUMENT_NOT_FOUND",
    ),
    _order_case(
        "unknown instrument",
        lambda w: w.order(instrument={"instrument_id": UNKNOWN_ID}),
        "NOT_FOUND",
        "INSTRUMENT_NOT_FOUND",
    ),
    _invalid("no instrument", "instrument.name", lambda w: w.order(instrument={})),
    *(
        _quantity(text)
        for text in ("0", "-5", "NaN", "Infinity", "1e3", "1" * 40, "", "1.0000000001", " 5", "0x5")
    ),
    _invalid("price NaN", "terms.limit_price", lambda w: w.order(terms={"limit_price": "NaN"})),
    _invalid("price negative", "terms.limit_price", lambda w: w.order(terms={"limit_price": "-1.00"})),
    _order_case(
        "price off tick",
        lambda w: w.order(terms={"limit_price": "1.001"}),
        "INVALID_ARGUMENT",
        "PRICE_OFF_TICK",
        field="terms.limit_price",
    ),
    _order_case(
        "quantity off lot",
        lambda w: w.order(terms={"quantity": "1.5"}),
        "INVALID_ARGUMENT",
        "QUANTITY_OFF_LOT",
        field="terms.quantity",
    ),
    *(
        _invalid(f"{name} out of range", f"terms.{name}", lambda w, name=name: w.order(terms={name: 77}))
        for name in ("side", "type", "time_in_force")
    ),
    *(
        _invalid(f"{name} missing", f"terms.{name}", lambda w, name=name: w.order(drop=name))
        for name in ("side", "type", "time_in_force", "quantity")
    ),
    _invalid("limit without price", "terms", lambda w: w.order(drop="limit_price")),
    _invalid("market with price", "terms", lambda w: w.order(terms=MARKET)),
    _invalid(
        "stop without trigger",
        "terms",
        lambda w: w.order(terms={"type": "ORDER_TYPE_STOP"}, drop="limit_price"),
    ),
    _invalid("request_id empty", "request_id", lambda w: w.order(request_id="")),
    _invalid("request_id too long", "request_id", lambda w: w.order(request_id="x" * 65)),
    _invalid("account is no id", "account_id", lambda w: w.order(account_id="alice's")),
    # Changes of orders
    _order_case(
        "replace of side",
        lambda w: _replace(w, side="SIDE_SELL"),
        "INVALID_ARGUMENT",
        "TERMS_FIXED",
        method=REPLACE,
    ),
    _stale(REPLACE, "alice", lambda w: _replace(w, quantity="4") | {"etag": "stale"}),
    _stale(
        CANCEL,
        "alice",
        lambda w: _of(w, w.working_order) | {"etag": "stale"},
    ),
    _order_case(
        "cancel of a filled order",
        lambda w: _of(w, w.filled_order),
        "FAILED_PRECONDITION",
        "ORDER_ENDED",
        method=CANCEL,
    ),
    _order_case(
        "unknown order",
        lambda w: _of(w, UNKNOWN_ID),
        "NOT_FOUND",
        "ORDER_NOT_FOUND",
        method="execution.v1.OrderService/GetOrder",
    ),
    # Tokens
    _token("", "TOKEN_MISSING"),
    _token("expired", "TOKEN_EXPIRED"),
    *(
        _token(kind, "TOKEN_INVALID")
        for kind in (
            "forged",
            "unknown key",
            "other audience",
            "other issuer",
            "service",
            "garbage",
            "refresh",
        )
    ),
    # Rights
    _no_scope(SUBMIT, "vera", lambda w: w.order()),
    _no_scope(DEPOSIT, "vera", lambda w: _deposit(w, "1.00")),
    _no_scope("risk.v1.LimitService/UpdateLimits", "alice", _limits),
    _no_scope(
        "risk.v1.LimitService/SetKillSwitch",
        "alice",
        lambda w: {"account_id": w.account_id, "action": "KILL_SWITCH_ACTION_ENGAGE", "reason": "x"},
    ),
    _no_scope("identity.v1.UserService/ListUsers", "alice", lambda _w: {}),
    _no_scope("venue.v1.SessionService/EndSession", "alice", lambda _w: {}),
    _internal("risk.v1.PreTradeService/ReserveOrder", _reservation),
    _internal("execution.v1.OrderService/StreamOrderLog", lambda _w: {}),
    _internal("portfolio.v1.LedgerService/StreamLedgerLog", lambda _w: {}),
    _internal("venue.v1.VenueService/SubmitOrder", _venue_order),
    _internal("venue.v1.VenueService/StreamExecutions", lambda _w: {}),
    # Others' accounts
    *(_foreign(method) for method in _READ_BY_ACCOUNT),
    *(_nobodys(method) for method in _READ_BY_ACCOUNT),
    _foreign(SUBMIT, lambda w: w.order()),
    _foreign(
        "risk.v1.PreTradeService/CheckOrder",
        lambda w: {"account_id": w.account_id, "instrument": AAPL, "terms": LIMIT},
    ),
    _foreign("execution.v1.OrderService/GetOrder", lambda w: _of(w, w.filled_order)),
    _foreign(CANCEL, lambda w: _of(w, w.working_order)),
    _foreign(REPLACE, lambda w: _replace(w, quantity="1")),
    _foreign(DEPOSIT, lambda w: _deposit(w, "1.00")),
    Case(
        "an account in another's portfolio",
        "portfolio.v1.PortfolioService/CreateAccount",
        lambda w: {
            "request_id": "bad",
            "portfolio_id": w.portfolio_id,
            "name": "mine",
            "currency": "USD",
            "venue": "XSIM",
            "type": "ACCOUNT_TYPE_CASH",
        },
        "NOT_FOUND",
        "PORTFOLIO_NOT_FOUND",
        "bifrost.portfolio",
        who="mallory",
    ),
    Case(
        "another user",
        "identity.v1.UserService/GetUser",
        lambda w: {"user_id": w.mesh.adam.user_id},
        "NOT_FOUND",
        "USER_NOT_FOUND",
        "bifrost.identity",
    ),
    # Pages, versions, repeats
    *(_page(method, foreign=False) for method in _LISTS),
    *(
        _page(method, foreign=True)
        for method in _LISTS
        if method != "portfolio.v1.LedgerService/ListLedgerEntries"
    ),
    _page("identity.v1.UserService/ListUsers", foreign=False, who="adam"),
    _invalid(
        "negative page size",
        "page_size",
        lambda w: _account(w) | {"page_size": -1},
        "execution.v1.OrderService/ListOrders",
    ),
    _stale("risk.v1.LimitService/UpdateLimits", "rita", _limits),
    _stale(
        "identity.v1.UserService/UpdateUser",
        "adam",
        lambda w: {
            "user_id": w.mesh.alice.user_id,
            "user": {"display_name": "x"},
            "update_mask": "displayName",
            "etag": "stale",
        },
    ),
    _reused(SUBMIT, lambda w: w.order(request_id="working", terms={"quantity": "6"})),
    _reused(DEPOSIT, lambda w: _deposit(w, "2.00", request_id="alice-deposit")),
    _reused(
        "portfolio.v1.PortfolioService/CreatePortfolio",
        lambda _w: {"request_id": "alice-portfolio", "name": "other"},
    ),
    _reused(
        "portfolio.v1.PortfolioService/CreateAccount",
        lambda w: {
            "request_id": "alice-account",
            "portfolio_id": w.portfolio_id,
            "name": "other",
            "currency": "USD",
            "venue": "XSIM",
            "type": "ACCOUNT_TYPE_CASH",
        },
    ),
    _reused(
        "identity.v1.UserService/CreateUser",
        lambda _w: {
            "request_id": "join-alice",
            "user_name": "b0b",
            "password": "x" * 14,
            "roles": ["ROLE_ADMIN"],
        },
        "founder",
    ),
    _reused(
        "data.v1.IngestionService/CreateIngestion",
        lambda _w: {"request_id": "first-prices", "source": "sample", "symbols": ["IBM"]},
        "founder",
    ),
    _reused(
        "venue.v1.SessionService/CreateSession", lambda _w: {"request_id": "e2e", "seed": "9"}, "founder"
    ),
    # Money
    *(
        _invalid(f"deposit of {text}", "amount", lambda w, text=text: _deposit(w, text), DEPOSIT)
        for text in ("0", "-1.00", "0.00")
    ),
    *(
        _invalid(f"deposit of {text}", "amount.amount", lambda w, text=text: _deposit(w, text), DEPOSIT)
        for text in ("NaN", "1e6", "9" * 40)
    ),
    _order_case(
        "deposit too precise",
        lambda w: _deposit(w, "1.005"),
        "INVALID_ARGUMENT",
        "AMOUNT_TOO_PRECISE",
        method=DEPOSIT,
        field="amount.amount",
    ),
    _order_case(
        "deposit in another currency",
        lambda w: _deposit(w, "1.00", "EUR"),
        "INVALID_ARGUMENT",
        "CURRENCY_MISMATCH",
        method=DEPOSIT,
        field="amount.currency",
    ),
    _invalid(
        "kill switch without a target",
        "all_accounts",
        lambda _w: {"action": "KILL_SWITCH_ACTION_ENGAGE", "reason": "x"},
        "risk.v1.LimitService/SetKillSwitch",
        "rita",
    ),
    _invalid(
        "kill switch without an action",
        "action",
        lambda w: {"account_id": w.account_id, "reason": "x"},
        "risk.v1.LimitService/SetKillSwitch",
        "rita",
    ),
    _invalid(
        "limits without a mask",
        "update_mask",
        lambda w: {name: value for name, value in _limits(w).items() if name != "update_mask"},
        "risk.v1.LimitService/UpdateLimits",
        "rita",
    ),
]
