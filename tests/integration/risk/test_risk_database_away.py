"""What the database does to risk: away, back, and a second process that takes over the books."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import grpc

from bifrost.risk.v1.pre_trade_service_pb2_grpc import PreTradeServiceStub
from services.risk.__main__ import compose
from services.risk.config import RiskSettings
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import connect, new_database
from services.runtime.waiting import until
from tests.contract.risk.risk_harness import failure_of, start_risk
from tests.contract.risk.risk_messages import fill_event, limit, reserve_request
from tests.contract.risk.risk_peers import AAPL


def refuse_connections(server: EmbeddedPostgres, url: str) -> None:
    """End the role's connections and let it make no new ones: what a client sees of a server that is away."""
    role = role_of(url)
    server.psql(
        f"ALTER ROLE {role} CONNECTION LIMIT 0; "
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'"
    )


def role_of(url: str) -> str:
    return urlsplit(url).username or ""


async def test_without_its_database_risk_refuses_and_comes_back_whole(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    url = new_database(postgres_server)
    risk = await start_risk(url, tmp_path)
    try:
        await risk.until_open()
        await risk.until_quoted(AAPL, "100")
        account_id = await risk.fund("5000")
        held = reserve_request(account_id, limit())
        await risk.pre_trade.ReserveOrder(held, metadata=risk.as_execution)
        await asyncio.to_thread(refuse_connections, postgres_server, url)
        request = reserve_request(account_id, limit("99"))
        failure = await failure_of(risk.pre_trade.ReserveOrder(request, metadata=risk.as_execution))
        assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")
        risk.execution.append(fill_event(account_id, held.order_id, "10", "100", state="FILLED"))
        await asyncio.to_thread(postgres_server.psql, f"ALTER ROLE {role_of(url)} CONNECTION LIMIT -1")
        await risk.until_cash(account_id, "4000", reserved="0")
        answer = await risk.pre_trade.ReserveOrder(request, metadata=risk.as_execution)
        assert answer.reserved
        assert (await risk.buying_power(account_id)).reserved == "990.1"
    finally:
        await risk.stop()


async def test_a_second_process_waits_and_takes_over(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    risk = await start_risk(new_database(postgres_server), tmp_path)
    try:
        await risk.until_open()
        await risk.until_quoted(AAPL, "100")
        account_id = await risk.fund("5000")
        assert (await risk.reserve(account_id, limit())).reserved
        twin = await compose(RiskSettings.model_validate(risk.settings))
        async with connect(f"127.0.0.1:{await twin.start()}") as channel:
            stub = PreTradeServiceStub(channel)
            request = reserve_request(account_id, limit("99"))
            early = stub.ReserveOrder(request, metadata=risk.as_execution, timeout=60)
            assert (await failure_of(early)).reason == "NOT_CAUGHT_UP"
            await risk.stop_service()

            async def answers() -> bool:
                try:
                    return (await stub.ReserveOrder(request, metadata=risk.as_execution)).reserved
                except grpc.aio.AioRpcError:
                    return False

            await until(answers, timeout_s=60)
        await twin.stop(0)
    finally:
        await risk.stop()


async def test_a_writer_that_was_replaced_writes_nothing(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    url = new_database(postgres_server)
    risk = await start_risk(url, tmp_path)
    try:
        await risk.until_open()
        await risk.until_quoted(AAPL, "100")
        account_id = await risk.fund("5000")
        postgres_server.psql(
            "UPDATE risk.event_log_head SET writer_token = writer_token + 1", database=url.rpartition("/")[2]
        )
        failure = await failure_of(risk.reserve(account_id, limit()))
        assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "NOT_CAUGHT_UP")
        risk.portfolio.deposit(account_id, "1")
        failure = await failure_of(risk.reserve(account_id, limit("99")))
        assert failure.reason == "NOT_CAUGHT_UP"
        postgres_server.psql(
            "UPDATE risk.event_log_head SET writer_token = writer_token - 1", database=url.rpartition("/")[2]
        )
        await risk.until_cash(account_id, "5001", reserved="0")
    finally:
        await risk.stop()


async def test_a_commit_whose_connection_was_lost_is_waited_for(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    url = new_database(postgres_server)
    risk = await start_risk(url, tmp_path)
    lost, watcher = await asyncpg.connect(url), await asyncpg.connect(url)
    try:
        await risk.until_open()
        await risk.until_quoted(AAPL, "100")
        account_id = await risk.fund("5000")
        await watcher.execute("UPDATE risk.event_log_head SET writer_token = writer_token + 1")
        await failure_of(risk.reserve(account_id, limit()))  # the books must be loaded again
        await watcher.execute("UPDATE risk.event_log_head SET writer_token = writer_token - 1")
        under_way = lost.transaction()
        await under_way.start()
        await lost.execute("SELECT 1 FROM risk.event_log_head FOR SHARE")
        await lost.execute("UPDATE risk.account SET cash = 4000 WHERE account_id = $1", account_id)
        call = asyncio.create_task(risk.buying_power(account_id))

        async def is_settled() -> bool:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = $1"
            return call.done() or await watcher.fetchval(waiting, role_of(url)) > 0

        await until(is_settled, timeout_s=60)
        await under_way.commit()
        assert (await call).cash == "4000"
    finally:
        await lost.close()
        await watcher.close()
        await risk.stop()
