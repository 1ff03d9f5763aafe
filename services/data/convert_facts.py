"""Messages of facts from domain objects; nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import TypeVar

from bifrost.data.v1 import fundamental_pb2 as pb
from services.data.domain.facts import FactPeriod, RecordedFact, surprise
from services.runtime.clock import to_timestamp
from services.runtime.decimals import format_decimal

M = TypeVar("M", pb.Profile, pb.Valuation, pb.GovernanceRisk, pb.DividendFacts)
_NOT_FACTS = {"instrument_id", "currency", "publish_time", "effective_date"}
_EARNINGS = ("report_date", "report_time", "eps_estimate", "eps_actual")


def fact_names(kind: type[M]) -> list[str]:
    """The facts a message shows: fields are named as facts are."""
    return [field.name for field in kind.DESCRIPTOR.fields if field.name not in _NOT_FACTS]


EARNINGS_NAMES = list(_EARNINGS)


def fact_message(instrument_id: str, recorded: RecordedFact) -> pb.Fact:
    """The fact."""
    fact = recorded.fact
    return pb.Fact(
        instrument_id=instrument_id,
        name=fact.key.name,
        period=f"FACT_PERIOD_{fact.key.period.name}",
        period_end=fact.key.period_end.isoformat(),
        number=None if fact.number is None else format_decimal(fact.number),
        text=fact.text,
        currency=fact.currency,
        publish_time=to_timestamp(fact.publish_time_ns),
        record_time=to_timestamp(recorded.record_time_ns),
        source=recorded.source,
        ingestion_id=recorded.ingestion_id,
        fetch_time=None if recorded.fetch_time_ns is None else to_timestamp(recorded.fetch_time_ns),
    )


def summary(kind: type[M], instrument_id: str, facts: Mapping[str, RecordedFact]) -> M:
    """A message of one fact for each name, of which there is at least one."""
    message = kind(instrument_id=instrument_id)
    for name, recorded in facts.items():
        setattr(message, name, _shown(recorded))
    published = max(one.fact.publish_time_ns for one in facts.values())
    message.publish_time.CopyFrom(to_timestamp(published))
    currencies = [one.fact.currency for one in facts.values() if one.fact.currency]
    if isinstance(message, pb.Valuation | pb.DividendFacts):
        message.currency = currencies[0] if currencies else ""
    if isinstance(message, pb.GovernanceRisk):
        message.effective_date = max(one.fact.key.period_end for one in facts.values()).isoformat()
    return message


def earnings_messages(instrument_id: str, facts: Iterable[RecordedFact]) -> list[pb.Earnings]:
    """Reports by end of their fiscal period, oldest first."""
    reports: dict[tuple[date, FactPeriod], dict[str, RecordedFact]] = {}
    for one in facts:
        key = one.fact.key
        reports.setdefault((key.period_end, key.period), {})[key.name] = one
    return [
        _earnings_message(instrument_id, end, period, parts)
        for (end, period), parts in sorted(reports.items(), key=lambda item: item[0])
    ]


def _earnings_message(
    instrument_id: str, period_end: date, period: FactPeriod, parts: Mapping[str, RecordedFact]
) -> pb.Earnings:
    estimate, actual = _number(parts.get("eps_estimate")), _number(parts.get("eps_actual"))
    time = parts.get("report_time")
    report_date = parts.get("report_date")
    currencies = [one.fact.currency for one in parts.values() if one.fact.currency]
    comparable = len(set(currencies)) < 2
    return pb.Earnings(
        instrument_id=instrument_id,
        period=f"FACT_PERIOD_{period.name}",
        period_end=period_end.isoformat(),
        report_date=_shown(report_date) if report_date else "",
        report_time=f"REPORT_TIME_{_shown(time).upper()}" if time else None,
        eps_estimate="" if estimate is None else format_decimal(estimate),
        eps_actual="" if actual is None else format_decimal(actual),
        currency=currencies[0] if currencies else "",
        surprise=surprise(actual, estimate) if comparable else None,
        publish_time=to_timestamp(max(one.fact.publish_time_ns for one in parts.values())),
    )


def _number(recorded: RecordedFact | None) -> Decimal | None:
    return None if recorded is None else recorded.fact.number


def _shown(recorded: RecordedFact) -> str:
    fact = recorded.fact
    return format_decimal(fact.number) if fact.number is not None else fact.text or ""
