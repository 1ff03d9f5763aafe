"""Twelve indicators over a million bars by RPC, over TA-Lib's own time for them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import grpc
import numpy as np
import talib

from bifrost.data.v1 import bar_pb2, indicator_pb2, indicator_service_pb2
from bifrost.data.v1.indicator_service_pb2_grpc import IndicatorServiceStub
from bifrost.type.v1 import value_pb2
from services.data.domain.bars import Doubles, SourceBars
from services.runtime.testing import new_database, temporary_postgres
from services.runtime.testing_keys import bearer
from tests.bench.children import Child, child
from tests.bench.measure import Report, Result, alternate, run_async
from tests.bench.peers.bar_rows import made_up_bars

ROWS = 1_000_000
_TWELVE: dict[str, Callable[[SourceBars], Doubles | tuple[Doubles, ...]]] = {
    "SMA": lambda bars: talib.SMA(bars.close),
    "EMA": lambda bars: talib.EMA(bars.close),
    "RSI": lambda bars: talib.RSI(bars.close),
    "MACD": lambda bars: talib.MACD(bars.close),
    "BBANDS": lambda bars: talib.BBANDS(bars.close),
    "ATR": lambda bars: talib.ATR(bars.high, bars.low, bars.close),
    "ADX": lambda bars: talib.ADX(bars.high, bars.low, bars.close),
    "STOCH": lambda bars: talib.STOCH(bars.high, bars.low, bars.close),
    "CCI": lambda bars: talib.CCI(bars.high, bars.low, bars.close),
    "OBV": lambda bars: talib.OBV(bars.close, bars.volume),
    "WILLR": lambda bars: talib.WILLR(bars.high, bars.low, bars.close),
    "MFI": lambda bars: talib.MFI(bars.high, bars.low, bars.close, bars.volume),
}
"""All with their defaults; 17 columns."""


def run(report: Report) -> list[Result]:
    """Milliseconds until a client has the columns as arrays."""
    report("PostgreSQL")
    with temporary_postgres() as server:
        url = new_database(server)
        return run_async(lambda: _measure(url, report))


async def _measure(url: str, report: Report) -> list[Result]:
    report(f"{ROWS:,} bars")
    bars = made_up_bars(ROWS)
    expected = await asyncio.to_thread(_by_talib, bars)

    async def peer() -> float:
        began = time.perf_counter()
        await asyncio.to_thread(_by_talib, bars)
        return 1000 * (time.perf_counter() - began)

    async with (
        child("bar_server", url, str(ROWS)) as server,
        grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        client = _Client(channel, server, len(expected))
        _check(await client.columns(), expected)
        pairs = await alternate(client.timed, peer, report)
    note = (
        f"{len(_TWELVE)} indicators ({len(expected)} columns) over {ROWS:,} minute bars that "
        "the service holds in memory (columns are computed by each call), until the client has NumPy arrays"
    )
    return [pairs.result("indicators", "time", "ms", "TA-Lib alone, on arrays", limit=0.25, note=note)]


class _Client:
    """Asks for the twelve."""

    def __init__(self, channel: grpc.aio.Channel, server: Child, outputs: int) -> None:
        self._outputs = outputs
        self._stub = IndicatorServiceStub(channel)
        self._headers = bearer(server.ready["token"])
        self._request = indicator_service_pb2.StreamIndicatorsRequest(
            instrument=value_pb2.InstrumentRef(instrument_id=server.ready["instrument_id"]),
            interval=bar_pb2.BAR_INTERVAL_MINUTE,
            indicators=[indicator_pb2.IndicatorSpec(name=name) for name in _TWELVE],
        )

    async def columns(self) -> list[Doubles]:
        """All columns, in order."""
        times = np.empty(ROWS, dtype=np.int64)
        columns = [np.empty(ROWS) for _ in range(self._outputs)]
        end = 0
        async for part in self._stub.StreamIndicators(self._request, metadata=self._headers):
            start, end = end, end + len(part.open_time_ns)
            times[start:end] = part.open_time_ns
            outputs = (output for one in part.indicators for output in one.outputs)
            for column, output in zip(columns, outputs, strict=True):
                column[start:end] = output.values
        if end != ROWS:
            raise RuntimeError(f"{end:,} rows came instead of {ROWS:,}")
        return columns

    async def timed(self) -> float:
        """Milliseconds until they are there."""
        began = time.perf_counter()
        await self.columns()
        return 1000 * (time.perf_counter() - began)


def _by_talib(bars: SourceBars) -> list[Doubles]:
    columns: list[Doubles] = []
    for compute in _TWELVE.values():
        answer = compute(bars)
        columns += answer if isinstance(answer, tuple) else (answer,)
    return columns


def _check(found: list[Doubles], expected: list[Doubles]) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9)
