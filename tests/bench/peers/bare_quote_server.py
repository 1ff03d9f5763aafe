"""The limit of a stream of quotes: one serialisation a batch, then plain grpc.aio sends the bytes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc

from tests.bench.children import answer, questions, serve_child
from tests.bench.peers.quotes import quote_batch


class Batches:
    """The batches of a run, each made and serialised when the first reader gets to it."""

    def __init__(self) -> None:
        self._made: list[bytes] = []
        self._next = asyncio.get_running_loop().create_future()

    def start(self, batches: int) -> None:
        """Let all readers have so many."""
        self._made = []
        asked, self._next = self._next, asyncio.get_running_loop().create_future()
        asked.set_result(batches)

    async def stream(self, _request: bytes, _context: object) -> AsyncIterator[bytes]:
        """The handler: no chain, nothing that waits; a first message says that it is there."""
        yield b""
        while True:
            for number in range(await asyncio.shield(self._next)):
                if number == len(self._made):
                    self._made.append(quote_batch(number).SerializeToString())
                yield self._made[number]


async def main() -> None:
    """Serve; say the port; then start runs."""
    batches = Batches()
    server = grpc.aio.server()
    # Any: without codecs the handler takes and gives bytes, which its type does not say.
    handler: Any = grpc.unary_stream_rpc_method_handler(batches.stream, None, None)
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("bench.Quotes", {"Stream": handler}),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        answer(port=port)
        async for question in questions():
            if "send" in question:
                batches.start(question["send"])
            answer(now_ns=time.monotonic_ns(), cpu_s=time.process_time())
    finally:
        await server.stop(0)


if __name__ == "__main__":
    serve_child(main)
