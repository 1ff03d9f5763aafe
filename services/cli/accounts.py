"""Which account a command means."""

from __future__ import annotations

from typing import Annotated

import typer

from bifrost.portfolio.v1 import portfolio_pb2, portfolio_service_pb2, portfolio_service_pb2_grpc
from services.cli.client import EdgeClient
from services.cli.console import UsageError

AccountOption = Annotated[
    str | None,
    typer.Option(
        "--account",
        help="Account id or name; may be left out when there is only one.",
        envvar="BIFROST_ACCOUNT",
    ),
]


async def find_account(client: EdgeClient, wanted: str | None) -> portfolio_pb2.Account:
    """The caller's account of that id or name, or the only one, or the one called "paper".

    Raises UsageError that lists what there is.
    """
    stub = client.stub(portfolio_service_pb2_grpc.PortfolioServiceStub)
    request = portfolio_service_pb2.ListAccountsRequest(page_size=1000)
    accounts = list((await stub.ListAccounts(request, timeout=10)).accounts)
    if not accounts:
        raise UsageError("you have no account yet; bifrost up opens a paper account for the administrator")
    name = wanted or ("paper" if len(accounts) > 1 else accounts[0].account_id)
    found = [account for account in accounts if name in {account.account_id, account.name}]
    if len(found) != 1:
        listed = ", ".join(f"{account.name} ({account.account_id})" for account in accounts[:20])
        raise UsageError(f"say which account with --account; you have: {listed}")
    return found[0]
