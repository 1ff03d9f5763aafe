"""Ports of a local mesh: the inventory's, or free ones for a mesh beside another."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from services.runtime.embedded.ports import ReservedPorts
from services.runtime.inventory import Inventory


@dataclass(frozen=True)
class Ports:
    """Loopback ports of one mesh."""

    edge: int
    edge_admin: int
    services: dict[str, int]
    metrics: dict[str, int]
    reserved: ReservedPorts | None = None

    @classmethod
    def default(cls, inventory: Inventory) -> Ports:
        """The inventory's ports."""
        return cls(
            edge=inventory.edge_port,
            edge_admin=inventory.edge_admin_port,
            services={name: entry.port for name, entry in inventory.services.items()},
            metrics={name: entry.metrics_port for name, entry in inventory.services.items()},
        )

    @classmethod
    def free(cls, inventory: Inventory) -> Ports:
        """Ports nobody else gets while this object lives."""
        names = list(inventory.services)
        reserved = ReservedPorts(2 + 2 * len(names))
        numbers = reserved.numbers
        half = 2 + len(names)
        return cls(
            edge=numbers[0],
            edge_admin=numbers[1],
            services=dict(zip(names, numbers[2:half], strict=True)),
            metrics=dict(zip(names, numbers[half:], strict=True)),
            reserved=reserved,
        )

    def taken(self) -> list[tuple[str, int]]:
        """Which of them somebody listens on already, by what wants them."""
        wanted = [("edge", self.edge), ("edge admin", self.edge_admin), *self.services.items()]
        wanted += [(f"{name} metrics", port) for name, port in self.metrics.items()]
        return [(name, port) for name, port in wanted if _listens(port)]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
