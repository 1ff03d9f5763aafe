"""Server reflection that knows the whole mesh, whichever process is asked."""

from __future__ import annotations

from collections.abc import Iterable

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from grpc_reflection.v1alpha import reflection

from services.runtime.contracts import load_contracts
from services.runtime.inventory import Inventory


def add_reflection(server: grpc.aio.Server, inventory: Inventory, own: Iterable[str]) -> None:
    """Serve reflection of every contract of the inventory whose generated code is there, and of `own`."""
    load_contracts()
    names = {"grpc.health.v1.Health", reflection.SERVICE_NAME, *own}
    names.update(contract for contract in inventory.contracts if _is_generated(contract))
    reflection.enable_server_reflection(sorted(names), server, pool=_MethodAwarePool())


def _is_generated(contract: str) -> bool:
    try:
        descriptor_pool.Default().FindServiceByName(contract)
    except KeyError:
        return False
    return True


class _MethodAwarePool:
    """The default pool, which also finds the file of a method: grpcurl describe asks for one."""

    def __getattr__(self, name: str) -> object:
        return getattr(descriptor_pool.Default(), name)

    def FindFileContainingSymbol(self, symbol: str) -> FileDescriptor:  # noqa: N802  the pool's name
        pool = descriptor_pool.Default()
        try:
            return pool.FindFileContainingSymbol(symbol)
        except KeyError:
            return pool.FindMethodByName(symbol).containing_service.file
