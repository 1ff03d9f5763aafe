"""yfinance as published against Yahoo's answers about companies, faults included: facts, or a typed error."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import grpc
import pytest

from bifrost.data.v1 import fundamental_pb2, ingestion_pb2
from bifrost.data.v1 import fundamental_service_pb2 as facts_pb
from bifrost.data.v1 import ingestion_service_pb2 as pb
from bifrost.type.v1 import job_pb2
from services.data.sources.limits import BudgetLimits
from services.data.sources.yahoo.source import YahooSettings, YahooSource
from services.runtime.clock import ManualClock, to_timestamp
from services.runtime.testing_keys import MeshKeys, bearer
from tests.contract.data.data_harness import RunningData, failure_of, listed, start_data
from tests.integration.data.yahoo_answers import Company
from tests.integration.data.yahoo_proxy import Answer, Row, YahooProxy, chart

NEW_YORK = ZoneInfo("America/New_York")
NOW = dt.datetime(2020, 9, 2, 15, 0, tzinfo=NEW_YORK)
ATTEMPTS, DAY_NS = 2, 86_400 * 10**9
ROWS: list[Row] = [(int(NOW.timestamp()) - 86_400, 132.7, 134.8, 130.5, 134.2, 131.3, 151948100)]
HTML = b"<!DOCTYPE html><html><body>Sorry, Yahoo is experiencing problems.</body></html>"
UNAUTHORISED = Answer(
    401, b'{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}'
)


def wrong(kind: str, description: str) -> bytes:
    return json.dumps(
        {kind: {"result": None, "error": {"code": "Not Found", "description": description}}}
    ).encode()


# What is asked for, the answer to it, error, how often it was asked for, attempts
FAULTS: dict[str, tuple[str, Answer, str, int, int]] = {
    "F401": ("quoteSummary", UNAUTHORISED, "SOURCE_UNAUTHORISED", 2, 1),
    "F404": ("quoteSummary", Answer(404, wrong("quoteSummary", "Quote not found")), "SYMBOL_UNKNOWN", 1, 1),
    "F404NONE": (
        "quoteSummary",
        Answer(404, wrong("quoteSummary", "No fundamentals data found for symbol: F404NONE")),
        "ANSWER_EMPTY",
        1,
        1,
    ),
    "F429": ("quote", Answer(429, b"Too Many Requests\r\n"), "RATE_LIMITED", 2, 2),
    "F429SERIES": ("timeseries", Answer(429, b"Too Many Requests\r\n"), "RATE_LIMITED", 2, 2),
    "F503": ("earnings", Answer(503, HTML), "SOURCE_UNAVAILABLE", 2, 2),
    "FHTML": ("quoteSummary", Answer(200, HTML), "ANSWER_MALFORMED", 2, 2),
    "FPAGE": ("earnings", Answer(200, HTML), "ANSWER_MALFORMED", 2, 2),
    "FHALF": ("earnings", Answer(200, b"<html><body>Earnings<table><tr><td>"), "ANSWER_MALFORMED", 2, 2),
    "FCUT": ("timeseries", Answer(200, b'{"timeseries": {', cut=True), "ANSWER_MALFORMED", 2, 2),
    "FNULL": ("quote", Answer(200, b"null"), "ANSWER_MALFORMED", 2, 2),
    "FTIMEOUT": ("quoteSummary", Answer(hold=True), "TIMED_OUT", 2, 2),
}


class Yahoo:
    def __init__(self, data: RunningData, proxy: YahooProxy, clock: ManualClock, source: YahooSource) -> None:
        self.data, self.proxy, self.clock, self.source = data, proxy, clock, source

    def company(self, symbol: str, *, kind: str = "EQUITY", exchange: str = "NMS") -> Company:
        made = Company(symbol)
        self.proxy.charts[symbol] = chart(symbol, ROWS, instrumentType=kind, exchangeName=exchange)
        self.proxy.facts[symbol] = made.answer
        return made

    async def load(self, symbol: str) -> ingestion_pb2.Ingestion:
        request = pb.CreateIngestionRequest(
            request_id=str(uuid.uuid4()),
            source="yahoo",
            symbols=[symbol],
            kind=ingestion_pb2.INGESTION_KIND_FACTS,
        )
        created = await self.data.ingestions.CreateIngestion(request, metadata=self.data.headers)
        return await self.data.wait_ended(created.ingestion.ingestion_id)

    async def facts(self, symbol: str, *names: str) -> list[fundamental_pb2.Fact]:
        request = facts_pb.ListFactsRequest(instrument=listed(symbol), names=names, all_versions=True)
        return list((await self.data.fundamentals.ListFacts(request, metadata=self.data.headers)).facts)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[YahooProxy]:
    made = YahooProxy(tmp_path_factory.mktemp("yahoo"))
    with pytest.MonkeyPatch.context() as patch:
        made.use(patch)
        yield made
    made.close()


@pytest.fixture(scope="module")
async def yahoo(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory, proxy: YahooProxy
) -> AsyncIterator[Yahoo]:
    folder = tmp_path_factory.mktemp("data")
    now_s = int(NOW.timestamp())
    keys, clock = MeshKeys(folder), ManualClock(now_s * 10**9)
    source = YahooSource(YahooSettings(cache_dir=Path(folder / "cache")))
    data = await start_data(
        postgres_url,
        keys,
        clock=clock,
        sources={"yahoo": source},
        ingest_attempts=ATTEMPTS,
        ingest_first_pause_s=0,
        source_budgets={"yahoo": BudgetLimits()},
    )
    data.headers = bearer(keys.user_token(scope="market:read data:write", iat=now_s, exp=now_s + 30 * 86_400))
    yield Yahoo(data, proxy, clock, source)
    await data.stop()


async def test_all_that_yahoo_says_is_recorded(yahoo: Yahoo) -> None:
    yahoo.company("AAPL")
    before = yahoo.proxy.asked.total()
    ended = await yahoo.load("AAPL")
    (result,) = ended.results
    assert result.error_message == "left out: overall_risk is from 1 to 10, not 0"
    assert result.requests == yahoo.proxy.asked.total() - before
    assert result.requests <= 24
    told = {(one.name, one.period_end): one for one in await yahoo.facts("AAPL")}
    assert result.rows_stored == len(told)
    day = "2020-09-02"
    assert {
        name: told[name, day].number or told[name, day].text
        for name in (
            "sector",
            "market_cap",
            "pe_ratio",
            "peg_ratio",
            "audit_risk",
            "ex_dividend_date",
            "employees",
        )
    } == {
        "sector": "Technology",
        "market_cap": "2250000000000",
        "pe_ratio": "39.8",
        "peg_ratio": "2.9",
        "audit_risk": "1",
        "ex_dividend_date": "2020-08-07",
        "employees": "137000",
    }
    revenues = [
        (one.period, one.period_end, one.number, one.currency) for one in await yahoo.facts("AAPL", "revenue")
    ]
    assert revenues == [
        (fundamental_pb2.FACT_PERIOD_QUARTER, "2020-06-30", "59685000000", "USD"),
        (fundamental_pb2.FACT_PERIOD_YEAR, "2018-09-30", "265595000000", "USD"),
        (fundamental_pb2.FACT_PERIOD_YEAR, "2019-09-30", "260174000000", "USD"),
    ]
    sector = told["sector", day]
    assert (sector.source, sector.ingestion_id) == ("Yahoo Finance", ended.ingestion_id)
    assert sector.publish_time == sector.fetch_time == to_timestamp(yahoo.clock.now_ns())
    actual = told["eps_actual", "2020-06-30"]
    assert actual.publish_time.ToDatetime(dt.UTC) == dt.datetime(2020, 7, 30, 17, tzinfo=NEW_YORK)
    request = facts_pb.ListEarningsRequest(instrument=listed("AAPL"))
    reports = (await yahoo.data.fundamentals.ListEarnings(request, metadata=yahoo.data.headers)).earnings
    assert [(one.period_end, one.report_date, one.eps_estimate, one.eps_actual) for one in reports] == [
        ("2020-03-31", "2020-04-30", "0.56", "0.64"),
        ("2020-06-30", "2020-07-30", "0.51", "0.65"),
        ("2020-09-30", "2020-10-29", "0.7", ""),
    ]
    assert reports[1].surprise == pytest.approx(0.14 / 0.51)


async def test_only_what_changed_is_recorded_a_day_later(
    yahoo: Yahoo,
) -> None:
    company = yahoo.company("AGAIN")
    assert (await yahoo.load("AGAIN")).results[0].rows_stored > 30
    yahoo.clock.advance(DAY_NS)
    assert (await yahoo.load("AGAIN")).results[0].rows_stored == 0
    company.reports = [("October 29, 2020 at 4 PM EDT", "0.75", "-", "-"), *company.reports[1:]]
    company.market_cap = 2_000_000_000_000
    assert (await yahoo.load("AGAIN")).results[0].rows_stored == 2
    assert [one.number for one in await yahoo.facts("AGAIN", "market_cap")] == [
        "2250000000000",
        "2000000000000",
    ]
    assert "0.75" in [one.number for one in await yahoo.facts("AGAIN", "eps_estimate")]


@pytest.mark.parametrize("symbol", FAULTS)
async def test_fault(yahoo: Yahoo, symbol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, answer, error, asked, attempts = FAULTS[symbol]
    yahoo.company(symbol).faults[kind] = answer
    if answer.hold:
        monkeypatch.setattr(yahoo.source._shared_session(), "_timeout_s", 2.0)
    before = yahoo.proxy.asked.total()
    ended = await yahoo.load(symbol)
    (result,) = ended.results
    assert ingestion_pb2.SymbolError.Name(result.error) == f"SYMBOL_ERROR_{error}", result.error_message
    assert ended.status.state == job_pb2.JOB_STATE_FAILED
    assert result.attempts == attempts
    assert yahoo.proxy.asked[f"{symbol} {kind}"] == asked
    assert result.requests == yahoo.proxy.asked.total() - before
    failure = await failure_of(yahoo.facts(symbol))
    assert failure.code is grpc.StatusCode.NOT_FOUND, "nothing was written, no instrument either"


async def test_what_passes_is_tried_again(yahoo: Yahoo) -> None:
    company = yahoo.company("PASSES")
    answers = [Answer(503, HTML)]
    yahoo.proxy.facts["PASSES"] = lambda kind, query: (
        answers.pop() if kind == "earnings" and answers else company.answer(kind, query)
    )
    (result,) = (await yahoo.load("PASSES")).results
    assert (result.error, result.attempts) == (0, 2)
    assert result.rows_stored > 30


async def test_a_company_without_reports_and_statements_has_the_rest(yahoo: Yahoo) -> None:
    company = yahoo.company("BARE")
    company.reports, company.income = (), {}
    (result,) = (await yahoo.load("BARE")).results
    assert result.error == 0, result.error_message
    names = {one.name for one in await yahoo.facts("BARE")}
    assert "sector" in names
    assert not {"revenue", "report_date"} & names


async def test_an_index_is_asked_for_no_statements(yahoo: Yahoo) -> None:
    yahoo.company("^GSPC", kind="INDEX", exchange="SNP")
    (result,) = (await yahoo.load("^GSPC")).results
    assert result.error == 0, result.error_message
    assert yahoo.proxy.asked["^GSPC earnings"] == 0
    assert yahoo.proxy.asked["^GSPC timeseries"] == 1
