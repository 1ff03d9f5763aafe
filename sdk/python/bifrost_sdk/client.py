"""The client for programs without an event loop; `AsyncClient` is the same for those with one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, Self, TypeVar

import grpc
from google.protobuf.message import Message

from bifrost.data.v1 import instrument_service_pb2, market_stream_service_pb2
from bifrost.identity.v1 import token_service_pb2
from bifrost_sdk.errors import error_of
from bifrost_sdk.frames import Frame
from bifrost_sdk.quotes import LIST_INSTRUMENTS, STREAM_QUOTES, Quote, QuoteReading
from bifrost_sdk.quotes import OPTIONS as QUOTE_OPTIONS
from bifrost_sdk.reading import (
    READ_BARS,
    STREAM_INDICATORS,
    BarReading,
    Indicator,
    IndicatorReading,
    Moment,
    Range,
)
from bifrost_sdk.retry import Attempts, Retry
from bifrost_sdk.session import CREATE, REFRESH, Login, Tokens
from bifrost_sdk.target import OPTIONS, parse_url

M = TypeVar("M", bound=Message)


class Reading(Protocol):
    """A read of a whole answer."""

    def request(self) -> Message:
        """What to ask for next."""

    def take(self, message: bytes) -> None:
        """A message of the answer."""

    def frame(self) -> Frame:
        """All of it."""


class Client:
    """A connection to an edge; threads may share it.

    Args:
        url: "https://host:port"; "http://…" is in clear, for the machine of the mesh.
        token: an access token; it is not renewed.
        login: name and password instead; the session is renewed as long as the client lives.
        timeout_s: of a whole read; None for none.
        retry: of reads that a service or the network cut off.
        root_certificates: PEM, for an edge whose certificate the system does not trust.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        login: Login | None = None,
        timeout_s: float | None = 300.0,
        retry: Retry | None = None,
        root_certificates: bytes | None = None,
    ) -> None:
        self._tokens = Tokens(token=token, login=login)
        self._timeout_s = timeout_s
        self._retry = retry or Retry()
        self._renewing = threading.Lock()
        target = parse_url(url)

        def channel(options: Sequence[tuple[str, int]]) -> grpc.Channel:
            if not target.secure:
                return grpc.insecure_channel(target.address, options)
            credentials = grpc.ssl_channel_credentials(root_certificates)
            return grpc.secure_channel(target.address, credentials, options)

        self._channel = channel(OPTIONS)
        self._stream_channel = channel([*OPTIONS, *QUOTE_OPTIONS])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """End what goes on."""
        self._channel.close()
        self._stream_channel.close()

    def bars(
        self,
        symbols: str | Sequence[str],
        *,
        interval: str = "1d",
        start: Moment | None = None,
        end: Moment | None = None,
        adjustment: str = "raw",
        as_of: Moment | None = None,
        hours: str = "regular",
    ) -> Frame:
        """Bars of one symbol, or of several one after another with a column of symbols.

        Columns: open, high, low, close, volume (float64). ``start`` is in the range, ``end`` is not.
        ``as_of``: what was known then, before later corrections. ``hours``: regular, extended, all.

        Raises:
            InstrumentNotFoundError, BarsNotFoundError, SymbolAmbiguousError, BifrostError: the call failed.
            ValueError: an argument is none of those there are.
        """
        asked = Range(interval, start, end, adjustment, as_of, hours)
        return self._read(READ_BARS, BarReading(symbols, asked))

    def indicators(
        self,
        symbol: str,
        indicators: Sequence[Indicator | str],
        *,
        interval: str = "1d",
        start: Moment | None = None,
        end: Moment | None = None,
        adjustment: str = "raw",
        as_of: Moment | None = None,
        hours: str = "regular",
    ) -> Frame:
        """Indicators of a symbol, a column an output; NaN where there is no value. Errors as of `bars`."""
        asked = Range(interval, start, end, adjustment, as_of, hours)
        return self._read(STREAM_INDICATORS, IndicatorReading(symbol, indicators, asked))

    def quotes(self, *symbols: str) -> Iterator[Quote]:
        """Quotes as they change, for ever and through restarts; of all instruments when none is named.

        Raises:
            BifrostError: refused for good, or away for longer than the retries last.
        """
        reading = QuoteReading(symbols, self._retry)
        while True:
            stream = self._stream_channel.unary_stream(
                STREAM_QUOTES,
                market_stream_service_pb2.StreamQuotesRequest.SerializeToString,
                market_stream_service_pb2.StreamQuotesResponse.FromString,
            )
            call = None
            try:
                call = stream(reading.request(), metadata=self._metadata())
                for response in call:
                    if not reading.knows(response):
                        self._list_instruments(reading)
                    yield from reading.take(response)
            except grpc.RpcError as failure:
                time.sleep(reading.pause_s(failure, self._reason(failure)))
            finally:
                if call is not None:
                    call.cancel()

    def _read(self, method: str, reading: Reading) -> Frame:
        attempts = Attempts(self._retry)
        ends = None if self._timeout_s is None else time.monotonic() + self._timeout_s
        # Any: grpc's types do not know methods whose answers stay bytes.
        stream: Any = self._channel.unary_stream(method, serialised)
        while True:
            try:
                left = None if ends is None else max(ends - time.monotonic(), 0.0)
                for message in stream(reading.request(), metadata=self._metadata(), timeout=left):
                    reading.take(message)
                    attempts.progressed()
                return reading.frame()
            except grpc.RpcError as failure:
                self._reason(failure)
                time.sleep(attempts.pause_s(failure))

    def _list_instruments(self, reading: QuoteReading) -> None:
        token, page = "", None
        while page is None or token:
            page = self._unary(
                LIST_INSTRUMENTS,
                reading.listing(token),
                instrument_service_pb2.ListInstrumentsResponse.FromString,
                self._metadata(),
            )
            reading.learn(page)
            token = page.next_page_token

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        with self._renewing:
            if not self._tokens.is_valid():
                self._renew()
            return self._tokens.metadata

    def _renew(self) -> None:
        refresh = self._tokens.refresh_request()
        if refresh is not None:
            try:
                parse = token_service_pb2.RefreshTokenResponse.FromString
                self._tokens.keep(self._unary(REFRESH, refresh, parse).tokens)
            except grpc.RpcError as failure:
                if error_of(failure).code is not grpc.StatusCode.UNAUTHENTICATED:
                    raise
                self._tokens.forget_session()
            else:
                return
        parse_login = token_service_pb2.CreateTokenResponse.FromString
        self._tokens.keep(self._unary(CREATE, self._tokens.login_request(), parse_login).tokens)

    def _unary(
        self,
        method: str,
        request: Message,
        parse: Callable[[bytes], M],
        metadata: tuple[tuple[str, str], ...] = (),
    ) -> M:
        call = self._channel.unary_unary(method, serialised, parse)
        answer: M = call(request, metadata=metadata, timeout=self._timeout_s)
        return answer

    def _reason(self, failure: grpc.RpcError) -> str:
        reason = error_of(failure).reason
        if reason == "TOKEN_EXPIRED":
            self._tokens.expired()
        return reason


def serialised(message: Message) -> bytes:
    """The message's bytes."""
    return message.SerializeToString()
