"""bifrost logs."""

from __future__ import annotations

import asyncio
import collections
import json
from typing import Annotated

import typer
from rich.text import Text

from services.cli import completion
from services.cli.console import HomeOption, Json, UsageError, command, out, print_json
from services.cli.launcher import Home

_PAUSE_S = 0.2
_STYLES = {"warning": "yellow", "error": "bold red", "critical": "bold red"}
# What every line has, or what the columns before the rest already say.
_LEFT_OUT = ("ts", "level", "event", "process", "trace_id")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(logs)


@command
async def logs(
    process: Annotated[
        str, typer.Argument(help="A service, envoy or postgres.", autocompletion=completion.logs)
    ],
    home: HomeOption = None,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.", min=0)] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it grows.")] = False,
    as_json: Json = False,
) -> None:
    """The log of one process."""
    place = Home.at(home)
    path = place.logs / f"{process}.log"
    if not path.exists():
        known = ", ".join(sorted(log.stem for log in place.logs.glob("*.log")))
        raise UsageError(f"no log of {process}; there are: {known or 'none yet, start with: bifrost up'}")
    with path.open("rb") as file:
        last = collections.deque(file, maxlen=lines)
        rest = _show_all(b"".join(last), process, as_json=as_json, whole=not follow)
        while follow:
            await asyncio.sleep(_PAUSE_S)
            rest = _show_all(rest + file.read(), process, as_json=as_json, whole=False)


def _show_all(text: bytes, process: str, *, as_json: bool, whole: bool) -> bytes:
    """Show the lines of a text; returns the last one when it has no end yet and is not taken as `whole`."""
    *complete, rest = text.split(b"\n")
    for line in complete:
        _show(line, process, as_json=as_json)
    if whole and rest:
        _show(rest, process, as_json=as_json)
    return rest


def _show(line: bytes, process: str, *, as_json: bool) -> None:
    text = line.decode("utf-8", errors="replace")
    entry = _entry(text)
    if as_json:
        print_json(entry if entry is not None else {"process": process, "line": text})
    else:
        out.print(Text(text) if entry is None else _render(entry), soft_wrap=True)


def _entry(text: str) -> dict[str, object] | None:
    """A line of a service's log; None for anything else, such as a traceback."""
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _render(entry: dict[str, object]) -> Text:
    level = str(entry.get("level", ""))
    rest = " ".join(
        f"{key}={value}" for key, value in entry.items() if key not in _LEFT_OUT and value not in ("", None)
    )
    time = str(entry.get("ts", "")).partition("T")[2].rstrip("Z")[:12]
    shown = Text(f"{time} ", style="dim").append(f"{level:<8}", style=_STYLES.get(level, "not dim"))
    return shown.append(f"{entry.get('event', '')}  ", style="not dim bold").append(rest, style="not dim")
