"""GetOrder, ListOrders, ListFills, StreamOrderEvents, StreamOrderLog."""

from __future__ import annotations

import asyncio
import uuid
from typing import TypedDict, Unpack

import grpc
import pytest

from bifrost.execution.v1 import order_pb2
from bifrost.execution.v1 import order_service_pb2 as pb
from bifrost.type.v1 import stream_pb2
from services.runtime.testing_keys import bearer
from tests.contract.execution.execution_harness import SCOPES, Execution, position
from tests.contract.execution.fake_peers import GOOG, limit_order


class ListFields(TypedDict, total=False):
    """What a listing of orders may ask for."""

    page_size: int
    page_token: str
    instrument_id: str
    state: order_pb2.OrderState
    open_only: bool


async def listed(execution: Execution, **fields: Unpack[ListFields]) -> pb.ListOrdersResponse:
    request = pb.ListOrdersRequest(account_id=execution.account_id, **fields)
    return await execution.stub.ListOrders(request, metadata=execution.user)


async def test_get_order_of_another_account(execution: Execution) -> None:
    failure = await execution.failure(execution.get(str(uuid.uuid4())))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "ORDER_NOT_FOUND")
    order_id = await execution.order()
    request = pb.GetOrderRequest(account_id=execution.account_id, order_id=order_id)
    stranger = bearer(execution.keys.user_token("user-2", scope=SCOPES))
    failure = await execution.failure(execution.stub.GetOrder(request, metadata=stranger))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND")


async def test_orders_are_listed_newest_first_in_pages(execution: Execution) -> None:
    ids = [await execution.order(limit_order(n + 1)) for n in range(5)]
    found, token = [], ""
    for size in (2, 2, 1):
        page = await listed(execution, page_size=2, page_token=token)
        assert len(page.orders) == size
        found += [order.order_id for order in page.orders]
        token = page.next_page_token
    assert not token
    assert found == ids[::-1]
    first = await listed(execution, page_size=2)
    failure = await execution.failure(
        listed(execution, page_size=2, open_only=True, page_token=first.next_page_token)
    )
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")


async def test_filters_of_orders(execution: Execution) -> None:
    google = await execution.order(limit_order(10), instrument_id=GOOG.instrument_id)
    cancelled, open_order = await execution.order(limit_order(1)), await execution.order(limit_order(2))
    await execution.cancel(cancelled)
    execution.peers.risk.refuse = lambda _request: True
    rejected = await execution.order(limit_order(3))

    async def ids(**fields: Unpack[ListFields]) -> list[str]:
        return [order.order_id for order in (await listed(execution, **fields)).orders]

    assert await ids() == [rejected, open_order, cancelled, google]
    assert await ids(open_only=True) == [open_order, google]
    assert await ids(instrument_id=GOOG.instrument_id) == [google]
    assert await ids(state=order_pb2.ORDER_STATE_CANCELLED) == [cancelled]
    assert await ids(state=order_pb2.ORDER_STATE_REJECTED, open_only=True) == []
    other = execution.peers.portfolio.open_account("user-1")
    request = pb.ListOrdersRequest(account_id=other)
    assert not (await execution.stub.ListOrders(request, metadata=execution.user)).orders


async def test_listed_orders_are_as_they_are_got(execution: Execution) -> None:
    order_id = await execution.order()
    execution.peers.venue.fill(order_id, 30, "9.99")
    await execution.until(order_id, order_pb2.ORDER_STATE_PARTIALLY_FILLED)
    assert list((await listed(execution)).orders) == [await execution.get(order_id)]


async def test_fills_are_listed_oldest_first_in_pages(execution: Execution) -> None:
    first, second = await execution.order(limit_order(3)), await execution.order(limit_order(2))
    for order_id in (first, second, first, second, first):
        execution.peers.venue.fill(order_id, 1)
    await execution.until(first, order_pb2.ORDER_STATE_FILLED)
    request = pb.ListFillsRequest(account_id=execution.account_id, page_size=3)
    page = await execution.stub.ListFills(request, metadata=execution.user)
    request.page_token = page.next_page_token
    rest = await execution.stub.ListFills(request, metadata=execution.user)
    assert not rest.next_page_token
    found = [fill.execution_id for fill in (*page.fills, *rest.fills)]
    assert found == ["X1", "X2", "X3", "X4", "X5"]
    assert [fill.execution_id for fill in await execution.fills(order_id=second)] == ["X2", "X4"]
    request.page_token = "nonsense"
    failure = await execution.failure(execution.stub.ListFills(request, metadata=execution.user))
    assert failure.reason == "PAGE_TOKEN_INVALID"


async def test_events_replay_then_live_and_resume_without_a_gap(execution: Execution) -> None:
    order_id = await execution.order()
    request = pb.StreamOrderEventsRequest(account_id=execution.account_id)
    call = execution.stub.StreamOrderEvents(request, metadata=execution.user)
    kinds, headers = [], []
    async for response in call:
        kinds.append(response.WhichOneof("event"))
        headers.append(response.header)
        if kinds[-1] == "replay_end":
            execution.peers.venue.fill(order_id, 100)
        if len(kinds) == 4:
            break
    call.cancel()
    assert kinds == ["order_event", "order_event", "replay_end", "order_event"]
    assert [header.sequence for header in headers] == [1, 2, 2, 3]
    request.resume_after.CopyFrom(position(headers[0].epoch, 1))
    call = execution.stub.StreamOrderEvents(request, metadata=execution.user)
    resumed = [await anext(aiter(call)) for _ in range(3)]
    call.cancel()
    assert [response.header.sequence for response in resumed] == [2, 3, 3]
    assert resumed[0].header.previous_sequence == 1


async def test_events_are_of_one_account_and_the_log_of_all(execution: Execution) -> None:
    mine = await execution.order()
    other = execution.peers.portfolio.open_account("user-1")
    await execution.stub.SubmitOrder(execution.request(account_id=other), metadata=execution.user)
    assert {event.order.order_id for event in await execution.events()} == {mine}
    call = execution.stub.StreamOrderLog(
        pb.StreamOrderLogRequest(), metadata=bearer(execution.keys.service_token("portfolio"))
    )
    log = [await anext(aiter(call)) for _ in range(5)]
    call.cancel()
    assert [response.header.sequence for response in log] == [1, 2, 3, 4, 4]
    assert {response.order_event.order.account_id for response in log[:4]} == {execution.account_id, other}
    failure = await execution.failure(
        execution.stub.StreamOrderLog(pb.StreamOrderLogRequest(), metadata=execution.user).read()
    )
    assert (failure.code, failure.reason) == (grpc.StatusCode.PERMISSION_DENIED, "CALLER_NOT_ALLOWED")


@pytest.mark.parametrize(
    ("epoch", "sequence", "code", "reason"),
    [
        ("", 99, grpc.StatusCode.FAILED_PRECONDITION, "STREAM_EPOCH_CHANGED"),
        ("same", 99, grpc.StatusCode.OUT_OF_RANGE, "STREAM_POSITION_INVALID"),
        ("other", 1, grpc.StatusCode.FAILED_PRECONDITION, "STREAM_EPOCH_CHANGED"),
    ],
)
async def test_positions_that_are_not_held(
    execution: Execution, epoch: str, sequence: int, code: grpc.StatusCode, reason: str
) -> None:
    await execution.order()
    service = bearer(execution.keys.service_token("portfolio"))
    log = execution.stub.StreamOrderLog(pb.StreamOrderLogRequest(), metadata=service)
    first = await anext(aiter(log))
    at = position(first.header.epoch if epoch == "same" else epoch, sequence)
    for call in (
        execution.stub.StreamOrderLog(pb.StreamOrderLogRequest(resume_after=at), metadata=service),
        execution.stub.StreamOrderEvents(
            pb.StreamOrderEventsRequest(account_id=execution.account_id, resume_after=at),
            metadata=execution.user,
        ),
    ):
        failure = await execution.failure(call.read())
        assert (failure.code, failure.reason) == (code, reason)


async def test_streams_end_when_the_service_drains_and_submissions_finish(execution: Execution) -> None:
    venue = execution.peers.venue
    request = pb.StreamOrderEventsRequest(account_id=execution.account_id)
    stream = aiter(execution.stub.StreamOrderEvents(request, metadata=execution.user))
    assert (await anext(stream)).WhichOneof("event") == "replay_end"
    venue.submit.gate.clear()
    call = asyncio.create_task(execution.submit())
    assert (await anext(stream)).order_event.type == order_pb2.ORDER_EVENT_TYPE_SUBMITTED
    service = execution.service
    assert service is not None
    stopping = asyncio.create_task(service.stop(grace_s=5.0))
    failure = await execution.failure(anext(stream))
    assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "DRAINING")
    assert failure.retry_after_s
    venue.submit.gate.set()
    assert (await call).outcome == pb.SUBMIT_OUTCOME_ACCEPTED
    await stopping


async def test_a_quiet_stream_says_that_it_is_alive(execution: Execution) -> None:
    object.__setattr__(execution.settings, "heartbeat_s", 0.05)
    await execution.stop()
    await execution.start()
    request = pb.StreamOrderEventsRequest(account_id=execution.account_id)
    stream = execution.stub.StreamOrderEvents(request, metadata=execution.user)
    assert (await anext(aiter(stream))).HasField("replay_end")
    assert (await anext(aiter(stream))).heartbeat == stream_pb2.Heartbeat()
    stream.cancel()


async def test_the_service_calls_for_the_user(execution: Execution) -> None:
    await execution.order()
    for peer in (execution.peers.risk, execution.peers.venue, execution.peers.data):
        headers = peer.headers[-1]
        assert headers["authorization"].startswith("Bearer ")
    assert execution.user[0][1] == execution.peers.risk.headers[-1]["x-bifrost-actor"]
