"""The `bifrost` command."""

from __future__ import annotations

import logging
import os

# Before gRPC is loaded: the launcher starts programs while calls are under way.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")

import sys

import structlog
import typer
from typer.exceptions import TyperException

from services.cli.commands import (
    backup,
    bars,
    calendar,
    call,
    edge,
    imports,
    indicators,
    ingest,
    instrument_card,
    instruments,
    live_bars,
    login,
    logs,
    mesh,
    orders,
    positions,
    quality,
    quotes,
)
from services.cli.console import INTERRUPTED, print_json
from services.cli.demo import command as demo

app = typer.Typer(
    name="bifrost",
    help="Bifrost Trader: start the mesh, watch the market, trade, and call any method of any contract.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
mesh.register(app)
logs.register(app)
login.register(app)
quotes.register(app)
bars.register(app)
live_bars.register(app)
indicators.register(app)
imports.register(app)
ingest.register(app)
quality.register(app)
instruments.register(app)
instrument_card.register(app)
calendar.register(app)
orders.register(app)
positions.register(app)
call.register(app)
backup.register(app)
edge.register(app)
demo.register(app)


def main() -> None:
    """Entry point."""
    # What libraries log is for services; a person at a terminal gets tables and errors.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if "--json" in sys.argv[1:]:
        sys.exit(_run_for_machines())
    app(prog_name="bifrost")


def _run_for_machines() -> int:
    """The command with errors of usage as JSON too; returns the exit code."""
    try:
        code = app(prog_name="bifrost", standalone_mode=False)
    except TyperException as error:
        print_json({"error": {"reason": "USAGE", "message": error.format_message()}})
        return error.exit_code
    except typer.Abort:
        return INTERRUPTED
    return code if isinstance(code, int) else 0
