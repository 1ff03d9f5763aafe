"""From when on trades are in the terms of a split or dividend: over a socket and a real database."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from bifrost.data.v1 import bar_pb2, bar_service_pb2
from services.data import tables
from services.data.domain.dividends import Dividend
from services.data.domain.splits import Split
from services.data.instruments.instrument_store import begin_record, insert_dividends, insert_splits
from services.runtime.clock import SystemClock
from services.runtime.database import Database
from services.runtime.testing_keys import MeshKeys
from tests.contract.data.data_harness import RunningData, listed, start_data
from tests.contract.data.file_uploads import csv_of, header_of, send

NEW_YORK = ZoneInfo("America/New_York")
EX_DATE = dt.date(2012, 11, 20)


def seconds(day: int, hour: int, minute: int) -> int:
    return int(dt.datetime(2012, 11, day, hour, minute, tzinfo=NEW_YORK).timestamp())


@pytest.fixture(scope="module")
async def running(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningData]:
    running = await start_data(postgres_url, MeshKeys(tmp_path_factory.mktemp("data")), sources={})
    yield running
    await running.stop()


async def test_before_the_session_of_an_ex_date_trades_are_in_its_terms(
    running: RunningData, postgres_url: str
) -> None:
    old, new = "100,100,100,100,100", "49,49,49,49,200"
    times = [seconds(19, 15, 59), seconds(19, 16, 30), seconds(20, 8, 0), seconds(20, 9, 30)]
    lines = [f"{time},{prices}" for time, prices in zip(times, (old, old, new, new), strict=True)]
    content = csv_of(lines, head="time,open,high,low,close,volume")
    header = header_of(content, "PRE", mic="XNYS", interval=bar_pb2.BAR_INTERVAL_MINUTE)
    answer = await send(running, header, content)
    assert answer.rows_stored == 4
    database = await Database.connect(postgres_url, schema=tables.SCHEMA)
    open_ns = seconds(20, 9, 30) * 10**9
    async with database.raw() as driver:
        number = await driver.fetchval(
            "SELECT instrument_no FROM instrument WHERE instrument_id = $1", answer.instrument_id
        )
    async with database.transaction() as connection:
        now_ns = await begin_record(connection, number, SystemClock())
        split, dividend = Split(EX_DATE, open_ns, 2, 1), Dividend(EX_DATE, open_ns, Decimal(1), "USD")
        await insert_splits(connection, number, [split], source="test", now_ns=now_ns)
        await insert_dividends(connection, number, [dividend], source="test", now_ns=now_ns)
    await database.close()

    async def bars(adjustment: bar_pb2.Adjustment) -> bar_pb2.BarColumns:
        request = bar_service_pb2.ListBarsRequest(
            instrument=listed("PRE"),
            interval=bar_pb2.BAR_INTERVAL_MINUTE,
            adjustment=adjustment,
            hours=bar_pb2.TRADING_HOURS_ALL,
        )
        return (await running.bars.ListBars(request, metadata=running.headers)).bars

    by_split = await bars(bar_pb2.ADJUSTMENT_SPLIT)
    assert list(by_split.close) == [50, 50, 49, 49]
    assert list(by_split.volume) == [200, 200, 200, 200]
    # A dividend of 1 on a share of the ex date is 2 on the close of 100 before it.
    fully = await bars(bar_pb2.ADJUSTMENT_FULL)
    assert list(fully.close) == pytest.approx([49, 49, 49, 49])
    assert list(fully.volume) == [200, 200, 200, 200]
