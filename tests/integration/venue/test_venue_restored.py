"""The venue when PostgreSQL goes away, and when it is started again: the exchange is what the record says."""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from pathlib import Path

import grpc
import pytest

from bifrost.venue.v1 import session_pb2, session_service_pb2
from bifrost.venue.v1 import venue_order_pb2 as orders_pb
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import new_database, temporary_postgres
from services.runtime.waiting import until
from tests.contract.venue.venue_harness import (
    BUY,
    GTC,
    SELL,
    RunningVenue,
    failure_of,
    order_terms,
    start_venue,
)


async def test_restart_goes_on_with_the_same_book_and_orders(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    url = new_database(postgres_server)
    venue = await start_venue(url, tmp_path)
    await venue.new_session(seconds_per_day=0.5, end_date="2012-08-31")
    bid = (await venue.book()).bids[0].price
    for number in range(20):
        await venue.submit(order_terms(BUY if number % 2 else SELL, 500 + number, time_in_force=GTC))
        await venue.submit(order_terms(BUY, 40, f"{bid - number / 10:.2f}", time_in_force=GTC))
    await venue.wait_session(lambda session: session.current_date > "2012-05-18")
    request = session_service_pb2.UpdateSessionRequest(state=session_pb2.SESSION_STATE_PAUSED)
    paused = (await venue.sessions.UpdateSession(request, metadata=venue.operator)).session
    await venue.submit(order_terms(BUY, 300))
    book, orders, executions = await venue.book(), await venue.list_orders(), await venue.list_executions()
    log = await venue.reports()
    await venue.stop()

    again = await start_venue(url, tmp_path)
    assert await again.current() == paused
    assert await again.book() == book
    assert await again.list_orders() == orders
    assert await again.list_executions() == executions
    assert await again.reports() == log
    working = [o for o in orders if o.state == orders_pb.VENUE_ORDER_STATE_WORKING]
    for order in working:
        cancelled = (await again.cancel(order.client_order_id)).order
        assert cancelled.state == orders_pb.VENUE_ORDER_STATE_CANCELLED
    await again.sessions.EndSession(session_service_pb2.EndSessionRequest(), metadata=again.operator)
    await again.stop()

    ended = await start_venue(url, tmp_path)
    late = await ended.submit(order_terms(BUY, 1))
    assert late.order.state == orders_pb.VENUE_ORDER_STATE_REJECTED
    assert late.order.venue_order_id not in {order.venue_order_id for order in orders}
    await ended.stop()
    once_more = await start_venue(url, tmp_path)
    later = await once_more.submit(order_terms(BUY, 1))
    assert later.order.venue_order_id > late.order.venue_order_id
    await once_more.stop()


AWAY = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
async def test_postgres_away(tmp_path: Path, how: signal.Signals) -> None:
    with temporary_postgres() as server:
        venue = await start_venue(new_database(server), tmp_path, default_deadline_s=10.0)
        try:
            await venue.new_session(seconds_per_day=5.0)
            acknowledged: set[str] = set()
            trading = asyncio.create_task(trade(venue, acknowledged))
            await until(lambda: len(acknowledged) > 20, timeout_s=60)
            pid = server.pid()
            assert pid is not None
            os.kill(pid, how)
            doubtful = await trading
            await asyncio.to_thread(server.stop)
            assert (await failure_of(venue.submit(order_terms(BUY, 1)))).code in AWAY
            await asyncio.to_thread(server.start)
            await answers_again(venue)
            await check_nothing_lost_or_doubled(venue, acknowledged, doubtful)
            step = (await venue.current()).step
            await venue.wait_step(step + 2)
        finally:
            await venue.stop()


async def check_nothing_lost_or_doubled(
    venue: RunningVenue, acknowledged: set[str], doubtful: set[str]
) -> None:
    seen = {name for name in acknowledged | doubtful if not (await venue.resolve(name)).not_seen}
    assert seen >= acknowledged
    orders = [order.client_order_id for order in await venue.list_orders()]
    assert set(orders) >= seen
    assert len(orders) == len(set(orders))
    log = await venue.reports()
    assert [sequence for sequence, _ in log] == list(range(1, len(log) + 1))
    fills = [r.execution for _, r in log if r.type == orders_pb.EXECUTION_REPORT_TYPE_FILL]
    assert fills == await venue.list_executions()


async def trade(venue: RunningVenue, acknowledged: set[str]) -> set[str]:
    """Send orders until one is not answered; adds those acknowledged, returns those in doubt."""
    while True:
        names = [str(uuid.uuid4()) for _ in range(8)]
        answers = await asyncio.gather(
            *(venue.submit(order_terms(BUY, 1), client_order_id=name) for name in names),
            return_exceptions=True,
        )
        failed = {n for n, answer in zip(names, answers, strict=True) if isinstance(answer, BaseException)}
        acknowledged |= set(names) - failed
        if failed:
            return failed


async def answers_again(venue: RunningVenue) -> None:
    async def answered() -> bool:
        try:
            await venue.resolve("is it there")
        except grpc.aio.AioRpcError:
            return False
        return True

    await until(answered, timeout_s=60)
