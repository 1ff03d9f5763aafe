"""bifrost order: submit, cancel, list and watch orders."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterable
from enum import StrEnum
from typing import Annotated

import grpc
import typer
from rich.text import Text

from bifrost.execution.v1 import order_pb2, order_service_pb2, order_service_pb2_grpc
from bifrost.risk.v1 import check_pb2, error_reason_pb2
from bifrost.type.v1 import order_terms_pb2, stream_pb2, value_pb2
from services.cli import completion
from services.cli.accounts import AccountOption, find_account
from services.cli.console import (
    EdgeOption,
    HomeOption,
    Json,
    Target,
    UsageError,
    as_dict,
    command,
    fail_rpc,
    out,
    print_json,
    short_name,
    table,
)
from services.cli.live import Feed, say_on_stderr
from services.cli.money import show_quantity
from services.cli.order_view import describe_event, describe_terms, order_table
from services.cli.paging import pages

# After these a submission may have gone through all the same.
_UNSURE = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
    }
)
_PAGE = 1000


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
    side: Annotated[SideName, typer.Argument(help="buy or sell.", case_sensitive=False)],
    quantity: Annotated[str, typer.Argument(help="Shares, e.g. 10.")],
    symbol: Annotated[str, typer.Argument(help="Symbol, e.g. AAPL.", autocompletion=completion.symbols)],
    limit: Annotated[str | None, typer.Option(help="Limit price; none means a market order.")] = None,
    stop: Annotated[
        str | None, typer.Option(help="Stop price: a stop, or with --limit a stop-limit order.")
    ] = None,
    time_in_force: Annotated[
        TimeInForceName, typer.Option("--tif", help="How long it stands.", case_sensitive=False)
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
    request_id = request_id or str(uuid.uuid4())
    async with Target.find(home, edge).connect() as client:
        owner = await find_account(client, account)
        request = order_service_pb2.SubmitOrderRequest(
            account_id=owner.account_id,
            request_id=request_id,
            instrument=value_pb2.InstrumentRef(listed=value_pb2.ListedSymbol(symbol=symbol.upper())),
            terms=terms,
            tag="bifrost order",
        )
        try:
            reply = await client.stub(order_service_pb2_grpc.OrderServiceStub).SubmitOrder(
                request, timeout=15
            )
        except grpc.aio.AioRpcError as error:
            if error.code() not in _UNSURE:
                raise
            step = (
                f"It may have gone through. The same command with --request-id {request_id} "
                "never trades twice, and says what became of it."
            )
            fail_rpc(error, as_json=as_json, next_step=step)
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
    out.print(Text(outcome, style="bold").append(f"  {describe_terms(order)}", style="not bold"))
    out.print(Text(order.order_id, style="dim"))
    if order.message:
        out.print(Text(order.message))
    if reply.outcome == order_service_pb2.SUBMIT_OUTCOME_UNKNOWN:
        out.print("It is being settled with the venue. Do not submit it again; see: bifrost order watch")
    failed = [rule for rule in reply.risk.rules if rule.verdict != check_pb2.VERDICT_PASS]
    if failed:
        rows = [
            [
                short_name(error_reason_pb2.Rule, rule.rule),
                show_quantity(rule.value),
                show_quantity(rule.limit),
                show_quantity(rule.headroom),
                rule.unit,
                rule.message,
            ]
            for rule in failed
        ]
        columns = ("rule", "value", "limit", "headroom", "unit", "why")
        out.print(table("refused by", columns, rows, right=("value", "limit", "headroom")))


@command
async def cancel(
    order_id: Annotated[
        str,
        typer.Argument(
            help="Order id, its first characters, or all.", autocompletion=completion.open_order_ids
        ),
    ],
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
                order_service_pb2.CancelAllOrdersRequest(account_id=owner.account_id, all_instruments=True),
                timeout=30,
            )
            orders = list(everything.orders)
        else:
            whole = await _whole_id(stub, owner.account_id, order_id)
            one = await stub.CancelOrder(
                order_service_pb2.CancelOrderRequest(account_id=owner.account_id, order_id=whole),
                timeout=15,
            )
            orders = [one.order]
    _show("cancelled", orders, as_json=as_json)


async def _whole_id(stub: order_service_pb2_grpc.OrderServiceStub, account_id: str, start: str) -> str:
    """The order id that begins so, among all that are open and the last thousand of any state.

    Both, so that what was unique in a list that is shown is not taken for another order.
    """
    wanted = start.lower()
    if len(wanted) == len(str(uuid.NAMESPACE_DNS)):
        return wanted
    found: dict[str, order_pb2.Order] = {}
    for open_only in (True, False):
        request = order_service_pb2.ListOrdersRequest(
            account_id=account_id, open_only=open_only, page_size=_PAGE
        )
        async for page in pages(stub.ListOrders, request, timeout_s=15):
            found |= {order.order_id: order for order in page.orders if order.order_id.startswith(wanted)}
            if not open_only:
                break
    if not found:
        raise UsageError(f"no order of yours begins with {start}; see: bifrost order list")
    if len(found) > 1:
        listed = "".join(
            f"\n  {order_id}  {describe_terms(found[order_id])}" for order_id in sorted(found)[:20]
        )
        raise UsageError(f"{len(found)} orders begin with {start}; say more of it:{listed}")
    return next(iter(found))


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
        out.print(order_table(title, orders))


@command
async def watch(
    account: AccountOption = None,
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Show every order event as it happens, from now on, through restarts of services. Ctrl-C ends it.

    While the stream is cut it says so on stderr.
    """
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
        async for message in Feed(say_on_stderr).follow(open_stream):
            if message.HasField("replay_end") and not live:
                live = True
                if not as_json:
                    out.print(f"[dim]watching {owner.name}; Ctrl-C ends[/]")
            elif message.HasField("order_event") and live:
                if as_json:
                    print_json(as_dict(message))
                else:
                    out.print(Text(describe_event(message.order_event)))
