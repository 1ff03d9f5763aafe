"""kill -9 of the process at its failpoints: what was answered is held, and every fill counts once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import grpc
import pytest

from bifrost.risk.v1 import pre_trade_service_pb2 as pb
from bifrost.risk.v1.pre_trade_service_pb2_grpc import PreTradeServiceStub
from services.runtime.embedded.ports import free_port
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import connect, new_database
from services.runtime.testing_keys import MeshKeys, bearer
from services.runtime.waiting import until
from tests.contract.risk.risk_messages import fill_event, limit, order_event, reserve_request
from tests.contract.risk.risk_peers import AAPL, FakeData, FakeExecution, FakePortfolio


class Supervised:
    """Risk as a process of its own at a fixed port, beside peers that stay."""

    def __init__(self, url: str, folder: Path) -> None:
        self.keys = MeshKeys(folder)
        self.execution, self.portfolio, self.data = FakeExecution(), FakePortfolio(), FakeData()
        self.url = url
        self.process: asyncio.subprocess.Process | None = None
        self.port = free_port()
        peers = {"execution": self.execution, "portfolio": self.portfolio, "data": self.data}
        self._environment = {
            **os.environ,
            "BIFROST_DATABASE_URL": url,
            "BIFROST_PORT": str(self.port),
            "BIFROST_JWKS_FILE": str(self.keys.jwks_file),
            "BIFROST_SERVICES_JWKS_FILE": str(self.keys.services_jwks_file),
            "BIFROST_CREDENTIAL_FILE": str(self.keys.credential_file("risk")),
            "BIFROST_ADDRESS_BOOK": json.dumps({name: peer.address for name, peer in peers.items()}),
        }
        self.headers = bearer(self.keys.service_token("execution"))
        self.channel = connect(f"127.0.0.1:{self.port}", ("grpc.max_reconnect_backoff_ms", 200))
        self.stub = PreTradeServiceStub(self.channel)

    async def start(self, failpoint: str = "") -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.risk",
            env={**self._environment, "BIFROST_FAILPOINT": failpoint},
            stdout=asyncio.subprocess.DEVNULL,
        )

    async def killed(self) -> None:
        """Wait until it has died of its failpoint."""
        assert self.process is not None
        assert await asyncio.wait_for(self.process.wait(), 60) == -9

    async def reserve(self, request: pb.ReserveOrderRequest) -> bool | None:
        """Whether it was held; None when there was no answer."""
        with contextlib.suppress(grpc.aio.AioRpcError):
            return (await self.stub.ReserveOrder(request, metadata=self.headers, timeout=60)).reserved
        return None

    async def until_power(self, account_id: str, cash: str, reserved: str) -> None:
        async def is_so() -> bool:
            with contextlib.suppress(grpc.aio.AioRpcError):
                request = pb.GetBuyingPowerRequest(account_id=account_id)
                power = await self.stub.GetBuyingPower(request, metadata=self.headers)
                return (power.cash, power.reserved) == (cash, reserved)
            return False

        await until(is_so, timeout_s=60)

    async def stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        await self.channel.close()
        for peer in (self.execution, self.portfolio, self.data):
            await peer.stop()


@pytest.fixture
async def supervised(postgres_server: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Supervised]:
    supervised = Supervised(new_database(postgres_server), tmp_path)
    for peer in (supervised.execution, supervised.portfolio, supervised.data):
        await peer.start()
    supervised.data.quote(AAPL, 99.99, 100.01)
    yield supervised
    await supervised.stop()


async def until_held(supervised: Supervised, request: pb.ReserveOrderRequest) -> None:
    async def is_held() -> bool:
        return await supervised.reserve(request) is not None

    await until(is_held, timeout_s=60)


@pytest.mark.parametrize("failpoint", ["risk.reserve.before_commit", "risk.reserve.after_commit"])
async def test_killed_while_reserving(supervised: Supervised, failpoint: str) -> None:
    account_id = supervised.portfolio.open_account()
    supervised.portfolio.deposit(account_id, "1500")
    request = reserve_request(account_id, limit())
    await supervised.start(failpoint)
    await supervised.until_power(account_id, "1500", "0")
    assert await supervised.reserve(request) is None
    await supervised.killed()
    await supervised.start()
    kept = "1000.1" if failpoint.endswith("after_commit") else "0"
    await supervised.until_power(account_id, "1500", kept)
    await until_held(supervised, request)
    await supervised.until_power(account_id, "1500", "1000.1")
    assert await supervised.reserve(reserve_request(account_id, limit("99"))) is False


# Counted in batches with effects: the deposit, then the order's beginning, then the fills.
@pytest.mark.parametrize(
    ("failpoint", "nth"),
    [
        pytest.param("risk.apply.before_commit", 1, marks=pytest.mark.slow),
        ("risk.apply.before_commit", 3),
        pytest.param("risk.apply.after_commit", 2, marks=pytest.mark.slow),
    ],
)
async def test_killed_while_reading_the_logs(supervised: Supervised, failpoint: str, nth: int) -> None:
    account_id = supervised.portfolio.open_account()
    request = reserve_request(account_id, limit())
    order_id = request.order_id

    async def life() -> None:
        supervised.portfolio.deposit(account_id, "1500")
        await supervised.until_power(account_id, "1500", "0")
        await until_held(supervised, request)
        supervised.execution.append(
            order_event("SUBMITTED", account_id, order_id, limit(), state="PENDING_NEW")
        )
        await supervised.until_power(account_id, "1500", "1000.1")
        fill = fill_event(account_id, order_id, "4", "99.50", fee="0.02")
        supervised.execution.append(fill, fill)
        await supervised.until_power(account_id, "1101.98", "600.06")
        end = order_event("CANCELLED", account_id, order_id, limit(), state="CANCELLED")
        supervised.execution.append(end)
        await supervised.until_power(account_id, "1101.98", "0")

    await supervised.start(f"{failpoint}:{nth}")
    living = asyncio.create_task(life())
    await supervised.killed()
    await supervised.start()
    await living


async def test_a_process_that_was_replaced_ends(supervised: Supervised) -> None:
    account_id = supervised.portfolio.open_account()
    await supervised.start()
    await supervised.until_power(account_id, "0", "0")
    twin = await asyncpg.connect(supervised.url)
    await twin.execute("UPDATE risk.event_log_head SET writer_token = writer_token + 1")
    await twin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
    )
    await twin.close()
    assert supervised.process is not None
    assert await asyncio.wait_for(supervised.process.wait(), 60) == 0
