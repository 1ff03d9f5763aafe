"""A wall clock that is set back or forward neither shuts the rules that look at the time nor opens them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bifrost.risk.v1 import limit_service_pb2 as limits_pb
from bifrost.risk.v1 import limits_pb2
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.waiting import until
from tests.contract.risk.risk_harness import RunningRisk, ShiftedClock, running_risk
from tests.contract.risk.risk_messages import limit, reserve_request
from tests.contract.risk.risk_peers import AAPL
from tests.contract.risk.risk_results import failed

HOUR_S = 3600


async def new_account(risk: RunningRisk) -> str:
    """One order a second, the same terms once a minute, and prices that do not grow old meanwhile."""
    account_id = await risk.fund()
    present = await risk.limits.GetLimits(
        limits_pb.GetLimitsRequest(account_id=account_id), metadata=risk.as_user
    )
    limits = limits_pb2.Limits(max_orders_per_second=1, duplicate_window_ms=60_000, max_price_age_ms=600_000)
    request = limits_pb.UpdateLimitsRequest(account_id=account_id, limits=limits, etag=present.limits.etag)
    request.update_mask.FromJsonString("maxOrdersPerSecond,duplicateWindowMs,maxPriceAgeMs")
    await risk.limits.UpdateLimits(request, metadata=risk.as_user)
    return account_id


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("step_s", [-HOUR_S, HOUR_S])
async def test_orders_are_counted_over_the_time_that_has_passed(
    postgres_server: EmbeddedPostgres, tmp_path: Path, step_s: int, restarts: bool
) -> None:
    async with running_risk(postgres_server, tmp_path) as risk:
        account_id = await new_account(risk)
        assert (await risk.reserve(account_id, limit("98"))).reserved
        ShiftedClock.step_wall_s(step_s)
        if restarts:
            await risk.restart()
            await risk.until_open()
            await risk.until_quoted(AAPL, "100")
        ShiftedClock.advance_s(1.001)
        again = await risk.reserve(account_id, limit("98"))
        known = {"DUPLICATE_ORDER"} if step_s < 0 or not restarts else set()
        assert failed(again.result) == known  # of the future, or of a minute ago: never forgotten too early
        ShiftedClock.advance_s(60.001)
        assert (await risk.reserve(account_id, limit("98"))).reserved


async def test_a_reservation_is_overdue_by_the_time_that_has_passed(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    """Execution may still commit what it reserved a moment ago, whatever the wall clock says."""
    async with running_risk(postgres_server, tmp_path, unconfirmed_check_s=0.02) as risk:
        account_id = await risk.fund()
        overdue, fresh = (reserve_request(account_id, limit(price)) for price in ("98", "99"))
        await risk.pre_trade.ReserveOrder(overdue, metadata=risk.as_execution)
        ShiftedClock.advance_s(58)
        risk.data.quote(AAPL, 99.98, 100.02)
        await risk.until_quoted(AAPL, "100")
        assert (await risk.pre_trade.ReserveOrder(fresh, metadata=risk.as_execution)).reserved
        ShiftedClock.step_wall_s(HOUR_S)
        ShiftedClock.advance_s(3)
        await until(lambda: overdue.order_id in risk.execution.asked, timeout_s=60)
        await risk.until_reserved(account_id, "990.1")
        assert fresh.order_id not in risk.execution.asked
