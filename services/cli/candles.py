"""Candles and volume in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from rich.text import Text

_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
_RISING: Final = "green"
_FALLING: Final = "red"
_VOLUME: Final = "dim"
_HALVES: Final = {
    # (upper half, lower half) of a cell: 0 nothing, 1 wick, 2 body.
    (0, 0): " ",
    (1, 1): "│",
    (2, 2): "┃",
    (1, 0): "╵",
    (0, 1): "╷",
    (2, 0): "╹",
    (0, 2): "╻",
    (1, 2): "╽",
    (2, 1): "╿",
}


@dataclass(frozen=True, slots=True)
class Candle:
    """A bar, or several in one."""

    open: float
    high: float
    low: float
    close: float
    volume: float


def candle_chart(candles: Sequence[Candle], *, width: int, height: int = 12) -> list[Text]:
    """Lines of candles, the highest and lowest price named at the left, and a line of volume below.

    `width` is of the whole line. With more candles than columns, those of equal stretches are put together.
    """
    if not candles:
        return []
    top, bottom = max(one.high for one in candles), min(one.low for one in candles)
    labels = [f"{top:,.2f}", *[""] * (height - 2), f"{bottom:,.2f}"]
    margin = max(len(label) for label in (*labels, "volume"))
    shown = _put_together(candles, max(1, width - margin - 2))
    lines = [Text(f"{label:>{margin}} ┤") for label in labels]
    for candle in shown:
        style = _RISING if candle.close >= candle.open else _FALLING
        halves = _halves(candle, bottom, top, 2 * height)
        for row, line in enumerate(lines):
            line.append(_HALVES[halves[2 * row], halves[2 * row + 1]], style)
    most = max(one.volume for one in shown)
    if most > 0:
        volumes = Text(f"{'volume':>{margin}} ┤")
        for one in shown:
            volumes.append(_BLOCKS[round(one.volume / most * (len(_BLOCKS) - 1))], _VOLUME)
        lines.append(volumes)
    for line in lines:
        line.rstrip()
    return lines


def _put_together(candles: Sequence[Candle], columns: int) -> list[Candle]:
    if len(candles) <= columns:
        return list(candles)
    cuts = [column * len(candles) // columns for column in range(columns + 1)]
    return [_one(candles[first:end]) for first, end in pairwise(cuts)]


def _one(candles: Sequence[Candle]) -> Candle:
    return Candle(
        candles[0].open,
        max(one.high for one in candles),
        min(one.low for one in candles),
        candles[-1].close,
        sum(one.volume for one in candles),
    )


def _halves(candle: Candle, bottom: float, top: float, count: int) -> list[int]:
    """What each half cell of the candle's column shows, the highest first."""

    def place(price: float) -> int:
        return count - 1 - round((price - bottom) / ((top - bottom) or 1.0) * (count - 1))

    halves = [0] * count
    for row in range(place(candle.high), place(candle.low) + 1):
        halves[row] = 1
    for row in range(place(max(candle.open, candle.close)), place(min(candle.open, candle.close)) + 1):
        halves[row] = 2
    return halves
