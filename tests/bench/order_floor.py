"""What an order cannot be quicker than: its hops as bare echoes and its commits, on the same machine."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg

from tests.bench.children import child
from tests.bench.measure import load, percentile
from tests.bench.peers.echo_chain import echo_method

HOPS = "client to execution, execution to risk, execution to venue"
COMMITS = (
    "risk: the reservation",
    "execution: the intent",
    "venue: the order",
    "execution: the acceptance",
)
"""What SubmitOrder waits for, one after the other. What follows the logs commits beside it."""
_PAYLOAD = b"x" * 200
_INSERT = "INSERT INTO bench_row (payload) VALUES ($1)"
_CONNECTIONS = 32


@dataclass
class Floor:
    """The chain of echoes, the same with a commit where each belongs, and the table of one-row commits."""

    echo: Any
    """Any: a method of bytes."""
    skeleton: Any
    pool: asyncpg.Pool

    async def p50_ms(self, calls: int) -> tuple[float, float]:
        """Milliseconds of the chain of echoes, and of one commit."""
        async with self.pool.acquire() as connection:
            insert = await connection.prepare(_INSERT)
            hops = await load(lambda: self.echo(_PAYLOAD), calls)
            commits = await load(lambda: insert.fetch(_PAYLOAD), calls)
        return 1000 * percentile(hops.seconds, 0.5), 1000 * percentile(commits.seconds, 0.5)

    async def skeleton_p50_ms(self, calls: int) -> float:
        """Milliseconds of the hops with the commits between them, each where the order waits for it."""
        return 1000 * percentile((await load(lambda: self.skeleton(_PAYLOAD), calls)).seconds, 0.5)

    async def orders_per_second(self, orders: int, in_flight: int) -> float:
        """How many orders a second their commits alone allow, one row a transaction, a connection each."""
        turns = itertools.repeat(None, orders * len(COMMITS))

        async def worker() -> None:
            async with self.pool.acquire() as connection:
                insert = await connection.prepare(_INSERT)
                for _ in turns:
                    await insert.fetch(_PAYLOAD)

        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(in_flight):
                group.create_task(worker())
        return orders / (time.perf_counter() - began)


@contextlib.asynccontextmanager
async def floor(database_url: str) -> AsyncIterator[Floor]:
    """The floor on this PostgreSQL, with a table of its own, for the block."""
    async with contextlib.AsyncExitStack() as stack:
        pool = await stack.enter_async_context(
            asyncpg.create_pool(database_url, min_size=_CONNECTIONS, max_size=_CONNECTIONS)
        )
        await pool.execute("CREATE TABLE bench_row (id bigserial PRIMARY KEY, payload bytea NOT NULL)")
        echo = await _chain(stack)
        skeleton = await _chain(stack, BENCH_DATABASE_URL=database_url)
        yield Floor(echo_method(echo), echo_method(skeleton), pool)


async def _chain(stack: contextlib.AsyncExitStack, **environment: str) -> int:
    """Port of the first of three echoes: execution asks risk, then the venue."""
    risk, venue = [await stack.enter_async_context(child("echo_chain", **environment)) for _ in range(2)]
    ports = str(risk.port), str(venue.port)
    return (await stack.enter_async_context(child("echo_chain", *ports, **environment))).port
