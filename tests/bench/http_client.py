"""The cheapest HTTP/1.1 client there is: keep-alive connections that send the same bytes again and again."""

from __future__ import annotations

import asyncio
import re
import time

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END = b"\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"


class _Connection(asyncio.Protocol):
    """Sends the request whenever the answer to the last is whole, as long as `turns` are left."""

    def __init__(self, request: bytes, turns: list[int]) -> None:
        self._request = request
        self._turns = turns
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream's is a Transport

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionResetError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._is_whole():
            return
        if not self._received.startswith(b"HTTP/1.1 200 "):
            self.done.set_exception(RuntimeError(bytes(self._received[:300]).decode(errors="replace")))
            return
        self._received.clear()
        self.send()

    def send(self) -> None:
        """The next request, or the end."""
        if not self._turns[0]:
            self.done.set_result(None)
            return
        self._turns[0] -= 1
        if self._transport is not None:
            self._transport.write(self._request)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def _is_whole(self) -> bool:
        head = self._received.find(_END)
        if head < 0:
            return False
        length = _LENGTH.search(self._received, 0, head)
        if length is None:
            return self._received.endswith(_LAST_CHUNK)
        return len(self._received) >= head + len(_END) + int(length[1])


async def http_rate(port: int, path: str, token: str, *, calls: int, in_flight: int) -> float:
    """GETs per second over so many connections to 127.0.0.1. RuntimeError at any answer but 200."""
    request = (
        f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\naccept: application/json\r\n"
        f"authorization: Bearer {token}\r\n\r\n"
    ).encode()
    turns = [calls]
    loop = asyncio.get_running_loop()
    connections = [
        (await loop.create_connection(lambda: _Connection(request, turns), "127.0.0.1", port))[1]
        for _ in range(in_flight)
    ]
    try:
        began = time.perf_counter()
        for connection in connections:
            connection.send()
        await asyncio.gather(*(connection.done for connection in connections))
        return calls / (time.perf_counter() - began)
    finally:
        for connection in connections:
            connection.close()
