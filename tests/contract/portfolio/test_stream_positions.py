"""StreamPositions: snapshot, its end, what changes, heartbeats, the drain."""

import asyncio
import time
from pathlib import Path

import grpc
import pytest

from bifrost.portfolio.v1 import portfolio_service_pb2 as pb
from bifrost.type.v1.stream_pb2 import StreamPosition
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.errors import error_from_rpc
from services.runtime.testing import new_database
from services.runtime.waiting import until
from tests.contract.portfolio.portfolio_harness import (
    AAPL,
    GOOG,
    RunningPortfolio,
    order_fill,
    start_portfolio,
)


class Reader:
    def __init__(
        self, portfolio: RunningPortfolio, account_id: str, *, resume_after: StreamPosition | None = None
    ) -> None:
        self.call = portfolio.portfolios.StreamPositions(
            pb.StreamPositionsRequest(account_id=account_id, resume_after=resume_after),
            metadata=portfolio.headers,
        )
        self.messages: list[pb.StreamPositionsResponse] = []

    async def read(self) -> pb.StreamPositionsResponse:
        async with asyncio.timeout(60):
            message = await self.call.read()
        assert isinstance(message, pb.StreamPositionsResponse)
        self.messages.append(message)
        return message

    async def next(self, field: str) -> pb.StreamPositionsResponse:
        while not (message := await self.read()).HasField(field):
            pass
        return message

    async def begin(self) -> pb.StreamPositionsResponse:
        snapshot = await self.read()
        assert snapshot.HasField("snapshot")
        assert (await self.read()).HasField("replay_end")
        return snapshot


async def test_a_reader_gets_a_snapshot_then_what_fills_and_deposits_change(
    portfolio: RunningPortfolio,
) -> None:
    account_id = await portfolio.new_account(deposit="1000")
    await portfolio.follow(
        order_fill(account_id, "5", "10"),
        order_fill(account_id, "1", "10", instrument_id=GOOG),
        order_fill(account_id, "-1", "11", instrument_id=GOOG),
        account_id=account_id,
    )
    reader = Reader(portfolio, account_id)
    snapshot = (await reader.begin()).snapshot
    assert [(p.symbol, p.quantity) for p in snapshot.positions] == [("AAPL", "5")]
    assert (snapshot.balance.cash, snapshot.balance.realized_pnl) == ("951", "1")

    portfolio.execution.log(order_fill(account_id, "-2", "12"))
    update = (await reader.next("update")).update
    assert [(p.symbol, p.quantity, p.realized_pnl) for p in update.positions] == [("AAPL", "3", "4")]
    assert update.balance.cash == "975"

    await portfolio.deposit(account_id, "25")
    update = (await reader.next("update")).update
    assert not update.positions
    assert update.balance.cash == "1000"

    portfolio.execution.log(order_fill(account_id, "-3", "12"))
    update = (await reader.next("update")).update
    assert [(p.symbol, p.quantity, p.realized_pnl) for p in update.positions] == [("AAPL", "0", "10")]
    reader.call.cancel()


async def test_only_what_changed_is_sent_as_quotes_come(portfolio: RunningPortfolio) -> None:
    account_id = await portfolio.new_account(deposit="1000")
    portfolio.data.quote(AAPL, 10.0, 10.5)
    portfolio.data.quote(GOOG, 100.0, 101.0)
    await portfolio.follow(
        order_fill(account_id, "2", "10"),
        order_fill(account_id, "2", "100", instrument_id=GOOG),
        account_id=account_id,
    )

    async def marked() -> bool:
        return bool((await portfolio.balance(account_id)).equity)

    await until(marked, timeout_s=60)
    reader = Reader(portfolio, account_id)
    await reader.begin()
    portfolio.data.quote(AAPL, 12.0, 12.0)
    message = await reader.next("update")
    assert [(p.symbol, p.mark_price, p.unrealized_pnl) for p in message.update.positions] == [
        ("AAPL", "12", "4")
    ]
    assert message.update.balance.unrealized_pnl == "5"
    assert message.header.event_time.ToNanoseconds() == 1_340_000_000_000_000_000
    reader.call.cancel()


async def test_a_quiet_stream_says_that_it_is_alive_and_shows_no_others_account(
    portfolio: RunningPortfolio,
) -> None:
    account_id = await portfolio.new_account(deposit="1")
    other_id = await portfolio.new_account(deposit="1")
    reader = Reader(portfolio, account_id)
    snapshot = await reader.begin()
    await portfolio.follow(order_fill(other_id, "1", "1"), account_id=other_id)
    heartbeat = await reader.read()
    assert heartbeat.HasField("heartbeat")
    assert (heartbeat.header.epoch, heartbeat.header.sequence) == (
        snapshot.header.epoch,
        snapshot.header.sequence,
    )
    reader.call.cancel()


async def test_a_resumed_reader_gets_a_snapshot_whatever_it_has_seen(portfolio: RunningPortfolio) -> None:
    account_id = await portfolio.new_account(deposit="1")
    reader = Reader(portfolio, account_id)
    header = (await reader.begin()).header
    reader.call.cancel()
    seen = StreamPosition(epoch=header.epoch, sequence=header.sequence)
    for position in (seen, StreamPosition(epoch="another process", sequence=99)):
        again = Reader(portfolio, account_id, resume_after=position)
        resumed = await again.begin()
        assert resumed.snapshot.balance.cash == "1"
        assert resumed.header.epoch == header.epoch
        assert resumed.header.sequence > header.sequence
        again.call.cancel()


async def test_two_readers_see_the_same_end(portfolio: RunningPortfolio) -> None:
    account_id = await portfolio.new_account(deposit="1000")
    readers = [Reader(portfolio, account_id) for _ in range(2)]
    for reader in readers:
        await reader.begin()
    portfolio.execution.log(*(order_fill(account_id, "1", "10") for _ in range(30)))
    for reader in readers:
        while (await reader.next("update")).update.positions[0].quantity != "30":
            pass
        sequences = [message.header.sequence for message in reader.messages if message.HasField("update")]
        assert sequences == sorted(set(sequences))
        reader.call.cancel()


async def test_updates_are_at_most_four_a_second_and_marks_grow_stale_and_a_drain_ends_it(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    running = await start_portfolio(
        new_database(postgres_server), tmp_path, view_interval_s=0.25, mark_stale_s=0.3, heartbeat_s=30
    )
    account_id = await running.new_account(deposit="1000")
    await running.follow(order_fill(account_id, "1", "10"), account_id=account_id)
    reader = Reader(running, account_id)
    await reader.begin()
    started, updates = time.monotonic(), 0
    while time.monotonic() - started < 1.1:
        running.data.quote(AAPL, 10.0 + updates, 11.0)
        await asyncio.sleep(0.002)  # quotes far faster than the reader may be told
        updates += 1
    taken = 0
    while True:
        message = await reader.next("update")
        taken += 1
        if message.update.positions[0].mark_stale:
            break
    # One in 0.25 s, and once each for the beginning, the end and the staleness.
    assert taken <= 3 + (time.monotonic() - started) / 0.25
    assert message.update.balance.mark_stale
    stopping = asyncio.create_task(running.service.stop(1))
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await reader.next("snapshot")  # none comes any more
    failure = error_from_rpc(ended.value)
    assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "DRAINING")
    assert failure.retry_after_s
    await stopping
    await running.stop()
