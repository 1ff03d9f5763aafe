"""Indicators over exactly the bars that ListBars returns: any interval, hours and time of knowledge."""

from __future__ import annotations

import asyncio
import itertools
import time
from typing import Any

import grpc
import numpy as np
import pytest
import talib
from google.protobuf.timestamp_pb2 import Timestamp

from bifrost.data.v1 import bar_pb2, bar_service_pb2, indicator_pb2
from bifrost.data.v1 import indicator_service_pb2 as pb
from services.data import indicator_service
from services.data.indicators import indicator_bars
from services.data.indicators.indicator_bars import IndicatorBars
from services.runtime.clock import to_timestamp
from tests.contract.data.data_harness import RunningData, failure_of, listed
from tests.contract.data.file_uploads import csv_of, header_of, minute_bars, send

SPECS = [
    indicator_pb2.IndicatorSpec(name="AVGPRICE"),
    indicator_pb2.IndicatorSpec(name="OBV"),
    indicator_pb2.IndicatorSpec(name="WMA"),
    indicator_pb2.IndicatorSpec(name="RSI"),
]
SPECS[2].parameters.update({"timeperiod": 10})
FIRST_S = 1_600_041_600  # Monday 2020-09-14 00:00 UTC
BEFORE_S = FIRST_S + 3 * 86_400
ROWS = 8 * 1_440  # around the clock, to the Tuesday after, a weekend among them


def time_of(text: str) -> Timestamp:
    stamp = Timestamp()
    stamp.FromJsonString(text)
    return stamp


@pytest.fixture(scope="module")
async def known(data: RunningData) -> Timestamp:
    """Minutes of XNYS around the clock: the time at which the first six days of them were known."""
    content = csv_of(minute_bars(6 * 1_440, start_s=FIRST_S))
    await send(data, header_of(content, "CLOCK", mic="XNYS"), content)
    as_of = to_timestamp(time.time_ns())
    rest = csv_of(minute_bars(ROWS - 6 * 1_440, start_s=FIRST_S + 6 * 86_400))
    await send(data, header_of(rest, "CLOCK", mic="XNYS", instrument=listed("CLOCK")), rest)
    return as_of


# Any: fields of both requests.
async def bars_of(data: RunningData, symbol: str, **fields: Any) -> bar_pb2.BarColumns:
    request = bar_service_pb2.ListBarsRequest(instrument=listed(symbol), page_size=100_000, **fields)
    return (await data.bars.ListBars(request, metadata=data.reader_headers)).bars


async def compute(
    data: RunningData, symbol: str, *, page_size: int = 100_000, **fields: Any
) -> tuple[list[int], list[np.ndarray]]:
    """Open times and columns, page after page."""
    fields = {"indicators": SPECS, **fields}
    times: list[int] = []
    columns: list[list[float]] = []
    token = ""
    while token or not times:
        request = pb.ComputeIndicatorsRequest(
            instrument=listed(symbol), page_size=page_size, page_token=token, **fields
        )
        page = await data.indicators.ComputeIndicators(request, metadata=data.reader_headers)
        found = [output.values for one in page.indicators for output in one.outputs]
        columns = columns or [[] for _ in found]
        for column, values in zip(columns, found, strict=True):
            column.extend(values)
        times += page.open_time_ns
        token = page.next_page_token
    return times, [np.array(column) for column in columns]


async def check(data: RunningData, symbol: str, **fields: Any) -> None:
    bars = await bars_of(data, symbol, **fields)
    opened, high, low, close, volume = (
        np.array(getattr(bars, name)) for name in ("open", "high", "low", "close", "volume")
    )
    times, columns = await compute(data, symbol, **fields)
    assert times == bars.open_time_ns
    expected = (
        talib.AVGPRICE(opened, high, low, close),
        talib.OBV(close, volume),
        talib.WMA(close, 10),
        talib.RSI(close),
    )
    for found, wanted in zip(columns, expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9)


@pytest.mark.parametrize("adjustment", list(bar_pb2.Adjustment.values()))
@pytest.mark.parametrize(
    "interval", [bar_pb2.BAR_INTERVAL_DAY, bar_pb2.BAR_INTERVAL_WEEK, bar_pb2.BAR_INTERVAL_MONTH]
)
async def test_adjusted_bars_stored_and_made(
    data: RunningData, interval: bar_pb2.BarInterval, adjustment: bar_pb2.Adjustment
) -> None:
    await check(data, "AAPL", interval=interval, adjustment=adjustment)


@pytest.mark.parametrize("is_of_then", [False, True])
@pytest.mark.parametrize("hours", list(bar_pb2.TradingHours.values()))
@pytest.mark.parametrize(
    "interval",
    [
        bar_pb2.BAR_INTERVAL_MINUTE,
        bar_pb2.BAR_INTERVAL_FIVE_MINUTES,
        bar_pb2.BAR_INTERVAL_HOUR,
    ],
)
async def test_hours_and_times_of_knowledge(
    data: RunningData,
    known: Timestamp,
    interval: bar_pb2.BarInterval,
    hours: bar_pb2.TradingHours,
    is_of_then: bool,
) -> None:
    await check(data, "CLOCK", interval=interval, hours=hours, as_of=known if is_of_then else None)


@pytest.mark.parametrize("hours", [bar_pb2.TRADING_HOURS_REGULAR, bar_pb2.TRADING_HOURS_ALL])
@pytest.mark.parametrize("is_of_then", [False, True])
@pytest.mark.parametrize(
    "interval", [bar_pb2.BAR_INTERVAL_MINUTE, bar_pb2.BAR_INTERVAL_FIVE_MINUTES, bar_pb2.BAR_INTERVAL_HOUR]
)
async def test_a_value_does_not_depend_on_range_or_page(
    data: RunningData,
    known: Timestamp,
    monkeypatch: pytest.MonkeyPatch,
    interval: bar_pb2.BarInterval,
    hours: bar_pb2.TradingHours,
    is_of_then: bool,
) -> None:
    """Also when the bars before the range are found in many steps back, most of them of other hours."""
    monkeypatch.setattr(indicator_bars, "_MOST_STORED", 777)
    monkeypatch.setattr(indicator_bars, "_LEAST_PAGE", 10)
    fields: dict[str, Any] = {"interval": interval, "hours": hours, "as_of": known if is_of_then else None}
    times, whole = await compute(data, "CLOCK", **fields)
    bounds = {"start_time": Timestamp(seconds=BEFORE_S), "end_time": Timestamp(seconds=BEFORE_S + 100_000)}
    window = SPECS[2:3]
    for page_size, specs in itertools.product((11, 100_000), (SPECS, window)):
        part_times, part = await compute(
            data, "CLOCK", page_size=page_size if interval != 2 else 500, indicators=specs, **bounds, **fields
        )
        first = times.index(part_times[0])
        rows = slice(first, first + len(part_times))
        assert part_times == times[rows]
        for found, wanted in zip(part, whole if specs is SPECS else whole[2:3], strict=True):
            np.testing.assert_allclose(found, wanted[rows], rtol=1e-9)


async def test_longer_bars_of_made_bars(data: RunningData) -> None:
    """Values over months, seen at weeks made of days, do not depend on the range either."""
    spec = [indicator_pb2.IndicatorSpec(name="WMA", interval="BAR_INTERVAL_MONTH")]
    fields: dict[str, Any] = {"interval": "BAR_INTERVAL_DAY", "indicators": spec}
    times, (whole,) = await compute(data, "MSFT", **fields)
    part_times, (part,) = await compute(data, "MSFT", start_time=time_of("2010-01-06T00:00:00Z"), **fields)
    first = times.index(part_times[0])
    np.testing.assert_allclose(part, whole[first:], rtol=1e-9)
    assert not np.isnan(part).any()


async def test_the_limit_before_a_range_is_of_the_bars_asked_for(
    data: RunningData, known: Timestamp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indicator_bars, "_MOST_BEFORE", 1_000)
    fields: dict[str, Any] = {
        "indicators": [indicator_pb2.IndicatorSpec(name="OBV")],
        "hours": bar_pb2.TRADING_HOURS_ALL,
        "start_time": Timestamp(seconds=BEFORE_S),
    }
    await compute(data, "CLOCK", interval="BAR_INTERVAL_FIVE_MINUTES", **fields)  # of 3,000 minutes
    refused = await failure_of(compute(data, "CLOCK", interval="BAR_INTERVAL_MINUTE", **fields))
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "INDICATOR_HISTORY_TOO_LONG",
    )
    await compute(data, "CLOCK", interval="BAR_INTERVAL_MINUTE", **{**fields, "indicators": SPECS[2:]})


async def test_bars_that_change_while_they_are_read_are_read_again(
    data: RunningData, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = itertools.count()
    changes = 1

    async def state(*_: object) -> str:
        return str(min(next(states), changes))

    monkeypatch.setattr(IndicatorBars, "state", state)
    times, _ = await compute(data, "FB", interval="BAR_INTERVAL_DAY")
    assert len(times) == 196
    changes = 1_000_000
    refused = await failure_of(compute(data, "FB", interval="BAR_INTERVAL_DAY"))
    assert (refused.code, refused.reason) == (grpc.StatusCode.ABORTED, "HISTORY_CHANGED")


async def test_a_stream_is_of_one_state(data: RunningData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indicator_service, "_LARGEST_STRETCH", 100)
    states = itertools.count()

    async def state(*_: object) -> str:
        return str(next(states) // 2)

    monkeypatch.setattr(IndicatorBars, "state", state)
    request = pb.StreamIndicatorsRequest(
        instrument=listed("FB"), interval="BAR_INTERVAL_DAY", indicators=SPECS
    )
    stream = data.indicators.StreamIndicators(request, metadata=data.reader_headers)
    parts = 0

    async def read() -> None:
        nonlocal parts
        async for _ in stream:
            parts += 1

    async with asyncio.timeout(60):
        refused = await failure_of(read())
    assert (refused.reason, parts) == ("HISTORY_CHANGED", 1)
