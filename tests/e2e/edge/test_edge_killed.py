"""Envoy or a service dies: streams go on where they were, and no answer promises too much."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable

from google.protobuf import json_format

from bifrost.data.v1 import market_stream_service_pb2 as market
from bifrost.data.v1 import market_stream_service_pb2_grpc as market_grpc
from bifrost.execution.v1 import order_service_pb2 as orders
from bifrost.execution.v1 import order_service_pb2_grpc as orders_grpc
from bifrost.type.v1 import stream_pb2
from services.runtime.stream_client import resuming
from services.runtime.waiting import until
from tests.e2e.edge.kinds import SUBMIT
from tests.e2e.edge.world import AAPL, MARKET, World

Quotes = market.StreamQuotesResponse
Events = orders.StreamOrderEventsResponse


class Reader:
    """Reads all quotes and the account's order events for as long as it runs, through whatever cuts them."""

    def __init__(self, world: World) -> None:
        client = world.mesh.alice.client
        self._account_id = world.account_id
        self._quotes = client.stub(market_grpc.MarketStreamServiceStub)
        self.book = client.stub(orders_grpc.OrderServiceStub)
        self.links: list[tuple[int, int]] = []
        """Sequence and previous sequence of each order event."""
        self.quoted = 0

    async def read_quotes(self) -> None:
        """Count quotes."""
        async for message in resuming(self._open_quotes):
            self.quoted += len(message.update.quotes)

    async def read_orders(self) -> None:
        """Note order events."""
        async for message in resuming(self._open_orders):
            if message.HasField("order_event"):
                self.links += [(message.header.sequence, message.header.previous_sequence)]

    def _open_quotes(self, after: stream_pb2.StreamPosition | None) -> AsyncIterable[Quotes]:
        return self._quotes.StreamQuotes(market.StreamQuotesRequest(resume_after=after))

    def _open_orders(self, after: stream_pb2.StreamPosition | None) -> AsyncIterable[Events]:
        request = orders.StreamOrderEventsRequest(account_id=self._account_id, resume_after=after)
        return self.book.StreamOrderEvents(request)


async def test_quote_and_order_streams_resume(world: World) -> None:
    reader = Reader(world)
    request = orders.SubmitOrderRequest(account_id=world.account_id, request_id="after-the-kill")
    json_format.ParseDict({"instrument": AAPL, "terms": MARKET}, request)
    tasks = [asyncio.create_task(reader.read_quotes()), asyncio.create_task(reader.read_orders())]
    try:
        await until(lambda: bool(reader.quoted and reader.links), timeout_s=60)
        events = len(reader.links)
        edge = world.mesh.launcher.processes["envoy"]
        restarts = edge.restarts
        edge.kill()
        await until(lambda: edge.restarts > restarts and edge.pid is not None, timeout_s=60)
        quoted = reader.quoted
        reply = await reader.book.SubmitOrder(request, timeout=60, wait_for_ready=True)
        assert reply.outcome == orders.SUBMIT_OUTCOME_ACCEPTED
        await until(lambda: reader.quoted > quoted and len(reader.links) >= events + 3, timeout_s=60)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    ahead = [0, *(sequence for sequence, _ in reader.links)]
    assert [before for _, before in reader.links] == ahead[:-1], "an event is missing or came twice"


async def test_an_answer_lost_in_a_crash_is_called_lost(world: World) -> None:
    """The order was recorded when execution died: the edge may not say that nothing was."""
    launcher = world.mesh.launcher
    execution = launcher.processes["execution"]
    restarts = execution.restarts
    execution.set_next_environment({"BIFROST_FAILPOINT": "execution.submit.after_commit"})
    execution.kill()
    await until(lambda: execution.restarts > restarts, timeout_s=60)
    request = world.order(request_id="lost")
    headers = world.headers("alice")

    async def lost() -> bool:
        answer = await world.caller.rest(SUBMIT, request, headers)
        assert answer.code == "UNAVAILABLE", answer
        assert answer.retry_after_s
        return answer.reason == "ANSWER_LOST"

    await until(lost, timeout_s=60)

    async def known() -> bool:
        answer = await world.caller.rest(SUBMIT, request, headers)
        return answer.reply.get("outcome") == "SUBMIT_OUTCOME_DUPLICATE"

    await until(known, timeout_s=60)
    listed = await world.ask("execution.v1.OrderService/ListOrders", {"account_id": world.account_id})
    assert [order["request_id"] for order in listed["orders"]].count("lost") == 1
