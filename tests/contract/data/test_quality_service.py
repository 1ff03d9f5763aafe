"""QualityService over a socket and a real database."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from xml.etree import ElementTree

import grpc
import numpy as np
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from bifrost.data.v1 import bar_pb2, bar_service_pb2, import_service_pb2, instrument_service_pb2, quality_pb2
from bifrost.data.v1 import quality_service_pb2 as pb
from bifrost.data.v1.import_service_pb2_grpc import ImportServiceStub
from bifrost.data.v1.quality_service_pb2_grpc import QualityServiceStub
from services.data import tables
from services.data.domain.bars import SourceBars
from services.data.domain.dividends import Dividend
from services.data.domain.splits import Split
from services.runtime.database import Database
from services.runtime.testing_keys import MeshKeys
from tests.contract.data.data_harness import RunningData, failure_of, listed, start_data
from tests.contract.data.file_uploads import csv_of, header_of, minute_bars, send
from tests.contract.data.planted_faults import Planter, day_of, in_pence, real_bars, split_apart

DAY = bar_pb2.BAR_INTERVAL_DAY
MINUTE = bar_pb2.BAR_INTERVAL_MINUTE
Kind = quality_pb2.FindingKind


@dataclass
class Quality:
    data: RunningData
    stub: QualityServiceStub
    planter: Planter

    async def propose(self, symbol: str) -> pb.ProposeRepairsResponse:
        request = pb.ProposeRepairsRequest(instrument=listed(symbol), interval=DAY)
        return await self.stub.ProposeRepairs(request, metadata=self.data.reader_headers)

    async def report(self, symbol: str, *, picture: bool = False) -> pb.GetQualityReportResponse:
        request = pb.GetQualityReportRequest(instrument=listed(symbol), interval=DAY, include_picture=picture)
        return await self.stub.GetQualityReport(request, metadata=self.data.reader_headers)

    async def apply(
        self, symbol: str, proposed: pb.ProposeRepairsResponse, request_id: str = ""
    ) -> pb.ApplyRepairsResponse:
        request = pb.ApplyRepairsRequest(
            request_id=request_id or str(uuid.uuid4()),
            instrument=listed(symbol),
            interval=DAY,
            proposal_ids=[one.proposal_id for one in proposed.proposals],
            etag=proposed.etag,
        )
        return await self.stub.ApplyRepairs(request, metadata=self.data.headers)

    async def revert(self, repair_id: str, request_id: str = "") -> pb.RevertRepairResponse:
        request = pb.RevertRepairRequest(request_id=request_id or str(uuid.uuid4()), repair_id=repair_id)
        return await self.stub.RevertRepair(request, metadata=self.data.headers)

    async def closes(self, symbol: str, as_of: Timestamp | None = None) -> list[float]:
        request = bar_service_pb2.ListBarsRequest(
            instrument=listed(symbol),
            interval=DAY,
            adjustment=bar_pb2.ADJUSTMENT_RAW,
            page_size=10_000,
            as_of=as_of,
        )
        page = await self.data.bars.ListBars(request, metadata=self.data.headers)
        return list(page.bars.close)


@pytest.fixture(scope="module")
async def quality(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Quality]:
    running = await start_data(postgres_url, MeshKeys(tmp_path_factory.mktemp("data")), sources={})
    database = await Database.connect(postgres_url, schema=tables.SCHEMA)
    yield Quality(running, QualityServiceStub(running.channel), Planter(database, running))
    await database.close()
    await running.stop()


async def test_clean_bars_have_the_full_score(quality: Quality) -> None:
    await quality.planter.instrument("CLEAN", real_bars())
    report = (await quality.report("CLEAN")).report
    assert (report.score, report.bars, list(report.findings)) == (100, 400, [])
    assert (report.sessions_expected, report.sessions_held) == (400, 400)
    assert sum(month.held for month in report.months) == 400
    assert not (await quality.propose("CLEAN")).proposals


async def test_a_report_tells_what_is_wrong_and_draws_it(quality: Quality) -> None:
    bars = real_bars()
    number = await quality.planter.instrument("ILL", bars.take(np.r_[:100, 110:400]))
    await quality.planter.plant(number, in_pence(bars.take(slice(200, 230)), slice(None)))
    answer = await quality.report("ILL", picture=True)
    report = answer.report
    assert [(one.kind, one.findings, one.rows) for one in report.counts] == [
        (Kind.FINDING_KIND_MISSING_SESSION, 1, 10),
        (Kind.FINDING_KIND_UNIT_ERROR, 1, 30),
    ]
    # 0.2 and a 40th for the gap; 5 and 500 times 30 of 400 for the units.
    assert report.score == pytest.approx(100 - 0.2 - 2.5 - 5 - 37.5)
    gap, units = report.findings
    assert gap.first_open_time_ns == bars.open_time_ns[100]
    assert units.first_open_time_ns == bars.open_time_ns[200]
    assert "100 times too high" in units.explanation
    assert answer.picture_content_type == "image/svg+xml"
    picture = ElementTree.fromstring(answer.picture)
    shapes = [(shape.tag.rpartition("}")[2], shape.get("class")) for shape in picture.iter()]
    assert shapes.count(("rect", "gap")) == 1
    assert shapes.count(("circle", None)) == 1
    assert not (await quality.report("ILL")).picture


async def test_checks_of_a_range_and_of_kinds(quality: Quality) -> None:
    bars = real_bars()
    await quality.planter.instrument("HOLED", bars.take(np.r_[:50, 51:300, 305:400]))
    start = Timestamp()
    start.FromNanoseconds(int(bars.open_time_ns[100]))
    request = pb.CheckBarsRequest(instrument=listed("HOLED"), interval=DAY, start_time=start)
    answer = await quality.stub.CheckBars(request, metadata=quality.data.reader_headers)
    assert (answer.bars, [one.rows for one in answer.findings]) == (295, [5])
    request.kinds.append(Kind.FINDING_KIND_STALE)
    assert not (await quality.stub.CheckBars(request, metadata=quality.data.reader_headers)).findings
    request.interval = MINUTE
    failure = await failure_of(quality.stub.CheckBars(request, metadata=quality.data.reader_headers))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "BARS_NOT_FOUND")


def faulty(bars: SourceBars, seed: int) -> tuple[SourceBars, list[Split], list[Dividend]]:
    """The bars with units, a split and a dividend wrong, anywhere."""
    random = np.random.default_rng(seed)
    begin, split_row = int(random.integers(20, 60)), int(random.integers(180, 220))
    bars = split_apart(bars, split_row, int(random.choice([2, 3, 5])))
    bars = in_pence(bars, slice(begin, begin + int(random.integers(1, 80))), random.choice([0.01, 100.0]))
    row = int(random.integers(300, 380))
    doubled = Split(day_of(bars, row), int(bars.open_time_ns[row]), 4, 1)
    paid = [Decimal("0.5")] * 6
    paid[int(random.integers(0, 6))] *= 100
    dividends = [
        Dividend(day_of(bars, 230 + 10 * at), int(bars.open_time_ns[230 + 10 * at]), amount, "USD")
        for at, amount in enumerate(paid)
    ]
    return bars, [doubled], dividends


@pytest.mark.parametrize("seed", range(4))
async def test_repairs_set_all_right_and_reverts_bring_all_back(quality: Quality, seed: int) -> None:
    symbol = f"SEED{seed}"
    bars, splits, dividends = faulty(real_bars(), seed)
    number = await quality.planter.instrument(symbol, real_bars())
    await quality.planter.plant(number, bars, splits=splits, dividends=dividends)
    before, versions = await quality.planter.state(number), await quality.planter.versions(number)
    wrong = await quality.closes(symbol)

    proposed = await quality.propose(symbol)
    kinds = {quality_pb2.RepairKind.Name(one.kind)[12:] for one in proposed.proposals}
    assert kinds == {"UNIT", "SPLIT_RECORD", "SPLIT_RETRACT", "DIVIDEND"}
    applied = (await quality.apply(symbol, proposed)).repair
    assert list(applied.actions) == [one.what for one in proposed.proposals]
    assert applied.rows == sum(one.rows for one in proposed.proposals)
    assert (await quality.report(symbol)).report.score == 100
    assert not (await quality.propose(symbol)).proposals
    right = await quality.closes(symbol)
    assert right != wrong

    known = Timestamp()
    known.FromNanoseconds(applied.record_time.ToNanoseconds() - 1)
    assert await quality.closes(symbol, known) == wrong
    assert await quality.closes(symbol, applied.record_time) == right

    reverted = (await quality.revert(applied.repair_id)).repair
    assert reverted.HasField("revert_time")
    assert await quality.planter.state(number) == before
    assert await quality.planter.versions(number) > versions + applied.rows
    assert await quality.closes(symbol, applied.record_time) == right
    assert await quality.closes(symbol, known) == wrong
    again = await quality.propose(symbol)
    assert [one.what for one in again.proposals] == [one.what for one in proposed.proposals]


async def test_proposals_say_what_and_why(quality: Quality) -> None:
    bars = real_bars()
    number = await quality.planter.instrument("WHY", bars)
    await quality.planter.plant(number, in_pence(bars, slice(50, 80)))
    (one,) = (await quality.propose("WHY")).proposals
    assert (one.rows, len(one.before), len(one.after)) == (30, 5, 5)
    assert one.what == "divide all prices by 100 in 30 bars"
    assert one.before[0].close == pytest.approx(bars.close[50] * 100)
    assert one.after[0].close == pytest.approx(bars.close[50])
    assert one.before[0].open_time_ns == one.after[0].open_time_ns == bars.open_time_ns[50]


async def test_proposals_of_other_data_are_refused(quality: Quality) -> None:
    bars = real_bars()
    number = await quality.planter.instrument("MOVED", bars)
    await quality.planter.plant(number, in_pence(bars, slice(50, 80)))
    proposed = await quality.propose("MOVED")
    await quality.planter.plant(number, dividends=[Dividend(day_of(bars, 9), 1, Decimal(1), "USD")])
    state = await quality.planter.state(number)
    failure = await failure_of(quality.apply("MOVED", proposed, "late"))
    assert (failure.code, failure.reason) == (grpc.StatusCode.ABORTED, "QUALITY_DATA_CHANGED")
    assert failure.metadata["etag"] == (await quality.propose("MOVED")).etag
    assert await quality.planter.state(number) == state
    proposed.etag = failure.metadata["etag"]
    failure = await failure_of(quality.apply("MOVED", proposed, "late"))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "PROPOSAL_NOT_FOUND")
    # What was refused has not used the id.
    assert not (await quality.apply("MOVED", await quality.propose("MOVED"), "late")).duplicate


async def test_the_same_request_repairs_once(quality: Quality) -> None:
    bars = real_bars()
    number = await quality.planter.instrument("ONCE", bars)
    await quality.planter.plant(number, in_pence(bars, slice(50, 80)))
    proposed = await quality.propose("ONCE")
    answers = await asyncio.gather(*(quality.apply("ONCE", proposed, "once") for _ in range(3)))
    assert sorted(one.duplicate for one in answers) == [False, True, True]
    assert len({one.repair.repair_id for one in answers}) == 1
    repair_id = answers[0].repair.repair_id
    reverts = await asyncio.gather(*(quality.revert(repair_id, "back") for _ in range(3)))
    assert sorted(one.duplicate for one in reverts) == [False, True, True]
    assert all(one.repair.HasField("revert_time") for one in reverts)
    failure = await failure_of(quality.revert(repair_id))
    assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "REPAIR_REVERTED")
    failure = await failure_of(quality.revert(str(uuid.uuid4()), "back"))
    assert failure.reason == "REQUEST_ID_REUSED"
    failure = await failure_of(quality.revert(str(uuid.uuid4())))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "REPAIR_NOT_FOUND")


async def test_a_repair_that_was_overtaken_is_not_reverted(quality: Quality) -> None:
    bars, splits, dividends = faulty(real_bars(), 9)
    number = await quality.planter.instrument("OVER", real_bars())
    await quality.planter.plant(number, bars, splits=splits, dividends=dividends)
    first = (await quality.apply("OVER", await quality.propose("OVER"))).repair
    later = bars.take(slice(0, 100))
    await quality.planter.plant(number, later)
    state = await quality.planter.state(number)
    failure = await failure_of(quality.revert(first.repair_id))
    assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "REPAIR_OVERTAKEN")
    assert failure.metadata["what"].endswith("bars")
    assert await quality.planter.state(number) == state
    # Splits alone: the repair's own is taken back by another repair.
    number = await quality.planter.instrument("OVERS", real_bars())
    await quality.planter.plant(number, splits=splits)
    repair = (await quality.apply("OVERS", await quality.propose("OVERS"))).repair
    assert repair.rows == 0
    await quality.planter.plant(number, splits=splits)
    failure = await failure_of(quality.revert(repair.repair_id))
    assert failure.reason == "REPAIR_OVERTAKEN"
    assert failure.metadata["what"] == f"the split of {splits[0].ex_date}"


async def test_repairs_are_listed_newest_first(quality: Quality) -> None:
    bars = real_bars()
    number = await quality.planter.instrument("LIST", bars)
    made = []
    for begin in (20, 100, 180):
        await quality.planter.plant(number, in_pence(bars, slice(begin, begin + 15)))
        made.append((await quality.apply("LIST", await quality.propose("LIST"))).repair.repair_id)
    request = pb.ListRepairsRequest(instrument=listed("LIST"), page_size=2)
    first = await quality.stub.ListRepairs(request, metadata=quality.data.reader_headers)
    request.page_token = first.next_page_token
    last = await quality.stub.ListRepairs(request, metadata=quality.data.reader_headers)
    assert [one.repair_id for one in (*first.repairs, *last.repairs)] == made[::-1]
    assert not last.next_page_token


async def quarantine_of(quality: Quality, symbol: str) -> list[import_service_pb2.QuarantinedBar]:
    request = import_service_pb2.ListQuarantinedBarsRequest(instrument=listed(symbol))
    stub = ImportServiceStub(quality.data.channel)
    return list((await stub.ListQuarantinedBars(request, metadata=quality.data.reader_headers)).bars)


async def release(
    quality: Quality, symbol: str, numbers: list[int], request_id: str = "", reason: str = ""
) -> pb.ReleaseQuarantinedBarsResponse:
    request = pb.ReleaseQuarantinedBarsRequest(
        request_id=request_id or str(uuid.uuid4()),
        instrument=listed(symbol),
        quarantine_nos=numbers,
        reason=reason,
    )
    return await quality.stub.ReleaseQuarantinedBars(request, metadata=quality.data.headers)


async def test_an_operator_releases_refused_bars(quality: Quality) -> None:
    lines = minute_bars(100)
    lines[40] = "1600002400,100,140,100,100,1"
    lines[60] = "1600003600,5,4,3,4,1"
    content = csv_of(lines)
    await send(quality.data, header_of(content, "SPIKY"), content)
    refused = {one.line: one for one in await quarantine_of(quality, "SPIKY")}
    spike, impossible = refused[42], refused[62]
    answer = await release(quality, "SPIKY", [spike.quarantine_no], "let")
    assert (answer.repair.rows, answer.duplicate) == (1, False)
    assert list(answer.repair.actions) == ["release 1 bar from quarantine"]
    assert (await release(quality, "SPIKY", [spike.quarantine_no], "let")).duplicate
    assert [one.line for one in await quarantine_of(quality, "SPIKY")] == [62]
    request = bar_service_pb2.ListBarsRequest(instrument=listed("SPIKY"), interval=MINUTE, page_size=1000)
    served = (await quality.data.bars.ListBars(request, metadata=quality.data.headers)).bars
    assert (len(served.high), max(served.high)) == (99, 140)
    report_request = pb.GetQualityReportRequest(instrument=listed("SPIKY"), interval=MINUTE)
    report = await quality.stub.GetQualityReport(report_request, metadata=quality.data.reader_headers)
    assert report.report.quarantined_bars == 1
    assert [one.kind for one in report.report.findings] == [Kind.FINDING_KIND_SPIKE]

    for numbers, reason in (
        ([impossible.quarantine_no], "QUARANTINED_BAR_IMPOSSIBLE"),
        ([spike.quarantine_no], "QUARANTINED_BAR_NOT_FOUND"),
        ([10**9], "QUARANTINED_BAR_NOT_FOUND"),
    ):
        assert (await failure_of(release(quality, "SPIKY", numbers))).reason == reason
    await quality.revert(answer.repair.repair_id)
    assert len(await quarantine_of(quality, "SPIKY")) == 2
    again = await release(quality, "SPIKY", [spike.quarantine_no], reason="a fat finger, not busted")
    assert list(again.repair.actions) == ["release 1 bar from quarantine: a fat finger, not busted"]
    assert again.repair.user_id
    await quality.revert(again.repair.repair_id)
    served = (await quality.data.bars.ListBars(request, metadata=quality.data.headers)).bars
    assert (len(served.high), max(served.high) < 101) == (98, True)


async def test_bars_released_together_are_of_different_times(quality: Quality) -> None:
    lines = minute_bars(60)
    lines += ["1600000060,1,1,1,1,1", "1600000060,2,2,2,2,1"]
    content = csv_of(lines)
    await send(quality.data, header_of(content, "AGAIN"), content)
    refused = await quarantine_of(quality, "AGAIN")
    failure = await failure_of(release(quality, "AGAIN", [one.quarantine_no for one in refused]))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "RELEASE_INVALID")
    repair = (await release(quality, "AGAIN", [refused[0].quarantine_no])).repair
    assert repair.rows == 1


async def test_bars_that_came_in_another_currency_are_found(quality: Quality) -> None:
    bars = real_bars()
    number = await quality.planter.instrument("MONEY", bars.take(slice(0, 300)))
    async with quality.planter.database.raw() as driver:
        await driver.execute("UPDATE instrument SET currency = 'GBP' WHERE instrument_no = $1", number)
    await quality.planter.plant(number, bars.take(slice(300, 400)))
    # Looking for what is not there reads the instruments again, as an ingestion does.
    unknown = instrument_service_pb2.GetInstrumentRequest(instrument=listed("UNKNOWN"))
    await failure_of(quality.data.instruments.GetInstrument(unknown, metadata=quality.data.headers))
    report = (await quality.report("MONEY")).report
    assert [(one.kind, one.rows) for one in report.findings] == [(Kind.FINDING_KIND_CURRENCY_CHANGE, 300)]


async def test_reading_is_not_repairing(quality: Quality) -> None:
    request = pb.ApplyRepairsRequest(
        request_id="no", instrument=listed("CLEAN"), interval=DAY, proposal_ids=["0" * 32], etag="1"
    )
    failure = await failure_of(quality.stub.ApplyRepairs(request, metadata=quality.data.reader_headers))
    assert failure.code == grpc.StatusCode.PERMISSION_DENIED
