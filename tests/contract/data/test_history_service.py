"""HistoryService over a socket and a real database, compared with ListBars."""

import time

import grpc
import numpy as np
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from bifrost.data.v1 import bar_pb2, bar_service_pb2, history_service_pb2
from bifrost.data.v1.history_service_pb2_grpc import HistoryServiceStub
from services.data.bars import bar_stream
from services.runtime.clock import to_timestamp
from services.runtime.errors import RpcFailure, error_from_rpc
from tests.contract.data.data_harness import RunningData, listed
from tests.contract.data.file_uploads import csv_of, header_of, minute_bars, send

DAY, MINUTE = bar_pb2.BAR_INTERVAL_DAY, bar_pb2.BAR_INTERVAL_MINUTE
COLUMNS = ("open_time_ns", "open", "high", "low", "close", "volume")


def time_of(text: str) -> Timestamp:
    stamp = Timestamp()
    stamp.FromJsonString(text)
    return stamp


async def read(
    data: RunningData, request: history_service_pb2.ReadBarsRequest
) -> list[history_service_pb2.ReadBarsResponse]:
    stub = HistoryServiceStub(data.channel)
    return [chunk async for chunk in stub.ReadBars(request, metadata=data.reader_headers, timeout=60)]


async def failure_of_reading(data: RunningData, request: history_service_pb2.ReadBarsRequest) -> RpcFailure:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await read(data, request)
    return error_from_rpc(refused.value)


def ask(*symbols: str, **fields: object) -> history_service_pb2.ReadBarsRequest:
    request = history_service_pb2.ReadBarsRequest(interval=DAY, instruments=map(listed, symbols))
    request.MergeFrom(history_service_pb2.ReadBarsRequest(**fields))  # type: ignore[arg-type]
    return request


@pytest.mark.parametrize("adjustment", list(bar_pb2.Adjustment.values()))
async def test_bars_are_those_of_list_bars(data: RunningData, adjustment: bar_pb2.Adjustment) -> None:
    symbols = ("AAPL", "IBM", "FB")
    chunks = await read(data, ask(*symbols, adjustment=adjustment))
    assert [chunk.place for chunk in chunks] == [0, 1, 2]
    assert all(chunk.last for chunk in chunks)
    for symbol, chunk in zip(symbols, chunks, strict=True):
        listing = bar_service_pb2.ListBarsRequest(
            instrument=listed(symbol), interval=DAY, adjustment=adjustment, page_size=100_000
        )
        page = await data.bars.ListBars(listing, metadata=data.reader_headers)
        assert chunk.instrument_id == page.instrument_id
        for name in COLUMNS:
            np.testing.assert_array_equal(getattr(chunk, name), getattr(page.bars, name))


@pytest.mark.parametrize("hours", list(bar_pb2.TradingHours.values()))
@pytest.mark.parametrize("interval", [MINUTE, bar_pb2.BAR_INTERVAL_HOUR, DAY])
async def test_hours_and_bars_made_of_shorter_ones_are_those_of_list_bars(
    data: RunningData, interval: bar_pb2.BarInterval, hours: bar_pb2.TradingHours
) -> None:
    content = csv_of(minute_bars(3_000, start_s=1_600_041_600))  # from Sunday night, through two sessions
    await send(data, header_of(content, "HOURS", mic="XNYS"), content)
    listing = bar_service_pb2.ListBarsRequest(
        instrument=listed("HOURS"), interval=interval, hours=hours, page_size=100_000
    )
    page = await data.bars.ListBars(listing, metadata=data.reader_headers)
    assert page.bars.close
    for as_of in (None, to_timestamp(time.time_ns())):
        chunks = await read(data, ask("HOURS", interval=interval, hours=hours, as_of=as_of))
        for name in COLUMNS:
            np.testing.assert_array_equal(
                np.concatenate([getattr(chunk, name) for chunk in chunks]), getattr(page.bars, name)
            )


async def test_weeks_are_made_of_days_and_the_past_is_as_it_was_known(data: RunningData) -> None:
    (weeks,) = await read(data, ask("AAPL", interval=bar_pb2.BAR_INTERVAL_WEEK))
    assert 600 < len(weeks.close) < 700
    early = await failure_of_reading(data, ask("AAPL", as_of=time_of("2001-01-01T00:00:00Z")))
    assert (early.code, early.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "AS_OF_TOO_EARLY")


async def test_a_range_takes_its_start_and_leaves_its_end(data: RunningData) -> None:
    start, end = time_of("2012-05-18T13:30:00Z"), time_of("2012-05-22T13:30:00Z")
    (chunk,) = await read(data, ask("IBM", start_time=start, end_time=end))
    days = np.array(chunk.open_time_ns).astype("datetime64[ns]").astype("datetime64[D]")
    assert [str(day) for day in days] == ["2012-05-18", "2012-05-21"]


async def test_a_range_without_bars_is_one_empty_last_chunk(data: RunningData) -> None:
    chunks = await read(data, ask("FB", "IBM", end_time=time_of("2012-01-01T00:00:00Z")))
    assert [(chunk.place, chunk.last, len(chunk.close) > 0) for chunk in chunks] == [
        (0, True, False),
        (1, True, True),
    ]


@pytest.mark.parametrize("more", [-1, 0, 1])
async def test_chunks_join_to_the_whole(data: RunningData, more: int) -> None:
    rows = 2 * bar_stream.CHUNK_ROWS + more
    symbol = f"LONG{more + 1}"
    content = csv_of(minute_bars(rows))
    await send(data, header_of(content, symbol), content)
    chunks = await read(data, ask(symbol, interval=MINUTE))
    assert [chunk.last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert {len(chunk.close) for chunk in chunks[:-1]} == {bar_stream.CHUNK_ROWS}
    times = np.concatenate([np.array(chunk.open_time_ns) for chunk in chunks])
    volumes = np.concatenate([np.array(chunk.volume) for chunk in chunks])
    np.testing.assert_array_equal(times, 10**9 * (1_600_000_000 + 60 * np.arange(rows)))
    np.testing.assert_array_equal(volumes, np.arange(rows) + 1.0)


async def test_what_is_not_there_is_named(data: RunningData) -> None:
    unknown = await failure_of_reading(data, ask("AAPL", "NONE"))
    assert (unknown.code, unknown.reason) == (grpc.StatusCode.NOT_FOUND, "INSTRUMENT_NOT_FOUND")
    minutes = await failure_of_reading(data, ask("AAPL", interval=MINUTE))
    assert (minutes.code, minutes.reason) == (grpc.StatusCode.NOT_FOUND, "BARS_NOT_FOUND")


async def test_bad_requests_are_refused(data: RunningData) -> None:
    at = time_of("2012-01-02T00:00:00Z")
    turned = await failure_of_reading(data, ask("AAPL", start_time=at, end_time=at))
    assert (turned.code, turned.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "RANGE_INVALID")
    for request in (ask(), history_service_pb2.ReadBarsRequest(instruments=[listed("AAPL")])):
        refused = await failure_of_reading(data, request)
        assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
