"""Envoys of a test's own beside the mesh's."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from services.cli.edge import write_config
from services.runtime.waiting import until


@contextlib.asynccontextmanager
async def run_envoy(config: Mapping[str, Any], folder: Path, port: int) -> AsyncIterator[None]:
    """Run Envoy with a rendered configuration until the block ends; it listens when the block begins."""
    path = folder / "envoy.json"
    write_config(config, path)
    program = Path(sys.executable).with_name("envoy")
    with (folder / "envoy.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            program,
            *("-c", path, "--concurrency", "1", "--disable-hot-restart", "-l", "warning"),
            stdout=log,
            stderr=log,
        )
        try:
            await until(lambda: _listens(port), timeout_s=60)
            yield
        finally:
            process.terminate()
            await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
