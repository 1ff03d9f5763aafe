"""Prices of the past in today's terms."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from services.data.domain.bars import Bars, Doubles, SourceBars
from services.data.domain.splits import Split, later_split_factor


class Adjustment(IntEnum):
    """How bars are adjusted, numbered as in the contract."""

    RAW = 1
    SPLIT = 2
    FULL = 3


def adjust_for_splits(bars: Bars, splits: Sequence[Split]) -> Bars:
    """Prices divided by the splits that came later, volume multiplied by them."""
    factor = later_split_factor(bars.open_time_ns, splits)
    return _scaled(bars, 1 / factor, close=bars.close / factor, volume=bars.volume * factor)


def adjust_fully(bars: SourceBars, splits: Sequence[Split]) -> Bars:
    """Prices scaled by adjusted_close / close, so that the close is the source's adjusted close.

    Dividends change no number of shares: the volume is adjusted for splits alone.
    """
    volume = bars.volume * later_split_factor(bars.open_time_ns, splits)
    return _scaled(bars, bars.adjusted_close / bars.close, close=bars.adjusted_close, volume=volume)


def _scaled(bars: Bars, scale: Doubles, *, close: Doubles, volume: Doubles) -> Bars:
    return Bars(bars.open_time_ns, bars.open * scale, bars.high * scale, bars.low * scale, close, volume)
