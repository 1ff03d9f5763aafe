"""All indicators by name."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType

from services.data.indicators.indicator import Indicator


@cache
def catalogue() -> Mapping[str, Indicator]:
    """Name -> indicator, sorted. The first call blocks for a second: make it in a thread."""
    from services.data.indicators.smart_trader import smart_trader_indicators  # noqa: PLC0415  as the next
    from services.data.indicators.talib_catalogue import talib_indicators  # noqa: PLC0415  pulls in pandas

    entries = [*talib_indicators(), *smart_trader_indicators()]
    return MappingProxyType({entry.name: entry for entry in sorted(entries, key=lambda entry: entry.name)})


def nearest(name: str) -> list[str]:
    """Up to five names most like ``name``."""
    return get_close_matches(name.upper(), catalogue(), n=5, cutoff=0.5)
