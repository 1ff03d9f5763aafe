"""Histories served from the cache are those of the store, whatever becomes of the cache or of the bars."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import valkey

from bifrost.data.v1 import bar_pb2, history_service_pb2
from bifrost.data.v1.history_service_pb2_grpc import HistoryServiceStub
from bifrost.type.v1.value_pb2 import InstrumentRef
from services.data.bars import bar_stream
from services.runtime.clock import to_timestamp
from services.runtime.embedded.valkey import EmbeddedValkey
from services.runtime.testing_keys import MeshKeys
from tests.contract.data.data_harness import RunningData, by_id, start_data
from tests.contract.data.file_uploads import csv_of, header_of, minute_bars, send

START_S = 1_600_000_000
ROWS = 250


@dataclass
class Cached:
    data: RunningData
    valkey: EmbeddedValkey

    def reads(self, *outcomes: str) -> float:
        registry = self.data.service.metrics.registry
        return sum(
            registry.get_sample_value("bifrost_cache_reads_total", {"kind": "bars", "outcome": one}) or 0
            for one in outcomes
        )

    async def read(
        self, instrument: InstrumentRef, first: int | None = None, end: int | None = None
    ) -> tuple[list[int], list[float]]:
        """Minutes since the first bar, and volumes, of rows from `first` to before `end`."""
        request = history_service_pb2.ReadBarsRequest(
            instruments=[instrument],
            interval=bar_pb2.BAR_INTERVAL_MINUTE,
            start_time=None if first is None else to_timestamp(10**9 * (START_S + 60 * first)),
            end_time=None if end is None else to_timestamp(10**9 * (START_S + 60 * end)),
        )
        times: list[int] = []
        volumes: list[float] = []
        stub = HistoryServiceStub(self.data.channel)
        lasts = []
        async for chunk in stub.ReadBars(request, metadata=self.data.reader_headers, timeout=60):
            times += [(ns // 10**9 - START_S) // 60 for ns in chunk.open_time_ns]
            volumes += chunk.volume
            lasts.append(chunk.last)
        assert lasts == [False] * (len(lasts) - 1) + [True]
        return times, volumes


@pytest.fixture
async def cached(postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cached]:
    monkeypatch.setattr(bar_stream, "CHUNK_ROWS", 100)
    server = EmbeddedValkey()
    server.start()
    running = await start_data(postgres_url, MeshKeys(tmp_path), cache_url=server.url, cache_local_bytes=0)
    yield Cached(running, server)
    await running.stop()
    server.stop()


async def load(data: RunningData, first: int, rows: int, symbol: str) -> InstrumentRef:
    content = csv_of(minute_bars(rows, start_s=START_S + 60 * first))
    return by_id((await send(data, header_of(content, symbol), content)).instrument_id)


async def warm(cached: Cached, instrument: InstrumentRef) -> None:
    """Read twice: the second time all comes from the cache."""
    whole = await cached.read(instrument)
    assert whole[0] == list(range(ROWS))
    async with asyncio.timeout(60):
        while True:
            misses = cached.reads("miss")
            assert await cached.read(instrument) == whole
            if cached.reads("miss") == misses:
                return


async def test_ranges_come_from_the_cache_as_from_the_store(cached: Cached) -> None:
    instrument = await load(cached.data, 0, ROWS, f"R{uuid.uuid4().hex[:8].upper()}")
    await warm(cached, instrument)
    ranges = [
        (0, 1),
        (0, 100),
        (99, 101),
        (100, 200),
        (150, 250),
        (249, 250),
        (200, 900),
        (-50, 20),
        (300, 400),
    ]
    misses, hits = cached.reads("miss"), cached.reads("hit")
    for first, end in ranges:
        times, volumes = await cached.read(instrument, first, end)
        assert times == list(range(max(first, 0), min(end, ROWS)))
        np.testing.assert_array_equal(volumes, np.array(times) + 1.0)
    assert cached.reads("miss") == misses
    assert cached.reads("hit") > hits


async def test_a_change_is_seen_at_once(cached: Cached) -> None:
    symbol = f"C{uuid.uuid4().hex[:8].upper()}"
    instrument = await load(cached.data, 0, ROWS, symbol)
    await warm(cached, instrument)
    await load(cached.data, ROWS, 50, symbol)
    assert (await cached.read(instrument))[0] == list(range(ROWS + 50))


async def test_a_dead_valkey_makes_reads_slower_and_nothing_else(cached: Cached) -> None:
    instrument = await load(cached.data, 0, ROWS, f"D{uuid.uuid4().hex[:8].upper()}")
    await warm(cached, instrument)
    whole = await cached.read(instrument)
    cached.valkey.stop()
    for _ in range(4):
        assert await cached.read(instrument) == whole
    assert cached.reads("error") > 0
    cached.valkey.start()
    assert await cached.read(instrument) == whole


@pytest.mark.parametrize("harm", ["gone", "corrupt"])
async def test_a_chunk_that_is_lost_comes_from_the_store(cached: Cached, harm: str) -> None:
    instrument = await load(cached.data, 0, ROWS, f"L{uuid.uuid4().hex[:8].upper()}")
    await warm(cached, instrument)
    whole = await cached.read(instrument)
    with valkey.Valkey.from_url(cached.valkey.url.replace("redis://", "valkey://")) as client:
        (second,) = [key for key in client.keys("bars:*") if key.endswith(b":1")]
        if harm == "gone":
            client.delete(second)
        else:
            client.setrange(second, 50, b"\0\0\0")
    assert await cached.read(instrument) == whole
