"""What every command shares: where the mesh is, tables or JSON, and errors that say what to do next."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import re
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NoReturn, ParamSpec

import grpc
import typer
from google.protobuf import json_format
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message
from rich.console import Console
from rich.table import Table

from services.cli.bootstrap import BootstrapError
from services.cli.client import EdgeClient
from services.cli.launcher import Home, LaunchError, MeshState
from services.cli.session import NotLoggedInError, Session
from services.runtime.errors import error_from_rpc
from services.runtime.inventory import load_inventory

P = ParamSpec("P")
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home", help="Folder of the local mesh.", envvar="BIFROST_HOME", show_default="~/.bifrost"
    ),
]
EdgeOption = Annotated[
    str | None, typer.Option("--edge", help="host:port of the edge.", envvar="BIFROST_EDGE")
]

out = Console()
err = Console(stderr=True)

_NEXT_STEPS = {
    "UNAVAILABLE": "Is the mesh up? See: bifrost status",
    "UNAUTHENTICATED": "Log in again: bifrost login",
    "PERMISSION_DENIED": "Your roles do not allow it; an administrator can change them.",
}


class UsageError(RuntimeError):
    """What was typed does not make sense; the message says what would."""


@dataclass(frozen=True)
class Target:
    """The mesh a command talks to."""

    home: Home
    edge: str

    @classmethod
    def find(cls, home: Path | None, edge: str | None) -> Target:
        """The edge named, else the local mesh that runs, else the default port."""
        place = Home(home.absolute()) if home else Home.default()
        if edge is None:
            state = MeshState.read(place.state_file)
            edge = state.edge if state else f"127.0.0.1:{load_inventory().edge_port}"
        return cls(place, edge)

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator[EdgeClient]:
        """A client that is logged in."""
        async with EdgeClient(self.edge, Session(self.home, self.edge)) as client:
            yield client


def command(run: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """An async function as a command: runs it, and turns known errors into one line and exit code 1."""

    @functools.wraps(run)
    def call(*args: P.args, **kwargs: P.kwargs) -> None:
        as_json = bool(kwargs.get("as_json"))
        try:
            asyncio.run(run(*args, **kwargs))
        except grpc.aio.AioRpcError as error:
            fail_rpc(error, as_json=as_json)
        except (LaunchError, BootstrapError, NotLoggedInError, UsageError) as error:
            fail(type(error).__name__.removesuffix("Error").upper(), str(error), as_json=as_json)
        except KeyboardInterrupt:
            raise typer.Exit(130) from None

    return call


def fail_rpc(error: grpc.aio.AioRpcError, *, as_json: bool) -> NoReturn:
    """Print a call's error, every bad field and the next step; exit 1."""
    failure = error_from_rpc(error)
    code = error.code().name
    message = failure.message or code
    if failure.metadata:
        message += "  (" + ", ".join(f"{key}={value}" for key, value in failure.metadata.items()) + ")"
    fail(failure.reason or code, message, as_json=as_json, next_step=_NEXT_STEPS.get(code, ""), code=code)


def fail(reason: str, message: str, *, as_json: bool, next_step: str = "", code: str = "") -> NoReturn:
    """Print an error for people or machines; exit 1."""
    if as_json:
        error = {"code": code, "reason": reason, "message": message}
        print(json.dumps({"error": {key: value for key, value in error.items() if value}}))
    else:
        err.print(f"[bold red]{reason}[/]  {message}", highlight=False)
        if next_step:
            err.print(f"[dim]{next_step}[/]")
    raise typer.Exit(1)


def as_dict(message: Message) -> dict[str, Any]:
    """A message as JSON data, names as in the contract, defaults shown."""
    return json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def print_json(document: object) -> None:
    """One JSON document on one line a record, for pipes."""
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def short_name(enum: EnumTypeWrapper, value: int) -> str:
    """An enum value's name without its prefix, lower case: "accepted" for SUBMIT_OUTCOME_ACCEPTED."""
    prefix = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", enum.DESCRIPTOR.name).upper() + "_"
    return enum.Name(value).removeprefix(prefix).lower()


def table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()
) -> Table:
    """A rich table; columns named in `right` hold numbers."""
    view = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        view.add_column(column, justify="right" if column in right else "left")
    for row in rows:
        view.add_row(*row)
    return view
