"""Prices of the past in today's terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from services.data.domain.bars import Bars, Doubles, Ints, SourceBars
from services.data.domain.dividends import PriceFactor
from services.data.domain.splits import Split, later_split_factor


class Adjustment(IntEnum):
    """How bars are adjusted, numbered as in the contract."""

    RAW = 1
    SPLIT = 2
    FULL = 3


@dataclass(frozen=True, slots=True)
class CorporateActions:
    """What adjusts bars."""

    splits: Sequence[Split] = ()
    dividends: Sequence[PriceFactor] = ()
    by_source: bool = False
    """Instead of dividends: scale prices to the source's adjusted close."""


NO_ACTIONS = CorporateActions()


def adjust(bars: Bars, actions: CorporateActions) -> Bars:
    """The bars in the terms after all actions; `SourceBars` to use the source's adjusted close."""
    if actions.by_source and isinstance(bars, SourceBars):
        return adjust_fully(bars, actions.splits)
    if not actions.splits and not actions.dividends:
        return bars
    shares = later_split_factor(bars.open_time_ns, actions.splits)
    if not actions.dividends:
        return _scaled(bars, 1 / shares, close=bars.close / shares, volume=bars.volume * shares)
    scale = later_dividend_factor(bars.open_time_ns, actions.dividends) / shares
    return _scaled(bars, scale, close=bars.close * scale, volume=bars.volume * shares)


def adjust_fully(bars: SourceBars, splits: Sequence[Split]) -> Bars:
    """Prices scaled by adjusted_close / close, so that the close is the source's adjusted close.

    Dividends change no number of shares: the volume is adjusted for splits alone.
    """
    volume = bars.volume * later_split_factor(bars.open_time_ns, splits)
    return _scaled(bars, bars.adjusted_close / bars.close, close=bars.adjusted_close, volume=volume)


def later_dividend_factor(open_time_ns: Ints, factors: Sequence[PriceFactor]) -> Doubles:
    """For each bar, the product of the factors of the dividends that came after it opened."""
    scale = np.ones(len(open_time_ns))
    for one in factors:
        scale[open_time_ns < one.ex_time_ns] *= one.factor
    return scale


def _scaled(bars: Bars, scale: Doubles, *, close: Doubles, volume: Doubles) -> Bars:
    return Bars(bars.open_time_ns, bars.open * scale, bars.high * scale, bars.low * scale, close, volume)
