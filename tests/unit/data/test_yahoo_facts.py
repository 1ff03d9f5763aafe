"""Facts from answers in Yahoo's form."""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from services.data.domain.facts import Fact, FactPeriod, value_problem
from services.data.sources.yahoo.facts import (
    facts_of_earnings,
    facts_of_income,
    facts_of_info,
    last_quarter_end,
)

NANOS = 10**9
FETCHED = 1_714_000_000 * NANOS  # 2024-04-24
NEW_YORK, TOKYO = ZoneInfo("America/New_York"), ZoneInfo("Asia/Tokyo")
INFO: dict[str, object] = {
    "longName": "Apple Inc.",
    "sector": "Technology",
    "longBusinessSummary": " ",
    "fullTimeEmployees": 150000,
    "currency": "USD",
    "marketCap": 2610000000000,
    "beta": 1.264,
    "trailingPE": 26.299999237060547,
    "forwardPE": float("nan"),
    "priceToBook": "Infinity",
    "auditRisk": 6,
    "dividendRate": 0.96,
    "previousClose": 166.9,
    "exDividendDate": 1707436800,
}


def values(facts: list[Fact]) -> dict[str, object]:
    assert all(value_problem(one, now_ns=FETCHED) == ("", "") for one in facts)
    return {one.key.name: one.number if one.text is None else one.text for one in facts}


def test_info() -> None:
    facts = facts_of_info(INFO, fetch_time_ns=FETCHED)
    assert values(facts) == {
        "long_name": "Apple Inc.",
        "sector": "Technology",
        "employees": Decimal(150000),
        "market_cap": Decimal(2610000000000),
        "beta": Decimal("1.264"),
        "pe_ratio": Decimal("26.299999237"),
        "audit_risk": Decimal(6),
        "dividend_rate": Decimal("0.96"),
        "dividend_yield": Decimal("0.005751947"),
        "ex_dividend_date": "2024-02-09",
    }
    assert {one.currency for one in facts if one.key.name in {"market_cap", "dividend_rate"}} == {"USD"}
    assert {one.publish_time_ns for one in facts} == {FETCHED}
    assert {one.key.period_end for one in facts} == {date(2024, 4, 24)}


def test_money_in_no_known_currency_is_left_out() -> None:
    assert "market_cap" not in values(facts_of_info(INFO | {"currency": "GBp"}, fetch_time_ns=FETCHED))
    assert facts_of_info({}, fetch_time_ns=FETCHED) == []


def test_earnings() -> None:
    past = datetime(2024, 2, 1, 16, 30, tzinfo=NEW_YORK)
    coming = datetime(2024, 5, 2, 0, 0, tzinfo=NEW_YORK)
    rows = {
        past: {"EPS Estimate": 2.1, "Reported EPS": 2.18, "Surprise(%)": 3.87},
        coming: {"EPS Estimate": 1.5, "Reported EPS": float("nan")},
    }
    facts = facts_of_earnings(rows, zone=NEW_YORK, currency="USD", fetch_time_ns=FETCHED)
    first = [one for one in facts if one.key.period_end == date(2023, 12, 31)]
    assert values(first) == {
        "report_date": "2024-02-01",
        "report_time": "after_close",
        "eps_estimate": Decimal("2.1"),
        "eps_actual": Decimal("2.18"),
    }
    published = {one.key.name: one.publish_time_ns for one in first}
    assert published["eps_actual"] == (int(past.timestamp()) + 3600) * NANOS, "the end of the hour"
    assert published["eps_estimate"] == FETCHED
    second = [one for one in facts if one.key.period_end == date(2024, 3, 31)]
    assert values(second) == {"report_date": "2024-05-02", "eps_estimate": Decimal("1.5")}


def test_a_report_of_no_known_hour_counts_from_the_end_of_its_day() -> None:
    day = datetime(2024, 2, 1, tzinfo=NEW_YORK)
    facts = facts_of_earnings({day: {"Reported EPS": 1.0}}, zone=TOKYO, currency="USD", fetch_time_ns=FETCHED)
    by_name = {one.key.name: one for one in facts}
    assert by_name["report_date"].text == "2024-02-01"
    assert by_name["eps_actual"].publish_time_ns == (int(day.timestamp()) + 86_400) * NANOS
    assert "report_time" not in by_name


def test_a_report_elsewhere_is_dated_by_its_market() -> None:
    evening = datetime(2024, 2, 1, 20, tzinfo=NEW_YORK)
    facts = facts_of_earnings(
        {evening: {"EPS Estimate": 1.0}}, zone=TOKYO, currency="", fetch_time_ns=FETCHED
    )
    assert [(one.key.name, one.text) for one in facts] == [("report_date", "2024-02-02")]


def test_of_two_reports_in_a_quarter_the_last_that_was_made_counts() -> None:
    made = datetime(2024, 1, 3, 16, tzinfo=NEW_YORK)
    rows = {
        datetime(2024, 3, 29, 16, tzinfo=NEW_YORK): {"EPS Estimate": 3.0},
        made: {"Reported EPS": 1.0},
        datetime(2024, 1, 2, 16, tzinfo=NEW_YORK): {"Reported EPS": 2.0},
    }
    facts = facts_of_earnings(rows, zone=NEW_YORK, currency="USD", fetch_time_ns=FETCHED)
    assert values(facts) == {
        "report_date": "2024-01-03",
        "report_time": "after_close",
        "eps_actual": Decimal(1),
    }
    assert len({(one.key, one.publish_time_ns) for one in facts}) == len(facts)


def test_what_mixes_two_currencies_is_left_out() -> None:
    info = INFO | {"financialCurrency": "TWD", "enterpriseValue": 5, "priceToBook": 2.0}
    told = values(facts_of_info(info, fetch_time_ns=FETCHED))
    assert not {"enterprise_value", "pb_ratio"} & told.keys()
    assert told["market_cap"] == Decimal(2610000000000)
    assert "dividend_yield" not in values(facts_of_info(INFO | {"currency": "GBp"}, fetch_time_ns=FETCHED))


def test_income() -> None:
    columns: dict[date, dict[str, object]] = {
        date(2023, 9, 30): {
            "TotalRevenue": 383285000000.0,
            "DilutedEPS": 6.13,
            "DilutedAverageShares": 15812547000.0,
        },
        date(2022, 9, 30): {"TotalRevenue": float("nan"), "NetIncome": -5.0},
    }
    facts = facts_of_income(columns, FactPeriod.YEAR, currency="USD", fetch_time_ns=FETCHED)
    assert [(one.key.name, one.key.period_end.year, one.number) for one in facts] == [
        ("revenue", 2023, Decimal(383285000000)),
        ("eps_diluted", 2023, Decimal("6.13")),
        ("shares_diluted", 2023, Decimal(15812547000)),
        ("net_income", 2022, Decimal(-5)),
    ]
    assert {one.key.period for one in facts} == {FactPeriod.YEAR}
    values([one for one in facts if one.key.period_end.year == 2023])


@pytest.mark.parametrize(
    ("day", "end"),
    [
        ("2024-01-01", "2023-12-31"),
        ("2024-03-31", "2023-12-31"),
        ("2024-04-01", "2024-03-31"),
        ("2024-12-31", "2024-09-30"),
    ],
)
def test_last_quarter_end(day: str, end: str) -> None:
    assert last_quarter_end(date.fromisoformat(day)) == date.fromisoformat(end)
