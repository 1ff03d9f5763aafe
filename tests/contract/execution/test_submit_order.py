"""SubmitOrder: every outcome and every documented error."""

from __future__ import annotations

import asyncio
import uuid

import grpc
import pytest

from bifrost.execution.v1 import order_pb2
from bifrost.execution.v1 import order_service_pb2 as pb
from bifrost.type.v1 import order_terms_pb2, value_pb2
from bifrost.venue.v1 import error_reason_pb2 as venue_reasons
from services.runtime.errors import failed_precondition
from services.runtime.waiting import until
from tests.contract.execution.execution_harness import Execution
from tests.contract.execution.fake_peers import AAPL, GOOG, HSBC, limit_order, market_order
from tests.contract.execution.fake_venue import MARKET_NS


async def test_an_order_is_reserved_recorded_sent_and_accepted(execution: Execution) -> None:
    answer = await execution.submit(limit_order(100, "10.50"), request_id="first", tag="sma")
    assert answer.outcome == pb.SUBMIT_OUTCOME_ACCEPTED
    order = answer.order
    assert order.state == order_pb2.ORDER_STATE_ACCEPTED
    assert (order.account_id, order.request_id, order.tag) == (execution.account_id, "first", "sma")
    assert (order.instrument_id, order.symbol, order.currency) == (AAPL.instrument_id, "AAPL", "USD")
    assert (order.venue, order.user_id, order.terms_version) == ("XSIM", "user-1", 1)
    assert order.terms == limit_order("100", "10.5")
    assert (order.filled_quantity, order.average_price) == ("0", "")
    assert uuid.UUID(order.order_id).version == 7
    assert answer.risk.passed
    assert len(answer.risk.rules) == 2
    assert await execution.get(order.order_id) == order
    assert execution.peers.venue.submissions[order.order_id] == 1
    assert execution.peers.venue.protection[order.order_id] == "10.5"
    reservation = execution.peers.risk.held[order.order_id, 1]
    assert (reservation.request_id, reservation.account_id) == ("first", execution.account_id)
    assert await execution.story(order.order_id) == ["SUBMITTED", "ACCEPTED"]


async def test_a_market_order_carries_the_price_that_was_reserved_for(execution: Execution) -> None:
    order_id = await execution.order(market_order(5))
    assert execution.peers.venue.protection[order_id] == "99.99"


async def test_fills_arrive_by_the_venue_log(execution: Execution) -> None:
    order_id = await execution.order()
    execution.peers.venue.fill(order_id, 40, "10.00", fee="0.005")
    execution.peers.venue.fill(order_id, 60, "9.99")
    order = await execution.until(order_id, order_pb2.ORDER_STATE_FILLED)
    assert (order.filled_quantity, order.average_price) == ("100", "9.994")
    fills = await execution.fills()
    assert [(fill.execution_id, fill.quantity, fill.price, fill.fee) for fill in fills] == [
        ("X1", "40", "10", "0.005"),
        ("X2", "60", "9.99", "0.01"),
    ]
    assert (fills[0].order_id, fills[0].venue, fills[0].currency) == (order_id, "XSIM", "USD")
    assert fills[0].event_time.ToNanoseconds() == MARKET_NS + 1_000_000
    assert await execution.story(order_id) == ["SUBMITTED", "ACCEPTED", "FILLED", "FILLED"]
    events = await execution.events()
    assert events[-1].fill == fills[-1]
    assert events[-1].order == order


async def test_refusal_by_risk_is_an_outcome_and_is_not_sent(execution: Execution) -> None:
    execution.peers.risk.refuse = lambda _request: True
    answer = await execution.submit(request_id="poor")
    assert answer.outcome == pb.SUBMIT_OUTCOME_REJECTED
    assert answer.order.state == order_pb2.ORDER_STATE_REJECTED
    assert list(answer.order.reject_reasons) == ["BUYING_POWER"]
    assert answer.order.message == "the order takes 1000 USD of 10 USD"
    assert not answer.risk.passed
    assert not execution.peers.venue.submissions
    assert await execution.story(answer.order.order_id) == ["REJECTED"]
    execution.peers.risk.refuse = lambda _request: False
    again = await execution.submit(request_id="poor")
    assert again.outcome == pb.SUBMIT_OUTCOME_DUPLICATE
    assert again.order == answer.order


async def test_refusal_by_the_venue_is_an_outcome(execution: Execution) -> None:
    execution.peers.venue.reject = venue_reasons.REJECT_REASON_PRICE_BAND
    answer = await execution.submit()
    assert answer.outcome == pb.SUBMIT_OUTCOME_REJECTED
    assert list(answer.order.reject_reasons) == ["PRICE_BAND"]
    assert answer.order.message == "the exchange refuses"
    assert answer.risk.passed
    assert await execution.story(answer.order.order_id) == ["SUBMITTED", "REJECTED"]


async def test_without_a_session_the_market_is_closed(execution: Execution) -> None:
    execution.peers.venue.submit.refuse = failed_precondition("NO_SESSION", "make a session first")
    answer = await execution.submit()
    assert answer.outcome == pb.SUBMIT_OUTCOME_REJECTED
    assert list(answer.order.reject_reasons) == ["MARKET_CLOSED"]


async def test_a_fenced_id_is_refused(execution: Execution) -> None:
    execution.peers.venue.fence_all = True
    answer = await execution.submit()
    assert answer.outcome == pb.SUBMIT_OUTCOME_REJECTED
    assert list(answer.order.reject_reasons) == ["ORDER_ID_FENCED"]


async def test_an_answer_that_cannot_be_read_is_no_answer(execution: Execution) -> None:
    venue = execution.peers.venue
    venue.pause_log()
    venue.garble = True
    answer = await execution.submit()
    assert answer.outcome == pb.SUBMIT_OUTCOME_UNKNOWN
    await execution.until(answer.order.order_id, order_pb2.ORDER_STATE_ACCEPTED)


async def test_the_same_request_again_is_a_duplicate_of_the_order_as_it_is_now(execution: Execution) -> None:
    order_id = await execution.order(request_id="again")
    execution.peers.venue.fill(order_id, 100)
    await execution.until(order_id, order_pb2.ORDER_STATE_FILLED)
    answer = await execution.submit(request_id="again")
    assert answer.outcome == pb.SUBMIT_OUTCOME_DUPLICATE
    assert answer.order.order_id == order_id
    assert answer.order.state == order_pb2.ORDER_STATE_FILLED
    assert not answer.HasField("risk")
    assert execution.peers.venue.submissions[order_id] == 1


async def test_the_same_request_id_with_other_content_is_refused(execution: Execution) -> None:
    await execution.submit(limit_order(100), request_id="reused")
    failure = await execution.failure(execution.submit(limit_order(5), request_id="reused"))
    assert failure.code is grpc.StatusCode.ALREADY_EXISTS
    assert failure.reason == "REQUEST_ID_REUSED"
    assert failure.domain == "bifrost.execution"
    assert len(execution.peers.venue.submissions) == 1


async def test_twins_in_flight_make_one_order(execution: Execution) -> None:
    venue = execution.peers.venue
    venue.submit.gate.clear()
    calls = [asyncio.create_task(execution.submit(request_id="twin")) for _ in range(5)]
    other = asyncio.create_task(execution.failure(execution.submit(limit_order(1), request_id="twin")))
    await until(lambda: venue.calls["SubmitOrder"] == 1, timeout_s=60)
    venue.submit.gate.set()
    answers = await asyncio.gather(*calls)
    assert len({answer.order.order_id for answer in answers}) == 1
    outcomes = sorted(answer.outcome for answer in answers)
    assert outcomes == [pb.SUBMIT_OUTCOME_ACCEPTED] + [pb.SUBMIT_OUTCOME_DUPLICATE] * 4
    assert (await other).reason == "REQUEST_ID_REUSED"
    assert list(venue.submissions.values()) == [1]


@pytest.mark.parametrize("lost", ["lose_request", "lose_answer", "hang"])
async def test_no_answer_is_unknown_and_is_settled_by_asking(impatient: Execution, lost: str) -> None:
    execution = impatient
    venue = execution.peers.venue
    venue.pause_log()
    venue.resolve.gate.clear()
    setattr(venue.submit, lost, True)
    answer = await execution.submit(request_id="doubt")
    assert answer.outcome == pb.SUBMIT_OUTCOME_UNKNOWN
    assert answer.order.state == order_pb2.ORDER_STATE_UNKNOWN
    order_id = answer.order.order_id
    again = await execution.submit(request_id="doubt")
    assert again.outcome == pb.SUBMIT_OUTCOME_DUPLICATE
    assert again.order.state == order_pb2.ORDER_STATE_UNKNOWN
    venue.resolve.gate.set()
    if lost == "lose_request":
        order = await execution.until(order_id, order_pb2.ORDER_STATE_REJECTED)
        assert list(order.reject_reasons) == ["VENUE_NEVER_SAW_ORDER"]
        assert await execution.story(order_id) == ["SUBMITTED", "UNKNOWN", "REJECTED"]
        assert order_id in venue.fenced
        assert not venue.orders
    else:
        await execution.until(order_id, order_pb2.ORDER_STATE_ACCEPTED)
        venue.release_log()
        venue.fill(order_id, 100)
        await execution.until(order_id, order_pb2.ORDER_STATE_FILLED)
        assert await execution.story(order_id) == ["SUBMITTED", "UNKNOWN", "ACCEPTED", "FILLED"]
        assert len(venue.orders) == 1


async def test_unknown_is_also_settled_by_the_log(execution: Execution) -> None:
    venue = execution.peers.venue
    venue.pause_log()
    venue.resolve.lose_request = True
    venue.submit.lose_answer = True
    order_id = await execution.order()
    venue.release_log()
    await execution.until(order_id, order_pb2.ORDER_STATE_ACCEPTED)
    assert await execution.story(order_id) == ["SUBMITTED", "UNKNOWN", "ACCEPTED"]


async def test_a_fill_before_the_acknowledgement_gives_the_same_story(impatient: Execution) -> None:
    execution = impatient
    venue = execution.peers.venue
    venue.submit.hang = True
    call = asyncio.create_task(execution.submit())
    await until(lambda: len(venue.orders) == 1, timeout_s=60)
    order_id = next(iter(venue.orders))
    venue.fill(order_id, 100)
    await execution.until(order_id, order_pb2.ORDER_STATE_FILLED)
    answer = await call
    assert answer.outcome == pb.SUBMIT_OUTCOME_ACCEPTED
    assert answer.order.state == order_pb2.ORDER_STATE_FILLED
    assert await execution.story(order_id) == ["SUBMITTED", "ACCEPTED", "FILLED"]


async def test_a_caller_that_leaves_does_not_stop_its_order(execution: Execution) -> None:
    venue = execution.peers.venue
    venue.submit.gate.clear()
    call = execution.stub.SubmitOrder(execution.request(request_id="left"), metadata=execution.user)
    await until(lambda: venue.calls["SubmitOrder"] == 1, timeout_s=60)
    call.cancel()
    await until(
        lambda: not execution.in_flight("SubmitOrder"), timeout_s=60
    )  # the service knows that it has gone
    venue.submit.gate.set()
    await until(lambda: len(venue.orders) == 1, timeout_s=60)
    await execution.until(next(iter(venue.orders)), order_pb2.ORDER_STATE_ACCEPTED)
    assert (await execution.submit(request_id="left")).outcome == pb.SUBMIT_OUTCOME_DUPLICATE
    assert list(venue.submissions.values()) == [1]


async def test_a_caller_that_leaves_before_the_intent_leaves_nothing(execution: Execution) -> None:
    risk = execution.peers.risk
    risk.gate.clear()
    call = execution.stub.SubmitOrder(execution.request(request_id="gone"), metadata=execution.user)
    await until(lambda: risk.calls["ReserveOrder"] == 1, timeout_s=60)
    call.cancel()
    await until(lambda: len(risk.released) == 1, timeout_s=60)
    risk.gate.set()
    assert await execution.events() == []
    assert (await execution.submit(request_id="gone")).outcome == pb.SUBMIT_OUTCOME_ACCEPTED


@pytest.mark.parametrize("how", ["away", "not_caught_up"])
async def test_without_risk_nothing_is_recorded_and_the_id_is_free(execution: Execution, how: str) -> None:
    setattr(execution.peers.risk, how, True)
    failure = await execution.failure(execution.submit(request_id="later"))
    assert failure.code is grpc.StatusCode.UNAVAILABLE
    assert failure.reason == "RISK_UNAVAILABLE"
    assert failure.retry_after_s
    assert await execution.events() == []
    setattr(execution.peers.risk, how, False)
    assert (await execution.submit(limit_order(1), request_id="later")).outcome == pb.SUBMIT_OUTCOME_ACCEPTED


async def test_a_silent_risk_is_an_absent_one(hurried: Execution) -> None:
    execution = hurried
    execution.peers.risk.gate.clear()
    failure = await execution.failure(execution.submit())
    assert failure.reason == "RISK_UNAVAILABLE"
    assert not execution.peers.venue.submissions


@pytest.mark.parametrize("peer", ["data", "portfolio"])
async def test_other_peers_away(execution: Execution, peer: str) -> None:
    execution.peers.all[peer].away = True
    account_id = execution.peers.portfolio.open_account("user-1")
    request = execution.request(instrument_id=GOOG.instrument_id, account_id=account_id)
    failure = await execution.failure(execution.stub.SubmitOrder(request, metadata=execution.user))
    assert failure.code is grpc.StatusCode.UNAVAILABLE
    assert (failure.reason, failure.metadata["dependency"]) == ("DEPENDENCY_UNAVAILABLE", peer)


async def test_instruments_are_found_by_symbol_and_remembered(execution: Execution) -> None:
    data = execution.peers.data
    asked = data.calls["GetInstrument"]
    for _ in range(3):
        request = execution.request(limit_order(10, "10.05"))
        request.instrument.CopyFrom(
            value_pb2.InstrumentRef(listed=value_pb2.ListedSymbol(symbol="GOOG", mic="XNAS"))
        )
        answer = await execution.stub.SubmitOrder(request, metadata=execution.user)
        assert answer.order.instrument_id == GOOG.instrument_id
    assert data.calls["GetInstrument"] == asked + 1


@pytest.mark.parametrize(
    ("symbol", "code", "reason"),
    [
        ("APPL", grpc.StatusCode.NOT_FOUND, "INSTRUMENT_NOT_FOUND"),
        ("TWIN", grpc.StatusCode.INVALID_ARGUMENT, "SYMBOL_AMBIGUOUS"),
    ],
)
async def test_a_symbol_that_names_no_instrument(
    execution: Execution, symbol: str, code: grpc.StatusCode, reason: str
) -> None:
    request = execution.request()
    request.instrument.CopyFrom(
        value_pb2.InstrumentRef(listed=value_pb2.ListedSymbol(symbol=symbol, mic="XNAS"))
    )
    failure = await execution.failure(execution.stub.SubmitOrder(request, metadata=execution.user))
    assert (failure.code, failure.reason) == (code, reason)


@pytest.mark.parametrize(
    ("quantity", "price", "reason", "fields"),
    [
        (10, "10.01", "PRICE_OFF_TICK", ["terms.limit_price"]),
        (15, "10.05", "QUANTITY_OFF_LOT", ["terms.quantity"]),
        (15, "10.01", "PRICE_OFF_TICK", ["terms.limit_price", "terms.quantity"]),
    ],
)
async def test_terms_off_their_steps(
    execution: Execution, quantity: int, price: str, reason: str, fields: list[str]
) -> None:
    call = execution.submit(limit_order(quantity, price), instrument_id=GOOG.instrument_id)
    failure = await execution.failure(call)
    assert failure.code is grpc.StatusCode.INVALID_ARGUMENT
    assert failure.reason == reason
    assert [name for name, _ in failure.violations] == fields
    assert failure.metadata["tick_size"] == "0.05"
    assert failure.metadata["lot_size"] == "10"
    assert not execution.peers.risk.held


async def test_a_price_is_on_the_tick_of_its_band(execution: Execution) -> None:
    stop_limit = limit_order(10, "10.02")
    stop_limit.type, stop_limit.stop_price = order_terms_pb2.ORDER_TYPE_STOP_LIMIT, "20.02"
    for terms, field, tick in (
        (limit_order(10, "10.01"), "limit_price", "0.02"),
        (limit_order(10, "20.02"), "limit_price", "0.05"),
        (limit_order(10, "9.995"), "limit_price", "0.01"),
        (stop_limit, "stop_price", "0.05"),
    ):
        failure = await execution.failure(execution.submit(terms, instrument_id=HSBC.instrument_id))
        assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PRICE_OFF_TICK")
        assert [name for name, _ in failure.violations] == [f"terms.{field}"]
        assert failure.metadata["tick_size"] == tick
    assert not execution.peers.risk.held
    for price in ("9.99", "10.02", "20.05"):
        answer = await execution.submit(limit_order(10, price), instrument_id=HSBC.instrument_id)
        assert answer.order.state == order_pb2.ORDER_STATE_ACCEPTED


async def test_the_account_must_be_the_callers(execution: Execution) -> None:
    others = execution.peers.portfolio.open_account("user-2")
    for account_id in (others, str(uuid.uuid4())):
        call = execution.stub.SubmitOrder(execution.request(account_id=account_id), metadata=execution.user)
        failure = await execution.failure(call)
        assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND")


async def test_an_account_of_an_unreachable_venue(execution: Execution) -> None:
    account_id = execution.peers.portfolio.open_account("user-1", venue="XNYS")
    call = execution.stub.SubmitOrder(execution.request(account_id=account_id), metadata=execution.user)
    failure = await execution.failure(call)
    assert (failure.reason, failure.metadata["dependency"]) == ("DEPENDENCY_UNAVAILABLE", "XNYS")
