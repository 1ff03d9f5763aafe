"""What would set bars, splits and dividends right: proposals, each of which can be applied by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import pairwise

import numpy as np

from services.data.domain.bars import Doubles, Mask, SourceBars
from services.data.domain.dividends import Dividend
from services.data.domain.splits import Split
from services.data.quality.findings import runs_of
from services.data.quality.inspection import Inspection
from services.data.quality.prices import PRICES, scaled

MOST_PROPOSALS = 1000
"""Proposals made at once; those that follow are made when these are applied."""


class RepairKind(IntEnum):
    """What a repair does, numbered as in the contract."""

    UNIT = 1
    SPLIT_RECORD = 2
    SPLIT_RETRACT = 3
    DIVIDEND = 4
    RELEASE = 5


@dataclass(frozen=True, slots=True)
class Proposal:
    """One thing that can be set right."""

    proposal_id: str
    """Derived from all that follows and from what the data was: the same data gives the same id."""
    kind: RepairKind
    what: str
    why: str
    before: SourceBars
    """Bars that would change, oldest first; none where bars stay as they are."""
    after: SourceBars
    """The same as they would be."""
    record_split: Split | None = None
    retract_split: Split | None = None
    retract_dividend: Dividend | None = None
    record_dividend: Dividend | None = None


def propose(inspection: Inspection, *, version: int) -> list[Proposal]:
    """What would set right what was found; ``version`` is that of the bars inspected."""
    proposals: list[Proposal] = []
    for one in (*_units(inspection), *_splits(inspection), *_dividends(inspection)):
        if len(proposals) == MOST_PROPOSALS:
            break
        proposals.append(_identified(one, version))
    return proposals


def _units(inspection: Inspection) -> Iterator[Proposal]:
    judged = inspection.bars.take(inspection.good)
    factors = inspection.units.factors
    mended = scaled(judged, factors)
    can_be: Mask = (mended.high >= np.maximum(mended.open, mended.close)) & (
        mended.low <= np.minimum(mended.open, mended.close)
    )
    # A stretch is repaired as one when all its prices need the same.
    changes = np.any(np.diff(factors, axis=1) != 0, axis=0)
    wrong = inspection.units.rows & can_be
    for first, last in zip(*runs_of(wrong), strict=True):
        edges = [int(first), *(np.flatnonzero(changes[first:last]) + first + 1).tolist(), int(last) + 1]
        for begin, end in pairwise(edges):
            yield _unit(judged, mended, factors, slice(begin, end))


def _unit(judged: SourceBars, mended: SourceBars, factors: Doubles, rows: slice) -> Proposal:
    before, after = judged.take(rows), mended.take(rows)
    of_row = factors[:4, rows.start]
    names = [name for name, factor in zip(PRICES, of_row, strict=True) if factor != 1]
    factor = float(factors[PRICES.index(names[0]), rows.start])
    which = "all prices" if len(names) == len(PRICES) else " and ".join(names)
    verb = f"multiply {which} by {factor:g}" if factor > 1 else f"divide {which} by {1 / factor:g}"
    name = names[0]
    old, new = (float(getattr(one, name)[0]) for one in (before, after))
    why = f"{name} {old:g} is {max(factor, 1 / factor):g} times off the bars around it; {new:g} fits"
    count = "1 bar" if len(before) == 1 else f"{len(before):,} bars"
    return Proposal("", RepairKind.UNIT, f"{verb} in {count}", why, before, after)


def _splits(inspection: Inspection) -> Iterator[Proposal]:
    nothing = inspection.bars.take(slice(0))
    for missed in inspection.missed:
        split = missed.split
        what = f"record a split {split.new_shares}:{split.old_shares} on {split.ex_date}"
        yield Proposal(
            "", RepairKind.SPLIT_RECORD, what, missed.explanation, nothing, nothing, record_split=split
        )
    for doubled in inspection.doubled:
        split = doubled.split
        what = f"retract the split {split.new_shares}:{split.old_shares} on {split.ex_date}"
        yield Proposal(
            "", RepairKind.SPLIT_RETRACT, what, doubled.explanation, nothing, nothing, retract_split=split
        )


def _dividends(inspection: Inspection) -> Iterator[Proposal]:
    nothing = inspection.bars.take(slice(0))
    for wrong in inspection.dividends:
        old, new = (f"{one.amount.normalize():f}" for one in (wrong.dividend, wrong.right))
        what = f"record the dividend of {wrong.dividend.ex_date} as {new} {wrong.right.currency}, not {old}"
        yield Proposal(
            "",
            RepairKind.DIVIDEND,
            what,
            wrong.explanation,
            nothing,
            nothing,
            retract_dividend=wrong.dividend,
            record_dividend=wrong.right,
        )


def _identified(one: Proposal, version: int) -> Proposal:
    digest = hashlib.sha256(f"{version}:{int(one.kind)}:{one.what}".encode())
    for bars in (one.before, one.after):
        for name in ("open_time_ns", *PRICES, "volume", "adjusted_close"):
            digest.update(np.ascontiguousarray(getattr(bars, name)).tobytes())
    facts: Sequence[object] = (one.record_split, one.retract_split, one.retract_dividend, one.record_dividend)
    digest.update(repr(facts).encode())
    return replace(one, proposal_id=digest.hexdigest()[:32])
