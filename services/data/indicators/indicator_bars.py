"""The bars that indicators are computed over: those of `BarPages`, with as many before them as are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from services.data.bars.bar_cache import BarCache
from services.data.bars.bar_pages import BarPages, BarQuestion
from services.data.bars.history import FIRST_NS, LAST_NS, History
from services.data.domain.bars import Bars
from services.data.domain.resampling import most_bars
from services.runtime.errors import ApiError, resource_exhausted

_MOST_BEFORE: Final = 2_000_000
"""Bars read before a stretch."""
_KEPT_BYTES: Final = 128 * 1024 * 1024
"""Some 2,700,000 bars."""
_MOST_STORED: Final = 500_000
"""Stored bars in a step back."""
_LEAST_PAGE: Final = 1_000
"""Where most bars are of other hours, pages of the few that are missing would be many."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Adjusted, oldest first; the arrays are shared and must not be changed."""

    before: Bars
    """Those before a range."""
    bars: Bars
    """Those of it."""


class IndicatorBars:
    """Reads bars of any interval; keeps whole histories.

    Args:
        most_bytes: of the histories that are kept.
    """

    def __init__(self, history: History, *, most_bytes: int = _KEPT_BYTES) -> None:
        self._history = history
        self._pages = BarPages(history)
        self._kept = BarCache(most_bytes=most_bytes)

    async def state(self, question: BarQuestion) -> str:
        """Names what these bars are now: another name after any change of them.

        Empty when there are none, and as of a time, where nothing changes.

        Raises:
            ApiError: INVALID_ARGUMENT AS_OF_IN_FUTURE, AS_OF_TOO_EARLY.
        """
        if question.as_of_ns is not None:
            await self._history.known_at(question.instrument, question.as_of_ns)
            return ""
        return await self._history.state(question.instrument, question.adjustment)

    async def read(
        self, question: BarQuestion, state: str, *, start_ns: int, end_ns: int, size: int, before: int | None
    ) -> Reading:
        """Up to ``size`` bars from ``start_ns`` to ``end_ns`` and ``before`` of those before; None: all.

        Raises:
            ApiError: as of `BarPages.page`; RESOURCE_EXHAUSTED INDICATOR_HISTORY_TOO_LONG.
        """
        kept = self._kept.get(question, state)
        if kept is not None:
            return _cut(kept, start_ns, end_ns, size, before)
        bars, is_all = await self._from(question, start_ns, end_ns, size)
        if is_all and state and (start_ns, end_ns) == (FIRST_NS, LAST_NS):
            self._kept.keep(question, state, bars)
        if start_ns == FIRST_NS or before == 0 or not len(bars):
            return Reading(bars.take(slice(0)), bars)
        return Reading(await self.before(question, start_ns, before), bars)

    async def before(self, question: BarQuestion, end_ns: int, count: int | None) -> Bars:
        """The last ``count`` bars that open before ``end_ns``, or as many as there are; None: all.

        Raises:
            ApiError: as of `read`, but not BARS_NOT_FOUND.
        """
        source = await self._pages.source(question)
        if source is None:
            return _joined([])
        if count is None:
            bars, _ = await self._from(question, FIRST_NS, end_ns, _MOST_BEFORE + 1)
            if len(bars) > _MOST_BEFORE:
                raise _too_long()
            return bars
        # Bars of other hours count as stored ones: one step may not be enough. Steps join without a gap,
        # for a made bar belongs whole to the step in which it opens.
        missing = wanted = min(count, _MOST_BEFORE)
        stored = 0
        pieces: list[Bars] = []
        while missing > 0:
            each = max(most_bars(source, question.interval), 1)
            stored = min(max(missing * each, 2 * stored), _MOST_STORED)
            first_ns = await self._history.open_time_before(question.instrument, source, end_ns, stored)
            begin_ns = FIRST_NS if first_ns is None else first_ns
            bars, _ = await self._from(question, begin_ns, end_ns, _MOST_BEFORE)
            pieces.insert(0, bars)
            missing -= len(bars)
            if first_ns is None:
                break
            end_ns = first_ns
        return _last(_joined(pieces), wanted)

    async def _from(self, question: BarQuestion, start_ns: int, end_ns: int, size: int) -> tuple[Bars, bool]:
        """The first ``size`` bars of a range, and whether that is all of it."""
        pieces: list[Bars] = []
        missing = size
        following: int | None = start_ns
        while following is not None and missing > 0:
            page = await self._pages.page(question, following, end_ns, max(missing, _LEAST_PAGE))
            pieces.append(page.bars)
            missing -= len(page.bars)
            following = page.next_ns
        return _joined(pieces).take(slice(size)), following is None and missing >= 0


def _cut(whole: Bars, start_ns: int, end_ns: int, size: int, before: int | None) -> Reading:
    first, end = np.searchsorted(whole.open_time_ns, (start_ns, end_ns)).tolist()
    if before is None and first > _MOST_BEFORE:
        raise _too_long()
    count = first if before is None else min(before, _MOST_BEFORE)
    return Reading(_last(whole.take(slice(first)), count), whole.take(slice(first, min(end, first + size))))


def _last(bars: Bars, count: int) -> Bars:
    return bars.take(slice(max(len(bars) - count, 0), None))


def _joined(pieces: Sequence[Bars]) -> Bars:
    if len(pieces) == 1:
        return pieces[0]
    if not pieces:
        nothing = np.empty(0)
        return Bars(np.empty(0, dtype=np.int64), nothing, nothing, nothing, nothing, nothing)
    names = [column.name for column in fields(Bars)]
    return Bars(*(np.concatenate([getattr(one, name) for one in pieces]) for name in names))


def _too_long() -> ApiError:
    message = f"over {_MOST_BEFORE:,} bars lie before the range, and a running sum needs them all"
    return resource_exhausted("INDICATOR_HISTORY_TOO_LONG", message, most=str(_MOST_BEFORE))
