"""LimitService: every RPC and every documented error."""

import uuid
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from bifrost.risk.v1 import limit_service_pb2 as pb
from bifrost.risk.v1.limits_pb2 import Limits
from services.runtime.testing_keys import bearer
from tests.contract.risk.risk_harness import RunningRisk, failure_of
from tests.contract.risk.risk_messages import limit

NOBODY = str(uuid.UUID(int=7))
ENGAGE, RELEASE = pb.KILL_SWITCH_ACTION_ENGAGE, pb.KILL_SWITCH_ACTION_RELEASE


async def get(risk: RunningRisk, account_id: str) -> Limits:
    request = pb.GetLimitsRequest(account_id=account_id)
    return (await risk.limits.GetLimits(request, metadata=risk.as_user)).limits


async def update(risk: RunningRisk, account_id: str, paths: list[str], etag: str, **values: Any) -> Limits:
    request = pb.UpdateLimitsRequest(
        account_id=account_id, limits=Limits(**values), update_mask=FieldMask(paths=paths), etag=etag
    )
    return (await risk.limits.UpdateLimits(request, metadata=risk.as_user)).limits


async def switch(risk: RunningRisk, action: pb.KillSwitchAction, **target: Any) -> pb.SetKillSwitchResponse:
    request = pb.SetKillSwitchRequest(action=action, reason="drill", **target)
    return await risk.limits.SetKillSwitch(request, metadata=risk.as_user)


async def test_defaults_then_a_change_in_force_for_the_next_order(risk: RunningRisk) -> None:
    account_id = await risk.fund()
    before = await get(risk, account_id)
    assert before == Limits(
        account_id=account_id,
        max_order_quantity="10000",
        max_order_notional="1000000",
        price_collar="0.1",
        max_position_quantity="100000",
        max_orders_per_second=200,
        duplicate_window_ms=250,
        max_price_age_ms=10_000,
        etag=before.etag,
    )
    paths = ["max_order_quantity", "duplicate_window_ms"]
    after = await update(
        risk, account_id, paths, before.etag, max_order_quantity="9.5", price_collar="0.4", max_price_age_ms=1
    )
    assert after.max_order_quantity == "9.5"
    assert (after.duplicate_window_ms, after.price_collar, after.max_price_age_ms) == (0, "0.1", 10_000)
    assert after.etag != before.etag
    assert await get(risk, account_id) == after
    assert not (await risk.reserve(account_id, limit(quantity="10"))).reserved
    assert (await risk.reserve(account_id, limit(quantity="9"))).reserved


async def test_the_same_change_again_is_the_same_change(risk: RunningRisk) -> None:
    account_id = await risk.fund()
    etag = (await get(risk, account_id)).etag
    first = await update(risk, account_id, ["max_orders_per_second"], etag, max_orders_per_second=7)
    assert await update(risk, account_id, ["max_orders_per_second"], etag, max_orders_per_second=7) == first
    call = update(risk, account_id, ["max_orders_per_second"], etag, max_orders_per_second=8)
    failure = await failure_of(call)
    assert (failure.code, failure.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert failure.metadata["etag"] == first.etag
    assert await get(risk, account_id) == first


async def test_limits_out_of_range_are_all_named_and_nothing_changes(risk: RunningRisk) -> None:
    account_id = await risk.fund()
    before = await get(risk, account_id)
    paths = ["price_collar", "max_orders_per_second", "max_order_notional"]
    call = update(risk, account_id, paths, before.etag, price_collar="0.6", max_order_notional="5")
    failure = await failure_of(call)
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "LIMIT_INVALID")
    named = {field for field, _ in failure.violations}
    assert named == {"limits.price_collar", "limits.max_orders_per_second"}
    for text in ("NaN", "1e3", "", "-1"):
        failure = await failure_of(
            update(risk, account_id, ["max_order_quantity"], before.etag, max_order_quantity=text)
        )
        assert failure.reason == "LIMIT_INVALID"
        assert failure.violations[0][0] == "limits.max_order_quantity"
    assert await get(risk, account_id) == before


@pytest.mark.parametrize("paths", [["account_id"], ["etag"], ["price"], ["price_collar", "nothing"], []])
async def test_a_mask_that_names_what_cannot_change(risk: RunningRisk, paths: list[str]) -> None:
    account_id = await risk.fund()
    failure = await failure_of(update(risk, account_id, paths, "r0", price_collar="0.2"))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert failure.violations[0][0] == "update_mask"


async def test_unknown_accounts_have_no_limits(risk: RunningRisk) -> None:
    for call in (
        get(risk, NOBODY),
        update(risk, NOBODY, ["price_collar"], "r0", price_collar="0.2"),
        switch(risk, ENGAGE, account_id=NOBODY),
    ):
        failure = await failure_of(call)
        assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND")
    as_service = bearer(risk.keys.service_token("execution"))
    request = pb.GetLimitsRequest(account_id=NOBODY)
    failure = await failure_of(risk.limits.GetLimits(request, metadata=as_service))
    assert failure.reason == "ACCOUNT_NOT_FOUND"


async def test_a_viewer_may_not_change_anything(risk: RunningRisk) -> None:
    account_id = await risk.fund()
    headers = bearer(risk.keys.user_token("user-1", scope="risk:read"))
    request = pb.SetKillSwitchRequest(account_id=account_id, action=ENGAGE, reason="x")
    failure = await failure_of(risk.limits.SetKillSwitch(request, metadata=headers))
    assert (failure.reason, failure.metadata["scope"]) == ("SCOPE_MISSING", "risk:write")


async def test_the_switch_of_an_account_halts_it_alone(risk: RunningRisk) -> None:
    halted, other = await risk.fund(), await risk.fund()
    answer = (await switch(risk, ENGAGE, account_id=halted)).kill_switch
    assert (answer.account_id, answer.engaged, answer.reason, answer.user_id) == (
        halted,
        True,
        "drill",
        "user-1",
    )
    assert answer.update_time.seconds > 0
    assert not (await risk.reserve(halted, limit())).reserved
    assert (await risk.reserve(other, limit())).reserved
    await switch(risk, RELEASE, account_id=halted)
    assert (await risk.reserve(halted, limit())).reserved


async def test_the_switch_of_all_halts_all_and_engaged_ones_are_listed_first(risk: RunningRisk) -> None:
    account_id, other = await risk.fund(), await risk.fund()
    await switch(risk, ENGAGE, account_id=other)
    await switch(risk, RELEASE, account_id=other)
    await switch(risk, ENGAGE, all_accounts=True)
    try:
        refused = await risk.reserve(account_id, limit())
        assert "all accounts is halted: drill" in refused.result.rules[-1].message
        listed = (
            await risk.limits.ListKillSwitches(pb.ListKillSwitchesRequest(), metadata=risk.as_user)
        ).kill_switches
        assert (listed[0].account_id, listed[0].engaged) == ("", True)
        assert other in {entry.account_id for entry in listed if not entry.engaged}
        engaged = [entry.engaged for entry in listed]
        assert engaged == sorted(engaged, reverse=True)
    finally:
        await switch(risk, RELEASE, all_accounts=True)
    assert (await risk.reserve(account_id, limit())).reserved


async def test_switches_of_others_are_for_those_who_may_act_for_all(risk: RunningRisk) -> None:
    mine, anothers = await risk.fund(), await risk.fund(owner="user-2")
    await switch(risk, ENGAGE, account_id=mine)
    await switch(risk, ENGAGE, account_id=anothers)

    async def seen_by(headers: list[tuple[str, str]]) -> set[str]:
        answer = await risk.limits.ListKillSwitches(pb.ListKillSwitchesRequest(), metadata=headers)
        return {entry.account_id for entry in answer.kill_switches} & {mine, anothers}

    officer = bearer(risk.keys.user_token("user-3", scope="risk:read accounts:any"))
    for_user = bearer(risk.keys.service_token("portfolio"), risk.keys.user_token("user-2", scope="risk:read"))
    assert await seen_by(risk.as_user) == {mine}
    assert await seen_by(for_user) == {anothers}
    assert await seen_by(officer) == {mine, anothers}
    assert await seen_by(bearer(risk.keys.service_token("portfolio"))) == {mine, anothers}


async def test_halting_all_must_be_said(risk: RunningRisk) -> None:
    account_id = await risk.fund()
    for target in ({}, {"account_id": account_id, "all_accounts": True}):
        failure = await failure_of(switch(risk, ENGAGE, **target))
        assert (failure.reason, failure.violations[0][0]) == ("FIELD_INVALID", "all_accounts")
