"""TA-Lib's functions as indicators, made from the library's own metadata.

Importing it takes a second, for TA-Lib's package pulls in pandas and polars: `catalogue.py` does when asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import numpy as np
import talib
from talib.abstract import Function  # type: ignore[attr-defined]  # its types leave it out

from services.data.domain.bars import Doubles
from services.data.indicators.indicator import (
    ChoiceParameter,
    Indicator,
    Input,
    IntegerParameter,
    Memory,
    Parameter,
    PriceSource,
    RealParameter,
    Settings,
)

VERSION: Final[str] = talib.__ta_version__.decode().split()[0]  # type: ignore[attr-defined]

LEFT_OUT: Final = {"MAVP": "its periods vary by bar: they would have to be a series of the caller's"}
"""Functions of TA-Lib that are no indicators of one instrument's bars, and why."""

MOVING_AVERAGES: Final = (
    *("SMA", "EMA", "WMA", "DEMA", "TEMA", "TRIMA", "KAMA"),
    *("MAMA", "T3", "HMA", "DISABLED", "DEFAULT", "ZLEMA", "RMA"),
)
"""Names of talib.MA_Type, by number."""

# The metadata that the Python package passes on has no ranges. Whole numbers begin at 1 or 2, which is tried;
# those of real parameters are of ta_func_api's tables (TA_RealRange) and proven by a test.
_LONGEST_PERIOD: Final = 100_000
_ANY_REAL: Final = 3e37
_REAL_RANGES: Final = {
    "fastlimit": (0.01, 0.99),
    "slowlimit": (0.01, 0.99),
    "vfactor": (0.0, 1.0),
    "percentile": (0.0, 100.0),
    "nbdev": (-_ANY_REAL, _ANY_REAL),
    "nbdevup": (-_ANY_REAL, _ANY_REAL),
    "nbdevdn": (-_ANY_REAL, _ANY_REAL),
    "startvalue": (-_ANY_REAL, _ANY_REAL),
}
_NOT_NEGATIVE: Final = (0.0, _ANY_REAL)

_DESCRIPTIONS: Final = {
    "fastperiod": "Bars of the fast average",
    "slowperiod": "Bars of the slow average",
    "signalperiod": "Bars of the signal's average",
    "leftbars": "Bars to the left that must be lower (higher)",
    "rightbars": "Bars to the right that must be lower (higher): it is known that much later",
    "nbdev": "Deviations from the middle",
    "nbdevup": "Standard deviations from the middle to the upper band",
    "nbdevdn": "Standard deviations from the middle to the lower band",
    "fastlimit": "Upper limit of the smoothing constant",
    "slowlimit": "Lower limit of the smoothing constant",
    "acceleration": "Acceleration factor, at first and a step",
    "maximum": "Largest acceleration factor",
    "startvalue": "Where it begins: long above 0, short below; 0 finds out",
    "offsetonreverse": "Share added to (taken from) the stop when it turns",
    "accelerationinitlong": "Acceleration factor at first, long",
    "accelerationlong": "Acceleration factor a step, long",
    "accelerationmaxlong": "Largest acceleration factor, long",
    "accelerationinitshort": "Acceleration factor at first, short",
    "accelerationshort": "Acceleration factor a step, short",
    "accelerationmaxshort": "Largest acceleration factor, short",
    "multiplier": "Average true ranges from the middle",
    "vfactor": "Volume factor: 0 is an exponential average, 1 a double one",
    "penetration": "How far into the other candle's body it must reach, as a share",
    "percentile": "Which percentile",
}

# The library flags what depends on the path; these come back to the same path whatever they began with.
_PATHS_THAT_MEET: Final = {"ADOSC", "SAR", "SAREXT", "SUPERTREND"}
# The library flags the exponential averages it has an unstable period for, not what is made of them.
_MADE_OF_EXPONENTIAL_AVERAGES: Final = {
    *("ADXR", "CVI", "DEMA", "EFI", "ERI", "KC", "MACD", "MACDFIX"),
    *("MASSI", "SMI", "STOCHRSI", "TEMA", "TRIX", "TSI", "ZLEMA"),
}
# They answer with places in the array they got; a caller knows no such array.
_ANSWERS_ARE_PLACES: Final = {"MAXINDEX", "MININDEX", "MINMAXINDEX"}


def talib_indicators() -> list[Indicator]:
    """All of TA-Lib's functions but LEFT_OUT."""
    names: list[str] = talib.get_functions()  # type: ignore[no-untyped-call]
    return [_indicator(name) for name in names if name not in LEFT_OUT]


def _indicator(name: str) -> Indicator:
    info = Function(name).info
    parameters = tuple(_parameter(name, *entry) for entry in info["parameters"].items())
    description = str(info["display_name"])
    if name in _ANSWERS_ARE_PLACES:
        description += ", as bars ago"
    return Indicator(
        name=name,
        group=str(info["group"]),
        description=description,
        inputs=_inputs(info["input_names"]),
        parameters=parameters,
        outputs=tuple(info["output_names"]),
        source=f"TA-Lib {VERSION}",
        memory=_memory(name, info["function_flags"] or (), parameters),
        lookback=partial(lookback_of, name),
        formula=partial(_compute, name),
    )


def _inputs(names: Mapping[str, str | list[str]]) -> tuple[Input, ...]:
    """A price that the function takes by itself may be any; those it takes together are what they are."""
    inputs: list[Input] = []
    for default in names.values():
        if isinstance(default, str):
            inputs.append(Input(PriceSource[default.upper()], selectable=True))
        else:
            inputs += (Input(PriceSource[one.upper()], selectable=False) for one in default)
    return tuple(inputs)


def _parameter(function: str, name: str, default: float) -> Parameter:
    if name.endswith("matype"):
        return ChoiceParameter(name, "Kind of moving average", MOVING_AVERAGES[int(default)], MOVING_AVERAGES)
    if isinstance(default, int):
        minimum = 1 if _is_accepted(function, name, 1) else 2
        return IntegerParameter(name, _DESCRIPTIONS.get(name, "Bars"), default, minimum, _LONGEST_PERIOD)
    return RealParameter(name, _DESCRIPTIONS[name], default, *_REAL_RANGES.get(name, _NOT_NEGATIVE))


def _is_accepted(function: str, name: str, value: float) -> bool:
    asked = Function(function)
    asked.parameters = {name: value}
    return int(asked.lookback) >= 0


def _memory(name: str, flags: Sequence[str], parameters: Sequence[Parameter]) -> Memory:
    if "Output is path-dependent" in flags and name not in _PATHS_THAT_MEET:
        return Memory.CUMULATIVE
    fades = (
        name in _PATHS_THAT_MEET
        or name in _MADE_OF_EXPONENTIAL_AVERAGES
        or "Function has an unstable period" in flags
        or any(isinstance(parameter, ChoiceParameter) for parameter in parameters)
    )
    return Memory.FADING if fades else Memory.WINDOW


def _arguments(settings: Settings) -> dict[str, int | float]:
    return {
        name: MOVING_AVERAGES.index(value) if isinstance(value, str) else value
        for name, value in settings.items()
    }


def lookback_of(name: str, settings: Settings) -> int:
    """Bars before the first value of TA-Lib's function with these settings."""
    asked = Function(name)
    asked.parameters = _arguments(settings)
    return int(asked.lookback)


def _compute(name: str, inputs: Sequence[Doubles], settings: Settings) -> list[Doubles]:
    if name in _ANSWERS_ARE_PLACES:
        return _bars_ago(name, inputs[0], int(settings["timeperiod"]))
    answer = getattr(talib, name)(*inputs, **_arguments(settings))
    columns = answer if isinstance(answer, tuple) else (answer,)
    lookback = lookback_of(name, settings)
    return [_as_doubles(column, lookback) for column in columns]


def _as_doubles(column: np.ndarray, lookback: int) -> Doubles:
    if column.dtype == np.float64:
        return column
    values: Doubles = column.astype(np.float64)
    values[:lookback] = np.nan  # the library has zeros there
    return values


def _bars_ago(name: str, series: Doubles, period: int) -> list[Doubles]:
    """How long ago the extremes were, the newest of equal ones.

    Which of equal ones the library takes depends on where its array begins: it is given ranks, none equal.
    """
    places = []
    if name != "MAXINDEX":
        places.append(talib.MININDEX(_ranks(series[::-1])[::-1].copy(), period))
    if name != "MININDEX":
        places.append(talib.MAXINDEX(_ranks(series), period))
    bars = np.arange(len(series))
    columns: list[Doubles] = [np.subtract(bars, place, dtype=np.float64) for place in places]
    for column in columns:
        column[: period - 1] = np.nan
    return columns


def _ranks(series: Doubles) -> Doubles:
    """Place of each value in their order, of equal ones the later higher."""
    ranks = np.empty(len(series))
    ranks[np.argsort(series, kind="stable")] = np.arange(len(series))
    return ranks
