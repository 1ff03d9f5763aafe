"""Indicators whose next value needs no more than a few numbers of the bars before: a state and a step.

A step takes the state after the bar before and the inputs of one bar, and gives the state after it and the
values there, as TA-Lib's own recursion would. States are never changed in place, so that a bar in progress
can be tried as often as it changes. Each begins where TA-Lib's own values end over the bars up to then.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import talib

from services.data.domain.bars import Doubles
from services.data.indicators.indicator import Settings

State: TypeAlias = tuple[float, ...]
Values: TypeAlias = tuple[float, ...]
Row: TypeAlias = Sequence[float]
"""A number an input, of one bar."""


@dataclass(frozen=True, slots=True)
class Stepping:
    """How an indicator goes on from bar to bar."""

    begin: Callable[[Sequence[Doubles], Settings], State]
    """The state after the last of more than lookback bars; a series an input."""
    step: Callable[[State, Row, Settings], tuple[State, Values]]


def _period(settings: Settings, name: str = "timeperiod") -> int:
    return int(settings[name])


def _ema(before: float, value: float, period: int) -> float:
    return (value - before) * (2.0 / (period + 1)) + before


def _averaged(before: float, value: float, period: int) -> float:
    """Wilder, New Concepts in Technical Trading Systems (1978)."""
    return (before * (period - 1) + value) / period


def _nested(series: Doubles, period: int, depth: int) -> list[Doubles]:
    """The exponential average, that of it, and so on, each without the bars before its first value."""
    found: list[Doubles] = []
    for _ in range(depth):
        series = series if period == 1 else talib.EMA(series, period)[period - 1 :]
        found.append(series)
    return found


def _nested_step(state: State, value: float, period: int) -> State:
    after = []
    for before in state:
        value = _ema(before, value, period)
        after.append(value)
    return tuple(after)


def _begin_nested(depth: int) -> Callable[[Sequence[Doubles], Settings], State]:
    def begin(inputs: Sequence[Doubles], settings: Settings) -> State:
        return tuple(float(one[-1]) for one in _nested(inputs[0], _period(settings), depth))

    return begin


def _step_ema(state: State, row: Row, settings: Settings) -> tuple[State, Values]:
    after = _nested_step(state, row[0], _period(settings))
    return after, after


def _step_dema(state: State, row: Row, settings: Settings) -> tuple[State, Values]:
    after = _nested_step(state, row[0], _period(settings))
    return after, (2.0 * after[0] - after[1],)


def _step_tema(state: State, row: Row, settings: Settings) -> tuple[State, Values]:
    after = _nested_step(state, row[0], _period(settings))
    return after, (3.0 * after[0] - 3.0 * after[1] + after[2],)


def _step_trix(state: State, row: Row, settings: Settings) -> tuple[State, Values]:
    after = _nested_step(state, row[0], _period(settings))
    return after, ((after[2] / state[2] - 1.0) * 100.0 if state[2] else 0.0,)


def _macd_periods(settings: Settings) -> tuple[int, int, int]:
    fast, slow = sorted((_period(settings, "fastperiod"), _period(settings, "slowperiod")))
    return fast, slow, _period(settings, "signalperiod")


def _begin_macd(inputs: Sequence[Doubles], settings: Settings) -> State:
    """TA-Lib begins the fast average late enough for its first value to stand beside the slow one's."""
    fast, slow, signal = _macd_periods(settings)
    quick, sluggish = _nested(inputs[0][slow - fast :], fast, 1)[0], _nested(inputs[0], slow, 1)[0]
    line = _nested(quick - sluggish, signal, 1)[0]
    return float(quick[-1]), float(sluggish[-1]), float(line[-1])


def _step_macd(state: State, row: Row, settings: Settings) -> tuple[State, Values]:
    fast, slow, signal = _macd_periods(settings)
    quick, sluggish = _ema(state[0], row[0], fast), _ema(state[1], row[0], slow)
    macd = quick - sluggish
    line = _ema(state[2], macd, signal)
    return (quick, sluggish, line), (macd, line, macd - line)


def _begin_gains(inputs: Sequence[Doubles], settings: Settings) -> State:
    """Average gain, average loss, last price."""
    period, price = _period(settings), inputs[0]
    moves = np.diff(price)
    gains, losses = np.maximum(moves, 0.0), np.maximum(-moves, 0.0)
    gain, loss = float(gains[:period].mean()), float(losses[:period].mean())
    for up, down in zip(gains[period:].tolist(), losses[period:].tolist(), strict=True):
        gain, loss = _averaged(gain, up, period), _averaged(loss, down, period)
    return gain, loss, float(price[-1])


def _step_gains(state: State, row: Row, settings: Settings) -> State:
    move, period = row[0] - state[2], _period(settings)
    return _averaged(state[0], max(move, 0.0), period), _averaged(state[1], max(-move, 0.0), period), row[0]


def _step_rsi(state: State, row: Row, settings: Settings) -> tuple[State, Values]:
    after = _step_gains(state, row, settings)
    both = after[0] + after[1]
    return after, (100.0 * after[0] / both if both > 0 else 0.0,)


def _step_cmo(state: State, row: Row, settings: Settings) -> tuple[State, Values]:
    after = _step_gains(state, row, settings)
    both = after[0] + after[1]
    return after, (100.0 * (after[0] - after[1]) / both if both > 0 else 0.0,)


def _begin_atr(inputs: Sequence[Doubles], settings: Settings) -> State:
    """Average true range, last close."""
    high, low, close = inputs
    return float(talib.ATR(high, low, close, _period(settings))[-1]), float(close[-1])


def _step_range(state: State, row: Row, settings: Settings) -> State:
    high, low, close = row
    true_range = max(high, state[1]) - min(low, state[1])
    return _averaged(state[0], true_range, _period(settings)), close


def _step_atr(state: State, row: Row, settings: Settings) -> tuple[State, Values]:
    after = _step_range(state, row, settings)
    return after, after[:1]


def _step_natr(state: State, row: Row, settings: Settings) -> tuple[State, Values]:
    after = _step_range(state, row, settings)
    if _period(settings) == 1:  # of one bar TA-Lib gives the plain range
        return after, after[:1]
    return after, (after[0] / after[1] * 100.0 if after[1] else 0.0,)


def _running(name: str, combine: Callable[[float, float, float], float]) -> Stepping:
    """What a bar adds to a running value is read off TA-Lib's function over it and the bar before."""
    function: Callable[..., Doubles] = getattr(talib, name)

    def begin(inputs: Sequence[Doubles], _settings: Settings) -> State:
        return float(function(*inputs)[-1]), *(float(series[-1]) for series in inputs)

    def step(state: State, row: Row, _settings: Settings) -> tuple[State, Values]:
        pair = [np.array(both) for both in zip(state[1:], row, strict=True)]
        first, second = function(*pair).tolist()
        value = combine(state[0], first, second)
        return (value, *row), (value,)

    return Stepping(begin, step)


def _begin_vwap(inputs: Sequence[Doubles], _settings: Settings) -> State:
    """Sums of typical price times volume, and of volume."""
    high, low, close, volume = inputs
    return math.fsum((high + low + close) / 3.0 * volume), math.fsum(volume)


def _step_vwap(state: State, row: Row, _settings: Settings) -> tuple[State, Values]:
    high, low, close, volume = row
    turnover, shares = state[0] + (high + low + close) / 3.0 * volume, state[1] + volume
    return (turnover, shares), (turnover / shares if shares else math.nan,)


def _sum(total: float, first: float, second: float) -> float:
    return total + (second - first)


def _product(index: float, first: float, second: float) -> float:
    return index * (second / first)


STEPPING: Final[Mapping[str, Stepping]] = {
    "EMA": Stepping(_begin_nested(1), _step_ema),
    "DEMA": Stepping(_begin_nested(2), _step_dema),
    "TEMA": Stepping(_begin_nested(3), _step_tema),
    "TRIX": Stepping(_begin_nested(3), _step_trix),
    "MACD": Stepping(_begin_macd, _step_macd),
    "RSI": Stepping(_begin_gains, _step_rsi),
    "CMO": Stepping(_begin_gains, _step_cmo),
    "ATR": Stepping(_begin_atr, _step_atr),
    "NATR": Stepping(_begin_atr, _step_natr),
    **{name: _running(name, _sum) for name in ("AD", "CUMSUM", "OBV", "PVT", "WAD")},
    **{name: _running(name, _product) for name in ("NVI", "PVI")},
    "VWAP": Stepping(_begin_vwap, _step_vwap),
}
"""By name of the indicator. All that sum up every bar are here: no window would do for them."""
