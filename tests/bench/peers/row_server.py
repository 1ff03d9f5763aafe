"""The same bars as services used to send them: one message a bar over gRPC, and JSON from FastAPI."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import fastapi
import grpc

from bifrost.data.v1.bar_pb2 import BAR_INTERVAL_MINUTE, Bar
from tests.bench.children import answer, questions, serve_child
from tests.bench.peers.bar_rows import INTERVAL, LISTING, ROWS
from tests.bench.peers.http import serve_http

_SCHEMA = {"search_path": "data"}
_QUERY = f"""SELECT open_time_ns, "open", high, low, "close", volume FROM bar
    WHERE instrument_no = $1 AND interval = {INTERVAL:d} ORDER BY open_time_ns LIMIT {ROWS:d}"""


class Rows:
    """Both ways of serving."""

    def __init__(self, pool: asyncpg.Pool, instrument_no: int) -> None:
        self._pool = pool
        self._instrument_no = instrument_no

    async def messages(self, _request: bytes, _context: object) -> AsyncIterator[Bar]:
        """A message a bar."""
        for row in await self._pool.fetch(_QUERY, self._instrument_no):
            yield Bar(
                instrument_id=LISTING.instrument_id, interval=BAR_INTERVAL_MINUTE, closed=True, **dict(row)
            )

    async def json(self) -> list[dict[str, int | float]]:
        """An object a bar."""
        return [dict(row) for row in await self._pool.fetch(_QUERY, self._instrument_no)]


async def main() -> None:
    """Serve over gRPC and HTTP until the parent goes."""
    async with asyncpg.create_pool(sys.argv[1], min_size=1, max_size=2, server_settings=_SCHEMA) as pool:
        rows = Rows(pool, int(sys.argv[2]))
        server = grpc.aio.server()
        # Any: grpc's types do not know handlers whose requests stay bytes.
        handler: Any = grpc.unary_stream_rpc_method_handler(rows.messages, None, Bar.SerializeToString)
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("bench.Bars", {"Stream": handler}),)
        )
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        app = fastapi.FastAPI()
        app.get("/bars")(rows.json)
        async with serve_http(app) as http_port:
            answer(port=port, http_port=http_port)
            async for _ in questions():
                answer()
        await asyncio.shield(server.stop(0))


if __name__ == "__main__":
    serve_child(main)
