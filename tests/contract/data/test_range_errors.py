"""Bad questions about history: each a reason and a field, the same of every call that reads bars."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from bifrost.data.v1 import bar_service_pb2, history_service_pb2, indicator_pb2, indicator_service_pb2
from bifrost.data.v1.history_service_pb2_grpc import HistoryServiceStub
from tests.contract.data.data_harness import RunningData, failure_of, listed

# Any: fields of three requests.
Fields: TypeAlias = dict[str, Any]
Call: TypeAlias = Callable[[RunningData, str, Fields], Awaitable[int]]


def time_of(text: str) -> Timestamp:
    stamp = Timestamp()
    stamp.FromJsonString(text)
    return stamp


async def list_bars(data: RunningData, symbol: str, fields: Fields) -> int:
    request = bar_service_pb2.ListBarsRequest(instrument=listed(symbol), **fields)
    answer = await data.bars.ListBars(request, metadata=data.reader_headers)
    return len(answer.bars.open_time_ns)


async def read_bars(data: RunningData, symbol: str, fields: Fields) -> int:
    request = history_service_pb2.ReadBarsRequest(instruments=[listed(symbol)], **fields)
    stub = HistoryServiceStub(data.channel)
    return sum([len(one.open_time_ns) async for one in stub.ReadBars(request, metadata=data.reader_headers)])


async def compute_indicators(data: RunningData, symbol: str, fields: Fields) -> int:
    fields = {"indicators": [indicator_pb2.IndicatorSpec(name="OBV")], **fields}
    request = indicator_service_pb2.ComputeIndicatorsRequest(instrument=listed(symbol), **fields)
    answer = await data.indicators.ComputeIndicators(request, metadata=data.reader_headers)
    return len(answer.open_time_ns)


async def stream_indicators(data: RunningData, symbol: str, fields: Fields) -> int:
    fields = {"indicators": [indicator_pb2.IndicatorSpec(name="OBV")], **fields}
    request = indicator_service_pb2.StreamIndicatorsRequest(instrument=listed(symbol), **fields)
    stream = data.indicators.StreamIndicators(request, metadata=data.reader_headers)
    return sum([len(one.open_time_ns) async for one in stream])


INDICATORS = (compute_indicators, stream_indicators)
CALLS = (list_bars, read_bars, *INDICATORS)
DAY = "BAR_INTERVAL_DAY"


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("interval", [DAY, "BAR_INTERVAL_WEEK"])  # stored, and made
@pytest.mark.parametrize(
    ("fields", "reason", "field", "metadata"),
    [
        ({"start_time": "2200-01-01T00:00:00Z"}, "RANGE_IN_FUTURE", "start_time", "now"),
        ({"end_time": "2012-05-01T00:00:00Z"}, "RANGE_BEFORE_LISTING", "end_time", "listing_date"),
        (
            {"start_time": "2012-06-01T00:00:00Z", "end_time": "2012-06-01T00:00:00Z"},
            "RANGE_INVALID",
            "start_time",
            "",
        ),
        ({"as_of": "2012-06-01T00:00:00Z"}, "AS_OF_TOO_EARLY", "as_of", "first"),
        ({"as_of": "2200-01-01T00:00:00Z"}, "AS_OF_IN_FUTURE", "as_of", "now"),
    ],
)
async def test_bad_times_are_named(
    data: RunningData,
    call: Call,
    interval: str,
    fields: dict[str, str],
    reason: str,
    field: str,
    metadata: str,
) -> None:
    times = {name: time_of(text) for name, text in fields.items()}
    failure = await failure_of(call(data, "FB", {"interval": interval, **times}))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    assert [name for name, _ in failure.violations] == [field]
    assert not metadata or failure.metadata[metadata]


@pytest.mark.parametrize("call", CALLS)
async def test_what_is_asked_must_be_something(data: RunningData, call: Call) -> None:
    for symbol, fields, code, reason in (
        ("NONE", {"interval": DAY}, grpc.StatusCode.NOT_FOUND, "INSTRUMENT_NOT_FOUND"),
        ("FB", {"interval": "BAR_INTERVAL_HOUR"}, grpc.StatusCode.NOT_FOUND, "BARS_NOT_FOUND"),
        (
            "FB",
            {"interval": DAY, "hours": "TRADING_HOURS_EXTENDED"},
            grpc.StatusCode.NOT_FOUND,
            "BARS_NOT_FOUND",
        ),
        ("FB", {}, grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"),
        ("FB", {"interval": 99}, grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"),
        ("FB", {"interval": DAY, "hours": 9}, grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"),
        ("FB", {"interval": DAY, "adjustment": 9}, grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"),
    ):
        failure = await failure_of(call(data, symbol, fields))
        assert (failure.code, failure.reason) == (code, reason)


@pytest.mark.parametrize("call", CALLS)
async def test_times_without_bars_that_might_have_some_are_no_error(data: RunningData, call: Call) -> None:
    for fields in (
        {"start_time": time_of("2014-01-01T00:00:00Z")},  # after the sample, before now
        {"start_time": time_of("2012-06-02T00:00:00Z"), "end_time": time_of("2012-06-03T00:00:00Z")},
    ):
        assert await call(data, "FB", {"interval": DAY, **fields}) == 0


async def test_a_read_of_several_is_refused_only_when_none_was_listed(data: RunningData) -> None:
    """Whoever reads a universe has instruments in it that came later."""
    stub = HistoryServiceStub(data.channel)
    for symbols, end, is_refused in (
        (("IBM", "FB"), "2012-01-01T00:00:00Z", False),
        (("FB", "IBM"), "2012-01-01T00:00:00Z", False),
        (("GOOG", "FB"), "2004-01-01T00:00:00Z", True),
    ):
        request = history_service_pb2.ReadBarsRequest(
            instruments=map(listed, symbols), interval=DAY, end_time=time_of(end)
        )
        call = stub.ReadBars(request, metadata=data.reader_headers)
        try:
            assert [chunk.place async for chunk in call] == [0, 1]
            assert not is_refused
        except grpc.aio.AioRpcError:
            assert is_refused


@pytest.mark.parametrize("call", INDICATORS)
@pytest.mark.parametrize(
    ("name", "parameters", "reason", "field"),
    [
        ("SMAA", {}, "INDICATOR_UNKNOWN", "indicators[0].name"),
        ("SMA", {"period": 5}, "INDICATOR_PARAMETER_UNKNOWN", "indicators[0].parameters.period"),
        ("SMA", {"timeperiod": 0}, "INDICATOR_PARAMETER_INVALID", "indicators[0].parameters.timeperiod"),
        ("SMA", {"timeperiod": 5000}, "INDICATOR_WINDOW_TOO_LONG", "indicators[0].parameters.timeperiod"),
    ],
)
@pytest.mark.parametrize("interval", [DAY, "BAR_INTERVAL_WEEK"])
async def test_bad_indicators_are_named(
    data: RunningData,
    call: Call,
    interval: str,
    name: str,
    parameters: dict[str, float],
    reason: str,
    field: str,
) -> None:
    spec = indicator_pb2.IndicatorSpec(name=name)
    if parameters:
        spec.parameters.update(parameters)
    failure = await failure_of(call(data, "FB", {"interval": interval, "indicators": [spec]}))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    assert [where for where, _ in failure.violations] == [field]
    if reason == "INDICATOR_WINDOW_TOO_LONG":
        assert failure.metadata["needed"] == "5000"
        assert failure.metadata["held"] == ("196" if interval == DAY else "42")
