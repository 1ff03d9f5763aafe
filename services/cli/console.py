"""What every command shares: where the mesh is, tables or JSON, and errors that say what to do next."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
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
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

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

# What a shell says of a program that Ctrl-C ended.
INTERRUPTED = 130
# And of one that wrote into a pipe nobody reads any more.
READER_GONE = 141
_ANSWER_S = 3.0
# Cells of the screen that are left to a heading, and to text that folds, where room is scarce.
_HEADING = 6
_FOLDED = 10
# Between two columns: padding and the place of a line.
_GAP = 2


class _Output(Console):
    """Lines wider than the screen go on: a number cut at its edge would read as another one.

    Where there is no screen, as in a pipe, a line of text stays one line.
    """

    def print(self, *objects: Any, crop: bool = False, **how: Any) -> None:
        if not self.is_terminal and all(isinstance(each, str | Text) for each in objects):
            how.setdefault("soft_wrap", True)
        super().print(*objects, crop=crop, **how)


# highlight: ids and prices are not to be coloured in pieces.
out: Console = _Output(highlight=False)
err: Console = _Output(stderr=True, highlight=False)

# By reason, else by code.
_NEXT_STEPS = {
    "INSTRUMENT_NOT_FOUND": "See what trades here: bifrost quotes",
    "CALENDAR_NOT_FOUND": "See them all: bifrost calendar",
    "ORDER_NOT_FOUND": "See your orders: bifrost order list",
    "RATE_LIMITED": "Wait a moment and try again.",
    "UNAVAILABLE": "Is the mesh up? See: bifrost status",
    "DEADLINE_EXCEEDED": "It took too long. See: bifrost status",
    "UNIMPLEMENTED": "The mesh is older or newer than this command. See: bifrost status",
    "UNAUTHENTICATED": "Log in again: bifrost login",
    "PERMISSION_DENIED": "Your roles do not allow it; an administrator can change them.",
}


class UsageError(RuntimeError):
    """What was typed does not make sense; the message says what would."""


class NoMeshError(RuntimeError):
    """There is no mesh to talk to."""


# What a command ends with in one line.
KNOWN_ERRORS = (LaunchError, BootstrapError, NotLoggedInError, NoMeshError, UsageError)


@dataclass(frozen=True)
class Target:
    """The mesh a command talks to."""

    home: Home
    edge: str

    @classmethod
    def find(cls, home: Path | None, edge: str | None) -> Target:
        """The edge named, else the local mesh that runs, else the default port."""
        place = Home.at(home)
        if edge is None:
            state = MeshState.read(place.state_file)
            edge = state.edge if state else f"127.0.0.1:{load_inventory().edge_port}"
        return cls(place, edge)

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator[EdgeClient]:
        """A client that is logged in. NoMeshError at once when nothing answers at the edge."""
        if not await _answers(self.edge):
            raise NoMeshError(
                f"nothing answers at {self.edge}; start a mesh with: bifrost up (or name one with --edge)"
            )
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
        except KNOWN_ERRORS as error:
            fail(_upper_snake(type(error).__name__.removesuffix("Error")), str(error), as_json=as_json)
        except BrokenPipeError:
            # Who read it has seen enough, as head has; at the end Python would flush what nobody reads.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(READER_GONE) from None
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None

    return call


def fail_rpc(error: grpc.aio.AioRpcError, *, as_json: bool, next_step: str = "") -> NoReturn:
    """Print a call's error, every bad field and the next step; exit 1."""
    failure = error_from_rpc(error)
    code = error.code().name
    message = failure.message or code
    details = ", ".join(f"{key}={value}" for key, value in failure.metadata.items() if value)
    if details:
        message += f"  ({details})"
    reason = failure.reason or code
    step = next_step or _NEXT_STEPS.get(reason) or _NEXT_STEPS.get(code, "")
    fail(reason, message, as_json=as_json, next_step=step, code=code)


def fail(reason: str, message: str, *, as_json: bool, next_step: str = "", code: str = "") -> NoReturn:
    """Print an error for people or machines; exit 1."""
    if as_json:
        error = {"code": code, "reason": reason, "message": message, "next_step": next_step}
        print_json({"error": {key: value for key, value in error.items() if value}})
    else:
        err.print(Text(reason, style="bold red").append(f"  {message}", style="not bold default"))
        if next_step:
            err.print(Text(next_step, style="dim"))
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


def print_line(*cells: str) -> None:
    """One record on one line, tabs between its cells, for pipes."""
    sys.stdout.write("\t".join(cells) + "\n")
    sys.stdout.flush()


def short_name(enum: EnumTypeWrapper, value: int) -> str:
    """An enum value's name without its prefix, lower case: "accepted" for SUBMIT_OUTCOME_ACCEPTED."""
    prefix = _upper_snake(enum.DESCRIPTOR.name) + "_"
    return enum.Name(value).removeprefix(prefix).lower()


def table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str | Text]],
    *,
    right: Sequence[str] = (),
    whole: Sequence[str] = (),
) -> Table:
    """A rich table; columns named in `right` hold numbers, which like those in `whole` are never wrapped.

    Cells are plain text: what a service says is not read as markup.
    """
    view = Table(
        title=title,
        title_justify="left",
        header_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    widths = [_least_width(column, [row[at] for row in rows]) for at, column in enumerate(columns)]
    kept = [column in right or column in whole for column in columns]
    natural = sum(
        (max(width, cell_len(column)) if keeps else _FOLDED) + _GAP
        for column, width, keeps in zip(columns, widths, kept, strict=True)
    )
    narrow = natural > out.width
    if narrow:
        needed = sum((width if keeps else _FOLDED) + _GAP for width, keeps in zip(widths, kept, strict=True))
        view.width = needed if needed > out.width else None
    for column, width, keeps in zip(columns, widths, kept, strict=True):
        view.add_column(
            column,
            justify="right" if column in right else "left",
            no_wrap=keeps and not narrow,
            width=width if keeps and narrow else None,
            overflow="fold",
        )
    for row in rows:
        view.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return view


def _least_width(heading: str, cells: Sequence[str | Text]) -> int:
    """What the longest value takes on the screen: headings are folded before a value is cut."""
    return max(min(cell_len(heading), _HEADING), *(cell_len(str(cell)) for cell in cells), 1)


async def _answers(edge: str) -> bool:
    host, _, port = edge.rpartition(":")
    if not port.isdecimal():
        raise UsageError(f"an edge is written host:port, not {edge}")
    try:
        async with asyncio.timeout(_ANSWER_S):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, OverflowError, TimeoutError):
        return False
    writer.close()
    return True


def _upper_snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()
