"""The generated code of all contracts, loaded by walking the package, so that runtime names no domain."""

from __future__ import annotations

import functools
import importlib
import pkgutil

import bifrost


@functools.cache
def load_contracts() -> tuple[str, ...]:
    """Import every generated message module of the package `bifrost`; returns their names."""
    names = [
        module.name
        for module in pkgutil.walk_packages(bifrost.__path__, prefix="bifrost.")
        if module.name.endswith("_pb2")
    ]
    for name in names:
        importlib.import_module(name)
    return tuple(names)
