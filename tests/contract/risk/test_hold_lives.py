"""What becomes of a hold: released, given up, replaced, filled, ended."""

import uuid

import grpc
import pytest

from bifrost.risk.v1 import pre_trade_service_pb2 as pb
from bifrost.type.v1.order_terms_pb2 import OrderTerms
from tests.contract.risk.risk_harness import RunningRisk, failure_of
from tests.contract.risk.risk_messages import fill_event, limit, order_event, reserve_request
from tests.contract.risk.risk_results import failed

NOBODY = str(uuid.UUID(int=7))


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


async def test_nothing_is_held_for_new_terms_of_an_order_that_has_ended(risk: RunningRisk) -> None:
    account_id = await risk.fund("3000")
    request = reserve_request(account_id, limit())
    order_id = request.order_id
    await risk.pre_trade.ReserveOrder(request, metadata=risk.as_execution)
    ended = order_event("CANCELLED", account_id, order_id, limit(), state="CANCELLED")
    await risk.settle(order_event("ACCEPTED", account_id, order_id, limit()), ended)
    late = reserve_request(
        account_id, limit(quantity="20"), order_id=order_id, request_id=request.request_id, terms_version=2
    )
    for _ in range(2):
        failure = await failure_of(risk.pre_trade.ReserveOrder(late, metadata=risk.as_execution))
        assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "RESERVATION_NOT_FOUND")
        assert (await risk.buying_power(account_id)).reserved == "0"
        await risk.restart()
        await risk.until_open()


async def test_release_of_new_terms_gives_back_only_what_was_never_recorded(risk: RunningRisk) -> None:
    account_id = await risk.fund("5000")
    request = reserve_request(account_id, limit())
    order_id = request.order_id

    async def reserve(quantity: str, version: int) -> None:
        asked = reserve_request(
            account_id,
            limit(quantity=quantity),
            order_id=order_id,
            request_id=request.request_id,
            terms_version=version,
        )
        assert (await risk.pre_trade.ReserveOrder(asked, metadata=risk.as_execution)).reserved

    async def release(version: int) -> tuple[bool, str]:
        """Whether risk kept something, and what is reserved then; it says the same when asked again."""
        asked = pb.ReleaseReservationRequest(account_id=account_id, order_id=order_id, terms_version=version)
        answer = await risk.pre_trade.ReleaseReservation(asked, metadata=risk.as_execution)
        assert await risk.pre_trade.ReleaseReservation(asked, metadata=risk.as_execution) == answer
        return answer.kept, (await risk.buying_power(account_id)).reserved

    await reserve("10", 1)
    await reserve("20", 2)
    assert await release(1) == (True, "2000.2")  # in force, or nobody would ask for new terms
    assert await release(3) == (False, "2000.2")  # never asked for
    assert await release(2) == (False, "1000.1")
    await reserve("30", 2)
    requested = order_event("REPLACE_REQUESTED", account_id, order_id, limit(), state="PENDING_REPLACE")
    await risk.settle(requested)
    assert await release(2) == (True, "3000.3")
    await risk.settle(order_event("REPLACED", account_id, order_id, limit(quantity="30"), version=2))
    await reserve("40", 3)
    assert await release(2) == (True, "4000.4")
    assert await release(3) == (False, "3000.3")
    assert await release(0) == (True, "3000.3")
    failure = await failure_of(release(-1))
    assert failure.reason == "FIELD_INVALID"


@pytest.mark.parametrize("at_once", [True, False])
async def test_terms_that_a_venue_puts_in_force_after_refusing_them_are_held_for_again(
    risk: RunningRisk, at_once: bool
) -> None:
    """A contradiction, which execution records with an alarm; the order lives on the larger terms."""
    account_id = await risk.fund("3000")
    request = reserve_request(account_id, limit())
    order_id, larger = request.order_id, limit(quantity="20")
    await risk.pre_trade.ReserveOrder(request, metadata=risk.as_execution)
    await risk.settle(order_event("ACCEPTED", account_id, order_id, limit()))
    changed = reserve_request(
        account_id, larger, order_id=order_id, request_id=request.request_id, terms_version=2
    )
    await risk.pre_trade.ReserveOrder(changed, metadata=risk.as_execution)
    events = [
        order_event("REPLACE_REQUESTED", account_id, order_id, limit(), state="PENDING_REPLACE"),
        order_event("REPLACE_REJECTED", account_id, order_id, limit()),
        order_event("REPLACED", account_id, order_id, larger, version=2),
    ]
    for batch in [events] if at_once else [[event] for event in events]:
        await risk.settle(*batch)
    assert (await risk.buying_power(account_id)).reserved == "2000.2"
    await risk.restart()
    await risk.until_open()
    assert (await risk.buying_power(account_id)).reserved == "2000.2"
    await risk.settle(order_event("CANCELLED", account_id, order_id, larger, state="CANCELLED"))
    assert (await risk.buying_power(account_id)).reserved == "0"


@pytest.mark.parametrize("end", ["CANCELLED", "REJECTED", "EXPIRED"])
async def test_the_end_of_an_order_releases_the_rest_and_late_fills_count(
    risk: RunningRisk, end: str
) -> None:
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
