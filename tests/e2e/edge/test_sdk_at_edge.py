"""The SDK through Envoy: a login, bars, indicators and live quotes."""

from __future__ import annotations

import asyncio
import itertools

import numpy as np

from bifrost_sdk import AsyncClient, Client, Login, Quote
from tests.e2e.running_mesh import PASSWORD, RunningMesh


async def test_a_script_logs_in_and_reads(mesh: RunningMesh) -> None:
    def script() -> tuple[int, list[str], list[Quote]]:
        with Client(mesh.url, login=Login("alice", PASSWORD)) as client:
            bars = client.bars(["AAPL", "IBM"], adjustment="full")
            indicators = client.indicators("AAPL", ["RSI"])
            return (
                len(bars),
                list(indicators.columns),
                list(itertools.islice(client.quotes("AAPL", "IBM"), 5)),
            )

    rows, columns, quotes = await asyncio.to_thread(script)
    assert rows == 2 * 3270
    assert columns == ["RSI"]
    assert {quote.symbol for quote in quotes} == {"AAPL", "IBM"}
    assert all(0 < quote.bid <= quote.ask for quote in quotes)


async def test_the_asynchronous_form_does_the_same(mesh: RunningMesh) -> None:
    async with AsyncClient(mesh.url, token=mesh.alice.access_token) as client:
        both = await asyncio.gather(client.bars("AAPL"), client.bars("AAPL", adjustment="split"))
        assert np.all(both[0].time_ns == both[1].time_ns)
        seen = set()
        async with asyncio.timeout(60):
            async for quote in client.quotes():
                seen.add(quote.symbol)
                if {"AAPL", "IBM"} <= seen:
                    break
