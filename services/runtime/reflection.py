"""Server reflection that knows the whole mesh, whichever process is asked."""

from __future__ import annotations

from collections.abc import Iterable

import grpc
from google.protobuf import descriptor_pool
from grpc_reflection.v1alpha import reflection

from services.runtime.contracts import load_contracts
from services.runtime.inventory import Inventory


def add_reflection(server: grpc.aio.Server, inventory: Inventory, own: Iterable[str]) -> None:
    """Serve reflection of every contract of the inventory whose generated code is there, and of `own`."""
    load_contracts()
    names = {"grpc.health.v1.Health", reflection.SERVICE_NAME, *own}
    names.update(contract for contract in inventory.contracts if _is_generated(contract))
    reflection.enable_server_reflection(sorted(names), server)


def _is_generated(contract: str) -> bool:
    try:
        descriptor_pool.Default().FindServiceByName(contract)
    except KeyError:
        return False
    return True
