"""IngestionService over a socket and a real database."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from bifrost.data.v1 import bar_pb2, bar_service_pb2, ingestion_pb2
from bifrost.data.v1 import ingestion_service_pb2 as pb
from bifrost.type.v1 import job_pb2
from services.data.sources.installed import installed_sources
from services.data.sources.source import Source
from services.runtime.testing_keys import MeshKeys
from tests.contract.data.data_harness import RunningData, failure_of, listed, start_data
from tests.contract.data.scripted_source import ScriptedSource, history

TWO_DAYS = [("2010-01-04", 10, 11, 9, 10, 100, 5), ("2010-01-05", 10, 12, 10, 11, 200, 5.5)]


@pytest.fixture(scope="module")
def scripted() -> ScriptedSource:
    return ScriptedSource("scripted", {"ONE": history("ONE", TWO_DAYS), "TWO": history("TWO", TWO_DAYS)})


@pytest.fixture(scope="module")
async def loading(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory, scripted: ScriptedSource
) -> AsyncIterator[RunningData]:
    sources: dict[str, Source] = {**installed_sources(), scripted.name: scripted}
    running = await start_data(
        postgres_url, MeshKeys(tmp_path_factory.mktemp("data")), sources=sources, heartbeat_s=0.05
    )
    yield running
    scripted.go_on.set()
    await running.stop()


async def get(data: RunningData, ingestion_id: str) -> ingestion_pb2.Ingestion:
    request = pb.GetIngestionRequest(ingestion_id=ingestion_id)
    return (await data.ingestions.GetIngestion(request, metadata=data.reader_headers)).ingestion


async def cancel(data: RunningData, ingestion_id: str) -> ingestion_pb2.Ingestion:
    request = pb.CancelIngestionRequest(ingestion_id=ingestion_id)
    return (await data.ingestions.CancelIngestion(request, metadata=data.headers)).ingestion


async def test_sample_is_loaded_once(loading: RunningData) -> None:
    created = await loading.create_ingestion(symbols=["AAPL", "FB"])
    assert created.ingestion.status.state == job_pb2.JOB_STATE_PENDING
    assert not created.duplicate
    first = await loading.wait_ended(created.ingestion.ingestion_id)
    assert first.status.state == job_pb2.JOB_STATE_SUCCEEDED
    assert first.status.progress == 1
    assert first == await get(loading, first.ingestion_id)
    assert [(one.symbol, one.rows_stored, one.rows_refused) for one in first.results] == [
        ("AAPL", 3270, 0),
        ("FB", 196, 0),
    ]
    assert (first.results[1].first_date, first.results[1].last_date) == ("2012-05-18", "2013-03-01")
    assert not any(one.error_message for one in first.results)

    again = await loading.ingest(symbols=["AAPL", "FB", "GOOG"])
    assert [one.rows_stored for one in again.results] == [0, 0, 2148]
    assert again.results[0].last_date == "2013-03-01"


async def test_request_id_makes_one_ingestion(loading: RunningData) -> None:
    request_id = str(uuid.uuid4())
    first, *rest = await asyncio.gather(
        *(loading.create_ingestion(symbols=["FB"], request_id=request_id) for _ in range(5))
    )
    assert {answer.ingestion.ingestion_id for answer in rest} == {first.ingestion.ingestion_id}
    assert sorted(answer.duplicate for answer in (first, *rest)) == [False, True, True, True, True]
    await loading.wait_ended(first.ingestion.ingestion_id)
    repeated = await loading.create_ingestion(symbols=["FB"], request_id=request_id)
    assert repeated.duplicate
    assert repeated.ingestion.status.state == job_pb2.JOB_STATE_SUCCEEDED
    failure = await failure_of(loading.create_ingestion(symbols=["IBM"], request_id=request_id))
    assert (failure.code, failure.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")


async def test_unknown_source_is_refused(loading: RunningData) -> None:
    failure = await failure_of(loading.create_ingestion(source="bloomberg"))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "SOURCE_UNKNOWN")
    assert failure.metadata["sources"] == "sample,scripted,yahoo"
    assert failure.violations[0][0] == "source"


async def test_history_of_the_future_is_refused(loading: RunningData) -> None:
    for dates, reason, field in (
        ({"start_date": "2200-01-01"}, "RANGE_IN_FUTURE", "start_date"),
        ({"start_date": "2013-01-02", "end_date": "2013-01-01"}, "RANGE_INVALID", "end_date"),
        ({"start_date": "2013-02-30"}, "FIELD_INVALID", "start_date"),
    ):
        request = pb.CreateIngestionRequest(request_id=str(uuid.uuid4()), source="sample", **dates)
        failure = await failure_of(loading.ingestions.CreateIngestion(request, metadata=loading.headers))
        assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
        assert [name for name, _ in failure.violations] == [field]


async def test_reader_may_not_load(loading: RunningData) -> None:
    request = pb.CreateIngestionRequest(request_id="r", source="sample")
    failure = await failure_of(loading.ingestions.CreateIngestion(request, metadata=loading.reader_headers))
    assert (failure.code, failure.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")


async def test_unknown_ingestion_is_not_found(loading: RunningData) -> None:
    nobody = str(uuid.uuid4())
    watch = loading.ingestions.WatchIngestion(
        pb.WatchIngestionRequest(ingestion_id=nobody), metadata=loading.headers
    )
    for call in (get(loading, nobody), cancel(loading, nobody), anext(aiter(watch))):
        failure = await failure_of(call)
        assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "INGESTION_NOT_FOUND")


async def test_bad_bars_are_refused_and_counted(loading: RunningData, scripted: ScriptedSource) -> None:
    rows = [
        *TWO_DAYS,
        ("2010-01-06", 10, 9, 9, 10, 100, 5),  # high below open
        ("2010-01-07", 10, 11, float("nan"), 10, 100, 5),
        ("2010-01-08", 10, 11, 0, 10, 100, 5),
        ("2010-01-09", 10, 11, 9, 10, 100, 5),  # a Saturday
        ("2010-01-05", 10, 12, 10, 11, 200, 5.5),
    ]
    scripted.histories["BAD"] = history("BAD", rows)
    ended = await loading.ingest(source="scripted", symbols=["BAD"])
    assert ended.status.state == job_pb2.JOB_STATE_SUCCEEDED
    (result,) = ended.results
    assert (result.rows_stored, result.rows_refused) == (2, 5)
    reasons = ("PRICE_NOT_NUMBER", "PRICE_NOT_POSITIVE", "OHLC_ORDER", "NOT_A_SESSION", "TIME_REPEATED")
    assert result.error_message == "bars in quarantine: " + ", ".join(f"1 {reason}" for reason in reasons)
    assert result.error == ingestion_pb2.SYMBOL_ERROR_UNSPECIFIED
    request = bar_service_pb2.ListBarsRequest(instrument=listed("BAD"), interval=bar_pb2.BAR_INTERVAL_DAY)
    answer = await loading.bars.ListBars(request, metadata=loading.headers)
    assert list(answer.bars.close) == [10, 11]


async def test_history_that_grew_is_loaded_incrementally(
    loading: RunningData, scripted: ScriptedSource
) -> None:
    scripted.histories["GROW"] = history("GROW", TWO_DAYS)
    assert (await loading.ingest(source="scripted", symbols=["GROW"])).results[0].rows_stored == 2
    more = [("2010-01-06", 5.5, 6, 5, 5.5, 300, 5.5), ("2009-12-31", 10, 10, 10, 10, 50, 5)]
    scripted.histories["GROW"] = history("GROW", [*TWO_DAYS, *more])
    result = (await loading.ingest(source="scripted", symbols=["GROW"])).results[0]
    assert result.rows_stored == 2
    assert (result.first_date, result.last_date) == ("2009-12-31", "2010-01-06")


async def test_a_source_error_is_the_symbols_own(loading: RunningData, scripted: ScriptedSource) -> None:
    scripted.histories["TORN"] = ValueError("row 7 is torn")
    ended = await loading.ingest(source="scripted", symbols=["TORN", "NONE", "ONE", "ONE"])
    assert ended.status.state == job_pb2.JOB_STATE_SUCCEEDED
    errors = {one.symbol: one.error_message for one in ended.results}
    assert errors == {"TORN": "row 7 is torn", "NONE": "no NONE here", "ONE": ""}
    assert "NONE: no NONE here" in ended.status.message


async def test_an_ingestion_that_loads_nothing_fails(loading: RunningData) -> None:
    ended = await loading.ingest(symbols=["NONE"])
    assert ended.status.state == job_pb2.JOB_STATE_FAILED
    assert ended.status.error_reason == "INSTRUMENT_NOT_FOUND"
    assert "AAPL, FB, GOOG, IBM, MSFT" in ended.status.error_message


async def test_a_defect_fails_the_job_and_not_the_runner(
    loading: RunningData, scripted: ScriptedSource
) -> None:
    scripted.histories["BUG"] = ZeroDivisionError("a defect")
    ended = await loading.ingest(source="scripted", symbols=["BUG"])
    assert (ended.status.state, ended.status.error_reason) == (job_pb2.JOB_STATE_FAILED, "INTERNAL")
    assert (await loading.ingest(symbols=["FB"])).status.state == job_pb2.JOB_STATE_SUCCEEDED


async def test_cancel_stops_between_symbols(loading: RunningData, scripted: ScriptedSource) -> None:
    scripted.go_on.clear()
    scripted.reading.clear()
    created = await loading.create_ingestion(source="scripted", symbols=["ONE", "TWO"])
    waiting = await loading.create_ingestion(source="scripted", symbols=["ONE"])
    ingestion_id = created.ingestion.ingestion_id
    assert await asyncio.to_thread(scripted.reading.wait, 10)
    assert (await cancel(loading, ingestion_id)).status.state == job_pb2.JOB_STATE_RUNNING
    assert (await cancel(loading, ingestion_id)).status.state == job_pb2.JOB_STATE_RUNNING
    await cancel(loading, waiting.ingestion.ingestion_id)
    scripted.go_on.set()
    ended = await loading.wait_ended(ingestion_id)
    assert ended.status.state == job_pb2.JOB_STATE_CANCELLED
    assert [one.symbol for one in ended.results] == ["ONE"]
    assert (await cancel(loading, ingestion_id)).status.state == job_pb2.JOB_STATE_CANCELLED
    never_begun = await loading.wait_ended(waiting.ingestion.ingestion_id)
    assert (never_begun.status.state, len(never_begun.results)) == (job_pb2.JOB_STATE_CANCELLED, 0)


async def test_an_ended_ingestion_cannot_be_cancelled(loading: RunningData) -> None:
    ended = await loading.ingest(symbols=["FB"])
    failure = await failure_of(cancel(loading, ended.ingestion_id))
    assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "INGESTION_ENDED")


async def test_watch_shows_progress_and_signs_of_life(loading: RunningData, scripted: ScriptedSource) -> None:
    scripted.go_on.clear()
    created = await loading.create_ingestion(source="scripted", symbols=["ONE", "TWO"])
    request = pb.WatchIngestionRequest(ingestion_id=created.ingestion.ingestion_id)
    seen, beats, last = [], 0, 0
    async for message in loading.ingestions.WatchIngestion(request, metadata=loading.reader_headers):
        assert message.header.sequence > last
        last = message.header.sequence
        if message.WhichOneof("event") == "heartbeat":
            beats += 1
            scripted.go_on.set()
        else:
            seen.append((message.ingestion.status.state, message.ingestion.status.progress))
    assert beats
    assert (job_pb2.JOB_STATE_RUNNING, 0.5) in seen
    assert seen[-1] == (job_pb2.JOB_STATE_SUCCEEDED, 1.0)


async def test_list_pages_newest_first(loading: RunningData) -> None:
    made = [(await loading.ingest(symbols=["FB"])).ingestion_id for _ in range(3)]

    async def page(page_size: int = 0, page_token: str = "") -> pb.ListIngestionsResponse:
        request = pb.ListIngestionsRequest(page_size=page_size, page_token=page_token)
        return await loading.ingestions.ListIngestions(request, metadata=loading.reader_headers)

    first = await page(page_size=2)
    rest = await page(page_size=1, page_token=first.next_page_token)
    listed_ids = [one.ingestion_id for one in (*first.ingestions, *rest.ingestions)]
    assert listed_ids == made[::-1]
    assert rest.ingestions[0].results[0].symbol == "FB"
    failure = await failure_of(page(page_token="x"))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")


async def test_the_record_outlives_the_service(
    loading: RunningData, postgres_url: str, tmp_path: Path
) -> None:
    ended = await loading.ingest(symbols=["FB"])
    other = await start_data(postgres_url, MeshKeys(tmp_path))
    assert await get(other, ended.ingestion_id) == ended
    await other.stop()
