"""kill -9 of the process at its failpoints: every fill and deposit has its effect once."""

import asyncio
import contextlib
import os
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import grpc
import pytest

from bifrost.execution.v1.order_pb2 import OrderEvent
from services.runtime.embedded.ports import free_port
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import connect, new_database
from tests.contract.portfolio.portfolio_harness import (
    FakeData,
    FakeExecution,
    PortfolioClient,
    Tokens,
    accepted,
    order_fill,
)


class Supervised:
    """Portfolio as a process of its own at a fixed port, beside peers that stay."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.tokens = Tokens(folder)
        self.execution = FakeExecution()
        self.data = FakeData()
        self.port = free_port()
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, failpoint: str = "") -> None:
        environment = {
            **os.environ,
            "BIFROST_DATABASE_URL": self.url,
            "BIFROST_PORT": str(self.port),
            "BIFROST_JWKS_FILE": str(self.tokens.jwks_file),
            "BIFROST_SERVICES_JWKS_FILE": str(self.tokens.services_jwks_file),
            "BIFROST_ADDRESS_BOOK": (
                f'{{"execution": "{self.execution.address}", "data": "{self.data.address}"}}'
            ),
            "BIFROST_FAILPOINT": failpoint,
        }
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.portfolio", env=environment, stdout=asyncio.subprocess.DEVNULL
        )

    async def killed(self) -> None:
        """Wait until it has died of its failpoint."""
        assert self.process is not None
        assert await asyncio.wait_for(self.process.wait(), 60) == -9

    async def stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            assert await asyncio.wait_for(self.process.wait(), 60) == 0
        for peer in (self.execution, self.data):
            await peer.server.stop(None)

    @contextlib.asynccontextmanager
    async def calls(self) -> AsyncIterator[PortfolioClient]:
        """Stubs of the running process; waits until it answers."""
        async with connect(f"127.0.0.1:{self.port}") as channel:
            await asyncio.wait_for(channel.channel_ready(), 60)
            yield PortfolioClient(self.execution, self.data, channel, self.tokens)


@pytest.fixture
async def supervised(postgres_server: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Supervised]:
    supervised = Supervised(new_database(postgres_server), tmp_path)
    await supervised.execution.server.start()
    await supervised.data.server.start()
    yield supervised
    await supervised.stop()


async def log_one_by_one(portfolio: PortfolioClient, account_id: str, events: list[OrderEvent]) -> None:
    """Each event in a transaction of its own."""
    for event in events:
        portfolio.execution.log(event)
        await portfolio.caught_up(account_id)


@pytest.mark.parametrize(
    "failpoint",
    [
        "portfolio.apply.before_commit",
        pytest.param("portfolio.apply.after_commit", marks=pytest.mark.slow),
        pytest.param("portfolio.apply.before_commit:2", marks=pytest.mark.slow),
        "event_log.before_commit:4",
    ],
)
async def test_fills_are_booked_once(supervised: Supervised, failpoint: str) -> None:
    await supervised.start(failpoint)
    async with supervised.calls() as portfolio:
        account_id = await portfolio.new_account(deposit="1000")
        events = [
            accepted(),
            *(order_fill(account_id, "1", "10.005", fee="0.01") for _ in range(3)),
            order_fill(account_id, "-2", "11", fee="0.01"),
        ]
        with pytest.raises(grpc.aio.AioRpcError):
            await log_one_by_one(portfolio, account_id, events)
    supervised.execution.log(*events[len(supervised.execution.events) :])
    await supervised.killed()
    await supervised.start()
    async with supervised.calls() as portfolio:
        balance = await portfolio.caught_up(account_id)
        entries = await portfolio.entries(account_id)
        position = await portfolio.position(account_id)
    # 1000 - 3 * 10.02 (10.015 goes to the even cent) + 21.99
    assert (balance.cash, balance.realized_pnl) == ("991.93", "1.95")
    assert (position.quantity, position.cost) == ("1", "10.02")
    assert [entry.amount.amount for entry in entries] == ["1000", "-10.02", "-10.02", "-10.02", "21.99"]


@pytest.mark.parametrize(
    ("failpoint", "made"),
    [("portfolio.deposit.before_commit", False), ("portfolio.deposit.after_commit", True)],
)
async def test_a_deposit_repeated_after_a_kill_is_made_once(
    supervised: Supervised, failpoint: str, made: bool
) -> None:
    request_id = str(uuid.uuid4())
    await supervised.start(failpoint)
    async with supervised.calls() as portfolio:
        account_id = await portfolio.new_account()
        with pytest.raises(grpc.aio.AioRpcError):
            await portfolio.deposit(account_id, "10", request_id=request_id)
    await supervised.killed()
    await supervised.start()
    async with supervised.calls() as portfolio:
        again = await portfolio.deposit(account_id, "10", request_id=request_id)
        assert again.duplicate is made
        assert (await portfolio.balance(account_id)).cash == "10"
        assert len(await portfolio.entries(account_id)) == 1


async def test_a_process_that_is_no_longer_the_writer_posts_nothing_and_ends(supervised: Supervised) -> None:
    await supervised.start()
    async with supervised.calls() as portfolio:
        account_id = await portfolio.new_account(deposit="10")
        connection = await asyncpg.connect(supervised.url)
        await connection.execute("UPDATE portfolio.event_log_head SET writer_token = writer_token + 1")
        with pytest.raises(grpc.aio.AioRpcError):
            await portfolio.deposit(account_id, "5")
        assert await connection.fetchval("SELECT cash FROM portfolio.account") == 10
        await connection.close()
    assert supervised.process is not None
    assert await asyncio.wait_for(supervised.process.wait(), 60) == 0
