"""Whole histories kept in memory, as long as the store says that they have not changed."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, fields
from typing import TypeAlias

from services.data.bars.bar_pages import BarQuestion
from services.data.domain.adjustment import Adjustment
from services.data.domain.bars import BarInterval, Bars
from services.data.domain.sessions import TradingHours

_Key: TypeAlias = tuple[int, BarInterval, Adjustment, TradingHours]


@dataclass(frozen=True, slots=True)
class _Entry:
    state: str
    bars: Bars


class BarCache:
    """Keeps them as they are given out, adjusted and resampled; those least recently asked for go.

    One is given only for the state it was kept for: `History.state`, which changes in the transaction that
    changes bars. Another process may write them.
    """

    def __init__(self, *, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._entries: OrderedDict[_Key, _Entry] = OrderedDict()

    def get(self, question: BarQuestion, state: str) -> Bars | None:
        """The history, if it is kept in this state; the arrays are shared and must not be changed."""
        key = _key(question)
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.state != state:
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return entry.bars

    def keep(self, question: BarQuestion, state: str, bars: Bars) -> None:
        """Keep the history, which is all there is in this state."""
        if _bytes(bars) > self._most_bytes:
            return
        key = _key(question)
        self._entries[key] = _Entry(state, bars)
        self._entries.move_to_end(key)
        held = sum(_bytes(one.bars) for one in self._entries.values())
        while held > self._most_bytes:
            _, oldest = self._entries.popitem(last=False)
            held -= _bytes(oldest.bars)


def _key(question: BarQuestion) -> _Key:
    return question.instrument.instrument_no, question.interval, question.adjustment, question.hours


def _bytes(bars: Bars) -> int:
    return sum(getattr(bars, column.name).nbytes for column in fields(bars))
