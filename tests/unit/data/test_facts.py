"""Facts as they were known: against a naive model, and values that are wrong."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.data.domain.facts import (
    AsOf,
    Fact,
    FactKey,
    FactPeriod,
    RecordedFact,
    known,
    names_like,
    newest,
    surprise,
    value_problem,
)

END = date(2024, 3, 31)


def fact(
    name: str, number: str | None = None, text: str | None = None, currency: str = "", at: int = 0
) -> Fact:
    key = FactKey(name, FactPeriod.QUARTER, END)
    return Fact(key, None if number is None else Decimal(number), text, currency, at)


VERSIONS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 99)), max_size=8)
LIMIT = st.none() | st.integers(0, 8)


@given(versions=VERSIONS, published=LIMIT, recorded=LIMIT)
def test_what_counted_is_the_last_published_of_what_was_known(
    versions: list[tuple[int, int]], published: int | None, recorded: int | None
) -> None:
    held = [
        RecordedFact(fact("beta", str(value), at=at), record_time_ns=number, source="test")
        for number, (at, value) in enumerate(versions)
    ]
    counts: Decimal | None = None
    for at in range(6):
        for number, (publish, value) in enumerate(versions):
            in_time = (published is None or publish <= published) and (recorded is None or number <= recorded)
            if publish == at and in_time:
                counts = Decimal(value)
    found = known(held, AsOf(published, recorded))
    assert [one.fact.number for one in found.values()] == ([] if counts is None else [counts])


def test_newest_is_of_the_latest_period() -> None:
    def of(year: int, at: int) -> RecordedFact:
        key = FactKey("beta", FactPeriod.INSTANT, date(year, 1, 1))
        return RecordedFact(Fact(key, Decimal(year), None, "", at), 1, "test")

    assert newest([of(2023, 9), of(2024, 1), of(2022, 5)])["beta"].fact.number == 2024


@pytest.mark.parametrize(
    ("one", "field"),
    [
        (fact("revenue", "1.5", currency="USD"), ""),
        (fact("beta", "-0.2"), ""),
        (fact("sector", text="Technology"), ""),
        (fact("report_time", text="after_close"), ""),
        (fact("audit_risk", "1"), ""),
        (fact("audit_risk", "10"), ""),
        (fact("audit_risk", "11"), "number"),
        (fact("audit_risk", "0"), "number"),
        (fact("revenue", "1"), "currency"),
        (fact("beta", "1", currency="USD"), "currency"),
        (fact("beta", text="high"), "text"),
        (fact("sector", "1"), "number"),
        (fact("employees", "1.5"), "number"),
        (fact("employees", "-1"), "number"),
        (fact("report_date", text="2024-02-30"), "text"),
        (fact("report_time", text="noon"), "text"),
        (fact("beta", "1", at=2), "publish_time"),
    ],
)
def test_values_fit_their_names(one: Fact, field: str) -> None:
    assert value_problem(one, now_ns=1)[0] == field


@pytest.mark.parametrize(
    ("actual", "estimate", "share"),
    [("1.05", "1", 0.05), ("-0.5", "-1", 0.5), ("-1.5", "-1", -0.5), ("0", "2", -1.0), ("1", "0", None)],
)
def test_surprise_is_a_share_of_the_size_of_the_estimate(
    actual: str, estimate: str, share: float | None
) -> None:
    found = surprise(Decimal(actual), Decimal(estimate))
    assert found == (None if share is None else pytest.approx(share))
    assert surprise(None, Decimal(1)) is None
    assert surprise(Decimal(1), None) is None


def test_names_one_may_have_meant() -> None:
    assert "revenue" in names_like("Revenues")
