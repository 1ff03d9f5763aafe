"""When accounts are closed, and what a venue says that it should never say."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import grpc
import pytest

from bifrost.execution.v1 import order_pb2, order_service_pb2
from bifrost.venue.v1 import venue_order_pb2
from services.cli.launcher.health import serving_status
from services.execution.adapters.registry import venue_adapters
from services.execution.config import ExecutionSettings
from services.runtime.channel import Mesh
from services.runtime.clock import SystemClock
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import new_database
from services.runtime.waiting import until
from tests.contract.execution.execution_harness import Execution, running
from tests.contract.execution.fake_peers import Peers, limit_order
from tests.contract.execution.fake_venue import STATES


async def test_accounts_open_when_the_venue_log_is_caught_up(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    peers = Peers()
    peers.venue.away = True
    await peers.start()
    execution = Execution(new_database(postgres_server), tmp_path, peers)
    try:
        await execution.start(wait=False)
        failure = await execution.failure(execution.submit(request_id="early"))
        assert failure.reason == "ACCOUNT_RECONCILING"
        peers.venue.away = False
        await until(execution.is_open, timeout_s=60)
        await execution.order(request_id="early")
    finally:
        await execution.stop()
        await peers.stop()


async def test_a_venue_log_of_another_epoch_closes_the_accounts(impatient: Execution) -> None:
    execution = impatient
    venue = execution.peers.venue
    order_id = await execution.order()
    venue.fill(order_id, 10)
    await execution.until(order_id, order_pb2.ORDER_STATE_PARTIALLY_FILLED)
    venue.epoch = "restored"
    venue.fill(order_id, 10)

    async def closed() -> bool:
        return not await execution.is_open()

    await until(closed, timeout_s=60)
    failure = await execution.failure(execution.submit())
    assert "epoch" in failure.message
    assert (await execution.get(order_id)).filled_quantity == "10"
    assert (await execution.cancel(order_id)).state == order_pb2.ORDER_STATE_PENDING_CANCEL


async def test_a_report_that_makes_no_sense_closes_the_accounts(execution: Execution) -> None:
    venue = execution.peers.venue
    order_id = await execution.order()
    venue.report(venue_order_pb2.EXECUTION_REPORT_TYPE_UNSPECIFIED, venue.orders[order_id])

    async def closed() -> bool:
        return not await execution.is_open()

    await until(closed, timeout_s=60)
    # An operator sees it; balancers, who go by the contract, still send cancels here.
    assert 'bifrost_follower_halted{follower="venue.XSIM"} 1.0' in await alarms(execution)
    address = f"127.0.0.1:{execution.service.port if execution.service else 0}"

    async def is_seen() -> bool:
        return await serving_status(address, "") == "NOT_SERVING"

    await until(is_seen, timeout_s=60)
    assert await serving_status(address, "bifrost.execution.v1.OrderService") == "SERVING"
    assert (await execution.cancel(order_id)).state == order_pb2.ORDER_STATE_CANCELLED


async def test_reports_sent_again_after_a_cut_have_no_second_effect(execution: Execution) -> None:
    venue = execution.peers.venue
    order_id = await execution.order()
    for _ in range(5):
        venue.fill(order_id, 20)
        venue.cut_streams()
    await execution.until(order_id, order_pb2.ORDER_STATE_FILLED)
    assert [fill.execution_id for fill in await execution.fills()] == ["X1", "X2", "X3", "X4", "X5"]
    venue.log.append(venue.log[-1])  # the same execution told under another sequence
    venue.wake()
    other = await execution.order(limit_order(1))
    venue.fill(other, 1)
    await execution.until(other, order_pb2.ORDER_STATE_FILLED)
    assert len(await execution.fills(order_id=order_id)) == 5
    assert (await execution.get(order_id)).filled_quantity == "100"


async def alarms(execution: Execution) -> str:
    assert execution.service is not None
    return execution.service.metrics.text().decode()


async def test_an_overfill_is_recorded_and_raises_an_alarm(execution: Execution) -> None:
    order_id = await execution.order()
    execution.peers.venue.fill(order_id, 60)
    execution.peers.venue.fill(order_id, 60)
    order = await execution.until(order_id, order_pb2.ORDER_STATE_FILLED)
    assert order.filled_quantity == "120"
    assert 'bifrost_execution_alarms_total{kind="overfilled"} 1.0' in await alarms(execution)


async def test_a_report_of_an_order_that_is_not_ours_raises_an_alarm(execution: Execution) -> None:
    stranger = venue_order_pb2.VenueOrder(
        client_order_id=str(uuid.uuid4()),
        terms=limit_order(),
        filled_quantity="0",
        terms_version=1,
        state=STATES.VENUE_ORDER_STATE_WORKING,
    )
    execution.peers.venue.report(STATES.EXECUTION_REPORT_TYPE_ACCEPTED, stranger)
    order_id = await execution.order()
    execution.peers.venue.fill(order_id, 100)
    await execution.until(order_id, order_pb2.ORDER_STATE_FILLED)
    assert 'bifrost_execution_alarms_total{kind="unknown_order"} 1.0' in await alarms(execution)


async def test_a_fill_of_an_order_that_is_not_ours_closes_the_accounts(execution: Execution) -> None:
    """It has moved somebody's money: what is shown and held lacks it until somebody has looked."""
    venue = execution.peers.venue
    venue.orders["stranger"] = venue_order_pb2.VenueOrder(
        client_order_id="stranger", terms=limit_order(), filled_quantity="0", terms_version=1
    )
    order_id = await execution.order()
    cursor = len(venue.log)
    venue.fill("stranger", 10)
    venue.fill(order_id, 100)

    async def closed() -> bool:
        return not await execution.is_open()

    await until(closed, timeout_s=20)
    assert "stranger" in (await execution.failure(execution.submit())).message
    assert execution.venue_cursor() <= cursor
    assert await execution.fills() == []
    assert 'bifrost_execution_alarms_total{kind="unknown_order"} 1.0' in await alarms(execution)


async def test_late_fills_of_an_order_that_has_ended(execution: Execution) -> None:
    venue = execution.peers.venue
    order_id = await execution.order()
    await execution.cancel(order_id)
    venue.fill(order_id, 30)

    async def counted() -> bool:
        return (await execution.get(order_id)).filled_quantity == "30"

    await until(counted, timeout_s=60)
    assert (await execution.get(order_id)).state == order_pb2.ORDER_STATE_CANCELLED
    venue.fill(order_id, 70)
    await execution.until(order_id, order_pb2.ORDER_STATE_FILLED)


async def test_a_stop_that_is_triggered(execution: Execution) -> None:
    venue = execution.peers.venue
    order_id = await execution.order()
    venue.report(STATES.EXECUTION_REPORT_TYPE_TRIGGERED, venue.orders[order_id])
    venue.fill(order_id, 100)
    await execution.until(order_id, order_pb2.ORDER_STATE_FILLED)
    assert await execution.story(order_id) == ["SUBMITTED", "ACCEPTED", "TRIGGERED", "FILLED"]


@pytest.fixture
async def hasty(postgres_server: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Execution]:
    settings = {"reservation_valid_s": 1e-6}
    async with running(new_database(postgres_server), tmp_path, **settings) as execution:
        yield execution


async def test_an_intent_is_not_recorded_on_a_reservation_that_is_too_old(hasty: Execution) -> None:
    failure = await hasty.failure(hasty.submit())
    assert failure.reason == "RISK_UNAVAILABLE"
    await until(lambda: len(hasty.peers.risk.released) == 1, timeout_s=60)
    assert await hasty.events() == []
    assert not hasty.peers.venue.orders


@pytest.mark.parametrize("change", ["submit", "replace"])
async def test_nothing_is_recorded_after_its_time_however_long_it_waited_to_be_written(
    postgres_server: EmbeddedPostgres, tmp_path: Path, change: str
) -> None:
    async with running(new_database(postgres_server), tmp_path) as execution:
        order_id = await execution.order()
        await execution.until(order_id, order_pb2.ORDER_STATE_ACCEPTED)
        execution.settings = execution.settings.model_copy(update={"reservation_valid_s": 0.3})
        await execution.stop()
        await execution.start()
        risk = execution.peers.risk
        ends = execution.submit() if change == "submit" else execution.replace(order_id, limit_order(150))
        async with execution.log._commit_order:  # another commit hangs
            call = asyncio.create_task(execution.failure(ends))
            await until(lambda: risk.calls["ReserveOrder"] == 2, timeout_s=60)
            over = time.monotonic() + 0.4
            await until(lambda: time.monotonic() > over, timeout_s=60)
        assert (await call).reason == "RISK_UNAVAILABLE"
        await until(lambda: len(risk.released) == 1, timeout_s=60)
        assert [event.order.order_id for event in await execution.events()] == [order_id] * 2
        assert list(execution.peers.venue.orders) == [order_id]


@contextlib.asynccontextmanager
async def postgres_holds_up_commits(execution: Execution, *, for_s: float) -> AsyncIterator[None]:
    """What the block begins waits in PostgreSQL for so long at least."""
    database = await asyncpg.connect(execution.settings.database_url)
    activity = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"

    async def is_held_up() -> bool:
        return bool(await database.fetchval(f"{activity} AND wait_event_type = 'Lock'"))

    async with database.transaction():
        await database.execute("SELECT FROM execution.event_log_head FOR UPDATE")
        yield
        await until(is_held_up, timeout_s=60)
        over = time.monotonic() + for_s
        await until(lambda: time.monotonic() > over, timeout_s=60)
    await database.close()


@pytest.fixture
async def brisk(postgres_server: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Execution]:
    async with running(new_database(postgres_server), tmp_path, reservation_valid_s=1.0) as execution:
        yield execution


async def test_an_order_that_was_recorded_after_its_time_is_not_sent(brisk: Execution) -> None:
    async with postgres_holds_up_commits(brisk, for_s=1.1):
        call = asyncio.create_task(brisk.submit(request_id="late"))
    answer = await call
    assert answer.outcome == order_service_pb2.SUBMIT_OUTCOME_REJECTED
    assert list(answer.order.reject_reasons) == ["RESERVATION_EXPIRED"]
    assert await brisk.story(answer.order.order_id) == ["SUBMITTED", "REJECTED"]
    again = await brisk.submit(request_id="late")
    assert again.outcome == order_service_pb2.SUBMIT_OUTCOME_DUPLICATE
    assert not brisk.peers.venue.orders


async def test_new_terms_that_were_recorded_after_their_time_are_not_sent(brisk: Execution) -> None:
    order_id = await brisk.order()
    async with postgres_holds_up_commits(brisk, for_s=1.1):
        call = asyncio.create_task(brisk.failure(brisk.replace(order_id, limit_order(150))))
    failure = await call
    assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "REPLACE_REFUSED")
    assert not brisk.peers.venue.calls["ReplaceOrder"]
    story = ["SUBMITTED", "ACCEPTED", "REPLACE_REQUESTED", "REPLACE_REJECTED"]
    assert await brisk.story(order_id) == story


async def test_a_replace_is_not_recorded_on_a_reservation_that_is_too_old(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    async with running(new_database(postgres_server), tmp_path) as execution:
        risk = execution.peers.risk
        order_id = await execution.order()
        execution.settings = execution.settings.model_copy(update={"reservation_valid_s": 1e-6})
        await execution.stop()
        await execution.start()
        for _ in range(2):
            failure = await execution.failure(
                execution.replace(order_id, limit_order(150), request_id="slow")
            )
            assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "RISK_UNAVAILABLE")
        await until(lambda: risk.released == [(order_id, 2)] * 2, timeout_s=60)
        assert await execution.story(order_id) == ["SUBMITTED", "ACCEPTED"]
        assert not execution.peers.venue.calls["ReplaceOrder"]
        execution.settings = execution.settings.model_copy(update={"reservation_valid_s": 10.0})
        await execution.stop()
        await execution.start()
        answer = await execution.replace(order_id, limit_order(150), request_id="slow")
        assert (answer.duplicate, answer.order.terms_version) == (False, 2)


async def test_one_order_that_cannot_be_written_harms_no_other(execution: Execution) -> None:
    database = await asyncpg.connect(execution.settings.database_url)
    await database.execute("ALTER TABLE execution.orders ADD CHECK (tag <> 'poison')")
    await database.close()
    execution.peers.risk.gate.clear()
    calls = [
        asyncio.create_task(execution.submit(limit_order(n + 1), tag="poison" if n == 2 else ""))
        for n in range(5)
    ]
    await until(lambda: execution.peers.risk.calls["ReserveOrder"] == 5, timeout_s=60)
    execution.peers.risk.gate.set()
    answers = await asyncio.gather(*calls, return_exceptions=True)
    failed = [n for n, answer in enumerate(answers) if isinstance(answer, Exception)]
    assert failed == [2]
    assert len(execution.peers.venue.orders) == 4


def test_an_adapter_that_is_not_there() -> None:
    mesh = Mesh(ExecutionSettings(), clock=SystemClock())
    with pytest.raises(ValueError, match="no venue adapter is called telex"):
        venue_adapters({"XNYS": "telex"}, mesh, timeout_s=1)
