"""Computed pages of indicators in the cache, under a name that says all they depend on."""

from __future__ import annotations

import functools
import hashlib
import struct
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from services.data.bars.bar_pages import BarQuestion
from services.data.indicators.selection import Selection
from services.runtime.cache import Cache

_KIND: Final = "indicators"
_HEAD: Final = struct.Struct("<?q")  # whether another page follows, and when it begins
_LIBRARIES: Final = ("ta-lib", "numpy", "exchange_calendars")


@dataclass(frozen=True, slots=True)
class IndicatorPage:
    """A page, serialised."""

    content: bytes | memoryview
    """A ComputeIndicatorsResponse without its token."""
    next_ns: int | None
    """When the bar after it opened; None when it is the last."""


class IndicatorCache:
    """Keeps pages. A change of the bars changes the name of their state, so that none found is old."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._program = _program()

    def key(
        self,
        question: BarQuestion,
        state: str,
        selections: list[Selection],
        *,
        start_ns: int,
        end_ns: int,
        size: int,
    ) -> str:
        """The name of a page over bars of this state, which is not empty."""
        asked = [
            (one.label, one.indicator.name, sorted(one.settings.items()), one.sources, one.interval)
            for one in selections
        ]
        instrument = question.instrument
        of = (
            self._program,
            state,
            (instrument.instrument_no, instrument.instrument_id, instrument.mic),
            (question.interval, question.adjustment, question.hours),
            (start_ns, end_ns, size),
            asked,
        )
        return hashlib.sha256(repr(of).encode()).hexdigest()

    async def get(self, key: str) -> IndicatorPage | None:
        """The page; None when it is not kept, or the cache is away."""
        entry = await self._cache.get(_KIND, key)
        if entry is None:
            return None
        follows, next_ns = _HEAD.unpack_from(entry)
        return IndicatorPage(entry[_HEAD.size :], next_ns if follows else None)

    def put(self, key: str, page: IndicatorPage) -> None:
        """Keep the page."""
        head = _HEAD.pack(page.next_ns is not None, page.next_ns or 0)
        self._cache.put(_KIND, key, b"".join((head, page.content)))


@functools.cache
def _program() -> str:
    """Names what computes: another formula or library must not find what this one kept."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(path.read_bytes())
    for library in _LIBRARIES:
        digest.update(metadata.version(library).encode())
    return digest.hexdigest()
