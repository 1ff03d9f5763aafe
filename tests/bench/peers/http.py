"""A FastAPI application on a free port of this process, as uvicorn serves it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import fastapi
import uvicorn


@contextlib.asynccontextmanager
async def serve_http(app: fastapi.FastAPI) -> AsyncIterator[int]:
    """Serve for the block; gives the port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app, access_log=False, log_level="warning", lifespan="off")
        server = uvicorn.Server(config)
        task = asyncio.create_task(_serve(server, listener))
        while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
            await asyncio.sleep(0.01)
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            await task


async def _serve(server: uvicorn.Server, listener: socket.socket) -> None:
    # Not `serve`, which takes over the signals.
    await server._serve([listener])
