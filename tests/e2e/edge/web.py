"""Streams as browsers and scripts read them: server-sent events, newline-delimited JSON, gRPC-Web frames."""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import unquote

import httpx

from tests.e2e.edge.calls import Json

GRPC_WEB = "application/grpc-web+proto"
_TRAILER = 0x80


async def sse_events(response: httpx.Response) -> AsyncIterator[Json]:
    """Events of a text/event-stream: "data: {...}" lines, each ended by an empty line."""
    data: list[str] = []
    async for line in response.aiter_lines():
        if line:
            assert line.startswith("data: "), line
            data.append(line.removeprefix("data: "))
        elif data:
            yield json.loads("\n".join(data))
            data = []


async def json_lines(response: httpx.Response) -> AsyncIterator[Json]:
    """Messages of a newline-delimited stream."""
    async for line in response.aiter_lines():
        yield json.loads(line)


@dataclass(frozen=True)
class Frame:
    """A gRPC-Web frame: a message, or the trailers that end the stream."""

    is_trailer: bool
    content: bytes

    @property
    def trailers(self) -> dict[str, str]:
        """Trailers as HTTP/1 headers, percent-decoded."""
        lines = self.content.decode("ascii").split("\r\n")
        pairs = (line.split(":", 1) for line in lines if line)
        return {name.strip().lower(): unquote(value.strip()) for name, value in pairs}


def frame(message: bytes) -> bytes:
    """A message behind its flag byte and big-endian length."""
    return struct.pack(">BI", 0, len(message)) + message


async def frames(response: httpx.Response) -> AsyncIterator[Frame]:
    """Frames as they come; an error over half a frame."""
    buffer = b""
    async for chunk in response.aiter_raw():
        buffer += chunk
        while len(buffer) >= 5:
            flags, length = struct.unpack(">BI", buffer[:5])
            if len(buffer) < 5 + length:
                break
            yield Frame(bool(flags & _TRAILER), buffer[5 : 5 + length])
            buffer = buffer[5 + length :]
    assert not buffer, "the stream ended inside a frame"
