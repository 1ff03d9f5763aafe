"""A venue at which nothing was ever replayed."""

from __future__ import annotations

import uuid

import pytest

from bifrost.venue.v1 import error_reason_pb2 as reasons
from bifrost.venue.v1 import session_service_pb2
from tests.contract.venue.venue_harness import BUY, RunningVenue, failure_of, order_terms


@pytest.fixture
def venue(running_venue: RunningVenue) -> RunningVenue:
    return running_venue


async def test_there_is_no_session(venue: RunningVenue) -> None:
    operator = venue.operator
    for call in (
        venue.current(),
        venue.set_speed(1.0),
        venue.sessions.EndSession(session_service_pb2.EndSessionRequest(), metadata=operator),
        venue.book(),
        venue.submit(order_terms(BUY, 1)),
    ):
        assert (await failure_of(call)).reason == "NO_SESSION"


async def test_orders_are_unknown_and_ids_can_be_fenced(venue: RunningVenue) -> None:
    name = str(uuid.uuid4())
    assert (await failure_of(venue.cancel(name))).reason == "ORDER_NOT_FOUND"
    assert (await failure_of(venue.replace(name, order_terms(BUY, 1, "2"), 2))).reason == "ORDER_NOT_FOUND"
    assert (await venue.resolve(name)).not_seen
    assert (await venue.resolve(name)).not_seen
    late = await venue.submit(order_terms(BUY, 1), client_order_id=name)
    assert late.order.reject_reason == reasons.REJECT_REASON_ORDER_ID_FENCED
    await venue.new_session()
    late = await venue.submit(order_terms(BUY, 1), client_order_id=name)
    assert late.order.reject_reason == reasons.REJECT_REASON_ORDER_ID_FENCED
