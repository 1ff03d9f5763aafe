"""CheckOrder and what it has in common with the rest of PreTradeService."""

import uuid
from typing import Any

import grpc
import pytest

from bifrost.data.v1.instrument_pb2 import TickBand
from bifrost.risk.v1 import check_pb2, error_reason_pb2
from bifrost.risk.v1 import pre_trade_service_pb2 as pb
from bifrost.type.v1.order_terms_pb2 import OrderTerms, OrderType, Side
from bifrost.type.v1.value_pb2 import InstrumentRef, ListedSymbol
from services.risk.domain import terms as domain_terms
from services.risk.domain import verdict
from services.runtime.waiting import until
from tests.contract.risk.risk_harness import RunningRisk, failure_of
from tests.contract.risk.risk_messages import limit, market
from tests.contract.risk.risk_peers import AAPL, HALTED, INDEX
from tests.contract.risk.risk_results import failed, rule_of

NOBODY = str(uuid.UUID(int=7))


async def check(risk: RunningRisk, account_id: str, terms: OrderTerms, **named: Any) -> check_pb2.CheckResult:
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
def test_the_domains_numbers_are_the_contracts(ours: Any, theirs: Any, prefix: str) -> None:
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
async def test_what_is_halted_or_an_index_is_not_tradable(risk: RunningRisk, instrument_id: str) -> None:
    result = await check(risk, await risk.fund(), limit(), instrument_id=instrument_id)
    assert "INSTRUMENT_TRADABLE" in failed(result)


async def test_changes_of_an_instrument_are_seen(risk: RunningRisk) -> None:
    account_id = await risk.fund()
    before = risk.data.instruments[AAPL]

    async def become(**changes: Any) -> None:
        changed = type(before)()
        changed.CopyFrom(before)
        changed.MergeFrom(type(before)(**changes))
        risk.data.instruments[AAPL] = changed
        lists = risk.data.lists
        await until(lambda: risk.data.lists >= lists + 6, timeout_s=60)

    try:
        for status in ("INSTRUMENT_STATUS_HALTED", "INSTRUMENT_STATUS_DELISTED"):
            await become(status=status)
            assert "INSTRUMENT_TRADABLE" in failed(await check(risk, account_id, limit()))
        await become(
            tick_bands=[TickBand(from_price="0", tick_size="0.01"), TickBand(from_price="70", tick_size="35")]
        )
        assert (await check(risk, account_id, limit())).passed
        answer = await risk.reserve(account_id, market())
        assert answer.worst_price == "105"  # the collar's edge is 110, its tick 35
    finally:
        await become()


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
async def test_check_order_of_an_unknown_instrument(risk: RunningRisk, named: Any) -> None:
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
        await until(lambda: risk.data.lists >= lists + 6, timeout_s=60)
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
