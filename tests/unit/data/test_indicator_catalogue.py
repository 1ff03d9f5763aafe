"""The catalogue against TA-Lib itself."""

from __future__ import annotations

import numpy as np
import pytest
import talib
from talib.abstract import Function  # type: ignore[attr-defined]

from services.data.indicators.catalogue import catalogue, nearest
from services.data.indicators.indicator import (
    ChoiceParameter,
    IntegerParameter,
    Parameter,
    PriceSource,
    RealParameter,
    price_series,
)
from services.data.indicators.talib_catalogue import LEFT_OUT, MOVING_AVERAGES
from tests.unit.data.made_up_bars import made_up_bars

FUNCTIONS: list[str] = talib.get_functions()  # type: ignore[no-untyped-call]
OURS = sorted(set(catalogue()) - set(FUNCTIONS))
PLACES = {"MAXINDEX", "MININDEX", "MINMAXINDEX"}


def test_every_function_is_in_it_but_those_left_out() -> None:
    assert set(FUNCTIONS) - set(catalogue()) == set(LEFT_OUT) == {"MAVP"}
    assert OURS == [
        "ADAPTIVE_SUPERTREND",
        "CUSTOM_MACD",
        "GAUSSIAN_FILTER",
        "NADARAYA_WATSON",
        "RS_BANDS",
        "SMOOTHED_BBANDS",
        "SR_CHANNELS",
        "TRIPLE_BBANDS",
    ]


def test_moving_averages_are_numbered_as_in_talib() -> None:
    kinds = talib.MA_Type  # type: ignore[attr-defined]
    assert [getattr(kinds, name) for name in MOVING_AVERAGES] == list(range(len(MOVING_AVERAGES)))


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - set(LEFT_OUT)))
def test_values_are_those_of_the_library(name: str) -> None:
    bars = made_up_bars(400)
    columns = {field: getattr(bars, field) for field in ("open", "high", "low", "close", "volume")}
    expected = Function(name)(columns)
    indicator = catalogue()[name]
    inputs = [price_series(bars, one.default) for one in indicator.inputs]
    found = indicator.formula(inputs, indicator.defaults())
    lookback = indicator.lookback(indicator.defaults())
    expected = expected if isinstance(expected, list) else [expected]
    for ours, theirs in zip(found, expected, strict=True):
        if name in PLACES:
            theirs = np.arange(len(theirs)) - theirs  # noqa: PLW2901
        assert np.array_equal(ours[lookback:], theirs[lookback:], equal_nan=True)


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        (name, parameter)
        for name in sorted(set(FUNCTIONS) - set(LEFT_OUT))
        for parameter in catalogue()[name].parameters
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_ranges_are_those_of_the_library(name: str, parameter: Parameter) -> None:
    def is_accepted(value: float) -> bool:
        asked = Function(name)
        asked.parameters = {parameter.name: value}
        return bool(asked.lookback >= 0)

    if isinstance(parameter, ChoiceParameter):
        assert all(is_accepted(number) for number in range(len(parameter.names)))
        assert not is_accepted(len(parameter.names))
    elif isinstance(parameter, IntegerParameter):
        assert is_accepted(parameter.minimum)
        assert is_accepted(parameter.maximum)
        assert not is_accepted(parameter.minimum - 1)
        assert not is_accepted(parameter.maximum + 1)
    else:
        assert is_accepted(parameter.minimum)
        assert is_accepted(parameter.maximum)
        assert not is_accepted(parameter.minimum - 0.001 - abs(parameter.minimum) / 10)
        assert not is_accepted(parameter.maximum + 0.001 + abs(parameter.maximum) / 10)


def test_defaults_are_in_range_and_described() -> None:
    for indicator in catalogue().values():
        assert indicator.description
        assert indicator.source
        for parameter in indicator.parameters:
            assert parameter.description
            if isinstance(parameter, ChoiceParameter):
                assert parameter.default in parameter.names
            else:
                assert parameter.minimum <= parameter.default <= parameter.maximum
                assert isinstance(parameter, RealParameter) or isinstance(parameter.default, int)


def test_price_series_are_what_they_are_called() -> None:
    bars = made_up_bars(50)
    np.testing.assert_allclose(price_series(bars, PriceSource.MEDIAN), talib.MEDPRICE(bars.high, bars.low))
    np.testing.assert_allclose(
        price_series(bars, PriceSource.TYPICAL), talib.TYPPRICE(bars.high, bars.low, bars.close)
    )
    np.testing.assert_allclose(
        price_series(bars, PriceSource.WEIGHTED_CLOSE), talib.WCLPRICE(bars.high, bars.low, bars.close)
    )
    np.testing.assert_allclose(
        price_series(bars, PriceSource.AVERAGE),
        talib.AVGPRICE(bars.open, bars.high, bars.low, bars.close),
    )
    assert price_series(bars, PriceSource.VOLUME) is bars.volume


def test_a_mistyped_name_finds_those_near_it() -> None:
    assert "SMA" in nearest("smaa")
    assert nearest("qqqqqqq") == []
