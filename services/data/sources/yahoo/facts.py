"""Facts from what yfinance answers: `Ticker.info`, `get_earnings_dates`, `get_income_stmt`, as plain objects.

Yahoo says no publish time of most of what it shows. Such facts count from when they were fetched, so that no
read of an earlier time finds them; only a reported profit counts from the end of the hour of its report, of
the day where the hour is not known. What is in a currency that Yahoo does not name clearly is left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from services.data.domain.facts import FACTS, Fact, FactKey, FactKind, FactPeriod
from services.runtime.clock import NANOS
from services.runtime.currencies import MINOR_UNITS

_INFO = {
    "longName": "long_name",
    "sector": "sector",
    "industry": "industry",
    "country": "country",
    "website": "website",
    "longBusinessSummary": "description",
    "fullTimeEmployees": "employees",
    "marketCap": "market_cap",
    "enterpriseValue": "enterprise_value",
    "beta": "beta",
    "trailingPE": "pe_ratio",
    "forwardPE": "forward_pe_ratio",
    "trailingPegRatio": "peg_ratio",
    "priceToBook": "pb_ratio",
    "priceToSalesTrailing12Months": "ps_ratio",
    "enterpriseToEbitda": "ev_to_ebitda",
    "enterpriseToRevenue": "ev_to_revenue",
    "sharesOutstanding": "shares_outstanding",
    "floatShares": "float_shares",
    "payoutRatio": "payout_ratio",
    "dividendRate": "dividend_rate",
    "auditRisk": "audit_risk",
    "boardRisk": "board_risk",
    "compensationRisk": "compensation_risk",
    "shareHolderRightsRisk": "shareholder_rights_risk",
    "overallRisk": "overall_risk",
}
_INCOME = {
    "TotalRevenue": "revenue",
    "CostOfRevenue": "cost_of_revenue",
    "GrossProfit": "gross_profit",
    "ResearchAndDevelopment": "research_and_development",
    "SellingGeneralAndAdministration": "selling_general_and_administrative",
    "OperatingExpense": "operating_expense",
    "OperatingIncome": "operating_income",
    "InterestExpense": "interest_expense",
    "PretaxIncome": "pretax_income",
    "TaxProvision": "tax_provision",
    "NetIncome": "net_income",
    "EBIT": "ebit",
    "EBITDA": "ebitda",
    "BasicEPS": "eps_basic",
    "DilutedEPS": "eps_diluted",
    "BasicAverageShares": "shares_basic",
    "DilutedAverageShares": "shares_diluted",
}
_RATIO_PLACES, _WHOLE = Decimal("1e-9"), Decimal(1)
# Its own traps: else it has those of the process, which refuse to round.
_ROUNDING = Context(prec=60, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation])
_MOST = Decimal("1e18")
_NEW_YORK, _PRE_MARKET_ENDS, _AFTER_HOURS_BEGIN = "America/New_York", time(9, 30), time(16)
# Reckoned of price and statements together, which Yahoo does also where they are in two currencies.
_OF_BOTH = ("enterpriseValue", "enterpriseToEbitda", "enterpriseToRevenue", "priceToBook")


def facts_of_info(info: Mapping[str, object], *, fetch_time_ns: int) -> list[Fact]:
    """Profile, valuation, governance and dividends of `Ticker.info`; what it does not say is left out."""
    day = datetime.fromtimestamp(fetch_time_ns // NANOS, UTC).date()
    currency = price_currency(info)
    mixed = () if statement_currency(info) in {"", currency} else _OF_BOTH
    found = [
        _fact(name, FactPeriod.INSTANT, day, info.get(key), currency, fetch_time_ns)
        for key, name in _INFO.items()
        if key not in mixed
    ]
    # In per cent in recent versions of yfinance; the rate over the price says it in one unit.
    rate, price = _number(info.get("dividendRate")), _number(info.get("previousClose"))
    if rate is not None and price and currency:
        share = float(rate) / float(price)
        found.append(_fact("dividend_yield", FactPeriod.INSTANT, day, share, currency, fetch_time_ns))
    ex_date = _number(info.get("exDividendDate"))
    if ex_date is not None:
        text = datetime.fromtimestamp(int(ex_date), UTC).date().isoformat()
        found.append(_fact("ex_dividend_date", FactPeriod.INSTANT, day, text, currency, fetch_time_ns))
    return [one for one in found if one is not None]


def facts_of_earnings(
    rows: Mapping[datetime, Mapping[str, object]], *, zone: ZoneInfo, currency: str, fetch_time_ns: int
) -> list[Fact]:
    """The calendar of `get_earnings_dates`: rows by time of the report with columns "EPS Estimate" and
    "Reported EPS"; ``zone`` is the market's.

    Yahoo does not say which fiscal period a report is of: it is taken to be the last calendar quarter that
    ended before the report. Of two in one quarter the last that was made counts.
    """
    reports: dict[date, tuple[datetime, Mapping[str, object]]] = {}
    for moment, row in sorted(rows.items(), key=lambda one: (_is_made(one[1]), one[0])):
        reports[last_quarter_end(_report_date(moment, zone))] = moment, row
    found = []
    for period_end, (moment, row) in reports.items():
        values: dict[str, tuple[object, int]] = {
            "report_date": (_report_date(moment, zone).isoformat(), fetch_time_ns),
            "report_time": (_report_time(moment, zone), fetch_time_ns),
            "eps_estimate": (row.get("EPS Estimate"), fetch_time_ns),
            "eps_actual": (row.get("Reported EPS"), min(_known_from_ns(moment), fetch_time_ns)),
        }
        found += [
            _fact(name, FactPeriod.QUARTER, period_end, value, currency, publish_ns)
            for name, (value, publish_ns) in values.items()
        ]
    return [one for one in found if one is not None]


def facts_of_income(
    columns: Mapping[date, Mapping[str, object]], period: FactPeriod, *, currency: str, fetch_time_ns: int
) -> list[Fact]:
    """Items of `get_income_stmt`: its columns by end of the fiscal period, with items by Yahoo's names."""
    found = (
        _fact(name, period, period_end, items.get(key), currency, fetch_time_ns)
        for period_end, items in columns.items()
        for key, name in _INCOME.items()
    )
    return [one for one in found if one is not None]


def last_quarter_end(day: date) -> date:
    """The last day of the last calendar quarter that ended before the day."""
    return date(day.year, 3 * ((day.month - 1) // 3) + 1, 1) - timedelta(days=1)


def _fact(
    name: str, period: FactPeriod, period_end: date, value: object, currency: str, publish_ns: int
) -> Fact | None:
    kind, key = FACTS[name], FactKey(name, period, period_end)
    if kind in {FactKind.TEXT, FactKind.DATE, FactKind.REPORT_TIME}:
        text = value.strip() if isinstance(value, str) else ""
        return Fact(key, None, text, "", publish_ns) if text else None
    is_money = kind is FactKind.MONEY
    number = _number(value)
    if number is None or (is_money and not currency):
        return None
    if kind is FactKind.COUNT:
        number = number.quantize(_WHOLE, context=_ROUNDING)
    return Fact(key, number, None, currency if is_money else "", publish_ns)


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    number = Decimal(repr(float(value)) if isinstance(value, float) else value)
    return number.quantize(_RATIO_PLACES, context=_ROUNDING) if abs(number) < _MOST else None


def price_currency(info: Mapping[str, object]) -> str:
    """What prices are in; empty when it is not known, or is the hundredth of a currency."""
    return _currency(info.get("currency"))


def statement_currency(info: Mapping[str, object]) -> str:
    """What statements are in; empty when it is not known."""
    return _currency(info.get("financialCurrency"))


def _currency(value: object) -> str:
    return value if isinstance(value, str) and value in MINOR_UNITS else ""


def _is_made(row: Mapping[str, object]) -> bool:
    return _number(row.get("Reported EPS")) is not None


def _has_hour(moment: datetime) -> bool:
    # Yahoo writes midnight where it does not know.
    return moment.time() != time()


def _report_date(moment: datetime, zone: ZoneInfo) -> date:
    return (moment.astimezone(zone) if _has_hour(moment) else moment).date()


def _known_from_ns(moment: datetime) -> int:
    end = moment + (timedelta(hours=1) if _has_hour(moment) else timedelta(days=1))
    return int(end.timestamp()) * NANOS


def _report_time(moment: datetime, zone: ZoneInfo) -> str:
    # The hours are those of New York; of other markets nothing is said.
    if not _has_hour(moment) or zone.key != _NEW_YORK:
        return ""
    local = moment.astimezone(zone).time()
    if local < _PRE_MARKET_ENDS:
        return "before_open"
    return "during_session" if local < _AFTER_HOURS_BEGIN else "after_close"
