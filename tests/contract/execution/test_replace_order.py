"""ReplaceOrder: every outcome and every documented error."""

from __future__ import annotations

import asyncio
import uuid

import grpc
import pytest

from bifrost.execution.v1 import order_pb2
from bifrost.type.v1 import order_terms_pb2
from services.runtime.waiting import until
from tests.contract.execution.execution_harness import Execution
from tests.contract.execution.fake_peers import GOOG, HSBC, limit_order

BEGIN = ["SUBMITTED", "ACCEPTED"]


async def test_new_terms_are_reserved_recorded_sent_and_in_force(execution: Execution) -> None:
    order_id = await execution.order(limit_order(100, "10"))
    answer = await execution.replace(order_id, limit_order(150, "10.1"))
    assert not answer.duplicate
    order = answer.order
    assert order.state == order_pb2.ORDER_STATE_ACCEPTED
    assert (order.terms, order.terms_version) == (limit_order(150, "10.1"), 2)
    assert execution.peers.risk.held[order_id, 2].terms == limit_order(150, "10.1")
    assert execution.peers.venue.protection[order_id] == "10.1"
    execution.peers.venue.fill(order_id, 120)
    await execution.until(order_id, order_pb2.ORDER_STATE_PARTIALLY_FILLED)
    again = await execution.replace(order_id, limit_order(130, "10.1"))
    assert (again.order.terms_version, again.order.state) == (3, order_pb2.ORDER_STATE_PARTIALLY_FILLED)
    assert await execution.story(order_id) == [
        *BEGIN,
        "REPLACE_REQUESTED",
        "REPLACED",
        "FILLED",
        "REPLACE_REQUESTED",
        "REPLACED",
    ]


async def test_the_same_request_again_is_a_duplicate(execution: Execution) -> None:
    order_id = await execution.order()
    first = await execution.replace(order_id, limit_order(150), request_id="once")
    again = await execution.replace(order_id, limit_order(150), request_id="once")
    assert again.duplicate
    assert again.order == first.order
    failure = await execution.failure(execution.replace(order_id, limit_order(90), request_id="once"))
    assert (failure.code, failure.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert execution.peers.venue.calls["ReplaceOrder"] == 1


async def test_refusal_by_risk_leaves_the_order_as_it_was(execution: Execution) -> None:
    order_id = await execution.order()
    before = await execution.get(order_id)
    execution.peers.risk.refuse = lambda _request: True
    failure = await execution.failure(execution.replace(order_id, limit_order(150), request_id="bold"))
    assert failure.code is grpc.StatusCode.FAILED_PRECONDITION
    assert failure.reason == "REPLACE_REFUSED"
    assert failure.metadata["rules"] == "BUYING_POWER"
    assert await execution.get(order_id) == before
    execution.peers.risk.refuse = lambda _request: False
    assert not (await execution.replace(order_id, limit_order(150), request_id="bold")).duplicate


async def test_without_risk_there_is_no_replace(execution: Execution) -> None:
    order_id = await execution.order()
    execution.peers.risk.away = True
    failure = await execution.failure(execution.replace(order_id, limit_order(150)))
    assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "RISK_UNAVAILABLE")
    assert (await execution.get(order_id)).state == order_pb2.ORDER_STATE_ACCEPTED


async def test_what_risk_may_hold_though_it_gave_no_answer_is_given_back_before_the_next_replace(
    hurried: Execution,
) -> None:
    risk = hurried.peers.risk
    order_id = await hurried.order()
    await hurried.until(order_id, order_pb2.ORDER_STATE_ACCEPTED)
    risk.gate.clear()
    failure = await hurried.failure(hurried.replace(order_id, limit_order(150)))
    assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "RISK_UNAVAILABLE")
    risk.gate.set()
    await hurried.replace(order_id, limit_order(160))
    assert risk.released == [(order_id, 2)]
    assert (await hurried.replace(order_id, limit_order(170))).order.terms_version == 3
    assert risk.released == [(order_id, 2)]


@pytest.mark.parametrize("change", ["filled", "etag"])
async def test_what_was_reserved_for_a_replace_that_is_not_recorded_is_given_back(
    execution: Execution, change: str
) -> None:
    risk, venue = execution.peers.risk, execution.peers.venue
    order_id = await execution.order()
    etag = (await execution.get(order_id)).etag if change == "etag" else ""
    risk.gate.clear()
    call = asyncio.create_task(execution.failure(execution.replace(order_id, limit_order(150), etag=etag)))
    await until(lambda: risk.calls["ReserveOrder"] == 2, timeout_s=60)
    venue.fill(order_id, 100 if change == "filled" else 40)
    wanted = order_pb2.ORDER_STATE_FILLED if change == "filled" else order_pb2.ORDER_STATE_PARTIALLY_FILLED
    await execution.until(order_id, wanted)
    assert risk.released == []
    risk.gate.set()
    assert (await call).reason == ("ORDER_ENDED" if change == "filled" else "ETAG_MISMATCH")
    await until(lambda: risk.released == [(order_id, 2)], timeout_s=60)
    assert venue.calls["ReplaceOrder"] == 0


async def test_an_order_that_risk_holds_nothing_for_has_ended(execution: Execution) -> None:
    risk, venue = execution.peers.risk, execution.peers.venue
    order_id = await execution.order()
    risk.gate.clear()
    call = asyncio.create_task(execution.failure(execution.replace(order_id, limit_order(150))))
    await until(lambda: risk.calls["ReserveOrder"] == 2, timeout_s=60)
    venue.fill(order_id, 100)
    await execution.until(order_id, order_pb2.ORDER_STATE_FILLED)
    risk.not_caught_up = True  # as good as its refusal: there is no answer
    risk.gate.set()
    assert (await call).reason == "ORDER_ENDED"


async def test_refusal_by_the_venue_is_recorded(execution: Execution) -> None:
    order_id = await execution.order()
    failure = await execution.failure(execution.replace(order_id, limit_order(150, "66.66")))
    assert (failure.reason, failure.message) == ("REPLACE_REFUSED", "66.66 is refused")
    order = await execution.get(order_id)
    assert (order.terms, order.terms_version) == (limit_order(100, "10"), 1)
    assert await execution.story(order_id) == [*BEGIN, "REPLACE_REQUESTED", "REPLACE_REJECTED"]
    assert (await execution.replace(order_id, limit_order(150))).order.terms_version == 2


async def test_the_venue_has_filled_more_than_the_new_quantity(execution: Execution) -> None:
    venue = execution.peers.venue
    order_id = await execution.order()
    venue.pause_log()
    venue.fill(order_id, 60)
    failure = await execution.failure(execution.replace(order_id, limit_order(50)))
    assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "QUANTITY_FILLED")
    venue.release_log()
    order = await execution.until(order_id, order_pb2.ORDER_STATE_PARTIALLY_FILLED)
    assert (order.filled_quantity, order.terms.quantity) == ("60", "100")
    failure = await execution.failure(execution.replace(order_id, limit_order(60)))
    assert failure.reason == "QUANTITY_FILLED"


async def test_the_order_was_filled_on_the_way(execution: Execution) -> None:
    venue = execution.peers.venue
    order_id = await execution.order()
    venue.pause_log()
    venue.fill(order_id, 100)
    call = asyncio.create_task(execution.failure(execution.replace(order_id, limit_order(150))))
    await until(lambda: venue.calls["ReplaceOrder"] == 1, timeout_s=60)
    venue.release_log()
    failure = await call
    assert (failure.reason, failure.metadata["state"]) == ("ORDER_ENDED", "FILLED")
    assert await execution.story(order_id) == [*BEGIN, "REPLACE_REQUESTED", "REPLACE_REJECTED", "FILLED"]
    failure = await execution.failure(execution.replace(order_id, limit_order(150)))
    assert failure.reason == "ORDER_ENDED"


async def test_fills_while_replacing_are_counted(execution: Execution) -> None:
    venue = execution.peers.venue
    order_id = await execution.order()
    venue.replace.gate.clear()
    call = asyncio.create_task(execution.replace(order_id, limit_order(150)))
    await execution.until(order_id, order_pb2.ORDER_STATE_PENDING_REPLACE)
    venue.fill(order_id, 40)

    async def counted() -> bool:
        return (await execution.get(order_id)).filled_quantity == "40"

    await until(counted, timeout_s=60)
    assert (await execution.get(order_id)).state == order_pb2.ORDER_STATE_PENDING_REPLACE
    assert (await execution.failure(execution.cancel(order_id))).reason == "ORDER_BUSY"
    assert (await execution.failure(execution.replace(order_id, limit_order(160)))).reason == "ORDER_BUSY"
    venue.replace.gate.set()
    order = (await call).order
    assert (order.state, order.terms.quantity) == (order_pb2.ORDER_STATE_PARTIALLY_FILLED, "150")


async def test_fills_the_log_has_not_told_come_before_new_terms(execution: Execution) -> None:
    """Else risk would hold for all of the order at the new price while fills at the old one are owed."""
    venue = execution.peers.venue
    order_id = await execution.order(limit_order(100, "10"))
    await until(lambda: execution.venue_cursor() == len(venue.log), timeout_s=60)
    venue.pause_log()
    venue.fill(order_id, 60)
    call = asyncio.create_task(execution.replace(order_id, limit_order(100, "5")))
    await until(lambda: venue.calls["ReplaceOrder"] == 1, timeout_s=60)
    venue.release_log()
    order = (await call).order
    assert (order.filled_quantity, order.terms_version) == ("60", 2)
    assert order.state == order_pb2.ORDER_STATE_PARTIALLY_FILLED
    assert await execution.story(order_id) == [*BEGIN, "REPLACE_REQUESTED", "FILLED", "REPLACED"]


async def test_a_replace_stays_pending_while_the_log_owes_fills(not_waiting: Execution) -> None:
    execution = not_waiting
    venue = execution.peers.venue
    order_id = await execution.order(limit_order(100, "10"))
    venue.pause_log()
    venue.fill(order_id, 60)
    order = (await execution.replace(order_id, limit_order(100, "5"))).order
    assert (order.state, order.terms_version) == (order_pb2.ORDER_STATE_PENDING_REPLACE, 1)
    venue.release_log()
    order = await execution.until(order_id, order_pb2.ORDER_STATE_PARTIALLY_FILLED)
    assert (order.filled_quantity, order.terms) == ("60", limit_order(100, "5"))
    assert await execution.story(order_id) == [*BEGIN, "REPLACE_REQUESTED", "FILLED", "REPLACED"]


@pytest.mark.parametrize("lost", ["lose_request", "lose_answer"])
async def test_a_replace_without_an_answer_goes_on_being_tried(execution: Execution, lost: str) -> None:
    venue = execution.peers.venue
    order_id = await execution.order()
    venue.pause_log()
    setattr(venue.replace, lost, True)
    failure = await execution.failure(execution.replace(order_id, limit_order(150), request_id="try"))
    assert (failure.code, failure.reason) == (grpc.StatusCode.UNAVAILABLE, "VENUE_UNAVAILABLE")
    pending = await execution.replace(order_id, limit_order(150), request_id="try")
    assert pending.duplicate
    assert pending.order.state == order_pb2.ORDER_STATE_PENDING_REPLACE
    assert pending.order.terms.quantity == "100"
    setattr(venue.replace, lost, False)
    order = await execution.until(order_id, order_pb2.ORDER_STATE_ACCEPTED)
    assert (order.terms.quantity, order.terms_version) == ("150", 2)
    venue.release_log()
    venue.fill(order_id, 150)
    await execution.until(order_id, order_pb2.ORDER_STATE_FILLED)
    assert await execution.story(order_id) == [*BEGIN, "REPLACE_REQUESTED", "REPLACED", "FILLED"]


async def test_a_slow_venue_leaves_the_replace_pending(impatient: Execution) -> None:
    execution = impatient
    venue = execution.peers.venue
    order_id = await execution.order()
    venue.replace.gate.clear()
    answer = await execution.replace(order_id, limit_order(150))
    assert answer.order.state == order_pb2.ORDER_STATE_PENDING_REPLACE
    venue.replace.gate.set()
    order = await execution.until(order_id, order_pb2.ORDER_STATE_ACCEPTED)
    assert order.terms.quantity == "150"


async def test_two_replaces_at_once_are_one_after_the_other(execution: Execution) -> None:
    order_id = await execution.order()
    execution.peers.venue.replace.gate.clear()
    calls = [asyncio.create_task(execution.replace(order_id, limit_order(n))) for n in (150, 160)]
    done, waiting = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    (refused,) = done
    assert (await execution.failure(refused)).reason == "ORDER_BUSY"
    execution.peers.venue.replace.gate.set()
    assert (await waiting.pop()).order.terms_version == 2
    assert len(execution.peers.risk.held) == 2  # the order's first terms, and one new version


async def test_terms_that_cannot_be(execution: Execution) -> None:
    order_id = await execution.order(limit_order(100, "10.05"), instrument_id=GOOG.instrument_id)
    sale = limit_order(100, "10.05", side=order_terms_pb2.SIDE_SELL)
    for terms, reason, field in (
        (sale, "TERMS_FIXED", "terms"),
        (limit_order(100, "10.01"), "PRICE_OFF_TICK", "terms.limit_price"),
        (limit_order(105, "10.05"), "QUANTITY_OFF_LOT", "terms.quantity"),
    ):
        failure = await execution.failure(execution.replace(order_id, terms))
        assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
        assert [name for name, _ in failure.violations] == [field]


async def test_new_prices_are_on_the_tick_of_their_band(execution: Execution) -> None:
    order_id = await execution.order(limit_order(100, "9.99"), instrument_id=HSBC.instrument_id)
    for price, tick in (("10.01", "0.02"), ("20.02", "0.05")):
        failure = await execution.failure(execution.replace(order_id, limit_order(100, price)))
        assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PRICE_OFF_TICK")
        assert [name for name, _ in failure.violations] == ["terms.limit_price"]
        assert failure.metadata["tick_size"] == tick
    assert (await execution.replace(order_id, limit_order(100, "10.02"))).order.terms.limit_price == "10.02"


async def test_stale_etag_and_unknown_order(execution: Execution) -> None:
    order_id = await execution.order()
    failure = await execution.failure(execution.replace(order_id, limit_order(150), etag="7"))
    assert (failure.code, failure.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    etag = (await execution.get(order_id)).etag
    assert (await execution.replace(order_id, limit_order(150), etag=etag)).order.terms_version == 2
    failure = await execution.failure(execution.replace(str(uuid.uuid4()), limit_order(150)))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "ORDER_NOT_FOUND")
