"""What is under way outlives the token of the user who asked for it."""

from __future__ import annotations

import pytest

from bifrost.execution.v1 import order_pb2
from bifrost.execution.v1 import order_service_pb2 as pb
from services.runtime.errors import unauthenticated
from tests.contract.execution.execution_harness import Execution
from tests.contract.execution.fake_peers import limit_order

EXPIRED = unauthenticated("TOKEN_EXPIRED", "the token has expired")


@pytest.mark.parametrize("change", ["submit", "cancel", "replace"])
async def test_what_is_asked_again_is_asked_in_the_services_own_name(
    execution: Execution, change: str
) -> None:
    venue = execution.peers.venue
    order_id = "" if change == "submit" else await execution.order()
    venue.pause_log()
    behaviour = getattr(venue, change)
    behaviour.lose_request = True
    if change == "submit":
        answer = await execution.submit()
        assert answer.outcome == pb.SUBMIT_OUTCOME_UNKNOWN
        order_id, done = answer.order.order_id, order_pb2.ORDER_STATE_REJECTED
    elif change == "cancel":
        await execution.failure(execution.cancel(order_id))
        done = order_pb2.ORDER_STATE_CANCELLED
    else:
        await execution.failure(execution.replace(order_id, limit_order(150)))
        done = order_pb2.ORDER_STATE_ACCEPTED
    assert "x-bifrost-actor" in venue.headers[-1]
    behaviour.lose_request = False
    await execution.until(order_id, done)
    assert "x-bifrost-actor" not in venue.headers[-1]


async def test_a_submission_with_an_ended_token_is_asked_about(impatient: Execution) -> None:
    venue = impatient.peers.venue
    venue.submit.refuse = EXPIRED
    answer = await impatient.submit()
    assert answer.outcome == pb.SUBMIT_OUTCOME_UNKNOWN
    order = await impatient.until(answer.order.order_id, order_pb2.ORDER_STATE_REJECTED)
    assert list(order.reject_reasons) == ["VENUE_NEVER_SAW_ORDER"]
    assert order.order_id in venue.fenced


@pytest.mark.parametrize("change", ["cancel", "replace"])
async def test_a_change_with_an_ended_token_is_not_taken_for_refused(
    impatient: Execution, change: str
) -> None:
    order_id = await impatient.order()
    behaviour = getattr(impatient.peers.venue, change)
    behaviour.refuse = EXPIRED
    if change == "cancel":
        failure = await impatient.failure(impatient.cancel(order_id))
        done = order_pb2.ORDER_STATE_CANCELLED
    else:
        failure = await impatient.failure(impatient.replace(order_id, limit_order(150)))
        done = order_pb2.ORDER_STATE_ACCEPTED
    assert failure.reason == "VENUE_UNAVAILABLE"
    behaviour.refuse = None
    await impatient.until(order_id, done)
    assert (await impatient.story(order_id))[-1] in {"CANCELLED", "REPLACED"}
