"""Bars of a random walk, with equal prices and turns in them."""

from __future__ import annotations

import numpy as np

from services.data.domain.bars import Bars

DAY_NS = 86_400 * 10**9
FIRST_NS = 946_909_800 * 10**9  # 2000-01-03 14:30 UTC


def made_up_bars(count: int, seed: int = 7, *, step_ns: int = DAY_NS) -> Bars:
    random = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(random.normal(0, 0.01, count))), 2)
    opened = np.concatenate(([100.0], close[:-1])) if count else close
    return Bars(
        open_time_ns=FIRST_NS + step_ns * np.arange(count, dtype=np.int64),
        open=opened,
        high=np.round(np.maximum(opened, close) * (1 + random.uniform(0, 0.01, count)), 2),
        low=np.round(np.minimum(opened, close) * (1 - random.uniform(0, 0.01, count)), 2),
        close=close,
        volume=random.integers(100, 100_000, count).astype(np.float64),
    )
