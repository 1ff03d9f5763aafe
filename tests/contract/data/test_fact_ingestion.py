"""Facts loaded from a source: recorded once, as they were known, with where they came from."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal

import grpc
import pytest

from bifrost.data.v1 import bar_pb2, fundamental_pb2, ingestion_pb2, schedule_pb2, schedule_service_pb2
from bifrost.data.v1 import fundamental_service_pb2 as facts_pb
from bifrost.data.v1 import ingestion_service_pb2 as pb
from bifrost.data.v1.schedule_service_pb2_grpc import ScheduleServiceStub
from bifrost.type.v1 import job_pb2
from services.data.domain.facts import Fact, FactKey, FactPeriod
from services.data.domain.instrument import Listing
from services.data.sources.installed import installed_sources
from services.data.sources.source import FactRequest, SourceFacts, SymbolUnknownError
from services.runtime.clock import ManualClock, to_timestamp
from services.runtime.testing_keys import MeshKeys, bearer
from services.runtime.waiting import until
from tests.contract.data.data_harness import RunningData, failure_of, listed, start_data
from tests.contract.data.scripted_source import ScriptedSource

DAY_NS = 86_400 * 10**9
START = dt.datetime(2024, 5, 2, 21, tzinfo=dt.UTC)
START_NS = int(START.timestamp()) * 10**9


class TellingSource(ScriptedSource):
    """Says by symbol what a test wrote."""

    def __init__(self) -> None:
        super().__init__("telling", {})
        self.said: dict[str, list[tuple[str, str]]] = {}
        self.currency = "USD"

    def fetch_facts(self, request: FactRequest) -> SourceFacts:
        if request.symbol not in self.said:
            raise SymbolUnknownError(f"no {request.symbol} here")
        now_ns = request.clock.now_ns()
        day = dt.datetime.fromtimestamp(now_ns // 10**9, dt.UTC).date()
        facts = []
        for name, text in self.said[request.symbol]:
            is_text = name in {"sector", "long_name"}
            period, end = FactPeriod.INSTANT, day
            if name == "eps_actual":
                period, end = FactPeriod.QUARTER, dt.date(2024, 3, 31)
            currency = "USD" if name in {"market_cap", "eps_actual"} else ""
            number = None if is_text else Decimal(text)
            facts.append(
                Fact(FactKey(name, period, end), number, text if is_text else None, currency, now_ns)
            )
        listing = Listing(
            request.symbol, request.symbol, "XNAS", "Told", dt.date(1990, 1, 2), currency=self.currency
        )
        return SourceFacts(listing, facts, now_ns)


class World:
    def __init__(self, data: RunningData, source: TellingSource, clock: ManualClock) -> None:
        self.data, self.source, self.clock = data, source, clock

    async def load(self, *symbols: str) -> ingestion_pb2.Ingestion:
        request = pb.CreateIngestionRequest(
            request_id=str(uuid.uuid4()),
            source="telling",
            symbols=symbols,
            kind=ingestion_pb2.INGESTION_KIND_FACTS,
        )
        created = await self.data.ingestions.CreateIngestion(request, metadata=self.data.headers)
        return await self.data.wait_ended(created.ingestion.ingestion_id)

    async def facts(self, symbol: str, **query: object) -> list[fundamental_pb2.Fact]:
        request = facts_pb.ListFactsRequest(instrument=listed(symbol), **query)  # type: ignore[arg-type]
        answer = await self.data.fundamentals.ListFacts(request, metadata=self.data.headers)
        return list(answer.facts)

    async def market_cap(self, symbol: str, as_of_ns: int | None = None) -> str:
        request = facts_pb.GetValuationRequest(instrument=listed(symbol))
        if as_of_ns is not None:
            request.as_of.publish_time.CopyFrom(to_timestamp(as_of_ns))
        answer = await self.data.fundamentals.GetValuation(request, metadata=self.data.headers)
        return answer.valuation.market_cap


@pytest.fixture(scope="module")
async def world(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    keys, clock, source = MeshKeys(tmp_path_factory.mktemp("data")), ManualClock(START_NS), TellingSource()
    data = await start_data(
        postgres_url,
        keys,
        clock=clock,
        sources={**installed_sources(), "telling": source},
        schedule_poll_s=0.02,
    )
    begin = START_NS // 10**9
    token = keys.user_token(scope="market:read data:write", iat=begin, exp=begin + 90 * 86_400)
    data.headers = bearer(token)
    yield World(data, source, clock)
    await data.stop()


async def test_facts_are_recorded_with_where_they_came_from(world: World) -> None:
    world.source.said["ONE"] = [("sector", "Mining"), ("market_cap", "100"), ("eps_actual", "1.5")]
    ended = await world.load("ONE")
    assert (ended.kind, ended.interval) == (ingestion_pb2.INGESTION_KIND_FACTS, 0)
    assert ended.status.message == "3 facts stored for 1 symbols"
    (result,) = ended.results
    assert (result.rows_stored, result.rows_refused, result.attempts) == (3, 0, 1)
    held = await world.facts("ONE")
    assert [(one.name, one.number or one.text) for one in held] == [
        ("eps_actual", "1.5"),
        ("market_cap", "100"),
        ("sector", "Mining"),
    ]
    for one in held:
        assert (one.source, one.ingestion_id) == ("a test's rows", ended.ingestion_id)
        assert one.fetch_time == one.publish_time == to_timestamp(START_NS)
        assert one.instrument_id == result.instrument_id


async def test_what_stands_is_not_recorded_again_and_what_was_said_before_stays(world: World) -> None:
    world.source.said["TWO"] = [("sector", "Mining"), ("market_cap", "100"), ("eps_actual", "1.5")]
    await world.load("TWO")
    before_ns = world.clock.now_ns()
    world.clock.advance(DAY_NS)
    assert (await world.load("TWO")).results[0].rows_stored == 0
    world.source.said["TWO"] = [("sector", "Mining"), ("market_cap", "90"), ("eps_actual", "1.6")]
    assert (await world.load("TWO")).results[0].rows_stored == 2
    assert [one.number for one in await world.facts("TWO", names=["eps_actual"])] == ["1.6"]
    assert await world.market_cap("TWO") == "90"
    assert await world.market_cap("TWO", before_ns) == "100"
    versions = await world.facts("TWO", names=["eps_actual"], all_versions=True)
    assert [one.number for one in versions] == ["1.5", "1.6"]


async def test_impossible_facts_are_left_out_and_told(world: World) -> None:
    world.source.said["ODD"] = [("sector", "Mining"), ("overall_risk", "0"), ("employees", "-5")]
    (result,) = (await world.load("ODD")).results
    assert (result.rows_stored, result.rows_refused) == (1, 2)
    assert result.error_message == (
        "left out: overall_risk is from 1 to 10, not 0; employees is a whole number, not -5"
    )
    assert [one.name for one in await world.facts("ODD")] == ["sector"]


async def test_a_symbol_that_fails_leaves_the_others_and_writes_nothing(world: World) -> None:
    world.source.said["GOOD"] = [("sector", "Mining")]
    ended = await world.load("NONE", "GOOD")
    assert ended.status.state == job_pb2.JOB_STATE_SUCCEEDED
    errors = {one.symbol: one.error for one in ended.results}
    assert errors == {"NONE": ingestion_pb2.SYMBOL_ERROR_SYMBOL_UNKNOWN, "GOOD": 0}
    world.source.currency = "EUR"
    (result,) = (await world.load("GOOD")).results
    world.source.currency = "USD"
    assert result.error == ingestion_pb2.SYMBOL_ERROR_INSTRUMENT_DIFFERS
    assert len(await world.facts("GOOD", all_versions=True)) == 1


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        ({"source": "sample"}, "FACTS_UNSUPPORTED", "kind"),
        ({"interval": bar_pb2.BAR_INTERVAL_DAY}, "FIELD_INVALID", "interval"),
        ({"start_date": "2024-01-01"}, "FIELD_INVALID", "start_date"),
        ({"end_date": "2024-01-01"}, "FIELD_INVALID", "end_date"),
        ({"kind": 7}, "FIELD_INVALID", "kind"),
    ],
)
async def test_bad_requests(world: World, fields: dict[str, object], reason: str, field: str) -> None:
    asked = {"request_id": "x", "source": "telling", "kind": ingestion_pb2.INGESTION_KIND_FACTS, **fields}
    request = pb.CreateIngestionRequest(**asked)  # type: ignore[arg-type]
    failure = await failure_of(world.data.ingestions.CreateIngestion(request, metadata=world.data.headers))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    assert failure.violations[0][0] == field


async def test_a_schedule_loads_facts(world: World) -> None:
    world.source.said["DUE"] = [("sector", "Mining")]
    stub = ScheduleServiceStub(world.data.channel)
    request = schedule_service_pb2.CreateScheduleRequest(
        request_id="due",
        source="telling",
        symbols=["DUE"],
        calendar="XNAS",
        time=schedule_pb2.ScheduleTime(minutes_after_close=30),
        kind=ingestion_pb2.INGESTION_KIND_FACTS,
    )
    made = (await stub.CreateSchedule(request, metadata=world.data.headers)).schedule
    assert (made.kind, made.interval) == (ingestion_pb2.INGESTION_KIND_FACTS, 0)
    world.clock.advance(4 * DAY_NS)

    async def last() -> str:
        listing = schedule_service_pb2.ListSchedulesRequest()
        (one,) = (await stub.ListSchedules(listing, metadata=world.data.headers)).schedules
        return one.last_ingestion_id

    async def is_made() -> bool:
        return bool(await last())

    await until(is_made, timeout_s=60)
    ended = await world.data.wait_ended(await last())
    assert ended.kind == ingestion_pb2.INGESTION_KIND_FACTS
    assert [one.text for one in await world.facts("DUE")] == ["Mining"]
