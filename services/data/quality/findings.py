"""What a check found: runs of bars with what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from services.data.domain.bars import Ints, Mask

MOST_FINDINGS = 100
"""Findings of a kind that are described; all are counted."""


class FindingKind(IntEnum):
    """What is wrong, numbered as in the contract."""

    PRICE_INVALID = 1
    OHLC_ORDER = 2
    VOLUME_INVALID = 3
    TIME_IN_FUTURE = 4
    OUT_OF_SESSION = 5
    DUPLICATE = 6
    MISSING_SESSION = 7
    MISSING_BARS = 8
    SPIKE = 9
    UNIT_ERROR = 10
    STALE = 11
    ZERO_VOLUME = 12
    SPLIT_MISSED = 13
    SPLIT_DOUBLED = 14
    DIVIDEND_UNIT = 15
    CURRENCY_CHANGE = 16


class Severity(IntEnum):
    """How bad it is, numbered as in the contract."""

    INFO = 1
    WARNING = 2
    ERROR = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """A stretch of time in which something is wrong."""

    first_ns: int
    """Open time of its first bar, of those missing when it should have opened; UTC."""
    last_ns: int
    """Open time of its last."""
    rows: int
    """Bars it is about; of missing ones, how many were expected."""
    value: float
    """The number that gave it away; what it is depends on the kind."""
    expected: float
    """What the number would be if all were well."""
    explanation: str
    """A line for people, with the numbers."""


@dataclass(frozen=True, slots=True)
class Found:
    """All that one check found."""

    kind: FindingKind
    severity: Severity
    findings: tuple[Finding, ...]
    """The first `MOST_FINDINGS`, oldest first."""
    count: int
    """How many there are."""
    rows: int
    """Bars they are about, together."""


def runs_of(mask: Mask) -> tuple[Ints, Ints]:
    """First and last row of each unbroken run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return edges[::2], edges[1::2] - 1


def found_in_runs(
    kind: FindingKind, severity: Severity, mask: Mask, describe: Callable[[int, int], Finding]
) -> Iterator[Found]:
    """What is found where the mask is true, a finding a run; ``describe`` takes first and last row."""
    first, last = runs_of(mask)
    if len(first):
        pairs = zip(first[:MOST_FINDINGS].tolist(), last[:MOST_FINDINGS].tolist(), strict=True)
        described = tuple(describe(*pair) for pair in pairs)
        yield Found(kind, severity, described, len(first), int(mask.sum()))


def found_all(kind: FindingKind, severity: Severity, findings: list[Finding]) -> Iterator[Found]:
    """What is found one by one."""
    if findings:
        rows = sum(finding.rows for finding in findings)
        yield Found(kind, severity, tuple(findings[:MOST_FINDINGS]), len(findings), rows)
