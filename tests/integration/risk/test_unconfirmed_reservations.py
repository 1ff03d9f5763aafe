"""What execution never recorded is given back, once execution has said so."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest

from bifrost.execution.v1 import order_pb2
from bifrost.risk.v1 import pre_trade_service_pb2 as pb
from bifrost.type.v1.order_terms_pb2 import OrderTerms
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.waiting import until
from tests.contract.risk.risk_harness import ShiftedClock, running_risk
from tests.contract.risk.risk_messages import limit, order_event, reserve_request
from tests.contract.risk.risk_peers import AAPL


async def test_an_unconfirmed_reservation_goes_only_after_execution_says_so(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    async with running_risk(postgres_server, tmp_path, unconfirmed_check_s=0.02) as risk:
        account_id = await risk.fund()
        lost, recorded = reserve_request(account_id, limit("100")), reserve_request(account_id, limit("99"))
        for request in (lost, recorded):
            await risk.pre_trade.ReserveOrder(request, metadata=risk.as_execution)
        risk.execution.orders[recorded.order_id] = order_pb2.Order(
            order_id=recorded.order_id, terms=limit("99")
        )
        risk.execution.fails_with = grpc.StatusCode.NOT_FOUND  # by a proxy: no word of the order
        ShiftedClock.advance_s(59)
        risk.data.quote(AAPL, 99.99, 100.01)
        await risk.pre_trade.ReserveOrder(recorded, metadata=risk.as_execution)
        assert risk.execution.asked == []
        ShiftedClock.advance_s(2)
        await until(lambda: lost.order_id in risk.execution.asked, timeout_s=60)
        assert recorded.order_id not in risk.execution.asked  # it was asked for two seconds ago
        assert (await risk.buying_power(account_id)).reserved == "1990.2"
        risk.execution.fails_with = None
        await risk.until_reserved(account_id, "990.1")
        ShiftedClock.advance_s(60)
        await until(lambda: recorded.order_id in risk.execution.asked, timeout_s=60)
        assert (await risk.buying_power(account_id)).reserved == "990.1"
        # it was wrong after all: what lives is held for again
        await risk.settle(order_event("SUBMITTED", account_id, lost.order_id, limit(), state="PENDING_NEW"))
        assert (await risk.buying_power(account_id)).reserved == "1990.2"


@pytest.mark.parametrize(
    ("state", "terms", "goes"),
    [
        ("ACCEPTED", limit(), True),
        ("CANCELLED", limit(), True),
        ("PENDING_REPLACE", limit(), False),
        ("ACCEPTED", limit(quantity="20"), False),
    ],
)
async def test_an_unconfirmed_replace_goes_when_it_came_to_nothing(
    postgres_server: EmbeddedPostgres, tmp_path: Path, state: str, terms: OrderTerms, goes: bool
) -> None:
    async with running_risk(postgres_server, tmp_path, unconfirmed_check_s=0.02) as risk:
        account_id = await risk.fund()
        request = reserve_request(account_id, limit())
        await risk.pre_trade.ReserveOrder(request, metadata=risk.as_execution)
        await risk.settle(order_event("ACCEPTED", account_id, request.order_id, limit()))
        larger = reserve_request(account_id, limit(quantity="20"), order_id=request.order_id, terms_version=2)
        await risk.pre_trade.ReserveOrder(larger, metadata=risk.as_execution)
        risk.execution.orders[request.order_id] = order_pb2.Order(
            order_id=request.order_id, terms=terms, state=f"ORDER_STATE_{state}"
        )
        ShiftedClock.advance_s(61)
        if goes:
            await risk.until_reserved(account_id, "1000.1")
        else:
            await until(lambda: len(risk.execution.asked) > 3, timeout_s=60)
            assert (await risk.buying_power(account_id)).reserved == "2000.2"


async def test_releasing_a_replace_leaves_the_order_itself_though_the_log_is_late(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    async with running_risk(postgres_server, tmp_path) as risk:
        account_id = await risk.fund()
        request = reserve_request(account_id, limit())
        await risk.pre_trade.ReserveOrder(request, metadata=risk.as_execution)
        larger = reserve_request(account_id, limit(quantity="20"), order_id=request.order_id, terms_version=2)
        await risk.pre_trade.ReserveOrder(larger, metadata=risk.as_execution)
        release = pb.ReleaseReservationRequest(account_id=account_id, order_id=request.order_id)
        await risk.pre_trade.ReleaseReservation(release, metadata=risk.as_execution)
        assert (await risk.buying_power(account_id)).reserved == "1000.1"
