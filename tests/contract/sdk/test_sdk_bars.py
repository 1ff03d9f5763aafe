"""The SDK's bars and indicators from a real data service, in each form of a frame."""

from __future__ import annotations

import asyncio
import datetime as dt

import numpy as np
import polars as pl
import pytest
import talib

from bifrost.data.v1 import bar_pb2, bar_service_pb2
from bifrost_sdk import (
    AsyncClient,
    BarsNotFoundError,
    Client,
    Frame,
    Indicator,
    InstrumentNotFoundError,
    InvalidArgumentError,
    Retry,
    UnauthenticatedError,
    UnavailableError,
)
from tests.contract.data.data_harness import listed
from tests.contract.sdk.conftest import Served


def client(served: Served) -> AsyncClient:
    return AsyncClient(served.url, token=served.token)


async def listing(served: Served, symbol: str) -> bar_pb2.BarColumns:
    request = bar_service_pb2.ListBarsRequest(
        instrument=listed(symbol),
        interval=bar_pb2.BAR_INTERVAL_DAY,
        adjustment=bar_pb2.ADJUSTMENT_FULL,
        page_size=100_000,
    )
    return (await served.data.bars.ListBars(request, metadata=served.data.reader_headers)).bars


async def test_bars_are_those_of_the_service_in_every_form(served: Served) -> None:
    async with client(served) as bifrost:
        frame = await bifrost.bars("AAPL", adjustment="full")
    expected = await listing(served, "AAPL")
    np.testing.assert_array_equal(frame.time_ns, expected.open_time_ns)
    for name in ("open", "high", "low", "close", "volume"):
        np.testing.assert_array_equal(frame[name], getattr(expected, name))
    polars, pandas, arrow = frame.to_polars(), frame.to_pandas(), frame.to_arrow()
    assert polars.columns == list(pandas.columns) == arrow.column_names
    assert polars.columns == ["time", "open", "high", "low", "close", "volume"]
    assert polars.schema["time"] == pl.Datetime("ns", "UTC")
    assert str(pandas["time"].dtype) == "datetime64[ns, UTC]"
    assert str(arrow.schema.field("time").type) == "timestamp[ns, tz=UTC]"
    assert polars["close"].to_list() == pandas["close"].to_list() == arrow["close"].to_pylist()
    first = dt.datetime.fromtimestamp(expected.open_time_ns[0] / 1e9, dt.UTC)
    assert polars["time"][0] == pandas["time"][0].to_pydatetime() == first
    assert frame.to_numpy()["time"][0] == np.datetime64(first.replace(tzinfo=None), "ns")


async def test_frames_share_the_memory_of_the_columns(served: Served) -> None:
    async with client(served) as bifrost:
        frame = await bifrost.bars(["AAPL", "IBM"])
    for name in ("close", "volume"):
        assert np.shares_memory(frame.to_numpy()[name], frame[name])
        assert np.shares_memory(frame.to_pandas()[name].to_numpy(), frame[name])
        arrow = frame.to_arrow()[name].chunk(0)
        assert arrow.buffers()[1].address == frame[name].ctypes.data
        assert frame.to_polars()[name].to_numpy(allow_copy=False).ctypes.data == frame[name].ctypes.data
    assert frame.to_arrow()["time"].chunk(0).buffers()[1].address == frame.time_ns.ctypes.data


async def test_several_symbols_are_one_long_frame(served: Served) -> None:
    async with client(served) as bifrost:
        frame = await bifrost.bars(["AAPL", "FB", "IBM"], start="2013-01-01", end=dt.date(2013, 2, 1))
    for table in (frame.to_polars().to_pandas(), frame.to_pandas(), frame.to_arrow().to_pandas()):
        assert table["symbol"].astype(str).tolist() == ["AAPL"] * 21 + ["FB"] * 21 + ["IBM"] * 21
    assert list(frame.to_numpy()["symbol"]) == ["AAPL"] * 21 + ["FB"] * 21 + ["IBM"] * 21
    assert frame.rows == [21, 21, 21]
    nothing = Frame(frame.time_ns[:0], {"close": frame["close"][:0]}, ["AAPL"], [0])
    assert len(nothing.to_polars()) == len(nothing.to_pandas()) == 0


@pytest.mark.parametrize(
    "start",
    ["2012-05-18", dt.date(2012, 5, 18), dt.datetime(2012, 5, 18, tzinfo=dt.UTC), 1_337_299_200_000_000_000],
)
async def test_moments_are_written_as_people_do(served: Served, start: object) -> None:
    async with client(served) as bifrost:
        frame = await bifrost.bars("IBM", start=start, end="2012-05-22T09:30:00-04:00")  # type: ignore[arg-type]
    assert [str(day) for day in frame.time_ns.astype("M8[ns]").astype("M8[D]")] == [
        "2012-05-18",
        "2012-05-21",
    ]


async def test_indicators_are_columns(served: Served) -> None:
    wanted: list[Indicator | str] = [Indicator("SMA", {"timeperiod": 20}, label="slow"), "MACD"]
    async with client(served) as bifrost:
        frame = await bifrost.indicators("AAPL", wanted, adjustment="full")
        close = (await bifrost.bars("AAPL", adjustment="full"))["close"]
    assert list(frame.columns) == ["slow", "MACD.macd", "MACD.macdsignal", "MACD.macdhist"]
    np.testing.assert_allclose(frame["slow"], talib.SMA(close, 20), rtol=1e-9)


async def test_errors_are_of_their_reason(served: Served) -> None:
    async with client(served) as bifrost:
        with pytest.raises(InstrumentNotFoundError, match="NONE"):
            await bifrost.bars("NONE")
        with pytest.raises(BarsNotFoundError) as missing:
            await bifrost.bars("AAPL", interval="1s")
        assert missing.value.metadata["available"] == "DAY"
        with pytest.raises(InvalidArgumentError) as wrong:
            await bifrost.bars("AAPL", start="2012-01-02", end="2012-01-01")
        assert wrong.value.reason == "RANGE_INVALID"
        assert wrong.value.violations[0][0] == "start_time"
        with pytest.raises(ValueError, match="no interval"):
            await bifrost.bars("AAPL", interval="1y")
        with pytest.raises(ValueError, match="no adjustment"):
            await bifrost.bars("AAPL", adjustment="half")
        with pytest.raises(ValueError, match="no hours"):
            await bifrost.bars("AAPL", hours="happy")
        with pytest.raises(InvalidArgumentError, match="AS_OF_TOO_EARLY"):
            await bifrost.bars("AAPL", as_of="2001-01-01")
        with pytest.raises(ValueError, match="at least one symbol"):
            await bifrost.bars([])
    async with AsyncClient(served.url, token="x") as stranger:
        with pytest.raises(UnauthenticatedError):
            await stranger.bars("AAPL")


async def test_who_is_away_is_asked_again_and_then_reported() -> None:
    retry = Retry(attempts=3, first_s=0.01)
    async with AsyncClient("127.0.0.1:1", token="x", retry=retry) as bifrost:
        with pytest.raises(UnavailableError):
            await bifrost.bars("AAPL")


async def test_programs_without_a_loop_get_the_same(served: Served) -> None:
    def read() -> tuple[Frame, Frame, str]:
        with Client(served.url, token=served.token) as bifrost:
            with pytest.raises(InstrumentNotFoundError) as unknown:
                bifrost.bars("NONE")
            return bifrost.bars("AAPL"), bifrost.indicators("AAPL", ["RSI"]), unknown.value.reason

    async with client(served) as bifrost:
        expected = await bifrost.bars("AAPL")
    bars, indicators, reason = await asyncio.to_thread(read)
    np.testing.assert_array_equal(bars["close"], expected["close"])
    assert list(indicators.columns) == ["RSI"]
    assert reason == "INSTRUMENT_NOT_FOUND"
