"""A hop of the order's road with nothing in it: asks the echoes at PORTS in turn, then answers."""

from __future__ import annotations

import sys
from typing import Any

import grpc

from tests.bench.children import answer, questions, serve_child

METHOD = "/bench.Echo/Echo"


def echo_method(port: int) -> Any:
    """A method of bytes at that port; Any: grpc's types do not know methods without codecs."""
    return grpc.aio.insecure_channel(f"127.0.0.1:{port}").unary_unary(METHOD)


async def main() -> None:
    """Serve until the parent goes."""
    onward = [echo_method(int(port)) for port in sys.argv[1:]]

    async def echo(request: bytes, _context: object) -> bytes:
        for ask in onward:
            await ask(request)
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
