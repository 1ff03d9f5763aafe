"""bifrost login."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import grpc
import typer

from services.cli.client import EdgeClient
from services.cli.console import EdgeOption, HomeOption, Json, Target, command, out, print_json
from services.cli.session import ADMIN, Tokens


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(login)


@command
async def login(
    user: Annotated[str, typer.Argument(help="User name.")] = ADMIN,
    home: HomeOption = None,
    edge: EdgeOption = None,
    as_json: Json = False,
) -> None:
    """Log in. On the machine of the mesh the administrator's first password is found by itself."""
    target = Target.find(home, edge)
    async with target.connect() as client:
        tokens = await _log_in(client, user)
    if as_json:
        print_json({"user_id": tokens.user_id, "user_name": user, "access_token": tokens.access_token})
    else:
        out.print(f"Logged in as [bold]{user}[/] at {target.edge}.")


async def _log_in(client: EdgeClient, user: str) -> Tokens:
    known = client.session.local_password if user == ADMIN else None
    if known is not None:
        try:
            return await client.session.log_in(client.anonymous, user, known)
        except grpc.aio.AioRpcError as error:
            # The administrator has taken another password since.
            if error.code() != grpc.StatusCode.UNAUTHENTICATED:
                raise
    return await client.session.log_in(client.anonymous, user, _ask_password())


def _ask_password() -> str:
    """From the terminal unseen, or a line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    # The event loop would keep Ctrl-C for itself until the line is typed.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        answer: str = typer.prompt("Password", hide_input=True, err=True)
    finally:
        signal.signal(signal.SIGINT, before)
    return answer
