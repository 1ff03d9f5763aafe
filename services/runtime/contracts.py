"""The generated code of all contracts, loaded by walking the package, so that runtime names no domain."""

from __future__ import annotations

import functools
import importlib
from pathlib import Path

import bifrost


@functools.cache
def load_contracts() -> tuple[str, ...]:
    """Import every generated message module of the package `bifrost`; returns their names."""
    # The generated tree has no __init__.py, and pkgutil does not see namespace packages: so by file.
    names = sorted(
        ".".join(("bifrost", *file.relative_to(root).with_suffix("").parts))
        for root in bifrost.__path__
        for file in Path(root).rglob("*_pb2.py")
    )
    for name in names:
        importlib.import_module(name)
    return tuple(names)
