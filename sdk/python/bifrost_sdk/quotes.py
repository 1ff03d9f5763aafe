"""Quotes as a stream that is taken up again whenever it ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import grpc

from bifrost.data.v1 import instrument_service_pb2, market_stream_service_pb2, quote_pb2
from bifrost.type.v1.stream_pb2 import StreamPosition
from bifrost_sdk.retry import Attempts, Retry

STREAM_QUOTES: Final = "/bifrost.data.v1.MarketStreamService/StreamQuotes"
LIST_INSTRUMENTS: Final = "/bifrost.data.v1.InstrumentService/ListInstruments"
OPTIONS: Final = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 4096))
"""Of a channel of streams: it buffers little, so that a slow reader sees the present."""
_POSITION_GONE: Final = frozenset({"STREAM_EPOCH_CHANGED", "STREAM_POSITION_INVALID"})
_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Quote:
    """The best bid and offer of an instrument."""

    symbol: str
    bid: float
    bid_size: float
    ask: float
    ask_size: float
    last: float
    event_time_ns: int
    """The market's clock, nanoseconds since the epoch, UTC."""
    stale: bool
    """The source has said nothing for too long."""
    conflated: int
    """How many changes were skipped since the one before."""


class QuoteReading:
    """Where a stream of quotes is; it makes no calls itself."""

    def __init__(self, symbols: Iterable[str], retry: Retry) -> None:
        self._symbols = [symbol.upper() for symbol in symbols]
        self._names: dict[str, str] = {}
        self._position: StreamPosition | None = None
        self._attempts = Attempts(retry)

    def request(self) -> market_stream_service_pb2.StreamQuotesRequest:
        """From after the last message."""
        return market_stream_service_pb2.StreamQuotesRequest(
            symbols=self._symbols, resume_after=self._position
        )

    def knows(self, response: market_stream_service_pb2.StreamQuotesResponse) -> bool:
        """Whether the symbols of all its quotes are known; if not, list the instruments."""
        return all(quote.instrument_id in self._names for quote in _quotes(response))

    def listing(self, token: str = "") -> instrument_service_pb2.ListInstrumentsRequest:
        """A page of instruments."""
        return instrument_service_pb2.ListInstrumentsRequest(page_size=_PAGE, page_token=token)

    def learn(self, page: instrument_service_pb2.ListInstrumentsResponse) -> None:
        """The symbols of a page of instruments."""
        self._names |= {one.instrument_id: one.symbol for one in page.instruments}

    def take(self, response: market_stream_service_pb2.StreamQuotesResponse) -> Iterator[Quote]:
        """The quotes of a message."""
        self._attempts.progressed()
        for quote in _quotes(response):
            yield Quote(
                self._names.get(quote.instrument_id, quote.instrument_id),
                quote.bid,
                quote.bid_size,
                quote.ask,
                quote.ask_size,
                quote.last,
                quote.event_time_ns,
                quote.stale,
                quote.conflated,
            )
        if response.WhichOneof("event") in ("snapshot", "update"):
            self._position = StreamPosition(epoch=response.header.epoch, sequence=response.header.sequence)

    def pause_s(self, failure: grpc.RpcError, reason: str) -> float:
        """How long to wait before the stream is opened again; raises the typed error when it is not."""
        if reason in _POSITION_GONE and self._position is not None:
            self._position = None
            return 0.0
        return self._attempts.pause_s(failure)


def _quotes(response: market_stream_service_pb2.StreamQuotesResponse) -> Iterable[quote_pb2.Quote]:
    batch = response.snapshot if response.HasField("snapshot") else response.update
    return batch.quotes
