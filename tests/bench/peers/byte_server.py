"""The limit of a stream of messages: plain grpc.aio sends bytes that are there, as many as it is told."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import grpc

from tests.bench.children import answer, questions, serve_child


async def main() -> None:
    """Serve messages of the sizes of the arguments until the parent goes."""
    messages = [os.urandom(int(size)) for size in sys.argv[1:]]

    async def stream(_request: bytes, _context: object) -> AsyncIterator[bytes]:
        for message in messages:
            yield message

    server = grpc.aio.server()
    # Any: grpc's types do not know handlers whose messages stay bytes.
    handler: Any = grpc.unary_stream_rpc_method_handler(stream)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("bench.Bytes", {"Stream": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    answer(port=port)
    async for _ in questions():
        answer()
    await asyncio.shield(server.stop(0))


if __name__ == "__main__":
    serve_child(main)
