"""IndicatorService over a socket and a real database, compared with TA-Lib called on the same bars."""

from __future__ import annotations

from collections.abc import Sequence

import grpc
import numpy as np
import pytest
import talib
from google.protobuf.timestamp_pb2 import Timestamp

from bifrost.data.v1 import bar_pb2, bar_service_pb2, indicator_pb2
from bifrost.data.v1 import indicator_service_pb2 as pb
from bifrost.type.v1.value_pb2 import InstrumentRef
from services.data import indicator_service
from services.data.indicators import indicator_bars
from tests.contract.data.data_harness import RunningData, failure_of, listed

DAY, WEEK = bar_pb2.BAR_INTERVAL_DAY, bar_pb2.BAR_INTERVAL_WEEK


def spec(
    name: str,
    label: str = "",
    *,
    interval: bar_pb2.BarInterval = bar_pb2.BAR_INTERVAL_UNSPECIFIED,
    sources: Sequence[indicator_pb2.PriceSource] = (),
    **parameters: float | str | bool,
) -> indicator_pb2.IndicatorSpec:
    made = indicator_pb2.IndicatorSpec(label=label, name=name, interval=interval, sources=sources)
    if parameters:
        made.parameters.update(parameters)
    return made


def time_of(text: str) -> Timestamp:
    stamp = Timestamp()
    stamp.FromJsonString(text)
    return stamp


async def ask(
    data: RunningData,
    *specs: indicator_pb2.IndicatorSpec,
    instrument: InstrumentRef | None = None,
    interval: bar_pb2.BarInterval = DAY,
    adjustment: bar_pb2.Adjustment = bar_pb2.ADJUSTMENT_FULL,
    start_time: Timestamp | None = None,
    end_time: Timestamp | None = None,
    page_size: int = 0,
    page_token: str = "",
) -> pb.ComputeIndicatorsResponse:
    request = pb.ComputeIndicatorsRequest(
        instrument=listed("AAPL") if instrument is None else instrument,
        interval=interval,
        adjustment=adjustment,
        indicators=specs,
        start_time=start_time,
        end_time=end_time,
        page_size=page_size,
        page_token=page_token,
    )
    return await data.indicators.ComputeIndicators(request, metadata=data.reader_headers)


async def bars_of(data: RunningData, symbol: str = "AAPL") -> bar_pb2.BarColumns:
    request = bar_service_pb2.ListBarsRequest(
        instrument=listed(symbol), interval=DAY, adjustment=bar_pb2.ADJUSTMENT_FULL
    )
    return (await data.bars.ListBars(request, metadata=data.reader_headers)).bars


def columns(answer: indicator_pb2.IndicatorColumns) -> dict[str, np.ndarray]:
    return {one.name: np.array(one.values) for one in answer.outputs}


async def test_values_are_those_of_talib(data: RunningData) -> None:
    bars = await bars_of(data)
    high, low, close = np.array(bars.high), np.array(bars.low), np.array(bars.close)
    answer = await ask(
        data,
        spec("SMA", timeperiod=20),
        spec("MACD", "trend"),
        spec("STOCH", slowk_matype="EMA", slowd_period=5),
    )
    assert answer.open_time_ns == bars.open_time_ns
    assert not answer.next_page_token
    assert [(one.label, one.name) for one in answer.indicators] == [
        ("SMA", "SMA"),
        ("trend", "MACD"),
        ("STOCH", "STOCH"),
    ]
    sma, macd, stoch = (columns(one) for one in answer.indicators)
    np.testing.assert_allclose(sma["real"], talib.SMA(close, 20), rtol=1e-9)
    for name, expected in zip(("macd", "macdsignal", "macdhist"), talib.MACD(close), strict=True):
        np.testing.assert_allclose(macd[name], expected, rtol=1e-9)
    _, slow_d = talib.STOCH(high, low, close, slowk_matype=1, slowd_period=5)  # type: ignore[arg-type]  # EMA
    np.testing.assert_allclose(stoch["slowd"], slow_d, rtol=1e-9)


async def catalogue_of(data: RunningData, group: str = "") -> list[indicator_pb2.Indicator]:
    found: list[indicator_pb2.Indicator] = []
    token = ""
    while token or not found:
        request = pb.ListIndicatorsRequest(group=group, page_size=70, page_token=token)
        page = await data.indicators.ListIndicators(request, metadata=data.reader_headers)
        found += page.indicators
        token = page.next_page_token
    return found


async def test_the_catalogue_pages_by_name(data: RunningData) -> None:
    names = [entry.name for entry in await catalogue_of(data)]
    assert names == sorted(set(names))
    functions: list[str] = talib.get_functions()  # type: ignore[no-untyped-call]
    assert set(functions) - set(names) == {"MAVP"}
    cycles = [entry.name for entry in await catalogue_of(data, "Cycle Indicators")]
    assert cycles == ["HT_DCPERIOD", "HT_DCPHASE", "HT_PHASOR", "HT_SINE", "HT_TRENDMODE"]


async def test_a_value_does_not_depend_on_range_or_page(data: RunningData) -> None:
    specs = [
        spec("SMA"),
        spec("EMA"),
        spec("OBV"),
        spec("RSI", "weekly", interval=WEEK),
        spec("ADX", timeperiod=50),
    ]
    whole = await ask(data, *specs)
    start = time_of("2005-01-03T00:00:00Z")
    pages: list[pb.ComputeIndicatorsResponse] = []
    token = ""
    while token or not pages:
        pages.append(await ask(data, *specs, start_time=start, page_size=700, page_token=token))
        token = pages[-1].next_page_token
    times = [time for page in pages for time in page.open_time_ns]
    rows = slice(len(whole.open_time_ns) - len(times), None)
    assert times == whole.open_time_ns[rows]
    assert len(pages) == 3
    for number, expected in enumerate(whole.indicators):
        for output, column in columns(expected).items():
            joined = np.concatenate([columns(page.indicators[number])[output] for page in pages])
            assert not np.isnan(joined).any()
            np.testing.assert_allclose(joined, column[rows], rtol=1e-9)


async def stream(
    data: RunningData, *specs: indicator_pb2.IndicatorSpec, start_time: Timestamp | None = None
) -> list[pb.StreamIndicatorsResponse]:
    request = pb.StreamIndicatorsRequest(
        instrument=listed("AAPL"),
        interval=DAY,
        adjustment=bar_pb2.ADJUSTMENT_FULL,
        indicators=specs,
        start_time=start_time,
    )
    return [part async for part in data.indicators.StreamIndicators(request, metadata=data.reader_headers)]


async def test_a_stream_joins_to_the_whole(data: RunningData, monkeypatch: pytest.MonkeyPatch) -> None:
    """In stretches computed one after the other, each in parts."""
    specs = [spec("EMA"), spec("OBV"), spec("MACD", "weekly", interval=WEEK)]
    monkeypatch.setattr(indicator_service, "_LARGEST_STRETCH", 1_000)
    monkeypatch.setattr(indicator_service, "_PART_VALUES", 400 * 6)
    parts = await stream(data, *specs)
    sizes = [len(part.open_time_ns) for part in parts]
    assert sizes == [400, 400, 200] * 3 + [270]
    whole = await ask(data, *specs)
    joined = pb.ComputeIndicatorsResponse(instrument_id=whole.instrument_id)
    assert [time for part in parts for time in part.open_time_ns] == whole.open_time_ns
    assert {part.instrument_id for part in parts} == {joined.instrument_id}
    for number, expected in enumerate(whole.indicators):
        for output, column in columns(expected).items():
            found = np.concatenate([columns(part.indicators[number])[output] for part in parts])
            np.testing.assert_allclose(found, column, rtol=1e-9)


async def test_a_stream_of_nothing_is_one_empty_part(data: RunningData) -> None:
    (part,) = await stream(data, spec("SMA"), start_time=time_of("2014-01-01T00:00:00Z"))
    assert not part.open_time_ns
    assert [one.label for one in part.indicators] == ["SMA"]


async def test_a_stream_refuses_what_a_page_does(data: RunningData) -> None:
    failure = await failure_of(stream(data, spec("SMAA")))
    assert failure.reason == "INDICATOR_UNKNOWN"


async def test_pages_of_many_outputs_are_shorter(data: RunningData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indicator_service, "_MOST_VALUES", 3_000)
    assert len((await ask(data, spec("SMA"))).open_time_ns) == 1_500
    assert len((await ask(data, spec("MACD"), spec("BBANDS"), spec("SMA"))).open_time_ns) == 375


async def test_a_running_sum_over_too_long_a_history_is_refused(
    data: RunningData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indicator_bars, "_MOST_BEFORE", 1_000)
    start = time_of("2005-01-03T00:00:00Z")
    failure = await failure_of(ask(data, spec("OBV"), start_time=start))
    assert (failure.code, failure.reason) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "INDICATOR_HISTORY_TOO_LONG",
    )
    assert failure.metadata["most"] == "1000"
    answer = await ask(data, spec("EMA"), start_time=start)  # so far back it makes no difference
    whole = await ask(data, spec("EMA"))
    found = columns(answer.indicators[0])["real"]
    np.testing.assert_allclose(found, columns(whole.indicators[0])["real"][-len(found) :], rtol=1e-9)


async def test_smart_traders_own_do_not_depend_on_the_range(data: RunningData) -> None:
    names = [entry.name for entry in await catalogue_of(data, "Smart Trader")]
    assert len(names) == 8
    specs = [*map(spec, names), spec("NADARAYA_WATSON", "both sides", repaint="YES", kernel="GAUSSIAN")]
    whole = await ask(data, *specs)
    part = await ask(data, *specs, start_time=time_of("2008-01-02T00:00:00Z"), page_size=300)
    assert [one.repaints for one in whole.indicators] == [False] * 8 + [True]
    first = list(whole.open_time_ns).index(part.open_time_ns[0])
    for expected, found in zip(whole.indicators, part.indicators, strict=True):
        for output, column in columns(expected).items():
            np.testing.assert_allclose(columns(found)[output], column[first : first + 300], rtol=1e-9)


async def test_weekly_values_are_seen_once_the_week_has_closed(data: RunningData) -> None:
    bars = await bars_of(data)
    days = np.array(bars.open_time_ns).astype("datetime64[ns]").astype("datetime64[D]")
    weeks = (days.astype(int) + 3) // 7
    closes = dict(zip(weeks, bars.close, strict=True))  # the last of each
    expected = talib.SMA(np.array(list(closes.values())), 10)
    by_week = dict(zip(closes, np.concatenate(([np.nan], expected[:-1])), strict=True))
    answer = await ask(data, spec("SMA", timeperiod=10, interval=WEEK))
    np.testing.assert_allclose(
        columns(answer.indicators[0])["real"], [by_week[week] for week in weeks], rtol=1e-9
    )


async def test_a_source_may_be_chosen(data: RunningData) -> None:
    bars = await bars_of(data)
    answer = await ask(
        data,
        spec("SMA", "volume", sources=[indicator_pb2.PRICE_SOURCE_VOLUME]),
        spec("SMA", "middle", sources=[indicator_pb2.PRICE_SOURCE_MEDIAN]),
        spec("CORREL", sources=[indicator_pb2.PRICE_SOURCE_CLOSE]),
    )
    volume, middle, correlation = (columns(one)["real"] for one in answer.indicators)
    high, low, close = np.array(bars.high), np.array(bars.low), np.array(bars.close)
    np.testing.assert_allclose(volume, talib.SMA(np.array(bars.volume)), rtol=1e-9)
    np.testing.assert_allclose(middle, talib.SMA((high + low) / 2), rtol=1e-9)
    np.testing.assert_allclose(correlation, talib.CORREL(close, low), rtol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "reason", "field"),
    [
        (spec("SMAA"), "INDICATOR_UNKNOWN", "indicators[1].name"),
        (spec("RSI", period=3), "INDICATOR_PARAMETER_UNKNOWN", "indicators[1].parameters.period"),
        (spec("RSI", timeperiod=1), "INDICATOR_PARAMETER_INVALID", "indicators[1].parameters.timeperiod"),
        (spec("RSI", timeperiod=2.5), "INDICATOR_PARAMETER_INVALID", "indicators[1].parameters.timeperiod"),
        (spec("RSI", timeperiod="20"), "INDICATOR_PARAMETER_INVALID", "indicators[1].parameters.timeperiod"),
        (spec("RSI", timeperiod=True), "INDICATOR_PARAMETER_INVALID", "indicators[1].parameters.timeperiod"),
        (
            spec("RSI", timeperiod=float("nan")),
            "INDICATOR_PARAMETER_INVALID",
            "indicators[1].parameters.timeperiod",
        ),
        (spec("MA", matype="EMAX"), "INDICATOR_PARAMETER_INVALID", "indicators[1].parameters.matype"),
        (spec("MA", matype=1), "INDICATOR_PARAMETER_INVALID", "indicators[1].parameters.matype"),
        (
            spec("ATR", sources=[indicator_pb2.PRICE_SOURCE_CLOSE]),
            "INDICATOR_SOURCE_INVALID",
            "indicators[1].sources",
        ),
        (
            spec("RSI", interval=bar_pb2.BAR_INTERVAL_HOUR),
            "INDICATOR_INTERVAL_INVALID",
            "indicators[1].interval",
        ),
        (spec("SMA", timeperiod=9), "INDICATOR_LABEL_REPEATED", "indicators[1].label"),
        (spec("RSI", timeperiod=5000), "INDICATOR_WINDOW_TOO_LONG", "indicators[1].parameters.timeperiod"),
        (
            spec("MACD", slowperiod=700, interval=WEEK),
            "INDICATOR_WINDOW_TOO_LONG",
            "indicators[1].parameters.slowperiod",
        ),
    ],
)
async def test_what_cannot_be_computed_is_named(
    data: RunningData, wrong: indicator_pb2.IndicatorSpec, reason: str, field: str
) -> None:
    failure = await failure_of(ask(data, spec("SMA"), wrong))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    assert [name for name, _ in failure.violations] == [field]


async def test_all_that_is_wrong_is_named_at_once(data: RunningData) -> None:
    failure = await failure_of(ask(data, spec("SMAA"), spec("RSI", timeperiod=0, period=1)))
    assert failure.reason == "INDICATOR_UNKNOWN"
    assert "SMA" in failure.metadata["nearest"].split(",")
    assert {name for name, _ in failure.violations} == {
        "indicators[0].name",
        "indicators[1].parameters.timeperiod",
        "indicators[1].parameters.period",
    }


async def test_errors_of_history_are_those_of_bars(data: RunningData) -> None:
    for call, reason in (
        (ask(data, spec("SMA"), interval=bar_pb2.BAR_INTERVAL_MINUTE), "BARS_NOT_FOUND"),
        (ask(data, spec("SMA"), instrument=listed("NONE")), "INSTRUMENT_NOT_FOUND"),
        (ask(data, spec("SMA"), page_token="x"), "PAGE_TOKEN_INVALID"),
        (
            ask(
                data,
                spec("SMA"),
                start_time=time_of("2005-01-03T00:00:00Z"),
                end_time=time_of("2005-01-03T00:00:00Z"),
            ),
            "RANGE_INVALID",
        ),
        (ask(data), "FIELD_INVALID"),
        (ask(data, *(spec("SMA", str(n)) for n in range(33))), "FIELD_INVALID"),
    ):
        assert (await failure_of(call)).reason == reason


async def test_a_range_without_bars_is_an_empty_page(data: RunningData) -> None:
    answer = await ask(data, spec("SMA"), end_time=time_of("1990-01-01T00:00:00Z"))
    assert not answer.open_time_ns
    assert not answer.next_page_token
