"""Indicators from the cache are those computed, whatever becomes of the bars or of the cache."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bifrost.data.v1 import bar_pb2, indicator_pb2
from bifrost.data.v1 import indicator_service_pb2 as pb
from bifrost.type.v1.value_pb2 import InstrumentRef
from services.runtime.clock import SystemClock, to_timestamp
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.embedded.valkey import EmbeddedValkey
from services.runtime.testing import new_database
from services.runtime.testing_keys import MeshKeys
from tests.contract.data.data_harness import RunningData, by_id, failure_of, start_data
from tests.contract.data.file_uploads import csv_of, header_of, minute_bars, send

ROWS = 400


@dataclass
class Cached:
    data: RunningData
    valkey: EmbeddedValkey

    def count(self, figure: str, *outcomes: str) -> float:
        registry = self.data.service.metrics.registry
        return sum(
            registry.get_sample_value(f"bifrost_cache_{figure}_total", {"kind": "indicators", "outcome": one})
            or 0
            for one in outcomes
        )

    async def settle(self, kept: float) -> None:
        """Wait until so many more pages than before are with the server."""
        # The cache writes behind the answer; each call lets it go on.
        for _ in range(1_000):
            if self.count("writes", "kept") >= kept:
                return
            await self.data.indicators.ListIndicators(
                pb.ListIndicatorsRequest(page_size=1), metadata=self.data.headers
            )
        raise AssertionError("nothing was kept")

    async def compute(
        self, instrument: InstrumentRef, *specs: indicator_pb2.IndicatorSpec, **fields: object
    ) -> pb.ComputeIndicatorsResponse:
        request = pb.ComputeIndicatorsRequest(
            instrument=instrument, interval=bar_pb2.BAR_INTERVAL_MINUTE, indicators=specs or [EMA]
        )
        request.MergeFrom(pb.ComputeIndicatorsRequest(**fields))  # type: ignore[arg-type]
        return await self.data.indicators.ComputeIndicators(request, metadata=self.data.headers, timeout=60)


EMA = indicator_pb2.IndicatorSpec(name="EMA")


@pytest.fixture(scope="module")
async def cached(
    postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Cached]:
    server = EmbeddedValkey()
    server.start()
    folder: Path = tmp_path_factory.mktemp("data")
    url = new_database(postgres_server)
    running = await start_data(url, MeshKeys(folder), cache_url=server.url, cache_local_bytes=0)
    yield Cached(running, server)
    await running.stop()
    server.stop()


# Any: fields of the header.
async def load(
    data: RunningData, rows: int = ROWS, symbol: str = "", **fields: Any
) -> tuple[InstrumentRef, str]:
    symbol = symbol or f"I{uuid.uuid4().hex[:8].upper()}"
    content = csv_of(minute_bars(rows))
    header = header_of(content, symbol, **fields)
    return by_id((await send(data, header, content)).instrument_id), symbol


async def test_a_hit_equals_what_was_computed(cached: Cached) -> None:
    instrument, _ = await load(cached.data)
    requests: tuple[dict[str, object], ...] = (
        {},
        {"page_size": 100},
        {"interval": bar_pb2.BAR_INTERVAL_FIVE_MINUTES},
        {"hours": bar_pb2.TRADING_HOURS_ALL},
        {"adjustment": bar_pb2.ADJUSTMENT_SPLIT},
    )
    kept = cached.count("writes", "kept")
    computed = [await cached.compute(instrument, **fields) for fields in requests]
    await cached.settle(kept + len(requests))
    assert cached.count("reads", "hit") == 0
    found = [await cached.compute(instrument, **fields) for fields in requests]
    assert [one.SerializeToString(deterministic=True) for one in found] == [
        one.SerializeToString(deterministic=True) for one in computed
    ]
    assert cached.count("reads", "hit") == len(requests)
    assert found[1].next_page_token
    second = await cached.compute(instrument, page_size=100, page_token=found[1].next_page_token)
    assert list(second.open_time_ns) == list(computed[0].open_time_ns[100:200])


async def test_another_question_is_another_entry(cached: Cached) -> None:
    instrument, _ = await load(cached.data)
    kept, hits = cached.count("writes", "kept"), cached.count("reads", "hit")
    await cached.compute(instrument)
    await cached.settle(kept + 1)
    longer = indicator_pb2.IndicatorSpec(name="EMA", interval=bar_pb2.BAR_INTERVAL_FIVE_MINUTES)
    labelled = indicator_pb2.IndicatorSpec(name="EMA", label="mine")
    of_volume = indicator_pb2.IndicatorSpec(name="EMA", sources=[indicator_pb2.PRICE_SOURCE_VOLUME])
    set_otherwise = indicator_pb2.IndicatorSpec(name="EMA")
    set_otherwise.parameters.update({"timeperiod": 3})
    for spec in (longer, labelled, of_volume, set_otherwise):
        assert (await cached.compute(instrument, spec)).indicators[0] != (
            await cached.compute(instrument)
        ).indicators[0]
    set_alike = indicator_pb2.IndicatorSpec(name="EMA")
    set_alike.parameters.update({"timeperiod": 30})  # as by default
    await cached.compute(instrument, set_alike)
    assert cached.count("reads", "hit") == hits + 5  # of the first four times, and of the last


async def test_a_change_of_bars_is_seen_at_once(cached: Cached) -> None:
    instrument, symbol = await load(cached.data)
    kept = cached.count("writes", "kept")
    await cached.compute(instrument)
    await cached.settle(kept + 1)
    await load(cached.data, ROWS + 50, symbol, instrument=instrument)
    assert len((await cached.compute(instrument)).open_time_ns) == ROWS + 50


async def test_errors_and_the_past_are_not_kept(cached: Cached) -> None:
    instrument, _ = await load(cached.data)
    kept = cached.count("writes", "kept")
    too_long = indicator_pb2.IndicatorSpec(name="SMA")
    too_long.parameters.update({"timeperiod": 900})
    for _ in range(2):
        assert (await failure_of(cached.compute(instrument, too_long))).reason == "INDICATOR_WINDOW_TOO_LONG"
    reads = cached.count("reads", "hit", "miss")
    now = (await cached.compute(instrument)).open_time_ns
    await cached.settle(kept + 1)
    for _ in range(2):
        as_of = to_timestamp(SystemClock().now_ns())
        assert (await cached.compute(instrument, as_of=as_of)).open_time_ns == now
    assert cached.count("reads", "hit", "miss") == reads + 1
    assert cached.count("writes", "kept") == kept + 1


async def test_a_dead_valkey_changes_nothing_but_time(cached: Cached) -> None:
    instrument, _ = await load(cached.data)
    kept = cached.count("writes", "kept")
    computed = await cached.compute(instrument)
    await cached.settle(kept + 1)
    cached.valkey.stop()
    for _ in range(4):
        assert await cached.compute(instrument) == computed
    assert cached.count("reads", "error") > 0
    cached.valkey.start()
    assert await cached.compute(instrument) == computed
