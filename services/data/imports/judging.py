"""Which bars of a sequence may be stored and which may not, in batches."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from services.data.domain.bars import FileBars, Mask
from services.data.domain.quality import (
    NEIGHBOURS,
    QuarantineReason,
    Reasons,
    check_neighbours,
    check_values,
    column_at_fault,
)

MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """A row that was refused."""

    line: int
    column: str
    reason: QuarantineReason


@dataclass(frozen=True, slots=True)
class Checked:
    """A batch of rows, judged."""

    good: FileBars
    bad: FileBars
    reasons: Reasons
    """Of the bad ones."""


@dataclass
class Findings:
    """What was found so far."""

    rows_read: int = 0
    rows_without_volume: int = 0
    quarantined: dict[QuarantineReason, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, bars: FileBars, reasons: Reasons) -> None:
        """Count refused rows and remember the first."""
        for reason, count in zip(*np.unique(reasons, return_counts=True), strict=True):
            self.count(QuarantineReason(int(reason)), int(count))
        for row in range(min(len(bars), MOST_PROBLEMS - len(self.problems))):
            reason = QuarantineReason(int(reasons[row]))
            self.problems.append(Problem(int(bars.line[row]), column_at_fault(bars, row, reason), reason))

    def count(self, reason: QuarantineReason, rows: int) -> None:
        """Count refused rows."""
        self.quarantined[reason] = self.quarantined.get(reason, 0) + rows

    @property
    def rows_quarantined(self) -> int:
        """All refused rows."""
        return sum(self.quarantined.values())


class BarJudge:
    """Judges the bars of one instrument as they come; the last few wait for those that follow.

    Blocks: call it in a thread.
    """

    def __init__(self, *, now_ns: int) -> None:
        self.findings = Findings()
        self._now_ns = now_ns
        self._before: FileBars | None = None
        """The last good rows that are judged, then those that wait."""
        self._waiting = 0

    def take(self, bars: FileBars, in_session: Mask) -> Checked:
        """Judge the next bars but the last few; ``in_session`` says which lie on a trading day."""
        self.findings.rows_read += len(bars)
        reasons = check_values(bars, in_session, now_ns=self._now_ns)
        is_good = reasons == 0
        if is_good.all():
            return self._judge(bars, bars.take(slice(0)), reasons[:0], keep=NEIGHBOURS)
        return self._judge(bars.take(is_good), bars.take(~is_good), reasons[~is_good], keep=NEIGHBOURS)

    def finish(self) -> Checked | None:
        """Judge the bars that still wait; None when there are none."""
        if self._before is None:
            return None
        nothing = self._before.take(slice(0))
        return self._judge(nothing, nothing, np.zeros(0, dtype=np.int8), keep=0)

    def _judge(self, good: FileBars, bad: FileBars, reasons: Reasons, *, keep: int) -> Checked:
        window = good if self._before is None else self._before.followed_by(good)
        begin = len(window) - len(good) - self._waiting
        end = max(begin, len(window) - keep)
        found = check_neighbours(window)[begin:end]
        judged = window.take(slice(begin, end))
        self._before, self._waiting = (
            window.take(slice(max(0, end - NEIGHBOURS - 1), None)),
            len(window) - end,
        )
        if found.any():
            is_bad = found > 0
            bad, reasons = bad.followed_by(judged.take(is_bad)), np.concatenate((reasons, found[is_bad]))
            judged = judged.take(~is_bad)
        self.findings.refuse(bad, reasons)
        self.findings.rows_without_volume += int((judged.volume == 0).sum())
        return Checked(judged, bad, reasons)
