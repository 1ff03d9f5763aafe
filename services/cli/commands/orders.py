"""bifrost order: submit, cancel, list and watch orders."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterable
from enum import StrEnum
from typing import Annotated

import typer

from bifrost.execution.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from bifrost.risk.v1 import check_pb2, error_reason_pb2
from bifrost.type.v1 import order_terms_pb2, stream_pb2, value_pb2
from services.cli.accounts import AccountOption, find_account
from services.cli.console import (
    EdgeOption,
    HomeOption,
    Json,
    Target,
    as_dict,
    command,
    out,
    print_json,
    short_name,
    table,
)
from services.runtime.stream_client import resuming

_COLUMNS = (
    "time",
    "order",
    "symbol",
    "side",
    "type",
    "tif",
    "quantity",
    "price",
    "filled",
    "average",
    "state",
    "message",
)
_NUMBERS = ("quantity", "price", "filled", "average")


class SideName(StrEnum):
    """Buy or sell."""

    BUY = "buy"
    SELL = "sell"


class TimeInForceName(StrEnum):
    """How long an order stands."""

    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(help="Submit, cancel, list and watch orders.", no_args_is_help=True)
    group.command()(submit)
    group.command()(cancel)
    group.command(name="list")(list_orders)
    group.command()(watch)
    app.add_typer(group, name="order")


@command
async def submit(  # noqa: PLR0917  options, as typed
    side: Annotated[SideName, typer.Argument(help="buy or sell.")],
    quantity: Annotated[str, typer.Argument(help="Shares, e.g. 10.")],
    symbol: Annotated[str, typer.Argument(help="Symbol, e.g. AAPL.")],
    limit: Annotated[str | None, typer.Option(help="Limit price; none means a market order.")] = None,
    stop: Annotated[
        str | None, typer.Option(help="Stop price: a stop, or with --limit a stop-limit order.")
    ] = None,
    time_in_force: Annotated[
        TimeInForceName, typer.Option("--tif", help="How long it stands.")
    ] = TimeInForceName.DAY,
    request_id: Annotated[
        str | None,
        typer.Option(help="Idempotency key; the same again never trades twice. Made up when left out."),
    ] = None,
    account: AccountOption = None,
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Submit an order; prints what is known of it, and every risk rule when it is refused."""
    terms = order_terms_pb2.OrderTerms(
        side=f"SIDE_{side.upper()}",
        type=_order_type(limit, stop),
        time_in_force=f"TIME_IN_FORCE_{time_in_force.upper()}",
        quantity=quantity,
        limit_price=limit or "",
        stop_price=stop or "",
    )
    async with Target.find(home, edge).connect() as client:
        owner = await find_account(client, account)
        reply = await client.stub(order_service_pb2_grpc.OrderServiceStub).SubmitOrder(
            order_service_pb2.SubmitOrderRequest(
                account_id=owner.account_id,
                request_id=request_id or str(uuid.uuid4()),
                instrument=value_pb2.InstrumentRef(listed=value_pb2.ListedSymbol(symbol=symbol.upper())),
                terms=terms,
                tag="bifrost order",
            ),
            timeout=15,
        )
    if as_json:
        print_json(as_dict(reply))
    else:
        _print_outcome(reply)
    if reply.outcome == order_service_pb2.SUBMIT_OUTCOME_REJECTED:
        raise typer.Exit(1)


def _order_type(limit: str | None, stop: str | None) -> order_terms_pb2.OrderType:
    if stop is not None:
        return order_terms_pb2.ORDER_TYPE_STOP if limit is None else order_terms_pb2.ORDER_TYPE_STOP_LIMIT
    return order_terms_pb2.ORDER_TYPE_MARKET if limit is None else order_terms_pb2.ORDER_TYPE_LIMIT


def _print_outcome(reply: order_service_pb2.SubmitOrderResponse) -> None:
    order = reply.order
    outcome = short_name(order_service_pb2.SubmitOutcome, reply.outcome)
    state = short_name(order_pb2.OrderState, order.state)
    out.print(f"[bold]{outcome}[/]  {order.symbol} {state}  {order.order_id}")
    if order.message:
        out.print(order.message, highlight=False)
    if reply.outcome == order_service_pb2.SUBMIT_OUTCOME_UNKNOWN:
        out.print("It is being settled with the venue. Do not submit it again; see: bifrost order watch")
    failed = [rule for rule in reply.risk.rules if rule.verdict != check_pb2.VERDICT_PASS]
    if failed:
        rows = [
            [
                short_name(error_reason_pb2.Rule, rule.rule),
                rule.value,
                rule.limit,
                rule.headroom,
                rule.unit,
                rule.message,
            ]
            for rule in failed
        ]
        columns = ("rule", "value", "limit", "headroom", "unit", "why")
        out.print(table("refused by", columns, rows, right=("value", "limit", "headroom")))


@command
async def cancel(
    order_id: Annotated[str, typer.Argument(help="Order id, or all.")],
    account: AccountOption = None,
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Cancel one order, or all that work."""
    async with Target.find(home, edge).connect() as client:
        owner = await find_account(client, account)
        stub = client.stub(order_service_pb2_grpc.OrderServiceStub)
        if order_id == "all":
            everything = await stub.CancelAllOrders(
                order_service_pb2.CancelAllOrdersRequest(account_id=owner.account_id), timeout=30
            )
            orders = list(everything.orders)
        else:
            one = await stub.CancelOrder(
                order_service_pb2.CancelOrderRequest(account_id=owner.account_id, order_id=order_id),
                timeout=15,
            )
            orders = [one.order]
    _show("cancelled", orders, as_json=as_json)


@command
async def list_orders(
    open_only: Annotated[bool, typer.Option("--open", help="Only orders that have not ended.")] = False,
    limit: Annotated[
        int, typer.Option("--limit", "-n", help="How many, newest first.", min=1, max=1000)
    ] = 50,
    account: AccountOption = None,
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """List orders, newest first."""
    async with Target.find(home, edge).connect() as client:
        owner = await find_account(client, account)
        reply = await client.stub(order_service_pb2_grpc.OrderServiceStub).ListOrders(
            order_service_pb2.ListOrdersRequest(
                account_id=owner.account_id, open_only=open_only, page_size=limit
            ),
            timeout=15,
        )
    _show(f"orders of {owner.name}", list(reply.orders), as_json=as_json)


def _show(title: str, orders: list[order_pb2.Order], *, as_json: bool) -> None:
    if as_json:
        print_json({"orders": [as_dict(order) for order in orders]})
    else:
        out.print(table(title, _COLUMNS, [_row(order) for order in orders], right=_NUMBERS))


def _row(order: order_pb2.Order) -> list[str]:
    terms = order.terms
    return [
        order.create_time.ToDatetime().strftime("%H:%M:%S"),
        order.order_id,
        order.symbol,
        short_name(order_terms_pb2.Side, terms.side),
        short_name(order_terms_pb2.OrderType, terms.type),
        short_name(order_terms_pb2.TimeInForce, terms.time_in_force),
        terms.quantity,
        "/".join(price for price in (terms.stop_price, terms.limit_price) if price),
        order.filled_quantity,
        order.average_price,
        short_name(order_pb2.OrderState, order.state),
        order.message,
    ]


@command
async def watch(
    account: AccountOption = None,
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Show every order event as it happens, from now on, through restarts of services. Ctrl-C ends it."""
    async with Target.find(home, edge).connect() as client:
        owner = await find_account(client, account)
        stub = client.stub(order_service_pb2_grpc.OrderServiceStub)

        def open_stream(
            after: stream_pb2.StreamPosition | None,
        ) -> AsyncIterable[order_service_pb2.StreamOrderEventsResponse]:
            return stub.StreamOrderEvents(
                order_service_pb2.StreamOrderEventsRequest(account_id=owner.account_id, resume_after=after)
            )

        live = False
        async for message in resuming(open_stream):
            if message.HasField("replay_end") and not live:
                live = True
                if not as_json:
                    out.print(f"[dim]watching {owner.name}; Ctrl-C ends[/]")
            elif message.HasField("order_event") and live:
                if as_json:
                    print_json(as_dict(message))
                else:
                    _print_event(message.order_event)


def _print_event(event: order_pb2.OrderEvent) -> None:
    order = event.order
    what = short_name(order_pb2.OrderEventType, event.type)
    fill = (
        f"{event.fill.quantity} at {event.fill.price}, fee {event.fill.fee}" if event.HasField("fill") else ""
    )
    side = short_name(order_terms_pb2.Side, order.terms.side)
    out.print(
        f"{order.update_time.ToDatetime():%H:%M:%S.%f}  [bold]{what:<18}[/] {order.symbol:<6} {side:<4} "
        f"{order.terms.quantity:>8}  {fill or order.message}  [dim]{order.order_id}[/]",
        highlight=False,
    )
