"""What Yahoo answers about a listing beside its chart, in its forms as yfinance 1.7 asks for them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence

from tests.integration.data.yahoo_proxy import Answer

SUMMARY: dict[str, dict[str, object]] = {
    "assetProfile": {
        "sector": "Technology",
        "industry": "Consumer Electronics",
        "country": "United States",
        "website": "https://www.apple.com",
        "fullTimeEmployees": 137000,
        "auditRisk": 1,
        "boardRisk": 1,
        "overallRisk": 0,
        "maxAge": 86400,
    },
    "summaryDetail": {
        "currency": "USD",
        "previousClose": 131.4,
        "dividendRate": 0.82,
        "payoutRatio": 0.24,
        "exDividendDate": 1596758400,
        "beta": 1.28,
        "trailingPE": 39.8,
    },
    "defaultKeyStatistics": {"floatShares": 17_000_000_000, "sharesOutstanding": 17_102_500_864},
    "financialData": {"financialCurrency": "USD"},
}
REPORTS = (
    ("October 29, 2020 at 4 PM EDT", "0.7", "-", "-"),
    ("July 30, 2020 at 4 PM EDT", "0.51", "0.65", "+26.4"),
    ("April 30, 2020 at 4 PM EDT", "0.56", "0.64", "+12.91"),
)


class Company:
    """Answers of one symbol; a test changes them."""

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.summary = {module: dict(values) for module, values in SUMMARY.items()}
        self.market_cap = 2_250_000_000_000
        self.reports: Sequence[Sequence[str]] = REPORTS
        self.income: Mapping[str, Mapping[str, float]] = {
            "annual": {"2019-09-30": 260_174e6, "2018-09-30": 265_595e6},
            "quarterly": {"2020-06-30": 59_685e6},
        }
        self.faults: dict[str, Answer] = {}

    def answer(self, kind: str, query: Mapping[str, Sequence[str]]) -> Answer:
        fault = self.faults.get(kind)
        if fault is not None:
            return fault
        if kind == "quoteSummary":
            return _json(quoteSummary=[self.summary])
        if kind == "quote":
            quote = {"symbol": self.symbol, "longName": f"{self.symbol} Inc.", "marketCap": self.market_cap}
            return _json(quoteResponse=[quote])
        if kind == "timeseries":
            return _json(timeseries=self._series(query["type"][0].split(",")))
        return Answer(body=self._calendar().encode())

    def _series(self, types: Sequence[str]) -> list[object]:
        if types == ["trailingPegRatio"]:
            return [{"meta": {}, **_points("trailingPegRatio", {"2020-09-01": 2.9})}]
        found: list[object] = []
        for name in types:
            for prefix, values in self.income.items():
                if name == f"{prefix}TotalRevenue":
                    found.append({"meta": {"type": [name]}, **_points(name, values)})
        return found or [{"meta": {"symbol": [self.symbol], "type": types}}]

    def _calendar(self) -> str:
        if not self.reports:
            return "<html><body>No earnings calendar</body></html>"
        head = "<tr>" + "".join(
            f"<th>{name}</th>"
            for name in ("Symbol", "Company", "Earnings Date", "EPS Estimate", "Reported EPS", "Surprise (%)")
        )
        rows = "".join(
            "<tr>" + "".join(f"<td>{cell}</td>" for cell in (self.symbol, "Apple", *row)) + "</tr>"
            for row in self.reports
        )
        return (
            f"<html><body>Earnings calendar<table><thead>{head}</tr></thead>"
            f"<tbody>{rows}</tbody></table></body></html>"
        )


def _points(name: str, values: Mapping[str, float]) -> dict[str, object]:
    midnights = [int(dt.datetime.fromisoformat(f"{day}T00:00+00:00").timestamp()) for day in values]
    points = [{"asOfDate": day, "reportedValue": {"raw": value}} for day, value in values.items()]
    return {"timestamp": midnights, name: points}


def _json(**wrapped: object) -> Answer:
    ((name, result),) = wrapped.items()
    return Answer(body=json.dumps({name: {"result": result, "error": None}}).encode())
