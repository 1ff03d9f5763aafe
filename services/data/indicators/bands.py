"""Bollinger bands in Smart Trader's forms, and its MACD."""

from __future__ import annotations

from typing import Final

import numpy as np
import talib

from services.data.domain.bars import Doubles

RISING_ABOVE: Final = 2.0
FALLING_ABOVE: Final = 1.0
RISING_BELOW: Final = -1.0
FALLING_BELOW: Final = -2.0


def smoothed_bollinger(
    price: Doubles, period: int, deviations_up: float, deviations_down: float, smooth_period: int
) -> tuple[Doubles, Doubles, Doubles]:
    """Upper, middle and lower Bollinger band, each averaged over the last ``smooth_period`` bars.

    Bollinger on Bollinger Bands (2001), ch. 7: SMA(n) of the price, plus and minus k population standard
    deviations of the same n prices. A simple average of each line keeps them in order.
    """
    bands = talib.BBANDS(price, period, deviations_up, deviations_down)
    return tuple(band if smooth_period == 1 else talib.SMA(band, smooth_period) for band in bands)  # type: ignore[return-value]  # three


def triple_bollinger(
    price: Doubles, period: int, deviations: tuple[float, float, float]
) -> tuple[Doubles, list[Doubles], list[Doubles]]:
    """The middle, three upper and three lower bands, in the order of ``deviations``.

    Bollinger (2001), ch. 7, with three widths about one middle.
    """
    middle = talib.SMA(price, period)
    deviation = talib.STDDEV(price, period)
    return (
        middle,
        [middle + width * deviation for width in deviations],
        [middle - width * deviation for width in deviations],
    )


def custom_macd(
    price: Doubles, fast: tuple[int, int], slow: tuple[int, int], signal: tuple[int, int]
) -> tuple[Doubles, Doubles, Doubles, Doubles, Doubles]:
    """MACD, signal, histogram, its state, and crossings; each pair is a period and TA-Lib's MA type.

    Appel, Technical Analysis: Power Tools for Active Investors (2005), ch. 8: MACD = average(fast) -
    average(slow), signal = average of it, histogram = their difference. States as in Moody, CM_MacD_Ult_MTF
    (TradingView, 2014): 2 above zero and rising, 1 above zero and falling, -1 below and rising, -2 below and
    falling (not rising counts as falling). A crossing is 1 where MACD comes over its signal, -1 where it
    comes under it, else 0. State and crossing need the bar before.
    """
    macd, line, histogram = talib.MACDEXT(price, *fast, *slow, *signal)  # type: ignore[arg-type]
    before = np.concatenate(([np.nan], histogram[:-1]))
    rising = histogram > before
    state = np.where(
        histogram >= 0,
        np.where(rising, RISING_ABOVE, FALLING_ABOVE),
        np.where(rising, RISING_BELOW, FALLING_BELOW),
    )
    crossing = ((histogram > 0) & (before <= 0)).astype(np.float64) - ((histogram < 0) & (before >= 0))
    defined = ~np.isnan(before)
    return (
        macd,
        line,
        histogram,
        np.where(defined, state, np.nan),
        np.where(defined, crossing, np.nan),
    )
