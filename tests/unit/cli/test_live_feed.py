"""A feed knows when its stream is cut and when it goes on, and says each once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
import grpc.aio
import pytest

from bifrost.execution.v1.order_service_pb2 import StreamOrderEventsResponse
from bifrost.type.v1.stream_pb2 import StreamHeader, StreamPosition
from services.cli.live import Feed, say_on_stderr


class Cut:
    """A stream of four messages that is cut after the second, and twice refused before it goes on."""

    def __init__(self) -> None:
        self.resumed_after: list[int] = []

    async def open(self, after: StreamPosition | None) -> AsyncIterator[StreamOrderEventsResponse]:
        self.resumed_after.append(after.sequence if after else 0)
        attempt = len(self.resumed_after)
        if attempt in {2, 3}:
            metadata = grpc.aio.Metadata()
            raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, metadata, metadata, "away")
        for sequence in (1, 2) if attempt == 1 else (3, 4):
            yield StreamOrderEventsResponse(header=StreamHeader(epoch="e", sequence=sequence))


async def test_a_cut_and_its_end_are_told_once_each(capsys: pytest.CaptureFixture[str]) -> None:
    stream, told = Cut(), list[object]()

    def changed(lost: bool) -> None:
        told.append(lost)
        say_on_stderr(lost)

    async for message in Feed(changed).follow(stream.open):
        told.append(message.header.sequence)
        if message.header.sequence == 4:
            break
    assert told == [1, 2, True, False, 3, 4]
    assert stream.resumed_after == [0, 2, 2, 2]
    assert [line.partition(".")[0] for line in capsys.readouterr().err.splitlines()] == [
        "The stream is cut",
        "The stream goes on where it was",
    ]
