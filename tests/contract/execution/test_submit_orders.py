"""SubmitOrders: each order has its own outcome."""

from __future__ import annotations

import asyncio

import grpc

from bifrost.execution.v1 import order_pb2
from bifrost.execution.v1 import order_service_pb2 as pb
from services.runtime.waiting import until
from tests.contract.execution.execution_harness import Execution
from tests.contract.execution.fake_peers import GOOG, limit_order


async def submit_all(execution: Execution, *orders: pb.SubmitOrderRequest) -> list[pb.SubmitOrderResult]:
    request = pb.SubmitOrdersRequest(account_id=execution.account_id, orders=orders)
    return list((await execution.stub.SubmitOrders(request, metadata=execution.user, timeout=60)).results)


async def test_each_order_has_its_own_outcome(execution: Execution) -> None:
    risk = execution.peers.risk
    risk.refuse = lambda request: request.terms.quantity == "666"
    await execution.submit(limit_order(1), request_id="old")
    results = await submit_all(
        execution,
        execution.request(limit_order(2), request_id="good"),
        execution.request(limit_order(666), request_id="poor"),
        execution.request(limit_order(1), request_id="old"),
        execution.request(limit_order(9), request_id="old"),
        execution.request(limit_order(15), request_id="lot", instrument_id=GOOG.instrument_id),
        execution.request(limit_order(2), request_id="good"),
        execution.request(limit_order(3), request_id="good"),
    )
    assert [result.request_id for result in results] == ["good", "poor", "old", "old", "lot", "good", "good"]
    assert [result.response.outcome or result.error_reason for result in results] == [
        pb.SUBMIT_OUTCOME_ACCEPTED,
        pb.SUBMIT_OUTCOME_REJECTED,
        pb.SUBMIT_OUTCOME_DUPLICATE,
        "REQUEST_ID_REUSED",
        "QUANTITY_OFF_LOT",
        pb.SUBMIT_OUTCOME_DUPLICATE,
        "REQUEST_ID_REUSED",
    ]
    assert all(result.error_message for result in results if result.error_reason)
    assert results[5].response.order == results[0].response.order
    assert risk.calls["ReserveOrders"] == 1
    assert len(execution.peers.venue.orders) == 2


async def test_a_hundred_orders_are_one_reservation_and_all_are_sent_once(execution: Execution) -> None:
    requests = [execution.request(limit_order(n + 1), request_id=f"n{n}") for n in range(100)]
    results = await submit_all(execution, *requests)
    assert {result.response.outcome for result in results} == {pb.SUBMIT_OUTCOME_ACCEPTED}
    assert execution.peers.risk.calls["ReserveOrders"] == 1
    assert set(execution.peers.venue.submissions.values()) == {1}
    ids = [result.response.order.order_id for result in results]
    assert ids == sorted(ids)
    events = await execution.events()
    assert [event.order.order_id for event in events[:100]] == ids
    again = await submit_all(execution, *requests)
    assert {result.response.outcome for result in again} == {pb.SUBMIT_OUTCOME_DUPLICATE}
    assert set(execution.peers.venue.submissions.values()) == {1}


async def test_what_concerns_the_call_fails_the_call(execution: Execution) -> None:
    requests = [execution.request(limit_order(n + 1), request_id=f"n{n}") for n in range(2)]
    execution.peers.risk.away = True
    failure = await execution.failure(submit_all(execution, *requests))
    assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "RISK_UNAVAILABLE")
    execution.peers.risk.away = False
    stranger = execution.request(account_id=execution.peers.portfolio.open_account("user-1"))
    failure = await execution.failure(submit_all(execution, *requests, stranger))
    assert failure.code is grpc.StatusCode.INVALID_ARGUMENT
    assert [field for field, _ in failure.violations] == ["orders[2].account_id"]
    assert await execution.events() == []


async def test_without_an_answer_each_is_unknown(execution: Execution) -> None:
    venue = execution.peers.venue
    venue.submit.lose_request = True
    venue.resolve.gate.clear()
    results = await submit_all(execution, *(execution.request(limit_order(n + 1)) for n in range(3)))
    assert {result.response.outcome for result in results} == {pb.SUBMIT_OUTCOME_UNKNOWN}
    venue.resolve.gate.set()
    for result in results:
        await execution.until(result.response.order.order_id, order_pb2.ORDER_STATE_REJECTED)


async def test_batches_with_the_same_orders_at_once(execution: Execution) -> None:
    requests = [execution.request(limit_order(n + 1), request_id=f"n{n}") for n in range(5)]
    execution.peers.venue.submit.gate.clear()
    calls = [
        asyncio.create_task(submit_all(execution, *order)) for order in (requests, list(reversed(requests)))
    ]
    await until(lambda: execution.peers.venue.calls["SubmitOrder"] == 5, timeout_s=60)
    execution.peers.venue.submit.gate.set()
    outcomes = sorted(
        result.response.outcome for results in await asyncio.gather(*calls) for result in results
    )
    assert outcomes == [pb.SUBMIT_OUTCOME_ACCEPTED] * 5 + [pb.SUBMIT_OUTCOME_DUPLICATE] * 5
    assert set(execution.peers.venue.submissions.values()) == {1}
