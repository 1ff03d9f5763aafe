"""A hop of the order's road with nothing in it: asks the echoes at PORTS in turn, then answers.

With BENCH_DATABASE_URL it also commits a row where the order's road does: after each answer it got, or once.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import grpc

from tests.bench.children import answer, questions, serve_child

METHOD = "/bench.Echo/Echo"


def echo_method(port: int) -> Any:
    """A method of bytes at that port; Any: grpc's types do not know methods without codecs."""
    return grpc.aio.insecure_channel(f"127.0.0.1:{port}").unary_unary(METHOD)


@contextlib.asynccontextmanager
async def committing() -> AsyncIterator[Callable[[bytes], Awaitable[object]]]:
    """What commits a row, if there is a database."""
    url = os.environ.get("BENCH_DATABASE_URL")
    if url is None:
        yield _nothing
        return
    connection = await asyncpg.connect(url)
    insert = await connection.prepare("INSERT INTO bench_row (payload) VALUES ($1)")
    yield insert.fetch
    await connection.close()


async def _nothing(_payload: bytes) -> None:
    """Commit nothing."""


async def main() -> None:
    """Serve until the parent goes."""
    async with committing() as commit:
        await _serve(commit)


async def _serve(commit: Callable[[bytes], Awaitable[object]]) -> None:
    onward = [echo_method(int(port)) for port in sys.argv[1:]]

    async def echo(request: bytes, _context: object) -> bytes:
        for ask in onward:
            await ask(request)
            await commit(request)
        if not onward:
            await commit(request)
        return request

    server = grpc.aio.server()
    handler: Any = grpc.unary_unary_rpc_method_handler(echo, None, None)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Echo", {"Echo": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        answer(port=port)
        async for _ in questions():
            answer()
    finally:
        await server.stop(0)


if __name__ == "__main__":
    serve_child(main)
