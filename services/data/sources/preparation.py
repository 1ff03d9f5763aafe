"""From a source's chunks to bars that may be stored and bars that may not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

from services.data.domain.bar_times import bar_ends, period_opens
from services.data.domain.bars import BarInterval, FileBars, Ints, Mask
from services.data.domain.dividends import Dividend
from services.data.domain.ingestion import SymbolError
from services.data.domain.quality import QuarantineReason, session_of_dates
from services.data.domain.splits import Split
from services.data.domain.trading_calendar import MarketCalendar
from services.data.imports.judging import BarJudge, Checked, Findings
from services.data.imports.placing import bar_opens
from services.data.sources.source import Chunk, SourceError

_LONG = (BarInterval.WEEK, BarInterval.MONTH)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What of a chunk, and of what waited before it, may be stored."""

    checked: Checked
    splits: Sequence[Split]
    dividends: Sequence[Dividend]
    position_ns: int | None
    """When the last bar that was judged opened; None when none was."""


class ChunkPreparer:
    """Places, checks and judges the chunks of one symbol. Blocks: call it in a thread."""

    def __init__(
        self,
        interval: BarInterval,
        calendar: MarketCalendar | None,
        *,
        now_ns: int,
        settle_ns: int,
        until_ns: int | None,
    ) -> None:
        self._interval = interval
        self._calendar = calendar
        self._complete_until_ns = now_ns - settle_ns
        self._until_ns = until_ns
        self._judge = BarJudge(now_ns=now_ns)
        self._last_ns: int | None = None
        self._position_ns: int | None = None
        self._rows = 0

    @property
    def findings(self) -> Findings:
        """What was found so far."""
        return self._judge.findings

    def take(self, chunk: Chunk) -> Prepared:
        """Judge the bars of the next chunk but the last few.

        Raises:
            SourceError: ANSWER_MALFORMED, the chunk begins before the end of the one before.
        """
        opens, in_session = self._opens(chunk)
        lines = np.arange(self._rows + 1, self._rows + len(opens) + 1)
        self._rows += len(opens)
        columns = (chunk.open, chunk.high, chunk.low, chunk.close, chunk.volume, chunk.adjusted_close)
        bars = FileBars(opens, *columns, lines)
        wanted = bar_ends(self._calendar.sessions if self._calendar else None, self._interval, opens)
        keep = (wanted <= self._complete_until_ns) | ~in_session
        if self._until_ns is not None:
            keep &= opens < self._until_ns
        order = np.argsort(opens, kind="stable")
        order = order[keep[order]]
        bars, in_session = bars.take(order), in_session[order]
        self._check_order(bars.open_time_ns)
        again = np.concatenate((np.zeros(min(1, len(bars)), dtype=np.bool_), np.diff(bars.open_time_ns) == 0))
        checked = self._with_repeated(
            self._judge.take(bars.take(~again), in_session[~again]), bars.take(again)
        )
        return self._prepared(checked, chunk)

    def finish(self) -> Prepared | None:
        """Judge the bars that still wait; None when there are none."""
        checked = self._judge.finish()
        return None if checked is None else self._prepared(checked, None)

    def _opens(self, chunk: Chunk) -> tuple[Ints, Mask]:
        unit = np.datetime_data(chunk.time.dtype)[0]
        times: Ints = chunk.time.astype("datetime64[ns]").astype(np.int64)
        if unit != "D" and self._interval in {BarInterval.DAY, *_LONG}:
            raise ValueError(f"bars of {self._interval.name} are dated by days, not {unit}")
        if self._calendar is not None and self._interval in _LONG:
            return period_opens(self._calendar.sessions, self._interval, chunk.time, times)
        dates = chunk.time if unit == "D" else None
        return bar_opens(self._calendar, self._interval, times, dates)

    def _check_order(self, times: Ints) -> None:
        if not len(times):
            return
        if self._last_ns is not None and int(times[0]) <= self._last_ns:
            raise SourceError(SymbolError.ANSWER_MALFORMED, "the source's chunks are out of order")
        self._last_ns = int(times[-1])

    def _with_repeated(self, checked: Checked, repeated: FileBars) -> Checked:
        if not len(repeated):
            return checked
        reasons = np.full(len(repeated), int(QuarantineReason.TIME_REPEATED), dtype=np.int8)
        self.findings.rows_read += len(repeated)
        self.findings.refuse(repeated, reasons)
        return Checked(
            checked.good, checked.bad.followed_by(repeated), np.concatenate((checked.reasons, reasons))
        )

    def _prepared(self, checked: Checked, chunk: Chunk | None) -> Prepared:
        if len(checked.good):
            self._position_ns = int(checked.good.open_time_ns[-1])
        if chunk is None:
            return Prepared(checked, (), (), self._position_ns)
        splits = [
            Split(one.ex_date, self._ex_time_ns(one.ex_date), one.new_shares, one.old_shares)
            for one in chunk.splits
        ]
        currency = chunk.listing.currency
        dividends = [
            Dividend(one.ex_date, self._ex_time_ns(one.ex_date), one.amount, currency)
            for one in chunk.dividends
        ]
        return Prepared(checked, splits, dividends, self._position_ns)

    def _ex_time_ns(self, ex_date: date) -> int:
        """The open of the session of that day; midnight UTC where there is none."""
        midnight = int(datetime(ex_date.year, ex_date.month, ex_date.day, tzinfo=UTC).timestamp()) * 10**9
        if self._calendar is None:
            return midnight
        days, otherwise = np.array([ex_date], dtype="datetime64[D]"), np.array([midnight])
        return int(session_of_dates(self._calendar.sessions, days, otherwise)[0][0])
