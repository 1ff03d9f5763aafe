"""bifrost edge: Envoy's configuration."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from services.cli.console import HomeOption, Json, command, print_json
from services.cli.edge import EdgePlan, render_edge, render_mesh
from services.cli.launcher import Home, MeshState
from services.runtime.inventory import load_inventory

LOOPBACK = "127.0.0.1"


class Listener(StrEnum):
    """Which of Envoy's two places."""

    EDGE = "edge"
    MESH = "mesh"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    edge = typer.Typer(no_args_is_help=True, help="Look at Envoy's configuration.")
    edge.command()(render)
    app.add_typer(edge, name="edge")


@command
async def render(
    listener: Annotated[
        Listener, typer.Option(help="edge: the door from outside; mesh: between services.")
    ] = Listener.EDGE,
    home: HomeOption = None,
    as_json: Json = False,  # noqa: ARG001  the configuration is JSON in any case
) -> None:
    """Print the configuration as JSON, as inventory and contracts give it: `envoy -c` takes it."""
    place = Home.at(home)
    inventory = load_inventory()
    state = MeshState.read(place.state_file)
    usual = {name: f"{LOOPBACK}:{entry.port}" for name, entry in inventory.services.items()}
    plan = EdgePlan(
        inventory=inventory,
        addresses=state.addresses if state else usual,
        jwks_file=place.jwks_file,
        port=_port(state.edge) if state else inventory.edge_port,
        admin_port=_port(state.edge_admin) if state else inventory.edge_admin_port,
    )
    print_json(render_edge(plan) if listener is Listener.EDGE else render_mesh(plan))


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])
