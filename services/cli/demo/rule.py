"""The demo's trading rule: a crossing of two simple moving averages of the quotes' middle."""

from __future__ import annotations

from collections import deque


class MovingAverageRule:
    """Says buy when the fast average rises above the slow one, and sell when it falls below."""

    def __init__(self, fast: int = 3, slow: int = 8) -> None:
        self._fast = fast
        self._prices: deque[float] = deque(maxlen=slow)
        self._above: bool | None = None

    def decide(self, price: float) -> str | None:
        """ "buy", "sell" or None for the next price."""
        self._prices.append(price)
        if len(self._prices) < (self._prices.maxlen or 0):
            return None
        recent = list(self._prices)
        above = sum(recent[-self._fast :]) / self._fast > sum(recent) / len(recent)
        crossed = self._above is not None and above != self._above
        self._above = above
        if not crossed:
            return None
        return "buy" if above else "sell"
