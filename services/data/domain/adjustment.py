"""Prices of the past in today's terms."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from services.data.domain.bars import Bars, Doubles
from services.data.domain.splits import Split, later_split_factor


class Adjustment(IntEnum):
    """How bars are adjusted, numbered as in the contract."""

    RAW = 1
    SPLIT = 2
    FULL = 3


def adjust(bars: Bars, splits: Sequence[Split], adjustment: Adjustment) -> Bars:
    """The bars adjusted; the same object when there is nothing to do.

    SPLIT divides prices by the splits that came later and multiplies volume by them. FULL scales prices by
    adjusted_close / close, so that the close is the source's adjusted close; its volume is SPLIT's.
    """
    if adjustment is Adjustment.RAW or (adjustment is Adjustment.SPLIT and not splits):
        return bars
    split_factor = later_split_factor(bars.open_time_ns, splits)
    volume = bars.volume * split_factor
    if adjustment is Adjustment.SPLIT:
        return _scaled(bars, 1 / split_factor, volume, bars.close / split_factor)
    return _scaled(bars, bars.adjusted_close / bars.close, volume, bars.adjusted_close)


def _scaled(bars: Bars, scale: Doubles, volume: Doubles, close: Doubles) -> Bars:
    return Bars(
        open_time_ns=bars.open_time_ns,
        open=bars.open * scale,
        high=bars.high * scale,
        low=bars.low * scale,
        close=close,
        volume=volume,
        adjusted_close=bars.adjusted_close,
    )
