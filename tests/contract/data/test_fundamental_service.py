"""FundamentalService over a socket and a real database."""

from __future__ import annotations

import time
import uuid
from datetime import date
from decimal import Decimal
from typing import Any

import grpc
import pytest
import sqlalchemy as sa
from google.protobuf.timestamp_pb2 import Timestamp

from bifrost.data.v1 import fundamental_pb2
from bifrost.data.v1 import fundamental_service_pb2 as pb
from services.data import tables
from services.data.domain.facts import Fact, FactKey, FactPeriod
from services.data.facts.fact_store import FactOrigin, begin_batch, insert_batch
from services.runtime.clock import ManualClock, SystemClock, to_timestamp
from services.runtime.database import Database
from tests.contract.data.data_harness import RunningData, failure_of, listed

QUARTER = fundamental_pb2.FACT_PERIOD_QUARTER
INSTANT = fundamental_pb2.FACT_PERIOD_INSTANT


def at(day: str) -> Timestamp:
    stamp = Timestamp()
    stamp.FromJsonString(f"{day}T00:00:00Z")
    return stamp


def fact(
    name: str,
    value: str,
    published: str = "",
    *,
    end: str = "2024-03-31",
    period: int = QUARTER,
    currency: str = "",
) -> fundamental_pb2.FactSpec:
    is_number = value.lstrip("-").replace(".", "").isdigit()
    return fundamental_pb2.FactSpec(
        name=name,
        period=fundamental_pb2.FactPeriod.Name(period),
        period_end=end,
        number=value if is_number else None,
        text=None if is_number else value,
        currency=currency,
        publish_time=at(published) if published else None,
    )


async def record(
    data: RunningData, symbol: str, *facts: fundamental_pb2.FactSpec, request_id: str = ""
) -> pb.RecordFactsResponse:
    subject = pb.FactSubject(instrument=listed(symbol), facts=facts)
    request = pb.RecordFactsRequest(
        request_id=request_id or str(uuid.uuid4()), source="test", subjects=[subject]
    )
    return await data.fundamentals.RecordFacts(request, metadata=data.headers)


async def series(data: RunningData, symbol: str, **values: Any) -> list[fundamental_pb2.Fact]:
    found, token = list[fundamental_pb2.Fact](), ""
    while True:
        request = pb.ListFactsRequest(instrument=listed(symbol), page_size=2, page_token=token, **values)
        page = await data.fundamentals.ListFacts(request, metadata=data.reader_headers)
        found += page.facts
        token = page.next_page_token
        if not token:
            return found


async def test_a_restatement_is_another_version(data: RunningData) -> None:
    first = await record(data, "AAPL", fact("revenue", "90.5", "2024-05-02", currency="USD"), request_id="r1")
    assert (first.recorded, first.unchanged, first.duplicate) == (1, 0, False)
    assert await record(
        data, "AAPL", fact("revenue", "90.5", "2024-05-02", currency="USD"), request_id="r1"
    ) == (pb.RecordFactsResponse(recorded=1, record_time=first.record_time, duplicate=True))
    same = await record(data, "AAPL", fact("revenue", "90.50", "2024-06-02", currency="USD"))
    assert (same.recorded, same.unchanged) == (0, 1)
    restated = await record(data, "AAPL", fact("revenue", "91", "2024-08-01", currency="USD"))
    corrected = await record(data, "AAPL", fact("revenue", "90.25", "2024-05-02", currency="USD"))
    assert restated.recorded == corrected.recorded == 1

    async def known(**as_of: Timestamp) -> list[str]:
        found = await series(data, "AAPL", names=["revenue"], as_of=pb.AsOf(**as_of))
        return [one.number for one in found]

    assert await known() == ["91"]
    assert await known(publish_time=at("2024-07-01")) == ["90.25"]
    assert await known(publish_time=at("2024-05-01")) == []
    assert await known(record_time=first.record_time) == ["90.5"]
    assert await known(record_time=restated.record_time, publish_time=at("2024-07-01")) == ["90.5"]
    versions = await series(data, "AAPL", names=["revenue"], all_versions=True)
    assert [one.number for one in versions] == ["90.5", "90.25", "91"]
    assert {one.source for one in versions} == {"test"}
    assert [one.record_time for one in versions] == [
        first.record_time,
        corrected.record_time,
        restated.record_time,
    ]


async def test_series_over_time_with_filters(data: RunningData) -> None:
    ends = ["2022-12-31", "2023-03-31", "2023-06-30"]
    facts = [
        fact(name, str(10 + number), "2024-01-02", end=end, currency="USD")
        for name in ("net_income", "revenue")
        for number, end in enumerate(ends)
    ]
    await record(data, "IBM", *facts, fact("beta", "0.7", end="2023-06-30", period=INSTANT))
    found = await series(data, "IBM")
    assert [(one.name, one.period_end) for one in found] == [
        ("beta", "2023-06-30"),
        *[(name, end) for name in ("net_income", "revenue") for end in ends],
    ]
    some = await series(
        data, "IBM", names=["revenue"], period_end_from="2023-01-01", period_end_to="2023-03-31"
    )
    assert [one.number for one in some] == ["11"]
    assert [one.name for one in await series(data, "IBM", period=INSTANT)] == ["beta"]


async def test_profile_valuation_governance_and_dividends(data: RunningData) -> None:
    published = "2024-01-02"
    day: dict[str, Any] = {"end": "2024-01-02", "period": INSTANT}
    await record(
        data,
        "MSFT",
        fact("long_name", "Microsoft Corporation", published, **day),
        fact("sector", "Technology", published, **day),
        fact("employees", "221000", published, **day),
        fact("market_cap", "2800000000000", published, currency="USD", **day),
        fact("pe_ratio", "36.1", published, **day),
        fact("pe_ratio", "37.5", "2024-02-01", end="2024-02-01", period=INSTANT),
        fact("audit_risk", "3", published, **day),
        fact("overall_risk", "1", published, **day),
        fact("dividend_yield", "0.008", published, **day),
        fact("dividend_rate", "3", published, currency="USD", **day),
        fact("ex_dividend_date", "2024-02-14", published, **day),
        fact("dividend_frequency", "quarterly", published, **day),
    )
    ref, stub, headers = listed("MSFT"), data.fundamentals, data.reader_headers
    profile = (await stub.GetProfile(pb.GetProfileRequest(instrument=ref), metadata=headers)).profile
    assert (profile.long_name, profile.sector, profile.employees) == (
        "Microsoft Corporation",
        "Technology",
        "221000",
    )
    assert profile.publish_time == at(published)

    async def valuation(as_of: pb.AsOf | None = None) -> fundamental_pb2.Valuation:
        request = pb.GetValuationRequest(instrument=ref, as_of=as_of)
        return (await stub.GetValuation(request, metadata=headers)).valuation

    now, then = await valuation(), await valuation(pb.AsOf(publish_time=at("2024-01-15")))
    assert (now.pe_ratio, then.pe_ratio) == ("37.5", "36.1")
    assert (now.market_cap, now.currency, now.beta) == ("2800000000000", "USD", "")
    failure = await failure_of(valuation(pb.AsOf(publish_time=at("2020-01-01"))))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "FACTS_NOT_FOUND")
    risk = (
        await stub.GetGovernanceRisk(pb.GetGovernanceRiskRequest(instrument=ref), metadata=headers)
    ).governance_risk
    assert (risk.audit_risk, risk.overall_risk, risk.board_risk) == ("3", "1", "")
    assert risk.effective_date == "2024-01-02"
    paid = (
        await stub.GetDividendFacts(pb.GetDividendFactsRequest(instrument=ref), metadata=headers)
    ).dividend_facts
    assert (paid.dividend_yield, paid.dividend_rate, paid.currency) == ("0.008", "3", "USD")
    assert (paid.ex_dividend_date, paid.dividend_frequency) == ("2024-02-14", "quarterly")


async def test_earnings_and_their_surprise(data: RunningData) -> None:
    await record(
        data,
        "GOOG",
        fact("report_date", "2024-04-25", "2024-01-02"),
        fact("report_time", "after_close", "2024-01-02"),
        fact("eps_estimate", "1.50", "2024-01-02", currency="USD"),
        fact("eps_actual", "1.89", "2024-04-25", currency="USD"),
        fact("report_date", "2024-07-23", "2024-05-02", end="2024-06-30"),
    )

    async def earnings(as_of: pb.AsOf | None = None) -> list[fundamental_pb2.Earnings]:
        request = pb.ListEarningsRequest(instrument=listed("GOOG"), as_of=as_of)
        return list((await data.fundamentals.ListEarnings(request, metadata=data.headers)).earnings)

    first, second = await earnings()
    assert (first.report_date, first.report_time) == ("2024-04-25", fundamental_pb2.REPORT_TIME_AFTER_CLOSE)
    assert (first.eps_estimate, first.eps_actual, first.currency) == ("1.5", "1.89", "USD")
    assert first.surprise == pytest.approx(0.26)
    assert (second.report_date, second.HasField("surprise")) == ("2024-07-23", False)
    (before,) = await earnings(pb.AsOf(publish_time=at("2024-04-24")))
    assert (before.eps_actual, before.HasField("surprise")) == ("", False)


@pytest.mark.parametrize(
    ("spec", "field", "reason"),
    [
        (fact("revenues", "1"), "name", "FACT_UNKNOWN"),
        (fact("revenue", "1"), "currency", "FACT_INVALID"),
        (fact("revenue", "1", currency="USX"), "currency", "CURRENCY_UNKNOWN"),
        (fact("audit_risk", "11"), "number", "FACT_INVALID"),
        (fact("sector", "1"), "number", "FACT_INVALID"),
        (fact("beta", "1", "2999-01-01"), "publish_time", "FACT_INVALID"),
        (fact("beta", "1", end="2024-02-30"), "period_end", "FIELD_INVALID"),
    ],
)
async def test_a_bad_fact_stores_none(
    data: RunningData, spec: fundamental_pb2.FactSpec, field: str, reason: str
) -> None:
    failure = await failure_of(record(data, "FB", fact("beta", "1"), spec))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "ROWS_INVALID")
    assert failure.violations[0][0] == f"subjects[0].facts[1].{field}"
    assert failure.violations[0][1].startswith(f"{reason}: ")
    assert await series(data, "FB") == []


async def test_said_twice_otherwise_at_one_time(data: RunningData) -> None:
    failure = await failure_of(
        record(data, "FB", fact("beta", "1", "2024-01-02"), fact("beta", "2", "2024-01-02"))
    )
    assert (failure.reason, failure.metadata["problems"]) == ("ROWS_INVALID", "1")


async def test_other_bad_requests(data: RunningData) -> None:
    assert (
        (await failure_of(record(data, "NOPE", fact("beta", "1"))))
        .violations[0][1]
        .startswith("INSTRUMENT_NOT_FOUND: ")
    )
    failure = await failure_of(series(data, "FB", names=["revenues"]))
    assert (failure.reason, failure.metadata["nearest"].split(",")[0]) == ("FACT_UNKNOWN", "revenue")
    later = await failure_of(series(data, "FB", period_end_from="2024-01-02", period_end_to="2024-01-01"))
    assert later.reason == "RANGE_INVALID"
    future = Timestamp(seconds=int(time.time()) + 3600)
    failure = await failure_of(series(data, "FB", as_of=pb.AsOf(record_time=future)))
    assert failure.reason == "AS_OF_IN_FUTURE"
    subject = pb.FactSubject(instrument=listed("FB"), facts=[fact("beta", "1")])
    request = pb.RecordFactsRequest(request_id="x", source="test", subjects=[subject])
    denied = await failure_of(data.fundamentals.RecordFacts(request, metadata=data.reader_headers))
    assert denied.code is grpc.StatusCode.PERMISSION_DENIED


async def test_what_was_known_stays_so_when_the_clock_is_put_back(
    data: RunningData, postgres_url: str
) -> None:
    first = await record(data, "IBM", fact("revenue", "14.5", "2019-04-24", end="2019-03-31", currency="USD"))
    database = await Database.connect(postgres_url, schema=tables.SCHEMA)
    try:
        asked_ns = SystemClock().now_ns()
        as_of = pb.AsOf(record_time=to_timestamp(asked_ns))
        of_quarter = {"names": ["revenue"], "period_end_to": "2019-03-31"}
        before = await series(data, "IBM", **of_quarter, as_of=as_of)
        assert [one.number for one in before] == ["14.5"]
        # Another process, or this one after its clock was put right, is behind.
        behind = ManualClock((first.record_time.ToNanoseconds() + asked_ns) // 2)
        key = FactKey("revenue", FactPeriod.QUARTER, date(2019, 3, 31))
        changed = Fact(key, Decimal("15.5"), None, "USD", at("2019-04-24").ToNanoseconds())
        async with database.transaction() as connection:
            record_time_ns = await begin_batch(connection, behind)
            columns = tables.instruments.c
            of_ibm = sa.select(columns.instrument_no).where(columns.symbol == "IBM")
            number = (await connection.execute(of_ibm)).scalar_one()
            origin = FactOrigin("test")
            await insert_batch(connection, [(number, changed)], origin, record_time_ns=record_time_ns)
        assert record_time_ns > asked_ns
        assert await series(data, "IBM", **of_quarter, as_of=as_of) == before
        assert [one.number for one in await series(data, "IBM", **of_quarter)] == ["15.5"]
    finally:
        await database.close()
