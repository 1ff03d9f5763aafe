"""ImportService over a socket and a real database."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator

import asyncpg
import grpc
import pytest

from bifrost.data.v1 import bar_pb2, bar_service_pb2, ingestion_service_pb2, instrument_service_pb2
from bifrost.data.v1 import import_service_pb2 as pb
from bifrost.data.v1.import_service_pb2_grpc import ImportServiceStub
from services.runtime.testing_keys import MeshKeys
from services.runtime.waiting import until
from tests.contract.data.data_harness import RunningData, failure_of, listed, start_data
from tests.contract.data.file_uploads import csv_of, header_of, minute_bars, requests_of, send

INVALID = grpc.StatusCode.INVALID_ARGUMENT


@pytest.fixture(scope="module")
async def importing(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningData]:
    keys = MeshKeys(tmp_path_factory.mktemp("data"))
    running = await start_data(postgres_url, keys, import_most_rows=150_000, import_silence_s=3.0)
    yield running
    await running.stop()


async def bars_of(
    data: RunningData, symbol: str, interval: bar_pb2.BarInterval = bar_pb2.BAR_INTERVAL_MINUTE
) -> bar_pb2.BarColumns:
    request = bar_service_pb2.ListBarsRequest(instrument=listed(symbol), interval=interval, page_size=100_000)
    return (await data.bars.ListBars(request, metadata=data.headers)).bars


async def quarantine_of(data: RunningData, symbol: str, page_size: int = 0) -> list[pb.QuarantinedBar]:
    stub, token = ImportServiceStub(data.channel), ""
    found: list[pb.QuarantinedBar] = []
    while True:
        request = pb.ListQuarantinedBarsRequest(
            instrument=listed(symbol), page_size=page_size, page_token=token
        )
        page = await stub.ListQuarantinedBars(request, metadata=data.reader_headers)
        found += page.bars
        token = page.next_page_token
        if not token:
            return found


async def assert_nothing(data: RunningData, symbol: str) -> None:
    """Neither instrument nor bars nor a trace of the import are there."""
    failure = await failure_of(bars_of(data, symbol))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "INSTRUMENT_NOT_FOUND")
    request = ingestion_service_pb2.ListIngestionsRequest(page_size=1000)
    listed_jobs = await data.ingestions.ListIngestions(request, metadata=data.headers)
    assert not [job for job in listed_jobs.ingestions if symbol in job.symbols]


async def test_a_file_becomes_bars(importing: RunningData) -> None:
    content = csv_of(minute_bars(60_000))
    answer = await send(importing, header_of(content, "MINE"), content)
    assert (answer.rows_read, answer.rows_stored, answer.rows_quarantined) == (60_000, 60_000, 0)
    assert answer.first_open_time_ns == 1_600_000_000 * 10**9
    assert answer.last_open_time_ns == (1_600_000_000 + 59_999 * 60) * 10**9
    bars = await bars_of(importing, "MINE")
    assert list(bars.open_time_ns) == [(1_600_000_000 + 60 * row) * 10**9 for row in range(60_000)]
    assert list(bars.volume) == list(range(1, 60_001))
    assert (bars.open[7], bars.high[7], bars.low[7], bars.close[7]) == (100.07, 100.12, 100.02, 100.07)
    request = ingestion_service_pb2.GetIngestionRequest(ingestion_id=answer.ingestion_id)
    job = (await importing.ingestions.GetIngestion(request, metadata=importing.headers)).ingestion
    assert (job.source, list(job.symbols), job.results[0].rows_stored) == ("import", ["MINE"], 60_000)
    assert job.results[0].first_date == "2020-09-13"
    assert job.interval == bar_pb2.BAR_INTERVAL_MINUTE


async def test_the_same_file_again_stores_nothing(importing: RunningData) -> None:
    lines = minute_bars(1000)
    lines[5] = lines[5].replace("100.05", "-1", 1)
    lines.append(lines[3])
    content = csv_of(lines)
    first = await send(importing, header_of(content, "TWICE"), content)
    assert (first.rows_stored, first.rows_unchanged, first.rows_quarantined) == (999, 0, 2)
    again = await send(importing, header_of(content, "TWICE"), content)
    assert (again.rows_stored, again.rows_unchanged, again.rows_quarantined) == (0, 999, 2)
    assert again.instrument_id == first.instrument_id
    assert len(await quarantine_of(importing, "TWICE")) == 2
    more = csv_of([*minute_bars(1001)[1:], "1600000060,1,1,1,1,1"])
    grown = await send(importing, header_of(more, "", instrument=listed("TWICE")), more)
    assert (grown.rows_stored, grown.rows_unchanged, grown.rows_quarantined) == (2, 998, 1)
    other = csv_of(["1600000000,1,1,1,1,1"])
    changed = await send(importing, header_of(other, "TWICE"), other)
    assert (changed.rows_stored, changed.rows_differing) == (0, 1)
    assert (await bars_of(importing, "TWICE")).open[0] == 100


async def test_request_id_makes_one_import(importing: RunningData) -> None:
    content = csv_of(minute_bars(500))
    header = header_of(content, "ONCE")
    first, *rest = sorted(
        await asyncio.gather(*(send(importing, header, content) for _ in range(4))),
        key=lambda one: one.duplicate,
    )
    assert [one.duplicate for one in (first, *rest)] == [False, True, True, True]
    assert {one.rows_stored for one in rest} == {500}
    assert {one.ingestion_id for one in rest} == {first.ingestion_id}
    other = csv_of(minute_bars(501))
    failure = await failure_of(send(importing, header_of(other, "ONCE", request_id=header.request_id), other))
    assert (failure.code, failure.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


async def test_bad_rows_go_to_quarantine_and_are_never_served(importing: RunningData) -> None:
    lines = minute_bars(200)
    bad = {
        10: ("1600000600,1,,1,1,1", "PRICE_NOT_NUMBER", "high"),
        20: ("1600001200,1,1,0,1,1", "PRICE_NOT_POSITIVE", "low"),
        30: ("1600001800,5,4,3,4,1", "OHLC_ORDER", ""),
        40: ("1600002400,1,1,1,1,-1", "VOLUME_INVALID", "volume"),
        50: ("4000000000,1,1,1,1,1", "TIME_IN_FUTURE", "time"),
        60: ("1600003600,10000,10000,10000,10000,1", "UNIT_ERROR", ""),
        70: ("1600004200,100,140,100,100,1", "SPIKE", ""),
        80: (lines[79], "TIME_REPEATED", "time"),
    }
    for row, (line, _, _) in bad.items():
        lines[row] = line
    lines[90] = lines[90].rpartition(",")[0] + ",0"
    content = csv_of(lines)
    answer = await send(importing, header_of(content, "ILL"), content, size=7)
    assert (answer.rows_read, answer.rows_stored, answer.rows_quarantined) == (200, 192, 8)
    assert answer.rows_without_volume == 1
    problems = {one.line: (pb.QuarantineReason.Name(one.reason)[18:], one.column) for one in answer.problems}
    assert problems == {row + 2: (reason, column) for row, (_, reason, column) in bad.items()}
    assert {one.rows for one in answer.quarantined} == {1}
    served = await bars_of(importing, "ILL")
    assert len(served.close) == 192
    assert max(served.high) < 101
    kept = await quarantine_of(importing, "ILL", page_size=3)
    assert sorted(one.line for one in kept) == sorted(row + 2 for row in bad)
    assert all(one.ingestion_id == answer.ingestion_id for one in kept)
    assert math.isnan(next(one.bar.high for one in kept if one.line == 12))


async def test_daily_dates_become_sessions_of_the_market(importing: RunningData) -> None:
    head = "Date;Open;High;Low;Close;Adj Close;Vol"
    content = csv_of(
        ["2024-01-05;10;11;9;10;5;100", "2024-01-06;10;11;9;10;5;100", "2024-01-04;10;11;9;10;5;100"],
        head=head,
    )
    header = header_of(content, "DAYS", mic="XNYS", interval=bar_pb2.BAR_INTERVAL_DAY)
    answer = await send(importing, header, content)
    assert (answer.rows_stored, answer.rows_quarantined) == (2, 1)
    assert answer.problems[0].reason == pb.QUARANTINE_REASON_NOT_A_SESSION
    bars = await bars_of(importing, "DAYS", bar_pb2.BAR_INTERVAL_DAY)
    half_past_nine = 1704378600 * 10**9
    assert list(bars.open_time_ns) == [half_past_nine, half_past_nine + 86_400 * 10**9]
    times = csv_of(["2024-01-08T09:30:00-05:00,1,1,1,1,1", "2024-01-06T12:00:00-05:00,1,1,1,1,1"])
    intraday = await send(importing, header_of(times, "DAYS", mic="XNYS"), times)
    assert [one.reason for one in intraday.quarantined] == [pb.QUARANTINE_REASON_NOT_A_SESSION]
    assert intraday.first_open_time_ns == 1704724200 * 10**9


async def test_quoted_cells_with_commas_are_numbers(importing: RunningData) -> None:
    lines = [
        '"ABC","Alphabet, Inc.","2024-01-04","1,234.50","1,240.00","1,230","1,236.50","12,345"',
        '"ABC","over\ntwo lines","2024-01-05","1,236.50","1,240.00","1,230","1,234.50","1,234,567"',
    ]
    content = csv_of(lines, head='"Symbol","Name","Date","Open","High","Low","Close","Volume"')
    header = header_of(content, "QUOTED", mic="XNYS", interval=bar_pb2.BAR_INTERVAL_DAY)
    answer = await send(importing, header, content, size=7)
    assert (answer.rows_stored, answer.rows_quarantined) == (2, 0)
    bars = await bars_of(importing, "QUOTED", bar_pb2.BAR_INTERVAL_DAY)
    assert (list(bars.open), list(bars.low)) == ([1234.5, 1236.5], [1230, 1230])
    assert list(bars.volume) == [12_345, 1_234_567]


async def test_a_listing_begins_on_the_day_of_its_market(importing: RunningData) -> None:
    content = csv_of(["2024-01-04,10,11,9,10,100", "2024-01-05,10,11,9,10,100"])
    header = header_of(content, "SYDNEY", mic="XASX", interval=bar_pb2.BAR_INTERVAL_DAY)
    answer = await send(importing, header, content)
    # The session of the 4th opens at 23:00 of the 3rd in UTC.
    assert answer.first_open_time_ns == 1704322800 * 10**9
    request = instrument_service_pb2.GetInstrumentRequest(instrument=listed("SYDNEY"))
    held = (await importing.instruments.GetInstrument(request, metadata=importing.headers)).instrument
    assert held.listing_date == "2024-01-04"
    asked = ingestion_service_pb2.GetIngestionRequest(ingestion_id=answer.ingestion_id)
    job = (await importing.ingestions.GetIngestion(asked, metadata=importing.headers)).ingestion
    assert (job.results[0].first_date, job.results[0].last_date) == ("2024-01-04", "2024-01-05")


GOOD = minute_bars(60_000)
REFUSED = [
    (
        "LATIN",
        csv_of(GOOD)[:-1] + "\nM\u00fcll".encode("latin-1"),
        {},
        "FILE_ENCODING_INVALID",
        {"line": "60002"},
    ),
    (
        "WRONGSEP",
        csv_of(["1|2|3"], head="time|open|high|low|close"),
        {},
        "FILE_COLUMN_MISSING",
        {"column": "time"},
    ),
    (
        "NOCLOSE",
        csv_of(["1,2,3,4"], head="time,open,high,low"),
        {},
        "FILE_COLUMN_MISSING",
        {"column": "close"},
    ),
    ("RAGGED", csv_of([*GOOD, "1700000000,1,2"]), {}, "FILE_ROW_INVALID", {"line": "60002"}),
    (
        "FORMULA",
        csv_of([*GOOD, "1700000000,1,=1+1,1,1,1"]),
        {},
        "FILE_CELL_INVALID",
        {"line": "60002", "column": "high", "value": "=1+1"},
    ),
    (
        "MIXED",
        csv_of([*GOOD, "2024-01-05,1,1,1,1,1"]),
        {},
        "FILE_TIME_AMBIGUOUS",
        {"line": "60002", "column": "time"},
    ),
    (
        "GAP",
        csv_of(["2024-03-10 02:30,1,1,1,1,1"]),
        {"time_zone": "America/New_York"},
        "FILE_TIME_AMBIGUOUS",
        {},
    ),
    (
        "FOLD",
        csv_of(["2024-11-03 01:30,1,1,1,1,1"]),
        {"time_zone": "America/New_York"},
        "FILE_TIME_AMBIGUOUS",
        {},
    ),
    ("NAIVE", csv_of(["2024-11-03 01:30,1,1,1,1,1"]), {}, "FILE_TIME_AMBIGUOUS", {"line": "2"}),
    ("NOZONE", csv_of(GOOD[:1]), {"time_zone": "Mars/Olympus"}, "FIELD_INVALID", {}),
    ("EMPTY", b"", {}, "FILE_EMPTY", {}),
    ("HEADONLY", csv_of([]), {}, "FILE_EMPTY", {}),
    ("ENDLESS", csv_of(GOOD) + b"1" * 200_000, {}, "FILE_ROW_INVALID", {"line": "60002"}),
    ("OPENQUOTE", csv_of([*GOOD, '1700000000,1,1,1,1,"1']), {}, "FILE_ROW_INVALID", {"line": "60002"}),
    (
        "QUOTEDFORMULA",
        csv_of([*GOOD, '1700000000,1,"=SUM(1,2)",1,1,1']),
        {},
        "FILE_CELL_INVALID",
        {"line": "60002", "column": "high"},
    ),
    ("OTHERSUM", csv_of(GOOD), {"sha256": "0" * 64}, "FILE_INCOMPLETE", {}),
]


@pytest.mark.parametrize(
    ("symbol", "content", "fields", "reason", "metadata"), REFUSED, ids=[one[0] for one in REFUSED]
)
async def test_a_file_that_cannot_be_read_leaves_nothing(
    importing: RunningData,
    symbol: str,
    content: bytes,
    fields: dict[str, str],
    reason: str,
    metadata: dict[str, str],
) -> None:
    failure = await failure_of(send(importing, header_of(content, symbol, **fields), content))
    assert (failure.code, failure.reason) == (INVALID, reason), failure.message
    assert metadata.items() <= dict(failure.metadata).items()
    await assert_nothing(importing, symbol)


async def test_too_many_rows_are_refused(importing: RunningData) -> None:
    content = csv_of(minute_bars(150_001))
    failure = await failure_of(send(importing, header_of(content, "MANY"), content, size=1_000_000))
    assert (failure.code, failure.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "FILE_TOO_LARGE")
    assert failure.metadata["most"] == "150000"
    await assert_nothing(importing, "MANY")


async def test_a_stream_out_of_order_is_refused(importing: RunningData) -> None:
    content = csv_of(GOOD)
    header = header_of(content, "ORDER")
    stub = ImportServiceStub(importing.channel)
    chunks = list(requests_of(header, content))
    for messages in ([], chunks[1:], [*chunks[:3], chunks[0], *chunks[3:]]):
        failure = await failure_of(stub.ImportBars(iter(messages), metadata=importing.headers))
        assert (failure.code, failure.reason) == (INVALID, "IMPORT_OUT_OF_ORDER")
    large = pb.ImportBarsRequest(chunk=bytes(1_048_577))
    failure = await failure_of(stub.ImportBars(iter([chunks[0], large]), metadata=importing.headers))
    assert (failure.code, failure.reason, failure.violations[0][0]) == (INVALID, "FIELD_INVALID", "chunk")
    failure = await failure_of(stub.ImportBars(iter(chunks), metadata=importing.reader_headers))
    assert (failure.code, failure.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")
    await assert_nothing(importing, "ORDER")


async def test_a_stream_cut_in_the_middle_leaves_nothing(importing: RunningData, postgres_url: str) -> None:
    content = csv_of(minute_bars(140_000))
    sent = asyncio.Event()

    async def half() -> AsyncIterator[pb.ImportBarsRequest]:
        messages = list(requests_of(header_of(content, "CUT"), content))
        for message in messages[: len(messages) // 2 + 30]:
            yield message
        sent.set()
        await asyncio.Event().wait()

    stub = ImportServiceStub(importing.channel)
    call = stub.ImportBars(half(), metadata=importing.headers)
    await asyncio.wait_for(sent.wait(), 60)
    call.cancel()
    await assert_nothing(importing, "CUT")
    silent = stub.ImportBars(half(), metadata=importing.headers)
    failure = await failure_of(silent)
    assert (failure.code, failure.reason) == (grpc.StatusCode.ABORTED, "IMPORT_STALLED")
    await assert_nothing(importing, "CUT")
    answer = await send(importing, header_of(content, "CUT"), content)
    assert answer.rows_stored == 140_000


async def is_open(admin: asyncpg.Connection) -> bool:
    """The import has begun its transaction."""
    return bool(
        await admin.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'bifrost-data' "
            "AND datname = current_database() AND xact_start IS NOT NULL"
        )
    )


async def test_postgresql_going_away_leaves_nothing(importing: RunningData, postgres_url: str) -> None:
    content = csv_of(GOOD)
    admin = await asyncpg.connect(postgres_url)

    async def slowly() -> AsyncIterator[pb.ImportBarsRequest]:
        messages = list(requests_of(header_of(content, "AWAY"), content))
        for message in messages[:-1]:
            yield message
        await until(lambda: is_open(admin), timeout_s=60)
        killed = await admin.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'bifrost-data' AND datname = current_database()"
        )
        assert killed
        yield messages[-1]

    failure = await failure_of(
        ImportServiceStub(importing.channel).ImportBars(slowly(), metadata=importing.headers)
    )
    await admin.close()
    assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")
    await assert_nothing(importing, "AWAY")
    assert (await send(importing, header_of(content, "AWAY"), content)).rows_stored == 60_000


async def test_an_instrument_in_another_currency_is_not_touched(importing: RunningData) -> None:
    content = csv_of(minute_bars(3))
    await send(importing, header_of(content, "MONEY"), content)
    header = header_of(content, "MONEY")
    header.new_instrument.currency = "EUR"
    failure = await failure_of(send(importing, header, content))
    assert (failure.code, failure.reason) == (grpc.StatusCode.ALREADY_EXISTS, "INSTRUMENT_DIFFERS")
    unknown = header_of(content, "", instrument=listed("NOBODY"))
    failure = await failure_of(send(importing, unknown, content))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "INSTRUMENT_NOT_FOUND")
