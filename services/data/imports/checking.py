"""From rows of a file to bars that may be stored and bars that may not, in batches."""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np

from services.data.domain.bars import BarInterval, FileBars, Mask
from services.data.domain.trading_calendar import MarketCalendar
from services.data.imports.judging import BarJudge, Checked, Findings
from services.data.imports.placing import bar_opens
from services.data.imports.rows import FileRows, RowReader

Block = TypeVar("Block")
_WITHOUT_SESSIONS = (BarInterval.WEEK, BarInterval.MONTH)


class RowChecker(Generic[Block]):
    """Reads and judges the rows of one file; the last few wait for those that follow.

    Blocks: call it in a thread.
    """

    def __init__(
        self,
        reader: RowReader[Block],
        interval: BarInterval,
        calendar: MarketCalendar | None,
        *,
        now_ns: int,
    ) -> None:
        self._judge = BarJudge(now_ns=now_ns)
        self._reader = reader
        self._interval = interval
        self._calendar = None if interval in _WITHOUT_SESSIONS else calendar

    @property
    def findings(self) -> Findings:
        """What was found so far."""
        return self._judge.findings

    def take(self, block: Block) -> Checked | None:
        """Judge the rows of a block but the last few; None when it has none. ApiError as of its readers."""
        rows = self._reader.read(block)
        if rows is None:
            return None
        return self._judge.take(*self._bars(rows))

    def finish(self) -> Checked | None:
        """Judge the rows that still wait; None when there are none. ApiError as of the reader."""
        self._reader.finish()
        return self._judge.finish()

    def _bars(self, rows: FileRows) -> tuple[FileBars, Mask]:
        times = rows.times
        open_time_ns, in_session = bar_opens(self._calendar, self._interval, times.ns, times.dates)
        values = rows.numbers
        bars = FileBars(
            open_time_ns,
            values["open"],
            values["high"],
            values["low"],
            values["close"],
            values["volume"] if "volume" in values else np.zeros(len(open_time_ns)),
            values.get("adjusted_close", values["close"]),
            rows.line,
        )
        return bars, in_session
