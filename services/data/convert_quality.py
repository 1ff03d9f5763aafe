"""Messages of reports and repairs from domain objects; nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from bifrost.data.v1 import bar_pb2, instrument_pb2, quality_pb2
from services.data.domain.bars import BarInterval, SourceBars
from services.data.domain.dividends import Dividend
from services.data.domain.splits import Split
from services.data.quality.findings import Found
from services.data.quality.inspection import Inspection, by_month
from services.data.quality.proposals import Proposal
from services.data.quality.quality_store import Repair
from services.runtime.clock import to_timestamp
from services.runtime.decimals import format_decimal

_SHOWN = 5


def finding_messages(found: Iterable[Found]) -> list[quality_pb2.Finding]:
    """The findings that are described."""
    return [
        quality_pb2.Finding(
            kind=f"FINDING_KIND_{one.kind.name}",
            severity=f"FINDING_SEVERITY_{one.severity.name}",
            first_open_time_ns=finding.first_ns,
            last_open_time_ns=finding.last_ns,
            rows=finding.rows,
            value=finding.value,
            expected=finding.expected,
            explanation=finding.explanation,
        )
        for one in found
        for finding in one.findings
    ]


def count_messages(found: Iterable[Found]) -> list[quality_pb2.FindingCount]:
    """How much was found by kind."""
    return [
        quality_pb2.FindingCount(
            kind=f"FINDING_KIND_{one.kind.name}",
            severity=f"FINDING_SEVERITY_{one.severity.name}",
            findings=one.count,
            rows=one.rows,
        )
        for one in found
    ]


def report_message(
    instrument_id: str, interval: BarInterval, inspection: Inspection, *, quarantined: int, etag: str
) -> quality_pb2.QualityReport:
    """The report."""
    times, coverage = inspection.bars.open_time_ns, inspection.coverage
    return quality_pb2.QualityReport(
        instrument_id=instrument_id,
        interval=f"BAR_INTERVAL_{interval.name}",
        score=inspection.score,
        bars=len(times),
        first_open_time_ns=int(times[0]),
        last_open_time_ns=int(times[-1]),
        sessions_expected=0 if coverage is None else coverage.sessions_expected,
        sessions_held=0 if coverage is None else coverage.sessions_held,
        counts=count_messages(inspection.found),
        findings=finding_messages(inspection.found),
        months=_months(inspection),
        quarantined_bars=quarantined,
        etag=etag,
    )


def _months(inspection: Inspection) -> list[quality_pb2.MonthCoverage]:
    months = by_month(inspection)
    columns = (months.expected, months.held, months.findings)
    names = months.month.astype("datetime64[M]").astype(str).tolist()
    return [
        quality_pb2.MonthCoverage(month=name, expected=expected, held=held, findings=findings)
        for name, expected, held, findings in zip(names, *(one.tolist() for one in columns), strict=True)
    ]


def proposal_message(instrument_id: str, interval: BarInterval, one: Proposal) -> quality_pb2.RepairProposal:
    """The proposal with the first of its bars."""
    split = one.record_split or one.retract_split
    return quality_pb2.RepairProposal(
        proposal_id=one.proposal_id,
        kind=f"REPAIR_KIND_{one.kind.name}",
        what=one.what,
        why=one.why,
        rows=len(one.before),
        before=_bars(instrument_id, interval, one.before),
        after=_bars(instrument_id, interval, one.after),
        split=None if split is None else _split(split),
        dividend_before=None if one.retract_dividend is None else _dividend(one.retract_dividend),
        dividend_after=None if one.record_dividend is None else _dividend(one.record_dividend),
    )


def repair_message(repair: Repair) -> quality_pb2.Repair:
    """The repair."""
    message = quality_pb2.Repair(
        repair_id=repair.repair_id,
        instrument_id=repair.instrument_id,
        interval=f"BAR_INTERVAL_{repair.interval.name}",
        kinds=[f"REPAIR_KIND_{kind.name}" for kind in repair.kinds],
        actions=repair.actions,
        rows=repair.rows,
        user_id=repair.user_id,
        record_time=to_timestamp(repair.record_time_ns),
        revert_user_id=repair.revert_user_id,
    )
    if repair.revert_time_ns is not None:
        message.revert_time.CopyFrom(to_timestamp(repair.revert_time_ns))
    return message


def _bars(instrument_id: str, interval: BarInterval, bars: SourceBars) -> Sequence[bar_pb2.Bar]:
    names = ("open_time_ns", "open", "high", "low", "close", "volume")
    columns: list[list[float]] = [np.asarray(getattr(bars, name)[:_SHOWN]).tolist() for name in names]
    return [
        bar_pb2.Bar(
            instrument_id=instrument_id,
            interval=f"BAR_INTERVAL_{interval.name}",
            open_time_ns=int(time_ns),
            open=opened,
            high=high,
            low=low,
            close=close,
            volume=volume,
            closed=True,
        )
        for time_ns, opened, high, low, close, volume in zip(*columns, strict=True)
    ]


def _split(split: Split) -> instrument_pb2.Split:
    return instrument_pb2.Split(
        ex_date=split.ex_date.isoformat(), new_shares=split.new_shares, old_shares=split.old_shares
    )


def _dividend(dividend: Dividend) -> instrument_pb2.Dividend:
    return instrument_pb2.Dividend(
        ex_date=dividend.ex_date.isoformat(),
        amount=format_decimal(dividend.amount),
        currency=dividend.currency,
    )
