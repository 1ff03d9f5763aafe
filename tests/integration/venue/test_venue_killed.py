"""kill -9 of the venue at its failpoints, orders and steps under way: nothing is lost or happens twice."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import uuid
from collections.abc import AsyncIterator

import grpc
import pytest

from bifrost.venue.v1 import session_pb2, session_service_pb2
from bifrost.venue.v1 import venue_order_pb2 as orders_pb
from services.runtime.database import Database
from services.runtime.embedded.ports import free_port
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import connect, new_database
from services.runtime.testing_keys import MeshKeys
from services.venue import tables
from services.venue.domain.events import OrderFilled
from services.venue.domain.exchange import Exchange
from services.venue.durable_state import command_from_json
from services.venue.records import ExecutionRecord
from services.venue.session_store import SessionStore
from tests.contract.venue.venue_harness import (
    ALICE,
    BUY,
    GTC,
    SELL,
    Accounts,
    RunningVenue,
    SampleHistory,
    order_terms,
)
from tests.integration.venue.sample_data import start_data


class Supervised:
    """The venue as a process of its own at a fixed port, beside data and portfolio that stay."""

    def __init__(self, url: str, keys: MeshKeys, data_address: str) -> None:
        self.url = url
        self.keys = keys
        self.accounts = Accounts()
        self._data_address = data_address
        self.port = free_port()
        self._process: asyncio.subprocess.Process | None = None
        self._channels: list[grpc.aio.Channel] = []

    async def start(self, failpoint: str = "") -> None:
        addresses = {"data": self._data_address, "portfolio": self.accounts.address}
        environment = {
            **os.environ,
            "BIFROST_DATABASE_URL": self.url,
            "BIFROST_PORT": str(self.port),
            "BIFROST_JWKS_FILE": str(self.keys.jwks_file),
            "BIFROST_SERVICES_JWKS_FILE": str(self.keys.services_jwks_file),
            "BIFROST_CREDENTIAL_FILE": str(self.keys.credential_file("venue")),
            "BIFROST_ADDRESS_BOOK": json.dumps(addresses),
            "BIFROST_FAILPOINT": failpoint,
        }
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "services.venue", env=environment, stdout=asyncio.subprocess.DEVNULL
        )

    async def killed(self) -> None:
        """Wait until it has died of its failpoint."""
        assert self._process is not None
        assert await asyncio.wait_for(self._process.wait(), 60) == -9

    async def stop(self) -> None:
        while self._channels:
            await self._channels.pop().close()
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            assert await asyncio.wait_for(self._process.wait(), 60) == 0

    async def calls(self) -> RunningVenue:
        """Stubs of the running process; waits until it answers."""
        channel = connect(f"127.0.0.1:{self.port}")
        self._channels.append(channel)
        await asyncio.wait_for(channel.channel_ready(), 60)
        return RunningVenue(None, channel, self.keys, SampleHistory(), self.accounts)


@pytest.fixture(scope="module")
async def data(
    postgres_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[MeshKeys, str]]:
    """The data service with the sample bars loaded; yields the mesh's keys and its address."""
    keys = MeshKeys(tmp_path_factory.mktemp("keys"))
    service, address = await start_data(new_database(postgres_server), keys)
    yield keys, address
    await service.stop(0)


@pytest.fixture
async def supervised(
    postgres_server: EmbeddedPostgres, data: tuple[MeshKeys, str]
) -> AsyncIterator[Supervised]:
    supervised = Supervised(new_database(postgres_server), *data)
    await supervised.accounts.server.start()
    yield supervised
    await supervised.stop()
    await supervised.accounts.server.stop(None)


@pytest.mark.parametrize(
    "failpoint",
    [
        "venue.before_commit:60",
        pytest.param("venue.after_commit:60", marks=pytest.mark.slow),
        pytest.param("venue.after_ack:60", marks=pytest.mark.slow),
        "event_log.before_commit:60",
        pytest.param("event_log.after_commit:60", marks=pytest.mark.slow),
    ],
)
async def test_killed_at(supervised: Supervised, failpoint: str) -> None:
    await supervised.start()
    venue = await supervised.calls()
    await venue.create_session(
        seconds_per_day=12.0, steps_per_day=120, start_date="2012-05-18", end_date="2012-05-30"
    )
    await set_state(venue, session_pb2.SESSION_STATE_PAUSED)
    await supervised.stop()
    await supervised.start(failpoint)
    venue = (
        await supervised.calls()
    )  # it stands still, so that no step passes the failpoint before we are there
    await set_state(venue, session_pb2.SESSION_STATE_RUNNING)
    instrument_id = (await venue.current()).instrument_ids[0]
    placed = await trade_until_cut(venue, instrument_id)
    await supervised.killed()
    await supervised.start()
    venue = await supervised.calls()

    answers = {name: await venue.resolve(name) for name in placed}
    for name, known in placed.items():
        assert known is None or not answers[name].not_seen, "an acknowledged order was lost"
    more = [str(uuid.uuid4()) for _ in range(10)]
    for name in more:
        await venue.submit(
            order_terms(BUY, 50, time_in_force=GTC), client_order_id=name, instrument_id=instrument_id
        )
    await venue.set_speed(1.0)
    await venue.wait_session(lambda session: session.current_date >= "2012-05-22")
    await venue.sessions.EndSession(session_service_pb2.EndSessionRequest(), metadata=venue.operator)
    await check_the_record(venue, {name for name in placed if not answers[name].not_seen} | set(more))
    await supervised.stop()
    await check_the_rerun(supervised.url)


async def set_state(venue: RunningVenue, state: session_pb2.SessionState) -> None:
    request = session_service_pb2.UpdateSessionRequest(state=state)
    await venue.sessions.UpdateSession(request, metadata=venue.operator)


async def trade_until_cut(venue: RunningVenue, instrument_id: str) -> dict[str, orders_pb.VenueOrder | None]:
    """Send orders until the venue dies; returns each id with its acknowledged order, or None."""
    placed: dict[str, orders_pb.VenueOrder | None] = {}
    for number in range(10_000):
        name = str(uuid.uuid4())
        try:
            limit = f"{(await venue.book(instrument_id)).bids[0].price:.2f}" if number % 2 else ""
            terms = order_terms(SELL if number % 3 == 0 else BUY, 10 + number, limit, time_in_force=GTC)
            placed[name] = None
            reply = await venue.submit(terms, client_order_id=name, instrument_id=instrument_id)
            placed[name] = reply.order
            if number % 5 == 0 and reply.order.state == orders_pb.VENUE_ORDER_STATE_WORKING:
                await venue.cancel(name)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                return placed
            if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:
                raise
    raise AssertionError("the venue was not killed")


async def check_the_record(venue: RunningVenue, expected: set[str]) -> None:
    """Orders, executions and log tell one story, each thing once."""
    orders = await venue.list_orders()
    executions = await venue.list_executions()
    assert sorted(order.client_order_id for order in orders) == sorted(expected)
    log = await venue.reports()
    assert [sequence for sequence, _ in log] == list(range(1, len(log) + 1))
    reported = [r.execution for _, r in log if r.type == orders_pb.EXECUTION_REPORT_TYPE_FILL]
    assert reported == executions
    assert len({execution.execution_id for execution in executions}) == len(executions)
    last = {report.order.client_order_id: report.order for _, report in log}
    for order in orders:
        assert last[order.client_order_id] == order
        filled = sum(int(e.quantity) for e in executions if e.client_order_id == order.client_order_id)
        assert order.filled_quantity == str(filled)
        assert order.state != orders_pb.VENUE_ORDER_STATE_WORKING
    assert executions


async def check_the_rerun(url: str) -> None:
    """The recorded commands, played without any crash, give the very same executions."""
    database = await Database.connect(url, schema=tables.SCHEMA)
    recovered = await SessionStore(database).load_current()
    assert recovered is not None
    async with database.raw() as driver:
        commands = await driver.fetch("SELECT position, body::text FROM command ORDER BY command_no")
        recorded = await driver.fetch("SELECT * FROM execution ORDER BY record_no")
    await database.close()
    exchange = Exchange(recovered.record.plan)
    events = []
    for command in commands:
        while exchange.position < command["position"]:
            events += exchange.step()
        events += exchange.execute(command_from_json(json.loads(command["body"])))
    while exchange.position < recovered.record.position:
        events += exchange.step()
    fills = [ExecutionRecord.of(event, "USD") for event in events if isinstance(event, OrderFilled)]
    assert fills == [ExecutionRecord.from_row(row) for row in recorded]
    assert {ALICE} == {fill.account_id for fill in fills}
