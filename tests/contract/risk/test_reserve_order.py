"""ReserveOrder and ReserveOrders: what is held, what is refused, what is said again."""

import asyncio
import uuid

import grpc
import pytest

from bifrost.risk.v1 import check_pb2
from bifrost.risk.v1 import pre_trade_service_pb2 as pb
from bifrost.type.v1.order_terms_pb2 import OrderTerms
from services.runtime.testing_keys import bearer
from tests.contract.risk.risk_harness import SCOPES, RunningRisk, failure_of
from tests.contract.risk.risk_messages import fill_event, limit, market, reserve_request
from tests.contract.risk.risk_peers import IBM
from tests.contract.risk.risk_results import failed, rule_of

NOBODY = str(uuid.UUID(int=7))


async def test_reservations_are_for_execution_alone(risk: RunningRisk) -> None:
    account_id = await risk.fund()
    request = reserve_request(account_id, limit())
    batch = pb.ReserveOrdersRequest(account_id=account_id, reservations=[request])
    release = pb.ReleaseReservationRequest(account_id=account_id, order_id=request.order_id)
    for headers in (risk.as_user, bearer(risk.keys.service_token("portfolio"))):
        for call in (
            risk.pre_trade.ReserveOrder(request, metadata=headers),
            risk.pre_trade.ReserveOrders(batch, metadata=headers),
            risk.pre_trade.ReleaseReservation(release, metadata=headers),
        ):
            failure = await failure_of(call)
            assert failure.reason == "CALLER_NOT_ALLOWED"


async def test_a_service_may_reserve_for_a_user_with_its_actor(risk: RunningRisk) -> None:
    headers = bearer(risk.keys.service_token("execution"), risk.keys.user_token("user-1", scope=SCOPES))
    request = reserve_request(await risk.fund(), limit())
    assert (await risk.pre_trade.ReserveOrder(request, metadata=headers)).reserved


async def test_bad_fields_are_named(risk: RunningRisk) -> None:
    failure = await failure_of(risk.reserve("x", limit(quantity="-1"), terms_version=0))
    assert failure.reason == "FIELD_INVALID"
    assert {field for field, _ in failure.violations} == {"account_id", "terms.quantity", "terms_version"}


@pytest.mark.parametrize(
    ("terms", "worst", "cash", "quantity"),
    [
        (limit("101.5"), "101.5", "1015.1", "0"),
        (market(), "110", "1100.1", "0"),
        (
            OrderTerms(
                side="SIDE_BUY",
                type="ORDER_TYPE_STOP",
                time_in_force="TIME_IN_FORCE_GTC",
                quantity="10",
                stop_price="102.03",
            ),
            "112.23",
            "1122.4",
            "0",
        ),
        (limit("99", "4", "SIDE_SELL"), "99", "0", "4"),
        (market("4", "SIDE_SELL"), "90", "0", "4"),
    ],
)
async def test_reserve_order_holds_at_the_worst_price(
    risk: RunningRisk, terms: OrderTerms, worst: str, cash: str, quantity: str
) -> None:
    account_id = await risk.fund("5000")
    await risk.settle(fill_event(account_id, "o", "4", "100", execution_id=str(uuid.uuid4())))
    answer = await risk.reserve(account_id, terms)
    assert answer.reserved, answer
    assert (answer.worst_price, answer.reserved_cash, answer.reserved_quantity) == (worst, cash, quantity)
    power = await risk.buying_power(account_id)
    assert (power.cash, power.reserved) == ("4600", cash)


async def test_a_refusal_holds_nothing_and_is_no_error(risk: RunningRisk) -> None:
    account_id = await risk.fund("1000.09")
    answer = await risk.reserve(account_id, limit())
    assert not answer.reserved
    assert failed(answer.result) == {"BUYING_POWER"}
    assert rule_of(answer.result, "BUYING_POWER").headroom == "-0.01"
    assert (await risk.buying_power(account_id)).reserved == "0"
    unknown = await risk.reserve(account_id, limit(), instrument_id=NOBODY)
    assert "INSTRUMENT_TRADABLE" in failed(unknown.result)


async def test_the_same_again_returns_the_same_answer_and_holds_once(risk: RunningRisk) -> None:
    account_id = await risk.fund("1500")
    request = reserve_request(account_id, limit())
    first = await risk.pre_trade.ReserveOrder(request, metadata=risk.as_execution)
    again = await risk.pre_trade.ReserveOrder(request, metadata=risk.as_execution)
    assert first == again
    assert (await risk.buying_power(account_id)).reserved == "1000.1"
    refused_request = reserve_request(account_id, limit(price="101"))
    refused = await risk.pre_trade.ReserveOrder(refused_request, metadata=risk.as_execution)
    assert not refused.reserved
    risk.portfolio.deposit(account_id, "5000")
    await risk.until_cash(account_id, "6500")
    assert refused == await risk.pre_trade.ReserveOrder(refused_request, metadata=risk.as_execution)


async def test_an_order_id_with_other_terms_is_refused(risk: RunningRisk) -> None:
    account_id = await risk.fund()
    request = reserve_request(account_id, limit())
    await risk.pre_trade.ReserveOrder(request, metadata=risk.as_execution)
    request.terms.quantity = "11"
    failure = await failure_of(risk.pre_trade.ReserveOrder(request, metadata=risk.as_execution))
    assert (failure.code, failure.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert (await risk.buying_power(account_id)).reserved == "1000.1"


async def test_two_at_once_cannot_pass_together_what_one_alone_may_not(risk: RunningRisk) -> None:
    account_id = await risk.fund("1500")
    answers = await asyncio.gather(*(risk.reserve(account_id, limit(f"{100 + n}")) for n in range(5)))
    assert sum(answer.reserved for answer in answers) == 1
    await risk.settle(fill_event(account_id, "o", "5", "1"))
    sells = await asyncio.gather(
        *(risk.reserve(account_id, limit(f"{100 + n}", "3", "SIDE_SELL")) for n in range(5))
    )
    assert sum(answer.reserved for answer in sells) == 1


async def test_many_at_once_over_many_accounts_each_stay_inside_their_cash(risk: RunningRisk) -> None:
    accounts = [await risk.fund("2500") for _ in range(4)]
    requests = [(account_id, limit(f"{95 + n}", "10")) for n in range(8) for account_id in accounts]
    answers = await asyncio.gather(*(risk.reserve(*request) for request in requests))
    for account_id in accounts:
        power = await risk.buying_power(account_id)
        held = [
            a for a, (owner, _) in zip(answers, requests, strict=True) if owner == account_id and a.reserved
        ]
        assert len(held) == 2
        assert float(power.available) >= 0


async def test_reserve_orders_judges_one_after_the_other(risk: RunningRisk) -> None:
    account_id = await risk.fund("2500")
    requests = [reserve_request(account_id, limit(f"{100 + n}")) for n in range(4)]
    batch = pb.ReserveOrdersRequest(account_id=account_id, reservations=requests)
    answer = await risk.pre_trade.ReserveOrders(batch, metadata=risk.as_execution)
    assert [result.reserved for result in answer.results] == [True, True, False, False]
    again = await risk.pre_trade.ReserveOrders(batch, metadata=risk.as_execution)
    assert again == answer
    requests[2].account_id = NOBODY
    wrong = pb.ReserveOrdersRequest(account_id=account_id, reservations=requests)
    failure = await failure_of(risk.pre_trade.ReserveOrders(wrong, metadata=risk.as_execution))
    assert failure.violations[0][0] == "reservations[2].account_id"


async def test_a_batch_with_a_reused_order_id_holds_nothing(risk: RunningRisk) -> None:
    account_id = await risk.fund()
    first, second = reserve_request(account_id, limit("100")), reserve_request(account_id, limit("101"))
    second.order_id = first.order_id
    batch = pb.ReserveOrdersRequest(account_id=account_id, reservations=[first, second])
    failure = await failure_of(risk.pre_trade.ReserveOrders(batch, metadata=risk.as_execution))
    assert failure.reason == "REQUEST_ID_REUSED"
    assert (await risk.buying_power(account_id)).reserved == "0"


async def test_a_stale_or_missing_price_refuses(risk: RunningRisk) -> None:
    account_id = await risk.fund()
    try:
        risk.data.quote(IBM, 0, 0, last=0)
        await risk.until_quoted(IBM, "")
        refused = await risk.reserve(account_id, market(), instrument_id=IBM)
        assert failed(refused.result) == {"PRICE_COLLAR", "ORDER_NOTIONAL", "BUYING_POWER"}
        assert refused.worst_price == ""
        risk.data.quote(IBM, 49, 51, stale=True)
        await risk.until_quoted(IBM, "50")
        stale = await risk.reserve(account_id, limit("50"), instrument_id=IBM)
        assert rule_of(stale.result, "PRICE_COLLAR").verdict == check_pb2.VERDICT_UNDECIDED
        risk.data.quote(IBM, float("nan"), 51)
        await risk.until_quoted(IBM, "")
        risk.data.quote(IBM, 48, 50, age_ms=10_001)
        await risk.until_quoted(IBM, "49")
        old = await risk.reserve(account_id, limit("50"), instrument_id=IBM)
        assert "price is stale" in rule_of(old.result, "PRICE_COLLAR").message
    finally:
        risk.data.quote(IBM, 49.99, 50.01)
        await risk.until_quoted(IBM, "50")
