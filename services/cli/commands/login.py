"""bifrost login."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.console import EdgeOption, HomeOption, Json, Target, command, out, print_json
from services.cli.session import ADMIN


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
    password_file = target.home.admin_password_file
    if user == ADMIN and password_file.exists():
        password = password_file.read_text(encoding="utf-8").strip()
    else:
        password = typer.prompt("Password", hide_input=True)
    async with target.connect() as client:
        tokens = await client.session.log_in(client.anonymous, user, password)
    if as_json:
        print_json({"user_id": tokens.user_id, "user_name": user, "access_token": tokens.access_token})
    else:
        out.print(f"Logged in as [bold]{user}[/] at {target.edge}.")
