"""Cut the process off at every failpoint, start another on the same database, compare with the venue."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine

import grpc
import pytest

from bifrost.execution.v1 import order_pb2
from bifrost.execution.v1 import order_service_pb2 as pb
from services.execution import amendments, desk, reports, submission
from services.runtime.waiting import until
from tests.contract.execution.execution_harness import Execution
from tests.contract.execution.fake_peers import limit_order


class PowerCutError(BaseException):
    """Nothing after the failpoint is run. Not an Exception, so that nobody handles it."""


class Cut:
    """Ends the work that passes a failpoint, once, and says that it was passed."""

    def __init__(self, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.passed = asyncio.Event()
        self._name = name
        for module in (submission, desk, reports, amendments):
            monkeypatch.setattr(module, "failpoint", self)

    def __call__(self, name: str) -> None:
        if name == self._name and not self.passed.is_set():
            self.passed.set()
            raise PowerCutError(name)


async def cut_and_restart(execution: Execution, cut: Cut, call: Coroutine[object, object, object]) -> None:
    """Make the call, lose the process at the failpoint, start again with the venue away."""
    caller = asyncio.create_task(call)
    await asyncio.wait_for(cut.passed.wait(), 60)
    execution.peers.venue.away = True
    await execution.crash()
    with contextlib.suppress(grpc.aio.AioRpcError, asyncio.CancelledError):
        await caller
    await execution.start(wait=False)


async def assert_agreed(execution: Execution) -> None:
    """Orders and fills at the venue are those recorded here; nothing was sent twice; every story is whole."""
    venue = execution.peers.venue
    assert all(count == 1 for count in venue.submissions.values())
    listed = await execution.stub.ListOrders(
        pb.ListOrdersRequest(account_id=execution.account_id), metadata=execution.user
    )
    here = {order.order_id: order for order in listed.orders}
    assert set(venue.orders) <= set(here)
    told = sorted(
        (report.execution.execution_id, report.execution.client_order_id)
        for report in venue.log
        if report.HasField("execution")
    )
    fills = await execution.fills()
    assert sorted((fill.execution_id, fill.order_id) for fill in fills) == told
    in_events = [event.fill for event in await execution.events() if event.HasField("fill")]
    assert sorted(fill.fill_id for fill in in_events) == sorted(fill.fill_id for fill in fills)
    for order_id, order in venue.orders.items():
        assert here[order_id].filled_quantity == order.filled_quantity
        assert here[order_id].terms == order.terms
        await execution.story(order_id)


async def open_again(execution: Execution) -> None:
    execution.peers.venue.away = False
    await until(execution.is_open, timeout_s=60)


@pytest.mark.parametrize("point", ["before_reserve", "before_commit"])
async def test_before_the_intent_nothing_is_left(
    execution: Execution, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    cut = Cut(f"execution.submit.{point}", monkeypatch)
    await cut_and_restart(execution, cut, execution.submit(request_id="cut"))
    await open_again(execution)
    assert await execution.events() == []
    assert not execution.peers.venue.orders
    assert (await execution.submit(request_id="cut")).outcome == pb.SUBMIT_OUTCOME_ACCEPTED
    await assert_agreed(execution)


async def test_an_intent_that_was_not_sent_is_never_sent(
    execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = Cut("execution.submit.after_commit", monkeypatch)
    await cut_and_restart(execution, cut, execution.submit(request_id="cut"))
    answer = await execution.submit(request_id="cut")  # a repeat is answered while the account is closed
    assert answer.outcome == pb.SUBMIT_OUTCOME_DUPLICATE
    assert answer.order.state == order_pb2.ORDER_STATE_UNKNOWN
    failure = await execution.failure(execution.submit())
    assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "ACCOUNT_RECONCILING")
    assert failure.retry_after_s
    await open_again(execution)
    order = await execution.get(answer.order.order_id)
    assert order.state == order_pb2.ORDER_STATE_REJECTED
    assert list(order.reject_reasons) == ["VENUE_NEVER_SAW_ORDER"]
    assert await execution.story(order.order_id) == ["SUBMITTED", "UNKNOWN", "REJECTED"]
    await assert_agreed(execution)


async def test_the_account_stays_closed_until_the_venue_has_answered_for_its_orders(
    execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = execution.peers.venue
    cut = Cut("execution.submit.after_commit", monkeypatch)
    await cut_and_restart(execution, cut, execution.submit())
    venue.resolve.lose_request = True
    venue.away = False
    other = execution.peers.portfolio.open_account("user-1")

    async def others_trade() -> bool:
        call = execution.stub.SubmitOrder(execution.request(account_id=other), metadata=execution.user)
        try:
            return (await call).outcome == pb.SUBMIT_OUTCOME_ACCEPTED
        except grpc.aio.AioRpcError:
            return False

    await until(others_trade, timeout_s=60)  # the log is caught up
    assert not await execution.is_open()
    venue.resolve.lose_request = False
    await until(execution.is_open, timeout_s=60)


@pytest.mark.parametrize("filled", [False, True])
async def test_an_order_that_was_sent_is_found_again(
    execution: Execution, monkeypatch: pytest.MonkeyPatch, filled: bool
) -> None:
    venue = execution.peers.venue
    venue.pause_log()
    cut = Cut("execution.submit.after_send", monkeypatch)
    await cut_and_restart(execution, cut, execution.submit(request_id="cut"))
    order_id = next(iter(venue.orders))
    if filled:
        venue.fill(order_id, 100)
    venue.release_log()
    await open_again(execution)
    state = order_pb2.ORDER_STATE_FILLED if filled else order_pb2.ORDER_STATE_ACCEPTED
    await execution.until(order_id, state)
    answer = await execution.submit(request_id="cut")
    assert answer.outcome == pb.SUBMIT_OUTCOME_DUPLICATE
    assert await execution.story(order_id) == ["SUBMITTED", "UNKNOWN", "ACCEPTED"] + ["FILLED"] * filled
    await assert_agreed(execution)


async def test_an_answer_that_was_recorded_and_not_given(
    execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut = Cut("execution.submit.before_reply", monkeypatch)
    await cut_and_restart(execution, cut, execution.submit(request_id="cut"))
    answer = await execution.submit(request_id="cut")
    assert answer.outcome == pb.SUBMIT_OUTCOME_DUPLICATE
    assert answer.order.state == order_pb2.ORDER_STATE_ACCEPTED
    await open_again(execution)
    assert await execution.story(answer.order.order_id) == ["SUBMITTED", "ACCEPTED"]
    await assert_agreed(execution)


@pytest.mark.parametrize("point", ["before_commit", "after_commit"])
async def test_reports_have_their_effect_once(
    execution: Execution, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    venue = execution.peers.venue
    order_id = await execution.order()
    await until(lambda: execution.venue_cursor() == len(venue.log), timeout_s=60)
    cut = Cut(f"execution.report.{point}", monkeypatch)

    async def fills() -> None:
        for _ in range(3):
            venue.fill(order_id, 20)

    await cut_and_restart(execution, cut, fills())
    venue.fill(order_id, 40)
    await open_again(execution)
    await execution.until(order_id, order_pb2.ORDER_STATE_FILLED)
    assert (await execution.get(order_id)).filled_quantity == "100"
    await assert_agreed(execution)


async def test_a_cancel_that_was_recorded_is_sent_after_the_restart(
    execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = await execution.order()
    cut = Cut("execution.cancel.after_commit", monkeypatch)
    await cut_and_restart(execution, cut, execution.cancel(order_id))
    assert (await execution.get(order_id)).state == order_pb2.ORDER_STATE_PENDING_CANCEL
    failure = await execution.failure(execution.cancel(order_id))  # cancels work meanwhile
    assert failure.reason == "VENUE_UNAVAILABLE"
    await open_again(execution)
    assert (await execution.get(order_id)).state == order_pb2.ORDER_STATE_CANCELLED
    assert await execution.story(order_id) == ["SUBMITTED", "ACCEPTED", "CANCEL_REQUESTED", "CANCELLED"]
    await assert_agreed(execution)


async def test_new_terms_that_were_recorded_are_sent_after_the_restart(
    execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = await execution.order()
    other = await execution.order(limit_order(7))
    cut = Cut("execution.replace.after_commit", monkeypatch)
    await cut_and_restart(execution, cut, execution.replace(order_id, limit_order(150), request_id="cut"))
    assert (await execution.get(order_id)).state == order_pb2.ORDER_STATE_PENDING_REPLACE
    failure = await execution.failure(execution.replace(other, limit_order(8)))
    assert failure.reason == "ACCOUNT_RECONCILING"
    await open_again(execution)
    order = await execution.get(order_id)
    assert (order.state, order.terms.quantity) == (order_pb2.ORDER_STATE_ACCEPTED, "150")
    assert (await execution.replace(order_id, limit_order(150), request_id="cut")).duplicate
    assert execution.peers.venue.protection[order_id] == "10"
    await assert_agreed(execution)


async def test_a_batch_cut_between_commit_and_sending(
    execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = [execution.request(limit_order(n + 1), request_id=f"n{n}") for n in range(10)]
    request = pb.SubmitOrdersRequest(account_id=execution.account_id, orders=orders)
    cut = Cut("execution.submit.after_commit", monkeypatch)
    await cut_and_restart(execution, cut, _batch(execution, request))
    await open_again(execution)
    results = await _batch(execution, request)
    assert {result.response.order.state for result in results} == {order_pb2.ORDER_STATE_REJECTED}
    assert not execution.peers.venue.orders
    await assert_agreed(execution)


async def _batch(execution: Execution, request: pb.SubmitOrdersRequest) -> list[pb.SubmitOrderResult]:
    return list((await execution.stub.SubmitOrders(request, metadata=execution.user)).results)
