"""Facts of instruments: what may be said, and what was known when."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum, IntEnum, auto
from typing import TypeAlias


class FactPeriod(IntEnum):
    """Span a fact is about, numbered as in the contract."""

    INSTANT = 1
    QUARTER = 2
    YEAR = 3
    TRAILING_YEAR = 4


class FactKind(Enum):
    """What a fact's value is."""

    TEXT = auto()
    DATE = auto()
    NUMBER = auto()
    COUNT = auto()
    """A whole number, not negative."""
    SCORE = auto()
    """From 1 to 10."""
    MONEY = auto()
    """Its currency is said."""
    REPORT_TIME = auto()
    FREQUENCY = auto()


_TEXTS = "long_name sector industry country website description"
_MONEY = """
market_cap enterprise_value dividend_rate eps_estimate eps_actual
revenue cost_of_revenue gross_profit research_and_development selling_general_and_administrative
operating_expense operating_income interest_expense pretax_income tax_provision net_income ebit ebitda
eps_basic eps_diluted
total_assets current_assets cash_and_equivalents inventory accounts_receivable total_liabilities
current_liabilities accounts_payable total_debt long_term_debt net_debt stockholders_equity retained_earnings
working_capital book_value_per_share
operating_cash_flow investing_cash_flow financing_cash_flow capital_expenditure free_cash_flow
depreciation_and_amortization dividends_paid share_repurchases
"""
_NUMBERS = """
beta pe_ratio forward_pe_ratio peg_ratio pb_ratio ps_ratio ev_to_revenue ev_to_ebitda
dividend_yield payout_ratio gross_margin operating_margin net_margin return_on_assets return_on_equity
current_ratio quick_ratio debt_to_equity revenue_growth earnings_growth
"""
_COUNTS = "employees shares_outstanding float_shares shares_basic shares_diluted"
_SCORES = "audit_risk board_risk compensation_risk shareholder_rights_risk overall_risk"
FACTS: dict[str, FactKind] = {
    **dict.fromkeys(_TEXTS.split(), FactKind.TEXT),
    **dict.fromkeys(_MONEY.split(), FactKind.MONEY),
    **dict.fromkeys(_NUMBERS.split(), FactKind.NUMBER),
    **dict.fromkeys(_COUNTS.split(), FactKind.COUNT),
    **dict.fromkeys(_SCORES.split(), FactKind.SCORE),
    "ex_dividend_date": FactKind.DATE,
    "report_date": FactKind.DATE,
    "report_time": FactKind.REPORT_TIME,
    "dividend_frequency": FactKind.FREQUENCY,
}
REPORT_TIMES = ("before_open", "during_session", "after_close")
FREQUENCIES = ("monthly", "quarterly", "semiannual", "annual", "irregular", "none")
_CHOICES = {FactKind.REPORT_TIME: REPORT_TIMES, FactKind.FREQUENCY: FREQUENCIES}
_LEAST_SCORE, _MOST_SCORE = 1, 10


FactValue: TypeAlias = tuple[Decimal | None, str | None, str]
"""Number, text and currency."""


@dataclass(frozen=True, slots=True)
class FactKey:
    """What a fact is about: of those with one key the last published counts."""

    name: str
    period: FactPeriod
    period_end: date


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing said; either number or text."""

    key: FactKey
    number: Decimal | None
    text: str | None
    currency: str
    """Empty unless the number is money."""
    publish_time_ns: int
    """When the world could know it."""

    @property
    def value(self) -> FactValue:
        """What is said, whenever it was."""
        return self.number, self.text, self.currency


@dataclass(frozen=True, slots=True)
class RecordedFact:
    """A fact with who said so and when it was recorded."""

    fact: Fact
    record_time_ns: int
    source: str
    ingestion_id: str = ""
    """That loaded it; empty when it was recorded otherwise."""
    fetch_time_ns: int | None = None
    """When the source was asked by that ingestion."""


@dataclass(frozen=True, slots=True)
class AsOf:
    """A time in two senses; None means without limit. Nanoseconds since the epoch, UTC, both included."""

    publish_time_ns: int | None = None
    record_time_ns: int | None = None

    def sees(self, recorded: RecordedFact) -> bool:
        """Whether the fact was published and recorded by then."""
        published = self.publish_time_ns is None or recorded.fact.publish_time_ns <= self.publish_time_ns
        return published and (self.record_time_ns is None or recorded.record_time_ns <= self.record_time_ns)


ALWAYS = AsOf()


def known(facts: Iterable[RecordedFact], as_of: AsOf) -> dict[FactKey, RecordedFact]:
    """Of each key the version that counted: the last published, of these the last recorded."""
    found: dict[FactKey, RecordedFact] = {}
    for one in facts:
        held = found.get(one.fact.key)
        if as_of.sees(one) and (held is None or _order(one) > _order(held)):
            found[one.fact.key] = one
    return found


def newest(facts: Iterable[RecordedFact]) -> dict[str, RecordedFact]:
    """Of each name the fact of the latest period, of facts that count."""
    found: dict[str, RecordedFact] = {}
    for one in facts:
        held = found.get(one.fact.key.name)
        if held is None or (one.fact.key.period_end, _order(one)) > (held.fact.key.period_end, _order(held)):
            found[one.fact.key.name] = one
    return found


def value_problem(fact: Fact, *, now_ns: int) -> tuple[str, str]:
    """(Field, what is wrong) of a fact whose name is one of FACTS; both empty when nothing is."""
    kind = FACTS[fact.key.name]
    if fact.publish_time_ns > now_ns:
        return "publish_time", "is in the future"
    is_text = kind in {FactKind.TEXT, FactKind.DATE, *_CHOICES}
    if is_text != (fact.text is not None):
        wanted, given = ("text", "number") if is_text else ("number", "text")
        return given, f"{fact.key.name} is a {wanted}"
    if (kind is FactKind.MONEY) != bool(fact.currency):
        text = "is required: it is money" if kind is FactKind.MONEY else "is only of money"
        return "currency", text
    if fact.text is not None:
        text = _text_problem(kind, fact.text)
        return ("text", text) if text else ("", "")
    text = _number_problem(kind, fact.number or Decimal(0))
    return ("number", text) if text else ("", "")


def names_like(name: str) -> list[str]:
    """Names of facts one may have meant."""
    return difflib.get_close_matches(name.lower(), FACTS, n=5)


def surprise(actual: Decimal | None, estimate: Decimal | None) -> float | None:
    """(actual - estimate) / |estimate|; None unless both are known and the estimate is not 0."""
    if actual is None or not estimate:
        return None
    return float(actual - estimate) / float(abs(estimate))


def _text_problem(kind: FactKind, text: str) -> str:
    choices = _CHOICES.get(kind)
    if choices is not None:
        return "" if text in choices else f"is one of {', '.join(choices)}, not {text!r}"
    if kind is FactKind.DATE:
        try:
            date.fromisoformat(text)
        except ValueError:
            return f"is a day such as 2024-05-02, not {text!r}"
    return ""


def _number_problem(kind: FactKind, number: Decimal) -> str:
    if kind is FactKind.COUNT and (number < 0 or number != int(number)):
        return f"is a whole number, not {number}"
    if kind is FactKind.SCORE and not _LEAST_SCORE <= number <= _MOST_SCORE:
        return f"is from {_LEAST_SCORE} to {_MOST_SCORE}, not {number}"
    return ""


def _order(one: RecordedFact) -> tuple[int, int]:
    return one.fact.publish_time_ns, one.record_time_ns
