"""A repair stays when its source is asked again and says what it said before."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pytest

from bifrost.data.v1 import bar_pb2, bar_service_pb2, ingestion_pb2, instrument_service_pb2, quality_pb2
from bifrost.data.v1 import quality_service_pb2 as pb
from bifrost.data.v1.quality_service_pb2_grpc import QualityServiceStub
from services.data.sources.source import SourceSplit
from services.runtime.testing_keys import MeshKeys
from tests.contract.data.data_harness import RunningData, listed, start_data
from tests.contract.data.scripted_source import Row, ScriptedSource, history

DAY = bar_pb2.BAR_INTERVAL_DAY


@dataclass
class World:
    data: RunningData
    source: ScriptedSource
    quality: QualityServiceStub

    async def ingest(self, symbol: str) -> ingestion_pb2.SymbolResult:
        return (await self.data.ingest(source="scripted", symbols=[symbol])).results[0]

    async def repair(self, symbol: str) -> quality_pb2.Repair:
        asked = pb.ProposeRepairsRequest(instrument=listed(symbol), interval=DAY)
        proposed = await self.quality.ProposeRepairs(asked, metadata=self.data.headers)
        request = pb.ApplyRepairsRequest(
            request_id=str(uuid.uuid4()),
            instrument=listed(symbol),
            interval=DAY,
            proposal_ids=[one.proposal_id for one in proposed.proposals],
            etag=proposed.etag,
        )
        return (await self.quality.ApplyRepairs(request, metadata=self.data.headers)).repair

    async def revert(self, repair: quality_pb2.Repair) -> None:
        request = pb.RevertRepairRequest(request_id=str(uuid.uuid4()), repair_id=repair.repair_id)
        await self.quality.RevertRepair(request, metadata=self.data.headers)

    async def closes(self, symbol: str) -> list[float]:
        request = bar_service_pb2.ListBarsRequest(instrument=listed(symbol), interval=DAY)
        return list((await self.data.bars.ListBars(request, metadata=self.data.headers)).bars.close)

    async def split_dates(self, symbol: str) -> list[str]:
        request = instrument_service_pb2.ListSplitsRequest(instrument=listed(symbol))
        answer = await self.data.instruments.ListSplits(request, metadata=self.data.headers)
        return [one.ex_date for one in answer.splits]


@pytest.fixture(scope="module")
async def world(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    source = ScriptedSource("scripted", {})
    keys = MeshKeys(tmp_path_factory.mktemp("data"))
    running = await start_data(postgres_url, keys, sources={"scripted": source})
    yield World(running, source, QualityServiceStub(running.channel))
    await running.stop()


def rows(count: int) -> list[Row]:
    """Trading days of 2010 from February 16th on, prices around 100."""
    every = np.arange(np.datetime64("2010-02-16"), np.datetime64("2010-05-28"))
    days = [str(day) for day in every[np.is_busday(every)] if str(day) != "2010-04-02"]
    closes = [100 + n % 7 for n in range(count)]
    return [
        (day, close, close + 1, close - 1, close, 1000.0 + n, close)
        for n, (day, close) in enumerate(zip(days, closes, strict=False))
    ]


async def test_bars_in_other_units_stay_repaired_until_the_source_corrects_them(world: World) -> None:
    right = rows(60)
    wrong = list(right)
    for n in range(35, 50):  # a run that is too long to be refused
        day, open_, high, low, close, volume, adjusted = right[n]
        wrong[n] = (day, open_ * 100, high * 100, low * 100, close * 100, volume, adjusted * 100)
    world.source.histories["PENCE"] = history("PENCE", wrong[:58])
    await world.ingest("PENCE")
    assert max(await world.closes("PENCE")) > 10_000
    repair = await world.repair("PENCE")
    assert repair.rows == 15
    world.source.histories["PENCE"] = history("PENCE", wrong)
    again = await world.ingest("PENCE")
    assert (again.rows_stored, again.rows_revised) == (2, 0)
    assert await world.closes("PENCE") == pytest.approx([row[4] for row in right])
    # Of one bar the source now knows better, and says so.
    day, *_ = right[49]
    wrong[49] = (day, 104.5, 105.5, 103.5, 104.5, 1040.0, 104.5)
    world.source.histories["PENCE"] = history("PENCE", wrong)
    assert (await world.ingest("PENCE")).rows_revised == 1
    expected = [row[4] for row in right]
    expected[49] = 104.5
    assert await world.closes("PENCE") == pytest.approx(expected)


async def test_a_retracted_split_stays_retracted_while_the_repair_holds(world: World) -> None:
    chunk = history("NOSPLIT", rows(60))
    split = SourceSplit(date.fromisoformat(rows(60)[40][0]), 2, 1)
    world.source.histories["NOSPLIT"] = replace(chunk, splits=[split])
    await world.ingest("NOSPLIT")
    assert await world.split_dates("NOSPLIT") == [split.ex_date.isoformat()]
    repair = await world.repair("NOSPLIT")
    assert await world.split_dates("NOSPLIT") == []
    again = await world.ingest("NOSPLIT")
    assert again.error_message == f"left as repaired: the split of {split.ex_date}"
    assert await world.split_dates("NOSPLIT") == []
    await world.revert(repair)
    assert not (await world.ingest("NOSPLIT")).error_message
    assert await world.split_dates("NOSPLIT") == [split.ex_date.isoformat()]
    # A repair of the past says nothing of another split that day.
    await world.repair("NOSPLIT")
    world.source.histories["NOSPLIT"] = replace(chunk, splits=[SourceSplit(split.ex_date, 3, 1)])
    await world.ingest("NOSPLIT")
    assert await world.split_dates("NOSPLIT") == [split.ex_date.isoformat()]
