"""The made-up market of the stream benchmarks: one hundred instruments, all quoted in each batch."""

from __future__ import annotations

import os
import time
import uuid

from bifrost.data.v1 import market_stream_service_pb2, quote_pb2
from bifrost.type.v1.stream_pb2 import StreamHeader
from bifrost.venue.v1 import market_pb2
from services.runtime.clock import to_timestamp

BATCH = 100
"""Quotes in a message."""
INSTRUMENTS = int(os.environ.get("BENCH_INSTRUMENTS", BATCH))
"""Whose quotes come by turns, a batch at a time."""
IDS = tuple(str(uuid.uuid5(uuid.NAMESPACE_DNS, f"bench-{number}")) for number in range(INSTRUMENTS))


def venue_update(number: int) -> market_pb2.MarketUpdate:
    """Batch `number` as the venue says it, stamped now."""
    now_ns = time.time_ns()
    bid = _bid(number)
    quotes = [
        market_pb2.VenueQuote(
            instrument_id=instrument_id,
            event_time_ns=now_ns,
            open=True,
            bid=bid,
            bid_size=300.0,
            ask=bid + 0.02,
            ask_size=200.0,
            last=bid + 0.01,
        )
        for instrument_id in _ids(number)
    ]
    return market_pb2.MarketUpdate(quotes=quotes)


def quote_batch(number: int) -> market_stream_service_pb2.StreamQuotesResponse:
    """The same batch as a reader of quotes gets it."""
    now_ns = time.time_ns()
    header = StreamHeader(
        epoch="0123456789abcdef",
        sequence=number,
        event_time=to_timestamp(now_ns),
        publish_time=to_timestamp(now_ns),
    )
    bid = _bid(number)
    quotes = [
        quote_pb2.Quote(
            instrument_id=instrument_id,
            event_time_ns=now_ns,
            receive_time_ns=now_ns,
            synthetic=True,
            source="venue",
            bid=bid,
            bid_size=300.0,
            ask=bid + 0.02,
            ask_size=200.0,
            last=bid + 0.01,
        )
        for instrument_id in _ids(number)
    ]
    return market_stream_service_pb2.StreamQuotesResponse(
        header=header, update=market_stream_service_pb2.QuoteBatch(quotes=quotes)
    )


def _ids(number: int) -> tuple[str, ...]:
    first = number * BATCH % INSTRUMENTS
    return IDS[first : first + BATCH]


def _bid(number: int) -> float:
    return 100 + number % 100 / 100
