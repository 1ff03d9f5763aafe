"""BarService over a socket and a real database, compared with the source's own file."""

import csv
import gzip
import uuid
from importlib.resources import files

import grpc
import numpy as np
import pytest
from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp

from bifrost.data.v1 import bar_pb2, bar_service_pb2
from bifrost.type.v1.value_pb2 import InstrumentRef
from services.runtime.pagination import encode_page_token
from tests.contract.data.data_harness import RunningData, by_id, failure_of, listed

DAY, MINUTE = bar_pb2.BAR_INTERVAL_DAY, bar_pb2.BAR_INTERVAL_MINUTE


def source_rows(symbol: str) -> list[dict[str, str]]:
    text = gzip.decompress((files("bokeh_sampledata") / "_data" / "stocks.csv.gz").read_bytes()).decode()
    return [row for row in csv.DictReader(text.splitlines()) if row["Ticker"] == symbol]


def time_of(text: str) -> Timestamp:
    stamp = Timestamp()
    stamp.FromJsonString(text)
    return stamp


async def ask(
    data: RunningData,
    *,
    instrument: InstrumentRef | None = None,
    interval: bar_pb2.BarInterval = DAY,
    adjustment: bar_pb2.Adjustment = bar_pb2.ADJUSTMENT_UNSPECIFIED,
    start_time: Timestamp | None = None,
    end_time: Timestamp | None = None,
    page_size: int = 0,
    page_token: str = "",
) -> bar_service_pb2.ListBarsResponse:
    request = bar_service_pb2.ListBarsRequest(
        instrument=listed("AAPL") if instrument is None else instrument,
        interval=interval,
        adjustment=adjustment,
        start_time=start_time,
        end_time=end_time,
        page_size=page_size,
        page_token=page_token,
    )
    return await data.bars.ListBars(request, metadata=data.reader_headers)


@pytest.mark.parametrize("symbol", ["AAPL", "FB", "GOOG", "IBM", "MSFT"])
async def test_raw_bars_are_those_of_the_source(data: RunningData, symbol: str) -> None:
    rows = source_rows(symbol)
    answer = await ask(data, instrument=listed(symbol))
    bars = answer.bars
    assert answer.next_page_token == ""
    for column, name in (
        ("open", "Open"),
        ("high", "High"),
        ("low", "Low"),
        ("close", "Close"),
        ("volume", "Volume"),
    ):
        assert list(getattr(bars, column)) == [float(row[name]) for row in rows]
    days = np.array(bars.open_time_ns).astype("datetime64[ns]")
    assert [str(day) for day in days.astype("datetime64[D]")] == [row["Date"] for row in rows]
    # 9:30 in New York is 14:30 or 13:30 UTC.
    assert set((days - days.astype("datetime64[D]")).astype("timedelta64[m]").astype(int)) <= {870, 810}


async def test_full_close_is_the_adjusted_close_of_the_source(data: RunningData) -> None:
    rows = source_rows("AAPL")
    bars = (await ask(data, adjustment=bar_pb2.ADJUSTMENT_FULL)).bars
    np.testing.assert_allclose(bars.close, [float(row["Adj Close"]) for row in rows], rtol=1e-9)
    scale = np.array(bars.close) / [float(row["Close"]) for row in rows]
    np.testing.assert_allclose(bars.open, scale * [float(row["Open"]) for row in rows], rtol=1e-12)


async def test_split_adjustment_divides_by_later_splits(data: RunningData) -> None:
    rows = source_rows("AAPL")
    bars = (await ask(data, adjustment=bar_pb2.ADJUSTMENT_SPLIT)).bars
    factor = [4 if row["Date"] < "2000-06-21" else 2 if row["Date"] < "2005-02-28" else 1 for row in rows]
    assert list(bars.low) == [float(row["Low"]) / f for row, f in zip(rows, factor, strict=True)]
    assert list(bars.volume) == [float(row["Volume"]) * f for row, f in zip(rows, factor, strict=True)]


async def test_range_takes_its_start_and_leaves_its_end(data: RunningData) -> None:
    bars = (
        await ask(
            data,
            instrument=listed("IBM", "XNYS"),
            start_time=time_of("2012-05-18T13:30:00Z"),
            end_time=time_of("2012-05-22T13:30:00Z"),
        )
    ).bars
    days = np.array(bars.open_time_ns).astype("datetime64[ns]").astype("datetime64[D]")
    assert [str(day) for day in days] == ["2012-05-18", "2012-05-21"]


async def test_times_beyond_storage_are_only_far_away(data: RunningData) -> None:
    everything = await ask(
        data, start_time=time_of("0001-01-01T00:00:00Z"), end_time=time_of("9999-12-31T00:00:00Z")
    )
    assert len(everything.bars.close) == 3270
    late = await failure_of(ask(data, start_time=time_of("9999-01-01T00:00:00Z")))
    early = await failure_of(ask(data, end_time=time_of("0001-01-01T00:00:00Z")))
    assert (late.reason, early.reason) == ("RANGE_IN_FUTURE", "RANGE_BEFORE_LISTING")


@pytest.mark.parametrize("adjustment", list(bar_pb2.Adjustment.values()))
async def test_pages_join_to_the_whole(data: RunningData, adjustment: bar_pb2.Adjustment) -> None:
    whole = await ask(data, adjustment=adjustment)
    joined, token, pages = bar_pb2.BarColumns(), "", 0
    while token or not pages:
        page = await ask(data, adjustment=adjustment, page_size=1000, page_token=token)
        assert page.instrument_id == whole.instrument_id
        joined.MergeFrom(page.bars)
        token, pages = page.next_page_token, pages + 1
    assert pages == 4
    assert joined == whole.bars


async def test_last_page_that_is_full_has_no_token(data: RunningData) -> None:
    assert (await ask(data, page_size=3270)).next_page_token == ""
    assert (await ask(data, page_size=3269)).next_page_token != ""


async def test_page_token_is_bound_to_its_request(data: RunningData) -> None:
    token = (await ask(data, page_size=10)).next_page_token
    assert len((await ask(data, page_size=20, page_token=token)).bars.close) == 20
    for call in (
        ask(data, page_token=token, adjustment=bar_pb2.ADJUSTMENT_FULL),
        ask(data, page_token=token, instrument=listed("IBM")),
        ask(data, page_token="x"),
    ):
        failure = await failure_of(call)
        assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")


async def test_page_token_with_a_time_that_is_none_is_refused(data: RunningData) -> None:
    request = bar_service_pb2.ListBarsRequest(instrument=listed("AAPL"), interval=DAY)
    for position in ({"open_time_ns": "noon"}, {"open_time_ns": "1" * 30}, {"time": "1"}):
        failure = await failure_of(ask(data, page_token=encode_page_token(request, position)))
        assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")
        assert failure.violations[0][0] == "page_token"


async def test_minutes_are_not_held(data: RunningData) -> None:
    failure = await failure_of(ask(data, interval=MINUTE))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "BARS_NOT_FOUND")
    assert failure.metadata["available"] == "DAY"


async def test_a_range_without_bars_is_an_empty_page(data: RunningData) -> None:
    answer = await ask(data, instrument=listed("FB"), start_time=time_of("2014-01-01T00:00:00Z"))
    assert not answer.bars.close
    assert answer.next_page_token == ""


@pytest.mark.parametrize("end", ["2012-01-02T00:00:00Z", "2012-01-01T00:00:00Z"])
async def test_range_must_go_forward(data: RunningData, end: str) -> None:
    failure = await failure_of(ask(data, start_time=time_of("2012-01-02T00:00:00Z"), end_time=time_of(end)))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "RANGE_INVALID")


@pytest.mark.parametrize(
    "fields",
    [
        {"interval": 0},
        {"interval": 99},
        {"adjustment": 9},
        {"page_size": -1},
        {"instrument": {"instrument_id": "7"}},
    ],
)
async def test_bad_fields_are_refused(data: RunningData, fields: dict[str, object]) -> None:
    request = bar_service_pb2.ListBarsRequest(instrument=listed("AAPL"), interval=DAY)
    json_format.ParseDict(fields, request)
    failure = await failure_of(data.bars.ListBars(request, metadata=data.reader_headers))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")


async def test_unknown_instrument_is_not_found(data: RunningData) -> None:
    failure = await failure_of(ask(data, instrument=by_id(str(uuid.uuid4()))))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "INSTRUMENT_NOT_FOUND")
