"""bifrost positions."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from typing import Annotated, Any

import typer
from google.protobuf.message import Message
from rich.console import Group, RenderableType
from rich.text import Text

from bifrost.portfolio.v1 import portfolio_pb2, portfolio_service_pb2, portfolio_service_pb2_grpc
from bifrost.type.v1 import stream_pb2
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
    print_line,
    table,
)
from services.cli.live import feed_of, is_drawn, live_view
from services.cli.money import pad_money, show_money, show_pnl, show_price, show_quantity, with_money

_COLUMNS = ("symbol", "quantity", "average", "cost", "mark", "unrealized", "realized")
_BALANCE = ("cash", "market value", "equity", "realized", "unrealized", "fees")
_MONEY = ("cash", "market_value", "equity", "cost", "realized_pnl", "unrealized_pnl", "fees")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(positions)


@command
async def positions(
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Go on as prices move. Ctrl-C ends it.")
    ] = False,
    account: AccountOption = None,
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Holdings, cash, profit and loss of an account.

    With --watch into a pipe or file each change is a line with tabs: "position", symbol, state of the mark,
    quantity, average, cost, mark, unrealized, realized; or "balance", currency, cash, market value, equity,
    realized, unrealized, fees.
    """
    async with Target.find(home, edge).connect() as client:
        owner = await find_account(client, account)
        stub = client.stub(portfolio_service_pb2_grpc.PortfolioServiceStub)
        if not watch:
            reply = await stub.ListPositions(
                portfolio_service_pb2.ListPositionsRequest(account_id=owner.account_id), timeout=15
            )
            if as_json:
                print_json(_message_as_dict(reply))
            else:
                out.print(_view(owner, reply.positions, reply.balance))
            return

        def open_stream(
            after: stream_pb2.StreamPosition | None,
        ) -> AsyncIterable[portfolio_service_pb2.StreamPositionsResponse]:
            request = portfolio_service_pb2.StreamPositionsRequest(
                account_id=owner.account_id, resume_after=after
            )
            return stub.StreamPositions(request)

        held: dict[str, portfolio_pb2.Position] = {}
        balance = portfolio_pb2.Balance(currency=owner.currency)
        drawn = is_drawn(as_json=as_json)
        feed = feed_of(drawn=drawn)
        with live_view(feed, lambda: _view(owner, held.values(), balance), drawn=drawn):
            async for message in feed.follow(open_stream):
                if not (message.HasField("snapshot") or message.HasField("update")):
                    continue
                if as_json:
                    print_json(_message_as_dict(message))
                    continue
                batch = message.snapshot if message.HasField("snapshot") else message.update
                if not drawn:
                    _print_lines(batch.positions, batch.balance)
                    continue
                if message.HasField("snapshot"):
                    held.clear()
                held |= {position.instrument_id: position for position in batch.positions}
                balance.CopyFrom(batch.balance)


def _view(
    account: portfolio_pb2.Account,
    held: Iterable[portfolio_pb2.Position],
    balance: portfolio_pb2.Balance,
) -> RenderableType:
    rows = [_row(position) for position in sorted(held, key=lambda position: position.symbol)]
    money = balance.currency
    totals: list[str | Text] = [
        show_money(balance.cash, money),
        show_money(balance.market_value, money) or "no price",
        show_money(balance.equity, money) or "no price",
        show_pnl(balance.realized_pnl, money),
        show_pnl(balance.unrealized_pnl, money),
        show_money(balance.fees, money),
    ]
    title = f"{account.name}  {account.account_id}"
    return Group(
        table(title, _COLUMNS, rows, right=_COLUMNS[1:]) if rows else Text(f"{title}\nno holdings"),
        Text(),
        table(f"balance in {money}", _BALANCE, [totals], right=_BALANCE),
    )


def _print_lines(changed: Iterable[portfolio_pb2.Position], balance: portfolio_pb2.Balance) -> None:
    """What changed, amounts in the currency's digits; what is not known is empty."""
    for one in changed:
        state = "no price" if not one.mark_price else "old" if one.mark_stale else "live"
        amounts = (one.average_cost, one.cost, one.mark_price, one.unrealized_pnl, one.realized_pnl)
        shown = (pad_money(amount, one.currency) for amount in amounts)
        print_line("position", one.symbol, state, one.quantity, *shown)
    money = balance.currency
    totals = (
        balance.cash,
        balance.market_value,
        balance.equity,
        balance.realized_pnl,
        balance.unrealized_pnl,
        balance.fees,
    )
    print_line("balance", money, *(pad_money(amount, money) for amount in totals))


def _row(position: portfolio_pb2.Position) -> list[str | Text]:
    money = position.currency
    mark = Text(show_price(position.mark_price, money) or "no price")
    if position.mark_stale:
        mark = mark.append(" old", style="red")
    return [
        position.symbol,
        show_quantity(position.quantity),
        show_price(position.average_cost, money),
        show_money(position.cost, money),
        mark,
        show_pnl(position.unrealized_pnl, money),
        show_pnl(position.realized_pnl, money),
    ]


def _message_as_dict(message: Message) -> dict[str, Any]:
    """Positions and balance with money in the currency's digits, at whatever depth they lie."""
    return {key: _in_currency(value) for key, value in as_dict(message).items()}


def _in_currency(value: object) -> object:
    if isinstance(value, list):
        return [_in_currency(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    inner = {key: _in_currency(entry) for key, entry in value.items()}
    currency = inner.get("currency")
    return with_money(inner, currency, _MONEY) if isinstance(currency, str) and currency else inner
