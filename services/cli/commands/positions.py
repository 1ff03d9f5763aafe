"""bifrost positions."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.live import Live

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
    table,
)
from services.runtime.stream_client import resuming

_FIELDS = ("symbol", "quantity", "average_cost", "cost", "mark_price", "unrealized_pnl", "realized_pnl")
_BALANCE = ("cash", "market_value", "equity", "realized_pnl", "unrealized_pnl", "fees")


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
    """Holdings, cash, profit and loss of an account."""
    async with Target.find(home, edge).connect() as client:
        owner = await find_account(client, account)
        stub = client.stub(portfolio_service_pb2_grpc.PortfolioServiceStub)
        if not watch:
            reply = await stub.ListPositions(
                portfolio_service_pb2.ListPositionsRequest(account_id=owner.account_id), timeout=15
            )
            if as_json:
                print_json(as_dict(reply))
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
        with Live(console=out, refresh_per_second=8, auto_refresh=not as_json) as live:
            async for message in resuming(open_stream):
                if not (message.HasField("snapshot") or message.HasField("update")):
                    continue
                if as_json:
                    print_json(as_dict(message))
                    continue
                batch = message.snapshot if message.HasField("snapshot") else message.update
                if message.HasField("snapshot"):
                    held.clear()
                held |= {position.instrument_id: position for position in batch.positions}
                live.update(_view(owner, held.values(), batch.balance))


def _view(
    account: portfolio_pb2.Account,
    held: Iterable[portfolio_pb2.Position],
    balance: portfolio_pb2.Balance,
) -> RenderableType:
    ordered = sorted(held, key=lambda position: position.symbol)
    rows = [
        [*(getattr(position, name) for name in _FIELDS), "stale" if position.mark_stale else ""]
        for position in ordered
    ]
    columns = (*(name.replace("_", " ") for name in _FIELDS), "mark")
    money = [[getattr(balance, name) or "no price" for name in _BALANCE]]
    titles = [name.replace("_", " ") for name in _BALANCE]
    return Group(
        table(f"{account.name}  {account.account_id}", columns, rows, right=columns[1:-1]),
        table(f"balance in {balance.currency}", titles, money, right=titles),
    )
