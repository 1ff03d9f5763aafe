"""Values of longer bars brought back to shorter ones without looking ahead."""

from __future__ import annotations

import numpy as np

from services.data.domain.bars import Doubles, Ints


def last_closed(values: Doubles, group: Ints) -> Doubles:
    """For each bar the value of the longer bar before its own: the last that had closed when it opened."""
    return np.concatenate(([np.nan], values))[group]
