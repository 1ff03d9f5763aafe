"""Readers of quote streams: they count, measure ages, or open a stream and never read it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import grpc

from bifrost.data.v1.market_stream_service_pb2 import StreamQuotesRequest, StreamQuotesResponse
from services.runtime.clock import NANOS, from_timestamp
from tests.bench.children import Answer, answer, questions, serve_child

# The options of the mesh channel for market data: a reader that falls behind finds fresh messages.
_OPTIONS = (
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 4096),
    ("grpc.use_local_subchannel_pool", 1),
)


RawStream: TypeAlias = "grpc.aio.UnaryStreamCall[bytes, bytes]"


class Readers:
    """Streams to one server, a connection each."""

    def __init__(self, question: Answer) -> None:
        self._channels = [
            grpc.aio.insecure_channel(f"127.0.0.1:{question['port']}", options=_OPTIONS)
            for _ in range(question["readers"])
        ]
        headers = (("authorization", f"Bearer {question['token']}"),) if "token" in question else ()
        request = StreamQuotesRequest().SerializeToString()
        # Any: without codecs a method takes and gives bytes, which its type does not say.
        opens: list[Any] = [channel.unary_stream(question["method"]) for channel in self._channels]
        self._watching: asyncio.Task[None] | None = None
        self._reading: list[asyncio.Task[None]] = []
        self._ages: list[float] = []
        self.calls: list[RawStream] = [open_stream(request, metadata=headers) for open_stream in opens]

    async def count(self, messages: int) -> Answer:
        """Read so many messages at every reader; the first looks inside."""
        watched, *others = (_read(call, messages) for call in self.calls)
        quotes, *_ = await asyncio.gather(_quotes(watched), *(_count(reader) for reader in others))
        return {"now_ns": time.monotonic_ns(), "cpu_s": time.process_time(), "quotes": quotes}

    def watch(self, *, others: bool) -> None:
        """Let the first reader note how old all is that comes from now on; `others`: let them read it too."""
        self._watching = asyncio.create_task(self._watch())
        if others:
            self._reading = [asyncio.create_task(_count(_all(call))) for call in self.calls[1:]]

    async def ages(self, seconds: float) -> list[float]:
        """How old the messages of the next seconds are when the reader that watches has them, in seconds."""
        self._ages.clear()
        await asyncio.sleep(seconds)
        return list(self._ages)

    async def _watch(self) -> None:
        async for message in _all(self.calls[0]):
            response = StreamQuotesResponse.FromString(message)
            self._ages.append((time.time_ns() - from_timestamp(response.header.event_time)) / NANOS)

    async def close(self) -> None:
        """End all streams."""
        if self._watching is not None:
            self._watching.cancel()
        for task in self._reading:
            task.cancel()
        for channel in self._channels:
            await channel.close()


async def _read(call: RawStream, messages: int) -> AsyncIterator[bytes]:
    for _ in range(messages):
        message = await call.read()
        if not isinstance(message, bytes):
            raise EOFError(f"the stream ended: {await call.details()}")  # noqa: TRY004  that is what it means
        yield message


async def _all(call: RawStream) -> AsyncIterator[bytes]:
    while isinstance(message := await call.read(), bytes):
        yield message


async def _count(messages: AsyncIterator[bytes]) -> None:
    async for _ in messages:
        pass


async def _quotes(messages: AsyncIterator[bytes]) -> int:
    quotes = 0
    async for message in messages:
        response = StreamQuotesResponse.FromString(message)
        quotes += len(response.update.quotes)
    return quotes


async def main() -> None:
    """Do what the parent asks of streams it names."""
    opened: dict[str, Readers] = {}
    answer()
    async for question in questions():
        name = question["name"]
        match question["do"]:
            case "open":
                opened[name] = Readers(question)
                if question["skip"]:
                    await opened[name].count(question["skip"])
                answer()
            case "count":
                answer(**await opened[name].count(question["messages"]))
            case "watch":
                opened[name].watch(others=question.get("others", False))
                answer()
            case "ages":
                answer(ages=await opened[name].ages(question["seconds"]))
            case "close":
                await opened.pop(name).close()
                answer()


if __name__ == "__main__":
    serve_child(main)
