"""A small chart of block characters."""

from __future__ import annotations

from collections.abc import Sequence

_BLOCKS = " ▁▂▃▄▅▆▇█"
_EIGHTHS = len(_BLOCKS) - 1


def price_chart(prices: Sequence[float], *, width: int, height: int = 8) -> list[str]:
    """Lines of a column chart, the highest first, with the highest and the lowest price named at the left.

    `width` is of the whole line. With more prices than columns, the last of each equal stretch is shown.
    """
    if not prices:
        return []
    low, high = min(prices), max(prices)
    labels = [f"{high:,.2f}", *[""] * (height - 2), f"{low:,.2f}"]
    margin = max(len(label) for label in labels)
    columns = max(1, min(len(prices), width - margin - 2))
    shown = [prices[(column + 1) * len(prices) // columns - 1] for column in range(columns)]
    # The lowest price stands one eighth high, so that it is seen.
    step = (high - low) / (height * _EIGHTHS - 1) or 1.0
    levels = [1 + round((price - low) / step) for price in shown]
    return [
        f"{label:>{margin}} ┤" + "".join(_block(level, height - 1 - row) for level in levels).rstrip()
        for row, label in enumerate(labels)
    ]


def _block(level: int, row_from_below: int) -> str:
    return _BLOCKS[min(max(level - row_from_below * _EIGHTHS, 0), _EIGHTHS)]
