"""PostgreSQL goes away at the worst moments: nothing is recorded by halves, nothing that was sent is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import grpc
import pytest

from bifrost.execution.v1 import order_pb2
from bifrost.execution.v1 import order_service_pb2 as pb
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import new_database
from services.runtime.waiting import until
from tests.contract.execution.execution_harness import Execution, running
from tests.contract.execution.fake_peers import limit_order


class Outage:
    """Keeps one role out of PostgreSQL and ends its connections, as a restart does."""

    def __init__(self, server: EmbeddedPostgres, url: str) -> None:
        self._server = server
        self._role = urlsplit(url).username

    async def begin(self) -> None:
        await self._as_superuser(
            f"ALTER ROLE {self._role} CONNECTION LIMIT 0",
            f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '{self._role}'",
        )

    async def end(self) -> None:
        await self._as_superuser(f"ALTER ROLE {self._role} CONNECTION LIMIT -1")

    async def _as_superuser(self, *statements: str) -> None:
        connection = await asyncpg.connect(self._server.superuser_url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()


@pytest.fixture
async def alone(postgres_server: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[tuple[Execution, Outage]]:
    url = new_database(postgres_server)
    async with running(url, tmp_path, venue_timeout_s=20.0) as execution:
        yield execution, Outage(postgres_server, url)


async def test_at_the_intent(alone: tuple[Execution, Outage]) -> None:
    execution, outage = alone
    risk = execution.peers.risk
    risk.gate.clear()
    call = asyncio.create_task(execution.failure(execution.submit(request_id="later")))
    await until(lambda: risk.calls["ReserveOrder"] == 1, timeout_s=60)
    await outage.begin()
    risk.gate.set()
    failure = await call
    assert failure.code is grpc.StatusCode.UNAVAILABLE
    assert (failure.reason, failure.metadata["dependency"]) == ("DEPENDENCY_UNAVAILABLE", "database")
    await until(lambda: len(risk.released) == 1, timeout_s=60)
    failure = await execution.failure(execution.submit(request_id="later"))
    assert failure.reason == "DEPENDENCY_UNAVAILABLE"
    await outage.end()
    assert not execution.peers.venue.orders
    assert await execution.events() == []
    assert (await execution.submit(request_id="later")).outcome == pb.SUBMIT_OUTCOME_ACCEPTED


async def test_between_the_sending_and_the_acknowledgement(
    alone: tuple[Execution, Outage],
) -> None:
    execution, outage = alone
    venue = execution.peers.venue
    venue.submit.gate.clear()
    call = asyncio.create_task(execution.submit(request_id="sent"))
    await until(lambda: venue.calls["SubmitOrder"] == 1, timeout_s=60)
    await outage.begin()
    venue.submit.gate.set()
    answer = await call
    assert answer.outcome == pb.SUBMIT_OUTCOME_UNKNOWN
    order_id = answer.order.order_id
    venue.fill(order_id, 100)
    await outage.end()

    async def filled() -> bool:
        return (await execution.get(order_id)).state == order_pb2.ORDER_STATE_FILLED

    await until(filled, timeout_s=60)
    assert await execution.story(order_id) == ["SUBMITTED", "ACCEPTED", "FILLED"]
    assert [fill.execution_id for fill in await execution.fills()] == ["X1"]
    assert venue.submissions[order_id] == 1


async def test_during_a_cancel(alone: tuple[Execution, Outage]) -> None:
    execution, outage = alone
    venue = execution.peers.venue
    order_id = await execution.order()
    venue.cancel.gate.clear()
    call = asyncio.create_task(execution.failure(execution.cancel(order_id)))
    await until(lambda: venue.calls["CancelOrder"] == 1, timeout_s=60)
    await outage.begin()
    venue.cancel.gate.set()
    assert (await call).reason == "DEPENDENCY_UNAVAILABLE"
    await outage.end()
    await execution.until(order_id, order_pb2.ORDER_STATE_CANCELLED)
    assert (await execution.story(order_id))[2:] == ["CANCEL_REQUESTED", "CANCELLED"]


async def test_while_orders_are_written_one_by_one(alone: tuple[Execution, Outage]) -> None:
    execution, _ = alone
    database = await asyncpg.connect(execution.settings.database_url)
    await database.execute("ALTER TABLE execution.orders ADD CHECK (tag <> 'poison')")
    await database.execute(
        "CREATE FUNCTION execution.end_connection() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$"
    )
    await database.execute(
        "CREATE TRIGGER end_connection BEFORE INSERT ON execution.orders FOR EACH ROW "
        "WHEN (NEW.tag = 'cut') EXECUTE FUNCTION execution.end_connection()"
    )
    await database.close()
    orders = [
        execution.request(limit_order(n + 1), tag=tag) for n, tag in enumerate(["", "poison", "cut", ""])
    ]
    request = pb.SubmitOrdersRequest(account_id=execution.account_id, orders=orders)
    answer = await execution.stub.SubmitOrders(request, metadata=execution.user, timeout=60)
    first, poison, cut, last = answer.results
    assert (poison.error_reason, cut.error_reason) == ("INTERNAL", "DEPENDENCY_UNAVAILABLE")
    sent = {result.response.order.order_id for result in (first, last)}
    assert set(execution.peers.venue.orders) == sent
    assert [result.response.outcome for result in (first, last)] == [pb.SUBMIT_OUTCOME_ACCEPTED] * 2
    await until(lambda: len(execution.peers.risk.released) == 2, timeout_s=60)
