"""The mesh's inventory: which services there are, where they listen, which contracts they serve."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path

_PATH = Path(__file__).parent.parent / "inventory.toml"


@dataclass(frozen=True)
class ServiceEntry:
    """One service: default ports and the full names of the contract services it serves."""

    name: str
    port: int
    metrics_port: int
    contracts: tuple[str, ...]


@dataclass(frozen=True)
class Inventory:
    """All services by name, and the edge's ports."""

    services: dict[str, ServiceEntry]
    edge_port: int
    edge_admin_port: int

    def service_of(self, contract: str) -> str:
        """The service that serves a contract ("bifrost.execution.v1.OrderService"); KeyError if none."""
        for entry in self.services.values():
            if contract in entry.contracts:
                return entry.name
        raise KeyError(f"no service in inventory.toml serves {contract}")

    @property
    def contracts(self) -> tuple[str, ...]:
        """Every contract service of the mesh, in the inventory's order."""
        return tuple(contract for entry in self.services.values() for contract in entry.contracts)


@functools.cache
def load_inventory() -> Inventory:
    """Read services/inventory.toml (once a process)."""
    return parse_inventory(_PATH.read_text(encoding="utf-8"))


def parse_inventory(text: str) -> Inventory:
    """An inventory from TOML; a port or a contract named twice raises ValueError."""
    document = tomllib.loads(text)
    edge = document["edge"]
    entries = [
        ServiceEntry(name, entry["port"], entry["metrics_port"], tuple(entry["contracts"]))
        for name, entry in document["services"].items()
    ]
    _refuse_twins("port", [edge["port"], edge["admin_port"], *_ports(entries)])
    _refuse_twins("contract", [contract for entry in entries for contract in entry.contracts])
    return Inventory({entry.name: entry for entry in entries}, edge["port"], edge["admin_port"])


def _ports(entries: list[ServiceEntry]) -> list[int]:
    return [port for entry in entries for port in (entry.port, entry.metrics_port)]


def _refuse_twins(what: str, values: list[int] | list[str]) -> None:
    seen: set[int | str] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"inventory.toml names {what} {value} twice")
        seen.add(value)
