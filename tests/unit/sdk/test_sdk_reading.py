"""What the SDK makes of messages, of cuts, and of tokens that end."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence

import grpc
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost.data.v1.history_service_pb2 import ReadBarsRequest, ReadBarsResponse
from bifrost.identity.v1 import token_service_pb2
from bifrost_sdk import AsyncClient, Client, DeadlineError, Login, Retry, UnavailableError
from bifrost_sdk.reading import BarReading, Range, timestamp
from bifrost_sdk.session import Tokens
from bifrost_sdk.target import Target, parse_url
from bifrost_sdk.wire import read_bar_chunk
from services.runtime.testing import peer_server

NAMES = ("open_time_ns", "open", "high", "low", "close", "volume")
QUICK = Retry(attempts=3, first_s=0.001)


def chunk(place: int, rows: int, *, first: int = 0, last: bool = False) -> ReadBarsResponse:
    values = [float(first + row) for row in range(rows)]
    return ReadBarsResponse(
        place=place,
        last=last,
        instrument_id=f"id-{place}",
        open_time_ns=range(first, first + rows),
        open=values,
        high=values,
        low=values,
        close=values,
        volume=values,
    )


@given(st.integers(0, 2**32 - 1), st.booleans(), st.text(max_size=40), st.integers(0, 300))
def test_messages_are_read_as_the_library_reads_them(place: int, last: bool, name: str, rows: int) -> None:
    message = chunk(place, rows)
    message.last, message.instrument_id = last, name
    read = read_bar_chunk(message.SerializeToString())
    assert (read.place, read.last, read.instrument_id, len(read)) == (place, last, name, rows)
    for column in NAMES:
        np.testing.assert_array_equal(read.columns[column], getattr(message, column))


def test_columns_are_views_of_the_message() -> None:
    message = chunk(0, 1000).SerializeToString()
    everything = np.frombuffer(message, np.uint8)
    for column in read_bar_chunk(message).columns.values():
        assert np.shares_memory(column, everything)


def test_fields_of_later_versions_are_passed_over() -> None:
    later = b"\xf8\x01\x07" + b"\xf9\x01" + bytes(8) + b"\xfa\x01\x03abc" + b"\xfd\x01" + bytes(4)
    assert len(read_bar_chunk(later + chunk(1, 3).SerializeToString())) == 3


@given(st.data())
def test_what_is_no_message_is_refused_and_never_misread(data: st.DataObject) -> None:
    message = chunk(1, 5, last=True).SerializeToString()
    cut = data.draw(st.integers(1, len(message) - 1))
    try:
        read = read_bar_chunk(message[:cut])
    except ValueError:
        return
    assert len(read) in (0, 5)  # cut between fields, before or after all columns


@pytest.mark.parametrize("message", [b"\x0b", b"\x08", b"\x22\x08" + bytes(8), b"\x08" + b"\xff" * 3])
def test_broken_messages_name_what_is_wrong(message: bytes) -> None:
    with pytest.raises(ValueError, match=r"wire type|cut|different lengths"):
        read_bar_chunk(message)


def test_an_instrument_out_of_turn_is_refused() -> None:
    reading = BarReading(["A", "B"], Range())
    reading.request()
    with pytest.raises(ValueError, match="out of turn"):
        reading.take(chunk(1, 3).SerializeToString())


class Script:
    """A HistoryService that answers each call by the next of its acts."""

    def __init__(self, *acts: Sequence[ReadBarsResponse | grpc.StatusCode]) -> None:
        self.acts = list(acts)
        self.requests: list[ReadBarsRequest] = []

    async def stream(
        self, request: ReadBarsRequest, context: grpc.aio.ServicerContext[ReadBarsRequest, ReadBarsResponse]
    ) -> AsyncIterator[ReadBarsResponse]:
        self.requests.append(request)
        for act in self.acts.pop(0):
            if isinstance(act, ReadBarsResponse):
                yield act
            else:
                await context.abort(act, "cut")

    async def serve(self) -> tuple[grpc.aio.Server, str]:
        server = peer_server()
        handler = grpc.unary_stream_rpc_method_handler(
            self.stream,
            ReadBarsRequest.FromString,
            ReadBarsResponse.SerializeToString,
        )
        name = "bifrost.data.v1.HistoryService"
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"ReadBars": handler}),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        return server, f"127.0.0.1:{port}"


async def test_a_cut_read_goes_on_with_what_has_not_come_whole() -> None:
    cut = grpc.StatusCode.UNAVAILABLE
    script = Script(
        [chunk(0, 4, last=True), chunk(1, 3), cut],
        [cut],
        [chunk(0, 3), chunk(0, 2, first=3, last=True), chunk(1, 0, last=True)],
    )
    server, address = await script.serve()
    async with AsyncClient(address, token="x", retry=QUICK) as bifrost:
        frame = await bifrost.bars(["A", "B", "C"])
    await server.stop(0)
    asked = [[ref.listed.symbol for ref in request.instruments] for request in script.requests]
    assert asked == [["A", "B", "C"], ["B", "C"], ["B", "C"]]
    assert frame.rows == [4, 5, 0]
    assert frame.time_ns.tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 4]


async def test_retries_end() -> None:
    script = Script(*[[grpc.StatusCode.UNAVAILABLE]] * 3)
    server, address = await script.serve()
    async with AsyncClient(address, token="x", retry=QUICK) as bifrost:
        with pytest.raises(UnavailableError, match="cut"):
            await bifrost.bars("A")
    await server.stop(0)
    assert not script.acts


async def test_a_deadline_is_not_tried_again() -> None:
    script = Script([grpc.StatusCode.DEADLINE_EXCEEDED])
    server, address = await script.serve()
    async with AsyncClient(address, token="x", retry=QUICK) as bifrost:
        with pytest.raises(DeadlineError):
            await bifrost.bars("A")
    await server.stop(0)


def test_a_login_is_renewed_before_it_ends() -> None:
    tokens = Tokens(token=None, login=Login("alice", "secret"))
    assert not tokens.is_valid()
    assert tokens.refresh_request() is None
    assert tokens.login_request().user_name == "alice"
    pair = token_service_pb2.TokenPair(access_token="a", refresh_token="r")
    pair.access_expire_time.seconds = int(time.time()) + 600
    tokens.keep(pair)
    assert tokens.is_valid()
    assert tokens.metadata == (("authorization", "Bearer a"),)
    tokens.expired()
    assert not tokens.is_valid()
    refresh = tokens.refresh_request()
    assert refresh is not None
    assert refresh.refresh_token == "r"
    tokens.forget_session()
    assert tokens.refresh_request() is None
    assert "secret" not in repr(Login("alice", "secret"))


@pytest.mark.parametrize("make", [Client, AsyncClient])
def test_either_a_token_or_a_login(make: Callable[..., object]) -> None:
    with pytest.raises(ValueError, match="either"):
        make("localhost:1")
    with pytest.raises(ValueError, match="either"):
        make("localhost:1", token="x", login=Login("a", "b"))


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("localhost:8080", Target("localhost:8080", secure=False)),
        ("http://localhost", Target("localhost:80", secure=False)),
        ("https://trade.example/", Target("trade.example:443", secure=True)),
        ("https://[::1]:9", Target("[::1]:9", secure=True)),
    ],
)
def test_urls(url: str, target: Target) -> None:
    assert parse_url(url) == target


@pytest.mark.parametrize("url", ["ftp://a", "https://", "https://a/b", ""])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        parse_url(url)


def test_moments_before_the_epoch() -> None:
    stamp = timestamp(-1)
    assert stamp is not None
    assert stamp.ToNanoseconds() == -1
