"""The domain's numbers are the contract's."""

from __future__ import annotations

from enum import IntEnum

import pytest
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from bifrost.execution.v1 import order_pb2, order_service_pb2
from bifrost.type.v1 import order_terms_pb2
from services.execution.convert import terms_message, terms_of
from services.execution.domain.order import OrderEventType, OrderState
from services.execution.domain.terms import OrderType, Side, TimeInForce
from services.execution.submission import Outcome
from tests.unit.execution.orders import LARGER


@pytest.mark.parametrize(
    ("ours", "theirs", "prefix"),
    [
        (OrderState, order_pb2.OrderState, "ORDER_STATE_"),
        (OrderEventType, order_pb2.OrderEventType, "ORDER_EVENT_TYPE_"),
        (Side, order_terms_pb2.Side, "SIDE_"),
        (OrderType, order_terms_pb2.OrderType, "ORDER_TYPE_"),
        (TimeInForce, order_terms_pb2.TimeInForce, "TIME_IN_FORCE_"),
        (Outcome, order_service_pb2.SubmitOutcome, "SUBMIT_OUTCOME_"),
    ],
)
def test_enumerations_share_names_and_numbers(
    ours: type[IntEnum], theirs: EnumTypeWrapper, prefix: str
) -> None:
    named = {name.removeprefix(prefix): number for name, number in theirs.items() if number}
    assert {member.name: member.value for member in ours} == named


def test_terms_survive_the_way_there_and_back() -> None:
    assert terms_of(terms_message(LARGER)) == LARGER
