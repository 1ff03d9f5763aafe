"""PreTradeService: every RPC and every documented error."""

import asyncio
import uuid

import grpc
import pytest

from bifrost.risk.v1 import check_pb2, error_reason_pb2
from bifrost.risk.v1 import pre_trade_service_pb2 as pb
from bifrost.type.v1.order_terms_pb2 import OrderTerms, OrderType, Side
from bifrost.type.v1.value_pb2 import InstrumentRef, ListedSymbol
from services.risk.domain import terms as domain_terms
from services.risk.domain import verdict
from services.runtime.testing import eventually
from services.runtime.testing_keys import bearer
from tests.contract.risk.risk_harness import (
    AAPL,
    HALTED,
    IBM,
    INDEX,
    SCOPES,
    RunningRisk,
    failure_of,
    fill_event,
    limit,
    market,
    order_event,
    reserve_request,
)

NOBODY = str(uuid.UUID(int=7))


def rule_of(result: check_pb2.CheckResult, name: str) -> check_pb2.RuleResult:
    return next(rule for rule in result.rules if error_reason_pb2.Rule.Name(rule.rule) == f"RULE_{name}")


def failed(result: check_pb2.CheckResult) -> set[str]:
    return {
        error_reason_pb2.Rule.Name(rule.rule).removeprefix("RULE_")
        for rule in result.rules
        if rule.verdict != check_pb2.VERDICT_PASS
    }


async def check(
    risk: RunningRisk, account_id: str, terms: OrderTerms, **named: object
) -> check_pb2.CheckResult:
    instrument = InstrumentRef(**(named or {"instrument_id": AAPL}))
    request = pb.CheckOrderRequest(account_id=account_id, instrument=instrument, terms=terms)
    return (await risk.pre_trade.CheckOrder(request, metadata=risk.as_user)).result


@pytest.mark.parametrize(
    ("ours", "theirs", "prefix"),
    [
        (verdict.Rule, error_reason_pb2.Rule, "RULE_"),
        (verdict.Verdict, check_pb2.Verdict, "VERDICT_"),
        (domain_terms.Side, Side, "SIDE_"),
        (domain_terms.OrderType, OrderType, "ORDER_TYPE_"),
    ],
)
def test_the_domains_numbers_are_the_contracts(ours, theirs, prefix) -> None:
    assert {f"{prefix}{value.name}": value.value for value in ours} | {f"{prefix}UNSPECIFIED": 0} == dict(
        theirs.items()
    )


async def test_check_order_explains_every_rule_and_holds_nothing(risk: RunningRisk) -> None:
    account_id = await risk.fund("5000")
    result = await check(risk, account_id, limit("101", "10"))
    assert result.passed
    assert [rule.rule for rule in result.rules] == list(range(1, 10))
    assert (result.reference_price, result.reference_price_age_ms >= 0) == ("100", True)
    power = rule_of(result, "BUYING_POWER")
    assert (power.value, power.limit, power.headroom, power.unit) == ("1010.1", "5000", "3989.9", "USD")
    collar = rule_of(result, "PRICE_COLLAR")
    assert (collar.value, collar.limit, collar.headroom) == ("0.01", "0.1", "0.09")
    assert all(rule.message for rule in result.rules)
    answer = await risk.buying_power(account_id)
    assert (answer.currency, answer.cash, answer.reserved, answer.available) == ("USD", "5000", "0", "5000")


async def test_check_order_says_which_rules_refuse(risk: RunningRisk) -> None:
    account_id = await risk.fund("100")
    result = await check(risk, account_id, limit("120", "20000"))
    assert not result.passed
    assert failed(result) == {"ORDER_QUANTITY", "ORDER_NOTIONAL", "PRICE_COLLAR", "BUYING_POWER"}
    short = await check(risk, account_id, limit("100", "1", "SIDE_SELL"))
    assert failed(short) == {"POSITION"}


@pytest.mark.parametrize("instrument_id", [HALTED, INDEX])
async def test_what_is_halted_or_an_index_is_not_tradable(risk: RunningRisk, instrument_id) -> None:
    result = await check(risk, await risk.fund(), limit(), instrument_id=instrument_id)
    assert "INSTRUMENT_TRADABLE" in failed(result)


async def test_instruments_are_found_by_symbol(risk: RunningRisk) -> None:
    account_id = await risk.fund()
    for listed in (ListedSymbol(symbol="IBM"), ListedSymbol(symbol="IBM", mic="XNYS")):
        assert (await check(risk, account_id, market(), listed=listed)).reference_price == "50"


@pytest.mark.parametrize(
    "named",
    [
        {"instrument_id": NOBODY},
        {"listed": ListedSymbol(symbol="APPL")},
        {"listed": ListedSymbol(symbol="AAPL", mic="XNYS")},
    ],
)
async def test_check_order_of_an_unknown_instrument(risk: RunningRisk, named) -> None:
    failure = await failure_of(check(risk, await risk.fund(), limit(), **named))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "INSTRUMENT_NOT_FOUND")
    assert failure.metadata


async def test_a_symbol_with_several_listings_needs_its_mic(risk: RunningRisk) -> None:
    twin = risk.data.instruments[AAPL].__class__()
    twin.CopyFrom(risk.data.instruments[AAPL])
    twin.instrument_id, twin.mic = str(uuid.uuid4()), "XLON"
    risk.data.instruments["twin"] = twin
    try:
        lists = risk.data.lists
        await eventually(lambda: risk.data.lists >= lists + 6)
        call = check(risk, await risk.fund(), limit(), listed=ListedSymbol(symbol="AAPL"))
        failure = await failure_of(call)
        assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
        assert failure.violations[0][0] == "instrument.listed.mic"
    finally:
        del risk.data.instruments["twin"]


async def test_accounts_that_are_not_there_or_anothers(risk: RunningRisk) -> None:
    other = await risk.fund(owner="somebody else")
    for account_id in (NOBODY, other):
        failure = await failure_of(check(risk, account_id, limit()))
        assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND")
        request = pb.GetBuyingPowerRequest(account_id=account_id)
        failure = await failure_of(risk.pre_trade.GetBuyingPower(request, metadata=risk.as_user))
        assert failure.reason == "ACCOUNT_NOT_FOUND"
    failure = await failure_of(risk.reserve(NOBODY, limit()))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND")
    failure = await failure_of(risk.buying_power(NOBODY))
    assert failure.reason == "ACCOUNT_NOT_FOUND"


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
    risk: RunningRisk, terms, worst, cash, quantity
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


async def test_release_gives_back_what_was_never_recorded(risk: RunningRisk) -> None:
    account_id = await risk.fund()
    request = reserve_request(account_id, limit())
    release = pb.ReleaseReservationRequest(account_id=account_id, order_id=request.order_id)
    await risk.pre_trade.ReleaseReservation(release, metadata=risk.as_execution)
    await risk.pre_trade.ReserveOrder(request, metadata=risk.as_execution)
    for _ in range(2):
        await risk.pre_trade.ReleaseReservation(release, metadata=risk.as_execution)
        assert (await risk.buying_power(account_id)).reserved == "0"
    anew = await risk.pre_trade.ReserveOrder(request, metadata=risk.as_execution)
    assert anew.reserved
    assert (await risk.buying_power(account_id)).reserved == "1000.1"
    nobody = pb.ReleaseReservationRequest(account_id=NOBODY, order_id=NOBODY)
    await risk.pre_trade.ReleaseReservation(nobody, metadata=risk.as_execution)


async def test_release_leaves_what_was_recorded(risk: RunningRisk) -> None:
    account_id = await risk.fund()
    request = reserve_request(account_id, limit())
    await risk.pre_trade.ReserveOrder(request, metadata=risk.as_execution)
    await risk.settle(order_event("SUBMITTED", account_id, request.order_id, limit(), state="PENDING_NEW"))
    release = pb.ReleaseReservationRequest(account_id=account_id, order_id=request.order_id)
    await risk.pre_trade.ReleaseReservation(release, metadata=risk.as_execution)
    assert (await risk.buying_power(account_id)).reserved == "1000.1"


async def test_a_submission_begun_again_gives_up_the_first_attempt(risk: RunningRisk) -> None:
    account_id = await risk.fund("1500")
    first = reserve_request(account_id, limit(), request_id="same")
    await risk.pre_trade.ReserveOrder(first, metadata=risk.as_execution)
    second = reserve_request(account_id, limit(), request_id="same")
    answer = await risk.pre_trade.ReserveOrder(second, metadata=risk.as_execution)
    assert answer.reserved
    assert (await risk.buying_power(account_id)).reserved == "1000.1"
    batch = [reserve_request(account_id, limit(), request_id="same") for _ in range(2)]
    batch_request = pb.ReserveOrdersRequest(account_id=account_id, reservations=batch)
    answers = await risk.pre_trade.ReserveOrders(batch_request, metadata=risk.as_execution)
    assert [result.reserved for result in answers.results] == [True, True]
    assert (await risk.buying_power(account_id)).reserved == "1000.1"


async def test_the_same_terms_at_once_under_other_request_ids_are_a_duplicate(risk: RunningRisk) -> None:
    account_id = await risk.fund()
    batch = [reserve_request(account_id, limit()) for _ in range(2)]
    request = pb.ReserveOrdersRequest(account_id=account_id, reservations=batch)
    answer = await risk.pre_trade.ReserveOrders(request, metadata=risk.as_execution)
    assert [result.reserved for result in answer.results] == [True, False]
    assert failed(answer.results[1].result) == {"DUPLICATE_ORDER"}


async def test_a_replace_holds_the_larger_until_the_log_settles_it(risk: RunningRisk) -> None:
    account_id = await risk.fund("3000")
    request = reserve_request(account_id, limit())
    order_id = request.order_id
    await risk.pre_trade.ReserveOrder(request, metadata=risk.as_execution)
    await risk.settle(order_event("ACCEPTED", account_id, order_id, limit()))

    async def replace(terms: OrderTerms) -> pb.ReserveOrderResponse:
        changed = reserve_request(
            account_id, terms, order_id=order_id, request_id=request.request_id, terms_version=2
        )
        return await risk.pre_trade.ReserveOrder(changed, metadata=risk.as_execution)

    assert not (await replace(limit(quantity="30"))).reserved
    larger = limit(quantity="20")
    assert (await replace(larger)).reserved
    assert (await risk.buying_power(account_id)).reserved == "2000.2"
    requested = order_event("REPLACE_REQUESTED", account_id, order_id, limit(), state="PENDING_REPLACE")
    rejected = order_event("REPLACE_REJECTED", account_id, order_id, limit())
    await risk.settle(requested, rejected)
    assert (await risk.buying_power(account_id)).reserved == "1000.1"
    assert (await replace(larger)).reserved
    done = order_event("REPLACED", account_id, order_id, larger, version=2)
    await risk.settle(requested, done)
    assert (await risk.buying_power(account_id)).reserved == "2000.2"
    await risk.settle(fill_event(account_id, order_id, "20", "100", terms=larger, fee="0.1", state="FILLED"))
    power = await risk.buying_power(account_id)
    assert (power.cash, power.reserved) == ("999.9", "0")


@pytest.mark.parametrize("end", ["CANCELLED", "REJECTED", "EXPIRED"])
async def test_the_end_of_an_order_releases_the_rest_and_late_fills_count(risk: RunningRisk, end) -> None:
    account_id = await risk.fund("2000")
    request = reserve_request(account_id, limit())
    order_id = request.order_id
    await risk.pre_trade.ReserveOrder(request, metadata=risk.as_execution)
    twice = fill_event(account_id, order_id, "3", "99.99", fee="0.015")
    await risk.settle(twice, twice, order_event(end, account_id, order_id, limit(), state=end), twice)
    power = await risk.buying_power(account_id)
    assert (power.cash, power.reserved) == ("1700.02", "0")  # 299.985 is rounded half-even
    await risk.settle(fill_event(account_id, order_id, "1", "100", state=end))
    power = await risk.buying_power(account_id)
    assert (power.cash, power.reserved) == ("1600.02", "0")


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
