"""The `bifrost` command."""

from __future__ import annotations

import logging
import os

# Before gRPC is loaded: the launcher starts programs while calls are under way.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")

import structlog
import typer

from services.cli.commands import call, login, market, mesh, orders, positions
from services.cli.demo import command as demo

app = typer.Typer(
    name="bifrost",
    help="Bifrost Trader: start the mesh, watch the market, trade, and call any method of any contract.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
mesh.register(app)
login.register(app)
market.register(app)
orders.register(app)
positions.register(app)
call.register(app)
demo.register(app)


def main() -> None:
    """Entry point."""
    # What libraries log is for services; a person at a terminal gets tables and errors.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    app()
