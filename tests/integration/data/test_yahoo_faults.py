"""yfinance as published against Yahoo's answers and faults, through a proxy: typed errors, counted."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import grpc
import pytest

from bifrost.data.v1 import (
    bar_pb2,
    bar_service_pb2,
    ingestion_pb2,
    ingestion_service_pb2,
    instrument_pb2,
    instrument_service_pb2,
)
from bifrost.type.v1 import job_pb2
from services.data.sources.limits import BudgetLimits
from services.data.sources.yahoo.source import YahooSettings, YahooSource
from services.runtime.clock import ManualClock
from services.runtime.testing_keys import MeshKeys, bearer
from tests.contract.data.data_harness import RunningData, failure_of, listed, start_data
from tests.integration.data.yahoo_proxy import Answer, Row, YahooProxy, chart

NEW_YORK = ZoneInfo("America/New_York")
ATTEMPTS = 3
# 15:00 in New York on a trading day: the bar of the day is still forming.
NOW = dt.datetime(2020, 9, 2, 15, 0, tzinfo=NEW_YORK)
LATE, EARLY = False, True


def opens(day: str) -> int:
    return int(dt.datetime.fromisoformat(f"{day}T09:30").replace(tzinfo=NEW_YORK).timestamp())


# As Yahoo had them after the split of 4 for 1 on 2020-08-31: the days before divided by four.
ROWS: list[Row] = [
    (opens("2020-08-06"), 110.4049987, 114.4124985, 109.7975006, 113.9024963, 111.2, 202428800),
    (opens("2020-08-07"), 113.2050018, 113.6750031, 110.2925034, 111.1125031, 108.7, 198045600),
    (opens("2020-08-28"), 126.0124969, 126.4424973, 124.5774994, 124.8074951, 122.2, 187630000),
    (opens("2020-08-31"), 127.5800018, 131.0, 126.0, 129.0399933, 126.3, 225702700),
    (opens("2020-09-01"), 132.7599945, 134.8000031, 130.5299988, 134.1799927, 131.3, 151948100),
    (int(NOW.timestamp()) - 5, 137.5899963, 137.9799957, 127.0, 131.3999939, 128.6, 200119000),
]
HTML = b"<!DOCTYPE html><html><body>Sorry, Yahoo is experiencing problems.</body></html>"
HALF = chart("S", ROWS)[:400]
EMPTY = json.dumps({"chart": {"result": None, "error": None}}).encode()
TOO_FAR = json.dumps(
    {
        "chart": {
            "result": None,
            "error": {"code": "Unprocessable Entity", "description": "1m data not available for startTime=1"},
        }
    }
).encode()


def always(answer: Answer) -> Callable[[bool], Answer | None]:
    return lambda early: answer


def late(answer: Answer) -> Callable[[bool], Answer | None]:
    """The question for the time zone is answered, the history is not."""
    return lambda early: None if early else answer


# symbol: fault, error, requests for its charts, attempts
FAULTS: dict[str, tuple[Callable[[bool], Answer | None], str, int, int]] = {
    "S401": (
        always(Answer(401, b'{"finance":{"error":{"code":"Unauthorized"}}}')),
        "SOURCE_UNAUTHORISED",
        2,
        1,
    ),
    "S404": (lambda early: None, "SYMBOL_UNKNOWN", 1, 1),
    "S404HTML": (always(Answer(404, HTML)), "ANSWER_MALFORMED", ATTEMPTS, ATTEMPTS),
    "S422": (late(Answer(422, TOO_FAR)), "RANGE_UNAVAILABLE", 2, 1),
    "S429": (always(Answer(429, b"Too Many Requests\r\n")), "RATE_LIMITED", ATTEMPTS, ATTEMPTS),
    "S429LATE": (late(Answer(429, b"Too Many Requests\r\n")), "RATE_LIMITED", ATTEMPTS + 1, ATTEMPTS),
    "S503": (always(Answer(503, HTML)), "SOURCE_UNAVAILABLE", ATTEMPTS, ATTEMPTS),
    "S503LATE": (late(Answer(503, HTML)), "SOURCE_UNAVAILABLE", ATTEMPTS + 1, ATTEMPTS),
    "SHTML": (always(Answer(200, HTML)), "ANSWER_MALFORMED", ATTEMPTS, ATTEMPTS),
    "SHTMLLATE": (late(Answer(200, HTML)), "ANSWER_MALFORMED", ATTEMPTS + 1, ATTEMPTS),
    "SCUT": (
        late(Answer(200, chart("SCUT", ROWS)[:400], cut=True)),
        "ANSWER_MALFORMED",
        ATTEMPTS + 1,
        ATTEMPTS,
    ),
    "SRESET": (late(Answer(200, HALF, reset=True)), "SOURCE_UNAVAILABLE", ATTEMPTS + 1, ATTEMPTS),
    "SHALF": (late(Answer(200, HALF)), "ANSWER_MALFORMED", ATTEMPTS + 1, ATTEMPTS),
    "SNULL": (always(Answer(200, b"null")), "ANSWER_MALFORMED", ATTEMPTS, ATTEMPTS),
    "SEMPTY": (always(Answer(200, EMPTY)), "ANSWER_EMPTY", 1, 1),
    "SNOBARS": (late(Answer(200, chart("SNOBARS", []))), "ANSWER_EMPTY", 2, 1),
    "STIMEOUT": (always(Answer(hold=True)), "TIMED_OUT", ATTEMPTS, ATTEMPTS),
    "SFUTURE": (always(Answer(200, chart("SFUTURE", ROWS, exchangeName="CME"))), "SYMBOL_UNSUPPORTED", 2, 1),
}


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[YahooProxy]:
    made = YahooProxy(tmp_path_factory.mktemp("yahoo"))
    with pytest.MonkeyPatch.context() as patch:
        made.use(patch)
        yield made
    made.close()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, proxy: YahooProxy) -> YahooSource:
    return YahooSource(YahooSettings(cache_dir=tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
async def yahoo(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory, source: YahooSource
) -> AsyncIterator[RunningData]:
    folder = tmp_path_factory.mktemp("data")
    running = await start_at(NOW, postgres_url, folder, source, BudgetLimits())
    yield running
    await running.stop()


async def start_at(
    now: dt.datetime, url: str, folder: Path, source: YahooSource, budget: BudgetLimits
) -> RunningData:
    keys, now_s = MeshKeys(folder), int(now.timestamp())
    running = await start_data(
        url,
        keys,
        clock=ManualClock(now_s * 10**9),
        sources={"yahoo": source},
        ingest_attempts=ATTEMPTS,
        ingest_first_pause_s=0,
        source_budgets={"yahoo": budget},
    )
    token = keys.user_token(scope="market:read data:write", iat=now_s, exp=now_s + 900)
    running.headers = bearer(token)
    return running


async def result_of(yahoo: RunningData, symbol: str) -> ingestion_pb2.SymbolResult:
    return (await yahoo.ingest(source="yahoo", symbols=[symbol])).results[0]


async def test_bars_splits_and_dividends_are_as_they_were_on_the_day(
    yahoo: RunningData, proxy: YahooProxy
) -> None:
    proxy.charts["AAPL"] = chart(
        "AAPL", ROWS, splits=[(opens("2020-08-31"), 4, 1)], dividends=[(opens("2020-08-07"), 0.205)]
    )
    result = await result_of(yahoo, "AAPL")
    assert (result.error_message, result.rows_stored, result.rows_refused) == ("", 5, 0)
    assert result.last_date == "2020-09-01", "the bar of the day was still forming"
    ref = listed("AAPL", "XNAS")
    request = bar_service_pb2.ListBarsRequest(instrument=ref, interval=bar_pb2.BAR_INTERVAL_DAY)
    bars = (await yahoo.bars.ListBars(request, metadata=yahoo.headers)).bars
    assert list(bars.close) == [455.61, 444.45, 499.23, 129.04, 134.18]
    assert list(bars.volume) == [50607200, 49511400, 46907500, 225702700, 151948100]
    splits = await yahoo.instruments.ListSplits(
        instrument_service_pb2.ListSplitsRequest(instrument=ref), metadata=yahoo.headers
    )
    assert [(one.ex_date, one.new_shares, one.old_shares, one.source) for one in splits.splits] == [
        ("2020-08-31", 4, 1, "Yahoo Finance")
    ]
    # Asked again, from before the last bar on: nothing is new, and what was rounded otherwise is not revised.
    proxy.queries.clear()
    again = await result_of(yahoo, "AAPL")
    assert (again.rows_stored, again.rows_revised) == (0, 0)
    (_, query) = proxy.queries[-1]
    assert int(query["period1"][0]) > opens("2020-07-01")


@pytest.mark.parametrize("symbol", FAULTS)
async def test_fault(
    yahoo: RunningData,
    proxy: YahooProxy,
    source: YahooSource,
    symbol: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if symbol == "STIMEOUT":
        monkeypatch.setattr(source._shared_session(), "_timeout_s", 2.0)
    fault, error, requests, attempts = FAULTS[symbol]
    if symbol != "S404":
        proxy.charts[symbol] = chart(symbol, ROWS)
    proxy.faults[symbol] = fault
    before = proxy.asked.total()
    ended = await yahoo.ingest(source="yahoo", symbols=[symbol])
    (result,) = ended.results
    assert ingestion_pb2.SymbolError.Name(result.error) == f"SYMBOL_ERROR_{error}", result.error_message
    assert ended.status.state == job_pb2.JOB_STATE_FAILED
    assert result.attempts == attempts
    assert proxy.asked[symbol] == requests
    # All that was asked is counted, cookies and crumbs too, and none of it is much.
    assert result.requests == proxy.asked.total() - before
    assert result.requests <= requests + 6
    request = instrument_service_pb2.GetInstrumentRequest(instrument=listed(symbol))
    failure = await failure_of(yahoo.instruments.GetInstrument(request, metadata=yahoo.headers))
    assert failure.code is grpc.StatusCode.NOT_FOUND, "nothing was written"


async def test_what_passes_is_tried_again_and_loaded(yahoo: RunningData, proxy: YahooProxy) -> None:
    proxy.charts["MSFT"] = chart("MSFT", ROWS)
    answers = [Answer(429), Answer(503), None]
    proxy.faults["MSFT"] = lambda early: answers.pop(0) if answers else None
    result = await result_of(yahoo, "MSFT")
    assert (result.rows_stored, result.attempts, result.error_message) == (5, 3, "")


async def test_pence_are_stored_as_pounds(yahoo: RunningData, proxy: YahooProxy) -> None:
    rows: list[Row] = [(row[0] - 5 * 3600, *row[1:]) for row in ROWS[:3]]
    proxy.charts["VOD.L"] = chart(
        "VOD.L", rows, exchangeName="LSE", currency="GBp", exchangeTimezoneName="Europe/London"
    )
    assert (await result_of(yahoo, "VOD.L")).rows_stored == 3
    request = bar_service_pb2.ListBarsRequest(
        instrument=listed("VOD", "XLON"), interval=bar_pb2.BAR_INTERVAL_DAY
    )
    bars = (await yahoo.bars.ListBars(request, metadata=yahoo.headers)).bars
    assert list(bars.close) == [1.139025, 1.111125, 1.248075]


def days(zone: str, *rows: tuple[str, float]) -> list[Row]:
    """Days that begin at midnight; open, high, low and close from one price."""
    found: list[Row] = []
    for day, price in rows:
        begin = dt.datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
        found.append((int(begin.timestamp()), price, price * 1.01, price * 0.99, price, price, 0))
    return found


CURRENCY = {
    "exchangeName": "CCY",
    "instrumentType": "CURRENCY",
    "exchangeTimezoneName": "Europe/London",
    "firstTradeDate": 1070236800,
}
CRYPTO = {
    "exchangeName": "CCC",
    "instrumentType": "CRYPTOCURRENCY",
    "exchangeTimezoneName": "UTC",
    "firstTradeDate": 1410912000,
}


@pytest.mark.parametrize(
    ("symbol", "held", "mic", "asset_class", "tick", "meta", "zone", "last_day"),
    [
        ("EURUSD=X", "EURUSD", "X245", "FX", "0.00001", CURRENCY, "Europe/London", "2020-08-31"),
        (
            "JPY=X",
            "USDJPY",
            "X245",
            "FX",
            "0.001",
            {**CURRENCY, "currency": "JPY"},
            "Europe/London",
            "2020-08-31",
        ),
        ("BTC-USD", "BTC-USD", "X247", "CRYPTO", "0.00000001", CRYPTO, "UTC", "2020-08-29"),
    ],
)
async def test_currencies_and_cryptocurrencies_are_held_by_their_own_days(
    yahoo: RunningData,
    proxy: YahooProxy,
    symbol: str,
    held: str,
    mic: str,
    asset_class: str,
    tick: str,
    meta: dict[str, Any],  # Any: JSON
    zone: str,
    last_day: str,
) -> None:
    rows = days(zone, ("2020-08-27", 1.18), ("2020-08-28", 1.19), (last_day, 1.2), ("2020-09-02", 1.21))
    proxy.charts[symbol] = chart(symbol, rows, **meta)
    result = await result_of(yahoo, symbol)
    assert (result.error_message, result.rows_stored, result.rows_refused) == ("", 3, 0)
    assert result.last_date == last_day, "the bar of the day was still forming"
    got = await yahoo.instruments.GetInstrument(
        instrument_service_pb2.GetInstrumentRequest(instrument=listed(held)), metadata=yahoo.headers
    )
    assert (got.instrument.mic, got.instrument.tick_size) == (mic, tick)
    assert got.instrument.asset_class == instrument_pb2.AssetClass.Value(f"ASSET_CLASS_{asset_class}")
    request = bar_service_pb2.ListBarsRequest(instrument=listed(held, mic), interval=bar_pb2.BAR_INTERVAL_DAY)
    bars = (await yahoo.bars.ListBars(request, metadata=yahoo.headers)).bars
    opened = [dt.datetime.fromtimestamp(one // 10**9, dt.UTC).isoformat() for one in bars.open_time_ns]
    assert opened == [f"{day}T00:00:00+00:00" for day in ("2020-08-27", "2020-08-28", last_day)]
    assert list(bars.close) == [1.18, 1.19, 1.2]


@pytest.mark.parametrize(
    ("symbol", "meta", "interval", "why"),
    [
        (
            "ES=F",
            {"exchangeName": "CME", "instrumentType": "FUTURE"},
            bar_pb2.BAR_INTERVAL_DAY,
            "ES=F is a FUTURE at Yahoo's exchange CME, which is not held here; Yahoo's futures",
        ),
        (
            "ETH-BTC",
            {**CRYPTO, "currency": "BTC"},
            bar_pb2.BAR_INTERVAL_DAY,
            "no currency that is known: BTC",
        ),
        ("GBPUSD=X", CURRENCY, bar_pb2.BAR_INTERVAL_HOUR, "only days, weeks and months are held"),
    ],
)
async def test_what_cannot_be_held_says_why(
    yahoo: RunningData, proxy: YahooProxy, symbol: str, meta: dict[str, Any], interval: int, why: str
) -> None:
    proxy.charts[symbol] = chart(symbol, days("UTC", ("2020-08-28", 1.3)), **meta)
    request = ingestion_service_pb2.CreateIngestionRequest(
        request_id=symbol, source="yahoo", symbols=[symbol], interval=bar_pb2.BarInterval.Name(interval)
    )
    created = await yahoo.ingestions.CreateIngestion(request, metadata=yahoo.headers)
    (result,) = (await yahoo.wait_ended(created.ingestion.ingestion_id)).results
    assert result.error == ingestion_pb2.SYMBOL_ERROR_SYMBOL_UNSUPPORTED
    assert why in result.error_message
    assert result.attempts == 1


async def test_minutes_are_asked_by_the_week_and_brought_back_over_a_split(
    yahoo: RunningData, proxy: YahooProxy
) -> None:
    begin, after = opens("2020-08-28"), opens("2020-08-31")
    minutes: list[Row] = [(begin + 60 * n, 125.0, 125.5, 124.5, 125.0, 125.0, 4000) for n in range(60)]
    minutes += [(after + 60 * n, 127.0, 127.5, 126.5, 127.0, 127.0, 1000) for n in range(60)]
    # Yahoo's null: nothing was traded in that minute.
    minutes[5] = (minutes[5][0], None, None, None, None, None, None)
    sessions = [
        [{"start": opens(day), "end": opens(day) + 23_400, "timezone": "EDT", "gmtoffset": -14400}]
        for day in ("2020-08-28", "2020-08-31")
    ]

    def answer(query: dict[str, list[str]]) -> bytes:
        first, end = int(query["period1"][0]), int(query["period2"][0])
        rows = [row for row in (ROWS if query["interval"] == ["1d"] else minutes) if first <= row[0] < end]
        if not rows:
            return chart("MINS", [])
        events = [(after, 4, 1)] if first <= after < end else []
        return chart("MINS", rows, splits=events, tradingPeriods=sessions)

    proxy.charts["MINS"] = chart("MINS", ROWS)
    proxy.answers["MINS"] = answer
    proxy.queries.clear()
    request = ingestion_service_pb2.CreateIngestionRequest(
        request_id="minutes", source="yahoo", symbols=["MINS"], interval=bar_pb2.BAR_INTERVAL_MINUTE
    )
    created = await yahoo.ingestions.CreateIngestion(request, metadata=yahoo.headers)
    (result,) = (await yahoo.wait_ended(created.ingestion.ingestion_id)).results
    assert (result.error_message, result.rows_stored) == ("", 119)
    asked = [query for _, query in proxy.queries if query["interval"] == ["1m"]]
    assert len(asked) == 5
    assert all(int(one["period2"][0]) - int(one["period1"][0]) <= 7 * 86_400 for one in asked[:-1])
    wanted = bar_service_pb2.ListBarsRequest(
        instrument=listed("MINS", "XNAS"), interval=bar_pb2.BAR_INTERVAL_MINUTE
    )
    bars = (await yahoo.bars.ListBars(wanted, metadata=yahoo.headers)).bars
    assert (bars.close[0], bars.volume[0], bars.close[-1], bars.volume[-1]) == (500, 1000, 127, 1000)
    assert bars.open_time_ns[0] == begin * 10**9


async def test_a_week_opens_with_its_first_session(yahoo: RunningData, proxy: YahooProxy) -> None:
    midnight = 9 * 3600 + 1800
    weeks: list[Row] = [
        (opens(day) - midnight, 110.0, 115.0, 109.0, 113.0, 113.0, 1000)
        for day in ("2020-08-10", "2020-08-17", "2020-08-24", "2020-08-31")
    ]
    proxy.charts["WEEKS"] = chart("WEEKS", ROWS)
    proxy.answers["WEEKS"] = lambda query: chart("WEEKS", weeks if query["interval"] == ["1wk"] else ROWS)
    request = ingestion_service_pb2.CreateIngestionRequest(
        request_id="weeks", source="yahoo", symbols=["WEEKS"], interval=bar_pb2.BAR_INTERVAL_WEEK
    )
    created = await yahoo.ingestions.CreateIngestion(request, metadata=yahoo.headers)
    (result,) = (await yahoo.wait_ended(created.ingestion.ingestion_id)).results
    assert (result.error_message, result.rows_stored) == ("", 3), "the fourth week is not over"
    assert (result.first_date, result.last_date) == ("2020-08-10", "2020-08-24")


async def test_the_budget_of_the_day_outlives_the_service(
    postgres_url: str, tmp_path: Path, proxy: YahooProxy
) -> None:
    proxy.charts["IBM"] = chart("IBM", ROWS)
    for left in (True, False):
        folder = tmp_path / str(left)
        folder.mkdir()
        source = YahooSource(YahooSettings(cache_dir=folder / "cache"))
        later = NOW + dt.timedelta(days=30)
        running = await start_at(later, postgres_url, folder, source, BudgetLimits(per_day=4))
        before = proxy.asked.total()
        result = await result_of(running, "IBM")
        await running.stop()
        if left:
            assert result.rows_stored == 6
            assert proxy.asked.total() - before == 4
        else:
            assert result.error == ingestion_pb2.SYMBOL_ERROR_BUDGET_EXHAUSTED
            assert proxy.asked.total() == before
