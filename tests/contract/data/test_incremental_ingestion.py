"""What an ingestion asks its source, revises, sets aside and holds: over a socket and a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import grpc
import numpy as np
import pytest

from bifrost.data.v1 import bar_pb2, bar_service_pb2, ingestion_pb2, instrument_service_pb2
from bifrost.data.v1 import ingestion_service_pb2 as pb
from bifrost.type.v1 import job_pb2
from services.data.domain.ingestion import SymbolError
from services.data.domain.quality import NEIGHBOURS
from services.data.sources.source import Chunk, FetchRequest, SourceDividend, SourceError, SourceSplit
from services.runtime.testing_keys import MeshKeys
from tests.contract.data.data_harness import RunningData, by_id, failure_of, listed, start_data
from tests.contract.data.scripted_source import Row, ScriptedSource, history

DAY_NS = 86_400 * 10**9


def days(count: int, *, first: str = "2010-01-04", price: float = 10.0) -> list[Row]:
    """That many rows of trading days of 2010, each a cent above the one before."""
    holidays = {"2010-01-18", "2010-02-15", "2010-04-02", "2010-05-31"}
    every = np.arange(np.datetime64(first), np.datetime64("2010-07-01"))
    open_days = [str(day) for day in every[np.is_busday(every)] if str(day) not in holidays]
    return [
        (day, price + n / 100, price + n / 100 + 0.02, price + n / 100 - 0.02, price + n / 100, 100.0, price)
        for n, day in enumerate(open_days[:count])
    ]


class HangingSource(ScriptedSource):
    silence_s = 0.2

    def fetch(self, request: FetchRequest) -> Iterator[Chunk]:
        self.go_on.wait(10)
        yield from ()


@pytest.fixture(scope="module")
def scripted() -> ScriptedSource:
    return ScriptedSource("scripted", {})


@pytest.fixture(scope="module")
async def loading(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory, scripted: ScriptedSource
) -> AsyncIterator[RunningData]:
    hanging = HangingSource("hanging", {"ANY": history("ANY", days(1))})
    hanging.go_on.clear()
    running = await start_data(
        postgres_url,
        MeshKeys(tmp_path_factory.mktemp("data")),
        sources={"scripted": scripted, "hanging": hanging},
        ingest_attempts=2,
        ingest_first_pause_s=0,
    )
    yield running
    hanging.go_on.set()
    await running.stop()


async def result_of(loading: RunningData, symbol: str) -> ingestion_pb2.SymbolResult:
    return (await loading.ingest(source="scripted", symbols=[symbol])).results[0]


async def closes(loading: RunningData, symbol: str) -> list[float]:
    request = bar_service_pb2.ListBarsRequest(
        instrument=listed(symbol, "XNYS"), interval=bar_pb2.BAR_INTERVAL_DAY
    )
    return list((await loading.bars.ListBars(request, metadata=loading.headers)).bars.close)


async def test_only_what_is_missing_is_asked_and_what_differs_is_revised(
    loading: RunningData, scripted: ScriptedSource
) -> None:
    rows = days(80)
    scripted.histories["INC"] = history("INC", rows[:60])
    first = await result_of(loading, "INC")
    assert (first.rows_stored, first.rows_revised) == (60, 0)
    assert [one.since_ns for one in scripted.requests] == [None]
    before = datetime.now(UTC)
    corrected = list(rows)
    corrected[58] = (*rows[58][:4], 10.57, 100.0, 10.57)
    scripted.histories["INC"] = history("INC", corrected)
    second = await result_of(loading, "INC")
    assert (second.rows_stored, second.rows_revised) == (20, 1)
    since = scripted.requests[-1].since_ns
    assert since is not None
    last_held = np.datetime64(rows[59][0]).astype("datetime64[ns]").astype(np.int64)
    assert 29 * DAY_NS < last_held - since < 32 * DAY_NS
    assert (await closes(loading, "INC"))[58] == 10.57
    as_known = bar_service_pb2.ListBarsRequest(
        instrument=listed("INC", "XNYS"), interval=bar_pb2.BAR_INTERVAL_DAY, as_of=before
    )
    then = (await loading.bars.ListBars(as_known, metadata=loading.headers)).bars
    assert len(then.close) == 60
    assert then.close[58] == pytest.approx(10.58)
    third = await result_of(loading, "INC")
    assert (third.rows_stored, third.rows_revised) == (0, 0)


async def test_a_range_is_asked_for_whatever_is_held(loading: RunningData, scripted: ScriptedSource) -> None:
    rows = days(40)
    scripted.histories["RANGE"] = history("RANGE", rows[20:])
    await result_of(loading, "RANGE")
    scripted.histories["RANGE"] = history("RANGE", rows)
    request = pb.CreateIngestionRequest(
        request_id="range",
        source="scripted",
        symbols=["RANGE"],
        start_date=rows[5][0],
        end_date=rows[9][0],
    )
    created = await loading.ingestions.CreateIngestion(request, metadata=loading.headers)
    ended = await loading.wait_ended(created.ingestion.ingestion_id)
    assert (ended.start_date, ended.end_date) == (rows[5][0], rows[9][0])
    # The source gave earlier days too, which it may; later ones than asked for are left.
    assert ended.results[0].rows_stored == 10
    asked = scripted.requests[-1]
    assert asked.since_ns == np.datetime64(rows[5][0]).astype("datetime64[ns]").astype(np.int64)
    for start, end, reason in (
        ("2010-02-30", "", "FIELD_INVALID"),
        ("2010-02-01", "2010-01-31", "RANGE_INVALID"),
    ):
        request = pb.CreateIngestionRequest(
            request_id="bad", source="scripted", symbols=["RANGE"], start_date=start, end_date=end
        )
        failure = await failure_of(loading.ingestions.CreateIngestion(request, metadata=loading.headers))
        assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)


async def test_what_was_stored_before_an_error_stays_and_is_gone_on_from(
    loading: RunningData, scripted: ScriptedSource
) -> None:
    rows = days(60)
    torn = SourceError(SymbolError.SOURCE_UNAUTHORISED, "the key has expired")
    scripted.histories["TORN"] = [history("TORN", rows[:40]), torn]
    failed = await result_of(loading, "TORN")
    assert (failed.state, failed.error) == (
        job_pb2.JOB_STATE_FAILED,
        ingestion_pb2.SYMBOL_ERROR_SOURCE_UNAUTHORISED,
    )
    # The last few wait for those that follow, by which they are judged.
    stored = 40 - NEIGHBOURS
    assert (failed.rows_stored, failed.attempts, failed.error_message) == (stored, 1, "the key has expired")
    scripted.histories["TORN"] = [history("TORN", rows[:40]), history("TORN", rows[40:])]
    assert (await result_of(loading, "TORN")).rows_stored == 60 - stored


async def test_chunks_out_of_order_are_malformed(loading: RunningData, scripted: ScriptedSource) -> None:
    rows = days(40)
    scripted.histories["BACK"] = [history("BACK", rows[20:]), history("BACK", rows[:20])]
    result = await result_of(loading, "BACK")
    assert result.error == ingestion_pb2.SYMBOL_ERROR_ANSWER_MALFORMED
    assert result.attempts == 2


async def test_a_source_that_hangs_is_given_up(loading: RunningData) -> None:
    ended = await loading.ingest(source="hanging")
    assert ended.results[0].error == ingestion_pb2.SYMBOL_ERROR_TIMED_OUT
    assert ended.results[0].attempts == 2


async def test_an_answer_without_bars_is_an_error(loading: RunningData, scripted: ScriptedSource) -> None:
    scripted.histories["VOID"] = []
    result = await result_of(loading, "VOID")
    assert result.error == ingestion_pb2.SYMBOL_ERROR_ANSWER_EMPTY
    failure = await failure_of(
        loading.instruments.GetInstrument(
            instrument_service_pb2.GetInstrumentRequest(instrument=listed("VOID")), metadata=loading.headers
        )
    )
    assert failure.code is grpc.StatusCode.NOT_FOUND


async def test_splits_and_dividends_are_kept_as_facts(loading: RunningData, scripted: ScriptedSource) -> None:
    from decimal import Decimal

    chunk = history("FACTS", days(30))
    scripted.histories["FACTS"] = replace(
        chunk,
        splits=[SourceSplit(date(2010, 1, 11), 3, 2)],
        dividends=[SourceDividend(date(2010, 1, 12), Decimal("0.25"))],
    )
    await result_of(loading, "FACTS")
    request = instrument_service_pb2.ListSplitsRequest(instrument=listed("FACTS"))
    (split,) = (await loading.instruments.ListSplits(request, metadata=loading.headers)).splits
    assert (split.ex_date, split.new_shares, split.old_shares) == ("2010-01-11", 3, 2)
    asked = instrument_service_pb2.ListDividendsRequest(instrument=listed("FACTS"))
    (paid,) = (await loading.instruments.ListDividends(asked, metadata=loading.headers)).dividends
    assert (paid.ex_date, paid.source) == ("2010-01-12", "a test's rows")


async def test_a_listing_held_under_another_date_is_the_same_instrument(
    loading: RunningData, scripted: ScriptedSource
) -> None:
    scripted.histories["TWICE"] = history("TWICE", days(20))
    first = await result_of(loading, "TWICE")
    scripted.histories["TWICE"] = history("TWICE", days(30), listed=date(2005, 5, 5))
    second = await result_of(loading, "TWICE")
    assert (second.instrument_id, second.rows_stored) == (first.instrument_id, 10)
    assert second.error_message == ""
    request = instrument_service_pb2.GetInstrumentRequest(instrument=by_id(first.instrument_id))
    held = (await loading.instruments.GetInstrument(request, metadata=loading.headers)).instrument
    assert held.listing_date == "1999-01-04"


async def test_another_currency_is_another_instrument(loading: RunningData, scripted: ScriptedSource) -> None:
    scripted.histories["MONEY"] = history("MONEY", days(20))
    await result_of(loading, "MONEY")
    chunk = history("MONEY", days(30))
    scripted.histories["MONEY"] = replace(chunk, listing=replace(chunk.listing, currency="EUR"))
    result = await result_of(loading, "MONEY")
    assert result.error == ingestion_pb2.SYMBOL_ERROR_INSTRUMENT_DIFFERS
    assert "is held in USD, not EUR" in result.error_message
    assert len(await closes(loading, "MONEY")) == 20


async def test_cancelled_in_the_middle_of_a_symbol_it_keeps_what_is_stored(
    loading: RunningData, scripted: ScriptedSource
) -> None:
    rows = days(90)
    scripted.histories["LONG"] = [history("LONG", rows[n : n + 30]) for n in range(0, 90, 30)]
    scripted.go_on.clear()
    scripted.reading.clear()
    created = await loading.create_ingestion(source="scripted", symbols=["LONG", "INC"])
    assert await asyncio.to_thread(scripted.reading.wait, 10)
    request = pb.CancelIngestionRequest(ingestion_id=created.ingestion.ingestion_id)
    await loading.ingestions.CancelIngestion(request, metadata=loading.headers)
    scripted.go_on.set()
    ended = await loading.wait_ended(created.ingestion.ingestion_id)
    assert ended.status.state == job_pb2.JOB_STATE_CANCELLED
    (result,) = ended.results
    assert (result.state, result.rows_stored) == (job_pb2.JOB_STATE_CANCELLED, 30 - NEIGHBOURS)
    assert 0 < result.progress < 1


async def test_jobs_of_a_source_that_was_removed_end(
    loading: RunningData, scripted: ScriptedSource, postgres_url: str, tmp_path: Path
) -> None:
    scripted.go_on.clear()
    scripted.reading.clear()
    scripted.histories["LEFT"] = history("LEFT", days(20))
    created = await loading.create_ingestion(source="scripted", symbols=["LEFT"])
    assert await asyncio.to_thread(scripted.reading.wait, 10)
    other = await start_data(postgres_url, MeshKeys(tmp_path), sources={})
    ended = await other.wait_ended(created.ingestion.ingestion_id)
    await other.stop()
    scripted.go_on.set()
    assert ended.status.error_reason == "SOURCE_UNKNOWN"
    # The process that was at it goes on with the next one, and leaves this one as it ended.
    scripted.histories["NEXT"] = history("NEXT", days(20))
    assert (await result_of(loading, "NEXT")).rows_stored == 20
    assert await loading.wait_ended(created.ingestion.ingestion_id) == ended
