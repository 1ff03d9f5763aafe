"""The generated tape of one session: a path of prints through a real daily bar, with a book around it.

Everything is integer arithmetic on the raw output of Philox, keyed by (seed, session date, instrument): a
session is the same byte for byte on every machine and can be generated without the ones before it.

Rounding: a print is on the tick of its band, except the bar's own open, high, low and close, which are
printed as they are even where the real bar is finer than a tick. When no tick lies within the bar's range,
prints keep to the range.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from services.venue.domain.order import Side
from services.venue.domain.price import CENTS, Ints, Ticks, price_units

LEVELS = 5
MIN_STEPS = 4
MAX_STEPS = 23_400
"""One step a second of a full session."""

Quote = tuple[int, int]

_FRACTION = 1 << 10
_DRAWS = 5 + 2 * LEVELS


@dataclass(frozen=True, slots=True)
class DailyBar:
    """A real, unadjusted daily bar: prices in units of 0.0001, volume in shares."""

    open: int
    high: int
    low: int
    close: int
    volume: int

    def __post_init__(self) -> None:
        if not 0 < self.low <= min(self.open, self.close) <= max(self.open, self.close) <= self.high:
            raise ValueError(f"{self} is not a bar")
        if self.volume < MIN_STEPS:
            raise ValueError(f"{self} has too little volume to print its four prices")

    @classmethod
    def of(cls, open_: Decimal, high: Decimal, low: Decimal, close: Decimal, volume: int) -> DailyBar:
        """Return the bar of decimal prices. ValueError when one is finer than 0.0001 or they make no bar."""
        return cls(price_units(open_), price_units(high), price_units(low), price_units(close), volume)


@dataclass(frozen=True, slots=True)
class SessionTape:
    """What is generated at each step of a session: one print, and the quoted levels, best first."""

    prices: list[int]
    volumes: list[int]
    aggressors: list[Side]
    bids: list[tuple[Quote, ...]]
    asks: list[tuple[Quote, ...]]


def generate_session(
    bar: DailyBar, *, seed: int, session_date: date, instrument_id: str, steps: int, ticks: Ticks = CENTS
) -> SessionTape:
    """Return the tape whose prints open, peak, bottom, close and sum up exactly as `bar` does."""
    if not MIN_STEPS <= steps <= MAX_STEPS:
        raise ValueError(f"a session has {MIN_STEPS} to {MAX_STEPS} steps, not {steps}")
    key = hashlib.sha256(f"replay-1|{seed}|{session_date.isoformat()}|{instrument_id}".encode()).digest()
    generator = np.random.Philox(key=int.from_bytes(key[:16], "little"))
    draws = (generator.random_raw(steps * _DRAWS).reshape(_DRAWS, steps) >> np.uint64(1)).astype(np.int64)
    anchors = _anchors(bar, int(draws[0, 0]), int(draws[0, 1]), steps)
    prices = _path(bar, anchors, draws[1], ticks)
    volumes = _volumes(bar.volume, anchors, draws[2], steps)
    buys = _aggressor_is_buyer(prices, draws[3])
    bids, asks = _books(prices, buys, draws[4], draws[5:], max(bar.volume // (steps * 20), 1), ticks)
    return SessionTape(
        prices.tolist(),
        volumes.tolist(),
        [Side.BUY if buy else Side.SELL for buy in buys.tolist()],
        bids,
        asks,
    )


def _anchors(bar: DailyBar, first: int, second: int, steps: int) -> list[tuple[int, int]]:
    """Return (step, price) of the bar's own prints: open, close, and the extremes at random steps."""
    interior = steps - 2
    high_at = first % interior
    low_at = (high_at + 1 + second % (interior - 1)) % interior
    return sorted([(0, bar.open), (1 + high_at, bar.high), (1 + low_at, bar.low), (steps - 1, bar.close)])


def _path(bar: DailyBar, anchors: list[tuple[int, int]], draws: Ints, ticks: Ticks) -> Ints:
    """Return a Brownian bridge from anchor to anchor, reflected at the bar's high and low.

    A walk of n steps of deviation s spans 1.6 s sqrt(n) on average (Feller 1951), which gives the deviation
    here. The increments are sums of four uniform draws: near enough to normal, and integers.
    """
    steps = len(draws)
    span = bar.high - bar.low
    uniform = sum((draws >> (15 * k)) & 0x7FFF for k in range(4)) - 4 * 0x3FFF
    deviation = span * _FRACTION * 1000 // (1600 * max(math.isqrt(steps), 1))
    walk = np.cumsum(uniform * deviation // 18_918)
    path = np.empty(steps, dtype=np.int64)
    for (start, from_price), (end, to_price) in pairwise(anchors):
        length = end - start
        at = np.arange(length + 1, dtype=np.int64)
        wander = walk[start : end + 1] - walk[start]
        line = (from_price - bar.low) * _FRACTION + (to_price - from_price) * _FRACTION * at // length
        path[start : end + 1] = line + wander - wander[-1] * at // length
    if span:
        folded = path % (2 * span * _FRACTION)
        path = np.minimum(folded, 2 * span * _FRACTION - folded)
    prices = _to_tick(path // _FRACTION + bar.low, bar, ticks)
    for step, price in anchors:
        prices[step] = price
    return prices


def _to_tick(prices: Ints, bar: DailyBar, ticks: Ticks) -> Ints:
    ends = np.array([bar.low, bar.high], dtype=np.int64)
    lowest, highest = int(ticks.ceil(ends)[0]), int(ticks.floor(ends)[1])
    if lowest > highest:
        return np.clip(prices, bar.low, bar.high)
    return np.clip(ticks.nearest(prices), lowest, highest)


def _volumes(total: int, anchors: list[tuple[int, int]], draws: Ints, steps: int) -> Ints:
    """Share `total` out over the steps: busy at both ends, at least one share at each anchor."""
    at = np.arange(steps, dtype=np.int64)
    from_middle = np.abs(2 * at - (steps - 1)) * 256 // max(steps - 1, 1)
    weights = (256 + 512 * from_middle * from_middle // 65_536) * (64 + (draws & 0xFF))
    cumulative = np.cumsum(weights)
    share = total - len(anchors)
    bounds = np.array([share * int(c) // int(cumulative[-1]) for c in cumulative], dtype=np.int64)
    volumes = np.diff(bounds, prepend=0)
    for step, _ in anchors:
        volumes[step] += 1
    return volumes


def _aggressor_is_buyer(prices: Ints, draws: Ints) -> NDArray[np.bool_]:
    """A rise is bought and a fall is sold three times in four; an unchanged price either way."""
    change = np.diff(prices, prepend=prices[0])
    return (draws & 3) < np.where(change > 0, 3, np.where(change < 0, 1, 2))


def _books(
    prices: Ints, buys: NDArray[np.bool_], spread_draws: Ints, size_draws: Ints, size: int, ticks: Ticks
) -> tuple[list[tuple[Quote, ...]], list[tuple[Quote, ...]]]:
    """Return the quoted levels of each step: a bought print is at the best ask, a sold one at the best bid.

    The spread is near 2 basis points and never under a tick; `size` is the mean of the best level, and level
    k holds about k times as much. Every quote is on the tick of its own band.
    """
    tick = ticks.at(prices)
    typical = 1 + prices // (5_000 * tick)
    spread = np.maximum(1, typical // 2 + spread_draws % (typical + 1))
    gap = np.maximum(1, typical // 4) * tick
    above, below = ticks.ceil(prices), ticks.floor(prices)
    asks = np.where(buys, above, ticks.ceil(below + spread * tick))
    bids = np.where(buys, ticks.floor(above - spread * tick), below)
    depth = np.arange(1, LEVELS + 1, dtype=np.int64).reshape(LEVELS, 1)
    sizes = np.maximum(1, np.tile(depth, (2, 1)) * size * (128 + (size_draws & 0xFF)) // 256)
    ask_prices = [asks]
    for _ in range(1, LEVELS):  # where a band with wider ticks begins, levels lie further apart
        ask_prices.append(ticks.ceil(ask_prices[-1] + gap))
    bid_prices = ticks.floor(bids - (depth - 1) * gap)
    return _levels(bid_prices, sizes[:LEVELS]), _levels(np.array(ask_prices), sizes[LEVELS:])


def _levels(prices: Ints, sizes: Ints) -> list[tuple[Quote, ...]]:
    return [
        tuple((price, size) for price, size in zip(row, size_row, strict=True) if price > 0)
        for row, size_row in zip(prices.T.tolist(), sizes.T.tolist(), strict=True)
    ]
