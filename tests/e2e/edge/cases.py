"""The table of bad input: who asks what, and how it is refused, the same over gRPC and REST."""

from __future__ import annotations

from tests.e2e.edge.kinds import (
    CANCEL,
    DEPOSIT,
    LISTS_OF_AN_ACCOUNT,
    REPLACE,
    SUBMIT,
    Case,
    account_request,
    bad_deposit,
    bad_page,
    bad_quantity,
    bad_token,
    deposit_request,
    foreign,
    internal,
    invalid,
    limits_request,
    missing_term,
    no_scope,
    nobodys,
    order_reference,
    refused,
    replace_request,
    reservation_request,
    reused,
    stale,
    term_out_of_range,
    venue_order_request,
)
from tests.e2e.edge.loading_cases import LOADING_CASES
from tests.e2e.edge.world import AAPL, LIMIT, MARKET, UNKNOWN_ID

_LISTS = [
    *LISTS_OF_AN_ACCOUNT,
    "portfolio.v1.PortfolioService/ListAccounts",
    "portfolio.v1.PortfolioService/ListPortfolios",
    "data.v1.InstrumentService/ListInstruments",
    "data.v1.IngestionService/ListIngestions",
    "data.v1.ScheduleService/ListSchedules",
]
_READ_BY_ACCOUNT = [
    *LISTS_OF_AN_ACCOUNT,
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
    refused(
        "unknown symbol",
        lambda w: w.order(instrument={"listed": {"symbol": "NOPE"}}),
        "NOT_FOUND",
        "INSTRUMENT_NOT_FOUND",
    ),
    refused(
        "unknown instrument",
        lambda w: w.order(instrument={"instrument_id": UNKNOWN_ID}),
        "NOT_FOUND",
        "INSTRUMENT_NOT_FOUND",
    ),
    invalid("no instrument", "instrument.name", lambda w: w.order(instrument={})),
    *(
        bad_quantity(text)
        for text in ("0", "-5", "NaN", "Infinity", "1e3", "1" * 40, "", "1.0000000001", " 5", "0x5")
    ),
    invalid("price NaN", "terms.limit_price", lambda w: w.order(terms={"limit_price": "NaN"})),
    invalid("price negative", "terms.limit_price", lambda w: w.order(terms={"limit_price": "-1.00"})),
    refused(
        "price off tick",
        lambda w: w.order(terms={"limit_price": "1.001"}),
        "INVALID_ARGUMENT",
        "PRICE_OFF_TICK",
        field="terms.limit_price",
    ),
    refused(
        "quantity off lot",
        lambda w: w.order(terms={"quantity": "1.5"}),
        "INVALID_ARGUMENT",
        "QUANTITY_OFF_LOT",
        field="terms.quantity",
    ),
    *(term_out_of_range(name) for name in ("side", "type", "time_in_force")),
    *(missing_term(name) for name in ("side", "type", "time_in_force", "quantity")),
    invalid("limit without price", "terms", lambda w: w.order(drop="limit_price")),
    invalid("market with price", "terms", lambda w: w.order(terms=MARKET)),
    invalid(
        "stop without trigger",
        "terms",
        lambda w: w.order(terms={"type": "ORDER_TYPE_STOP"}, drop="limit_price"),
    ),
    invalid("request_id empty", "request_id", lambda w: w.order(request_id="")),
    invalid("request_id too long", "request_id", lambda w: w.order(request_id="x" * 65)),
    invalid("account is no id", "account_id", lambda w: w.order(account_id="alice's")),
    # Changes of orders
    refused(
        "replace of side",
        lambda w: replace_request(w, side="SIDE_SELL"),
        "INVALID_ARGUMENT",
        "TERMS_FIXED",
        method=REPLACE,
    ),
    stale(REPLACE, "alice", lambda w: replace_request(w, quantity="4") | {"etag": "stale"}),
    stale(
        CANCEL,
        "alice",
        lambda w: order_reference(w, w.working_order) | {"etag": "stale"},
    ),
    refused(
        "cancel of a filled order",
        lambda w: order_reference(w, w.filled_order),
        "FAILED_PRECONDITION",
        "ORDER_ENDED",
        method=CANCEL,
    ),
    refused(
        "unknown order",
        lambda w: order_reference(w, UNKNOWN_ID),
        "NOT_FOUND",
        "ORDER_NOT_FOUND",
        method="execution.v1.OrderService/GetOrder",
    ),
    # Tokens
    bad_token("", "TOKEN_MISSING"),
    bad_token("expired", "TOKEN_EXPIRED"),
    *(
        bad_token(kind, "TOKEN_INVALID")
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
    no_scope(SUBMIT, "vera", lambda w: w.order()),
    no_scope(DEPOSIT, "vera", lambda w: deposit_request(w, "1.00")),
    no_scope("risk.v1.LimitService/UpdateLimits", "alice", limits_request),
    no_scope(
        "risk.v1.LimitService/SetKillSwitch",
        "alice",
        lambda w: {"account_id": w.account_id, "action": "KILL_SWITCH_ACTION_ENGAGE", "reason": "x"},
    ),
    no_scope("identity.v1.UserService/ListUsers", "alice", lambda _w: {}),
    no_scope("venue.v1.SessionService/EndSession", "alice", lambda _w: {}),
    internal("risk.v1.PreTradeService/ReserveOrder", reservation_request),
    internal("execution.v1.OrderService/StreamOrderLog", lambda _w: {}),
    internal("portfolio.v1.LedgerService/StreamLedgerLog", lambda _w: {}),
    internal("venue.v1.VenueService/SubmitOrder", venue_order_request),
    internal("venue.v1.VenueService/StreamExecutions", lambda _w: {}),
    # Others' accounts
    *(foreign(method) for method in _READ_BY_ACCOUNT),
    *(nobodys(method) for method in _READ_BY_ACCOUNT),
    foreign(SUBMIT, lambda w: w.order()),
    foreign(
        "risk.v1.PreTradeService/CheckOrder",
        lambda w: {"account_id": w.account_id, "instrument": AAPL, "terms": LIMIT},
    ),
    foreign("execution.v1.OrderService/GetOrder", lambda w: order_reference(w, w.filled_order)),
    foreign(CANCEL, lambda w: order_reference(w, w.working_order)),
    foreign(REPLACE, lambda w: replace_request(w, quantity="1")),
    foreign(DEPOSIT, lambda w: deposit_request(w, "1.00")),
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
    *(bad_page(method, kind) for method in _LISTS for kind in ("unknown", "forged")),
    *(
        bad_page(method, "foreign")
        for method in _LISTS
        if method != "portfolio.v1.LedgerService/ListLedgerEntries"
    ),
    bad_page("identity.v1.UserService/ListUsers", "unknown", who="adam"),
    invalid(
        "negative page size",
        "page_size",
        lambda w: account_request(w) | {"page_size": -1},
        "execution.v1.OrderService/ListOrders",
    ),
    stale("risk.v1.LimitService/UpdateLimits", "rita", limits_request),
    stale(
        "identity.v1.UserService/UpdateUser",
        "adam",
        lambda w: {
            "user_id": w.mesh.alice.user_id,
            "user": {"display_name": "x"},
            "update_mask": "displayName",
            "etag": "stale",
        },
    ),
    reused(SUBMIT, lambda w: w.order(request_id="working", terms={"quantity": "6"})),
    reused(DEPOSIT, lambda w: deposit_request(w, "2.00", request_id="alice-deposit")),
    reused(
        "portfolio.v1.PortfolioService/CreatePortfolio",
        lambda _w: {"request_id": "alice-portfolio", "name": "other"},
    ),
    reused(
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
    reused(
        "identity.v1.UserService/CreateUser",
        lambda _w: {
            "request_id": "join-alice",
            "user_name": "b0b",
            "password": "x" * 14,
            "roles": ["ROLE_ADMIN"],
        },
        "founder",
    ),
    reused(
        "data.v1.IngestionService/CreateIngestion",
        lambda _w: {"request_id": "first-prices", "source": "sample", "symbols": ["IBM"]},
        "founder",
    ),
    reused("venue.v1.SessionService/CreateSession", lambda _w: {"request_id": "e2e", "seed": "9"}, "founder"),
    # What loads from sources
    *LOADING_CASES,
    # Money
    *(bad_deposit(text, "amount") for text in ("0", "-1.00", "0.00")),
    *(bad_deposit(text, "amount.amount") for text in ("NaN", "1e6", "9" * 40)),
    refused(
        "deposit too precise",
        lambda w: deposit_request(w, "1.005"),
        "INVALID_ARGUMENT",
        "AMOUNT_TOO_PRECISE",
        method=DEPOSIT,
        field="amount.amount",
    ),
    refused(
        "deposit in another currency",
        lambda w: deposit_request(w, "1.00", "EUR"),
        "INVALID_ARGUMENT",
        "CURRENCY_MISMATCH",
        method=DEPOSIT,
        field="amount.currency",
    ),
    invalid(
        "kill switch without a target",
        "all_accounts",
        lambda _w: {"action": "KILL_SWITCH_ACTION_ENGAGE", "reason": "x"},
        "risk.v1.LimitService/SetKillSwitch",
        "rita",
    ),
    invalid(
        "kill switch without an action",
        "action",
        lambda w: {"account_id": w.account_id, "reason": "x"},
        "risk.v1.LimitService/SetKillSwitch",
        "rita",
    ),
    invalid(
        "limits without a mask",
        "update_mask",
        lambda w: {name: value for name, value in limits_request(w).items() if name != "update_mask"},
        "risk.v1.LimitService/UpdateLimits",
        "rita",
    ),
]
