"""CancelOrder and CancelAllOrders: every outcome and every documented error."""

from __future__ import annotations

import asyncio
import uuid

import grpc
import pytest

from bifrost.execution.v1 import order_pb2
from bifrost.execution.v1 import order_service_pb2 as pb
from bifrost.venue.v1 import venue_order_pb2
from services.runtime.errors import not_found, permission_denied
from services.runtime.waiting import until
from tests.contract.execution.execution_harness import Execution
from tests.contract.execution.fake_peers import GOOG, limit_order


async def test_a_working_order_is_cancelled(execution: Execution) -> None:
    order_id = await execution.order()
    order = await execution.cancel(order_id)
    assert order.state == order_pb2.ORDER_STATE_CANCELLED
    assert order.message == "cancelled on request"
    assert await execution.cancel(order_id) == order  # may be repeated
    assert await execution.story(order_id) == ["SUBMITTED", "ACCEPTED", "CANCEL_REQUESTED", "CANCELLED"]


async def test_fills_the_log_has_not_told_come_before_the_cancel(execution: Execution) -> None:
    venue = execution.peers.venue
    order_id = await execution.order()
    await until(lambda: venue.calls["SubmitOrder"] == 1, timeout_s=60)
    await execution.until(order_id, order_pb2.ORDER_STATE_ACCEPTED)
    venue.pause_log()
    venue.fill(order_id, 40)
    call = asyncio.create_task(execution.cancel(order_id))
    await until(lambda: venue.calls["CancelOrder"] == 1, timeout_s=60)
    venue.release_log()
    order = await call
    assert (order.state, order.filled_quantity) == (order_pb2.ORDER_STATE_CANCELLED, "40")
    assert await execution.story(order_id) == [
        "SUBMITTED",
        "ACCEPTED",
        "CANCEL_REQUESTED",
        "FILLED",
        "CANCELLED",
    ]


async def test_a_cancel_stays_pending_while_the_log_owes_fills(impatient: Execution) -> None:
    execution = impatient
    venue = execution.peers.venue
    order_id = await execution.order()
    venue.pause_log()
    venue.fill(order_id, 40)
    assert (await execution.cancel(order_id)).state == order_pb2.ORDER_STATE_PENDING_CANCEL
    venue.release_log()
    order = await execution.until(order_id, order_pb2.ORDER_STATE_CANCELLED)
    assert order.filled_quantity == "40"


async def test_a_cancel_that_comes_too_late(execution: Execution) -> None:
    venue = execution.peers.venue
    order_id = await execution.order()
    venue.pause_log()
    venue.fill(order_id, 100)
    call = asyncio.create_task(execution.failure(execution.cancel(order_id)))
    await until(lambda: venue.calls["CancelOrder"] == 1, timeout_s=60)
    venue.release_log()
    failure = await call
    assert failure.code is grpc.StatusCode.FAILED_PRECONDITION
    assert failure.reason == "ORDER_ENDED"
    assert failure.metadata["state"] == "FILLED"
    assert await execution.story(order_id) == [
        "SUBMITTED",
        "ACCEPTED",
        "CANCEL_REQUESTED",
        "CANCEL_REJECTED",
        "FILLED",
    ]


async def test_the_story_is_the_same_when_the_log_stays_behind(impatient: Execution) -> None:
    execution = impatient
    venue = execution.peers.venue
    order_id = await execution.order()
    venue.pause_log()
    venue.fill(order_id, 100)
    assert (await execution.failure(execution.cancel(order_id))).reason == "ORDER_ENDED"
    venue.release_log()
    await execution.until(order_id, order_pb2.ORDER_STATE_FILLED)
    assert (await execution.story(order_id))[2:] == ["CANCEL_REQUESTED", "CANCEL_REJECTED", "FILLED"]


@pytest.mark.parametrize("refusal", ["ORDER_NOT_FOUND", "CALLER_NOT_ALLOWED"])
async def test_a_cancel_the_venue_refuses(execution: Execution, refusal: str) -> None:
    makes = not_found if refusal == "ORDER_NOT_FOUND" else permission_denied
    execution.peers.venue.cancel.refuse = makes(refusal, "no")
    order_id = await execution.order()
    failure = await execution.failure(execution.cancel(order_id))
    assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CANCEL_REFUSED")
    assert failure.metadata["state"] == "ACCEPTED"
    assert (await execution.get(order_id)).state == order_pb2.ORDER_STATE_ACCEPTED
    assert (await execution.story(order_id))[2:] == ["CANCEL_REQUESTED", "CANCEL_REJECTED"]


@pytest.mark.parametrize("lost", ["lose_request", "lose_answer"])
async def test_a_cancel_without_an_answer_goes_on_being_tried(execution: Execution, lost: str) -> None:
    venue = execution.peers.venue
    order_id = await execution.order()
    venue.pause_log()
    setattr(venue.cancel, lost, True)
    failure = await execution.failure(execution.cancel(order_id))
    assert failure.code is grpc.StatusCode.UNAVAILABLE
    assert failure.reason == "VENUE_UNAVAILABLE"
    assert failure.retry_after_s
    assert (await execution.get(order_id)).state == order_pb2.ORDER_STATE_PENDING_CANCEL
    setattr(venue.cancel, lost, False)
    await execution.until(order_id, order_pb2.ORDER_STATE_CANCELLED)
    assert (await execution.story(order_id))[2:] == ["CANCEL_REQUESTED", "CANCELLED"]


async def test_a_slow_venue_leaves_the_cancel_pending(impatient: Execution) -> None:
    execution = impatient
    venue = execution.peers.venue
    order_id = await execution.order()
    venue.cancel.gate.clear()
    assert (await execution.cancel(order_id)).state == order_pb2.ORDER_STATE_PENDING_CANCEL
    failure = await execution.failure(execution.replace(order_id, limit_order(10)))
    assert failure.reason == "ORDER_BUSY"
    venue.cancel.gate.set()
    await execution.until(order_id, order_pb2.ORDER_STATE_CANCELLED)


async def test_an_order_on_its_way_is_busy(execution: Execution) -> None:
    venue = execution.peers.venue
    venue.submit.gate.clear()
    call = asyncio.create_task(execution.submit())
    await until(lambda: venue.calls["SubmitOrder"] == 1, timeout_s=60)
    listed = await execution.stub.ListOrders(
        pb.ListOrdersRequest(account_id=execution.account_id), metadata=execution.user
    )
    (order,) = listed.orders
    assert order.state == order_pb2.ORDER_STATE_PENDING_NEW
    failure = await execution.failure(execution.cancel(order.order_id))
    assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "ORDER_BUSY")
    venue.submit.gate.set()
    await call


async def test_etags(execution: Execution) -> None:
    order_id = await execution.order()
    failure = await execution.failure(execution.cancel(order_id, etag="99"))
    assert (failure.code, failure.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    etag = (await execution.get(order_id)).etag
    assert failure.metadata["etag"] == etag
    assert (await execution.cancel(order_id, etag)).state == order_pb2.ORDER_STATE_CANCELLED
    assert (await execution.cancel(order_id, etag)).state == order_pb2.ORDER_STATE_CANCELLED


async def test_orders_of_others_are_not_there(execution: Execution) -> None:
    order_id = await execution.order()
    other = execution.peers.portfolio.open_account("user-1")
    for request in (
        pb.CancelOrderRequest(account_id=other, order_id=order_id),
        pb.CancelOrderRequest(account_id=execution.account_id, order_id=str(uuid.uuid4())),
    ):
        failure = await execution.failure(execution.stub.CancelOrder(request, metadata=execution.user))
        assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "ORDER_NOT_FOUND")


async def test_orders_that_ended_on_their_own(execution: Execution) -> None:
    venue = execution.peers.venue
    cancelled, expired = await execution.order(limit_order(1)), await execution.order(limit_order(2))
    venue.end(cancelled, message="self-trade")
    venue.end(expired, venue_order_pb2.EXECUTION_REPORT_TYPE_EXPIRED, message="session over")
    assert (await execution.until(cancelled, order_pb2.ORDER_STATE_CANCELLED)).message == "self-trade"
    assert (await execution.until(expired, order_pb2.ORDER_STATE_EXPIRED)).message == "session over"
    assert (await execution.cancel(cancelled)).state == order_pb2.ORDER_STATE_CANCELLED
    failure = await execution.failure(execution.cancel(expired))
    assert (failure.reason, failure.metadata["state"]) == ("ORDER_ENDED", "EXPIRED")


async def cancel_all(execution: Execution, instrument_id: str = "") -> list[order_pb2.Order]:
    request = pb.CancelAllOrdersRequest(
        account_id=execution.account_id, instrument_id=instrument_id, all_instruments=not instrument_id
    )
    return list((await execution.stub.CancelAllOrders(request, metadata=execution.user)).orders)


async def test_cancel_all(impatient: Execution) -> None:
    execution = impatient
    apples = [await execution.order(limit_order(n)) for n in (1, 2)]
    google = await execution.order(limit_order(10), instrument_id=GOOG.instrument_id)
    assert [order.order_id for order in await cancel_all(execution, GOOG.instrument_id)] == [google]
    execution.peers.venue.pause_log()
    execution.peers.venue.fill(apples[0], 1)
    orders = await cancel_all(execution)
    assert {order.order_id for order in orders} == set(apples)
    assert orders[1].state == order_pb2.ORDER_STATE_CANCELLED
    execution.peers.venue.release_log()
    await execution.until(apples[0], order_pb2.ORDER_STATE_FILLED)
    assert await cancel_all(execution) == []


async def test_cancel_all_says_when_the_venue_is_silent(execution: Execution) -> None:
    order_id = await execution.order()
    execution.peers.venue.cancel.lose_request = True
    (order,) = await cancel_all(execution)
    assert (order.order_id, order.state) == (order_id, order_pb2.ORDER_STATE_PENDING_CANCEL)


async def test_cancel_all_of_no_account(execution: Execution) -> None:
    request = pb.CancelAllOrdersRequest(account_id=str(uuid.uuid4()), all_instruments=True)
    headers = [("authorization", f"Bearer {execution.keys.service_token('portfolio')}")]
    failure = await execution.failure(execution.stub.CancelAllOrders(request, metadata=headers))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND")


async def test_cancel_all_without_a_scope_cancels_nothing(execution: Execution) -> None:
    order_id = await execution.order()
    request = pb.CancelAllOrdersRequest(account_id=execution.account_id)
    failure = await execution.failure(execution.stub.CancelAllOrders(request, metadata=execution.user))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    await execution.until(order_id, order_pb2.ORDER_STATE_ACCEPTED)
