"""VenueService over a socket and a real database: every outcome and every documented error."""

from __future__ import annotations

import asyncio
import uuid

import grpc
import pytest

from bifrost.type.v1 import order_terms_pb2 as terms_pb
from bifrost.type.v1.stream_pb2 import StreamPosition
from bifrost.venue.v1 import error_reason_pb2 as reasons
from bifrost.venue.v1 import venue_order_pb2 as orders_pb
from bifrost.venue.v1 import venue_service_pb2 as pb
from services.runtime.pagination import encode_page_token
from services.runtime.testing_keys import bearer
from tests.contract.venue.venue_harness import (
    ALICE,
    BOB,
    BUY,
    FB,
    GTC,
    IDS,
    SELL,
    RunningVenue,
    failure_of,
    order_terms,
)

FOK, IOC = terms_pb.TIME_IN_FORCE_FOK, terms_pb.TIME_IN_FORCE_IOC


async def test_market_order_is_filled_and_recorded(venue: RunningVenue) -> None:
    before = len(await venue.reports())
    reply = await venue.submit(order_terms(BUY, 10), client_order_id="m1")
    assert not reply.duplicate
    assert reply.order.state == orders_pb.VENUE_ORDER_STATE_FILLED
    assert reply.order.filled_quantity == "10"
    (execution,) = [e for e in await venue.list_executions() if e.client_order_id == "m1"]
    ask = (await venue.book()).asks[0].price
    assert float(execution.price) == pytest.approx(ask, abs=0.02)
    assert (execution.quantity, execution.fee, execution.currency) == ("10", "0.05", "USD")
    assert execution.synthetic_counterparty
    assert execution.liquidity == orders_pb.LIQUIDITY_FLAG_TAKER
    kinds = [(s, r.type) for s, r in await venue.reports() if s > before]
    assert kinds == [
        (before + 1, orders_pb.EXECUTION_REPORT_TYPE_ACCEPTED),
        (before + 2, orders_pb.EXECUTION_REPORT_TYPE_FILL),
    ]
    reported = [r.execution for s, r in await venue.reports() if s == before + 2]
    assert reported == [execution]


async def test_same_id_again_changes_nothing(venue: RunningVenue) -> None:
    name = str(uuid.uuid4())
    first = await venue.submit(order_terms(BUY, 10, "20"), client_order_id=name)
    again = await venue.submit(order_terms(SELL, 99), client_order_id=name)
    assert again.duplicate
    assert again.order == first.order
    assert len([o for o in await venue.list_orders() if o.client_order_id == name]) == 1


async def test_id_is_kept_beyond_its_session(venue: RunningVenue) -> None:
    name = str(uuid.uuid4())
    await venue.submit(order_terms(BUY, 10, "20"), client_order_id=name)
    await venue.new_session()
    again = await venue.submit(order_terms(BUY, 10), client_order_id=name)
    assert again.duplicate
    assert again.order.state == orders_pb.VENUE_ORDER_STATE_EXPIRED
    assert (await venue.resolve(name)).order == again.order
    ended = await failure_of(venue.cancel(name))
    assert (ended.code, ended.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "ORDER_ENDED")
    replaced = await failure_of(venue.replace(name, order_terms(BUY, 9, "20"), 2))
    assert replaced.reason == "ORDER_ENDED"


async def test_many_at_once_are_all_answered_and_logged_once(venue: RunningVenue) -> None:
    names = [str(uuid.uuid4()) for _ in range(60)]
    replies = await asyncio.gather(
        *(venue.submit(order_terms(BUY, 1), client_order_id=name) for name in [*names, *names])
    )
    assert sorted(reply.duplicate for reply in replies) == [False] * 60 + [True] * 60
    fills = [e.client_order_id for e in await venue.list_executions() if e.client_order_id in set(names)]
    assert sorted(fills) == sorted(names)
    log = await venue.reports()
    assert [sequence for sequence, _ in log] == list(range(1, len(log) + 1))


@pytest.mark.parametrize(
    ("terms", "instrument_id", "reason"),
    [
        (order_terms(BUY, 1, "20.005"), FB, reasons.REJECT_REASON_OFF_TICK),
        (order_terms(BUY, "1.5"), FB, reasons.REJECT_REASON_LOT_SIZE),
        (
            order_terms(BUY, 1),
            str(uuid.uuid5(uuid.NAMESPACE_DNS, "nothing is listed here")),
            reasons.REJECT_REASON_UNKNOWN_INSTRUMENT,
        ),
        (order_terms(BUY, 1, "100"), FB, reasons.REJECT_REASON_PRICE_BAND),
        (
            order_terms(BUY, 10**12, "42.1", time_in_force=FOK),
            FB,
            reasons.REJECT_REASON_NO_LIQUIDITY,
        ),
    ],
)
async def test_refused_order_is_recorded_with_its_reason(
    venue: RunningVenue, terms: terms_pb.OrderTerms, instrument_id: str, reason: int
) -> None:
    name = str(uuid.uuid4())
    reply = await venue.submit(terms, client_order_id=name, instrument_id=instrument_id)
    assert reply.order.state == orders_pb.VENUE_ORDER_STATE_REJECTED
    assert reply.order.reject_reason == reason
    assert reply.order.message
    assert reply.order.terms == terms
    assert [o for o in await venue.list_orders() if o.client_order_id == name] == [reply.order]
    assert (await venue.submit(order_terms(BUY, 1), client_order_id=name)).duplicate
    assert (await failure_of(venue.cancel(name))).reason == "ORDER_ENDED"
    _, report = (await venue.reports())[-1]
    assert (report.type, report.order) == (orders_pb.EXECUTION_REPORT_TYPE_REJECTED, reply.order)


@pytest.mark.parametrize(
    ("terms", "protection", "field"),
    [
        (order_terms(BUY, 1), "", "protection_price"),
        (order_terms(BUY, 1, stop="50"), "", "protection_price"),
        (order_terms(BUY, 1, "20"), "19", "terms"),
        (order_terms(SELL, 1, "20"), "21", "terms"),
        (order_terms(BUY, "0"), "50", "terms.quantity"),
        (order_terms(BUY, "1e3"), "50", "terms.quantity"),
        (order_terms(BUY, "1" * 40), "50", "terms.quantity"),
        (order_terms(BUY, 1), "50", "terms.side"),
    ],
)
async def test_what_is_no_order_is_refused_and_leaves_no_trace(
    venue: RunningVenue, terms: terms_pb.OrderTerms, protection: str, field: str
) -> None:
    name = str(uuid.uuid4())
    if field == "terms.side":
        terms = terms_pb.OrderTerms.FromString(b"\x08\x09" + terms.SerializeToString()[2:])
    failure = await failure_of(venue.submit(terms, client_order_id=name, protection=protection))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert [violated for violated, _ in failure.violations] == [field]
    assert (await venue.resolve(name)).not_seen


async def test_protection_price_bounds_every_fill(venue: RunningVenue) -> None:
    ask = (await venue.book()).asks[0]
    reply = await venue.submit(order_terms(BUY, int(ask.size) + 5), protection=str(round(ask.price, 2)))
    assert reply.order.state == orders_pb.VENUE_ORDER_STATE_CANCELLED
    assert reply.order.filled_quantity == str(int(ask.size))
    assert "protection" in reply.order.message


async def test_cancel_and_its_repeat(venue: RunningVenue) -> None:
    name = str(uuid.uuid4())
    await venue.submit(order_terms(BUY, 10, "20"), client_order_id=name)
    cancelled = (await venue.cancel(name)).order
    assert cancelled.state == orders_pb.VENUE_ORDER_STATE_CANCELLED
    assert (await venue.cancel(name)).order == cancelled
    missing = await failure_of(venue.cancel("nobody knows"))
    assert (missing.code, missing.reason) == (grpc.StatusCode.NOT_FOUND, "ORDER_NOT_FOUND")
    filled = str(uuid.uuid4())
    await venue.submit(order_terms(BUY, 1), client_order_id=filled)
    ended = await failure_of(venue.cancel(filled))
    assert (ended.code, ended.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "ORDER_ENDED")


async def test_replace_and_its_repeat(venue: RunningVenue) -> None:
    name = str(uuid.uuid4())
    await venue.submit(order_terms(BUY, 10, "20"), client_order_id=name)
    replaced = (await venue.replace(name, order_terms(BUY, 7, "21.5"), 2)).order
    assert (replaced.terms_version, replaced.terms.quantity, replaced.terms.limit_price) == (2, "7", "21.5")
    assert (await venue.replace(name, order_terms(BUY, 7, "21.5"), 2)).order == replaced
    refused = (await venue.replace(name, order_terms(BUY, 7, "21.555"), 3)).order
    assert (refused.terms_version, refused.terms) == (2, replaced.terms)
    assert "tick" in refused.message
    skipped = (await venue.replace(name, order_terms(BUY, 7, "21.5"), 9)).order
    assert "terms_version" in skipped.message
    other_side = await failure_of(venue.replace(name, order_terms(SELL, 7, "90"), 3))
    assert other_side.code is grpc.StatusCode.INVALID_ARGUMENT
    missing = await failure_of(venue.replace("nobody knows", order_terms(BUY, 7, "21.5"), 2))
    assert missing.reason == "ORDER_NOT_FOUND"
    await venue.cancel(name)
    assert (await failure_of(venue.replace(name, order_terms(BUY, 7, "22"), 3))).reason == "ORDER_ENDED"


async def test_replacement_below_what_is_filled_is_refused(venue: RunningVenue) -> None:
    ask = (await venue.book()).asks[0]
    limit, size = f"{ask.price:.2f}", int(ask.size)
    name = str(uuid.uuid4())
    await venue.submit(order_terms(BUY, size + 50, limit), client_order_id=name)
    failure = await failure_of(venue.replace(name, order_terms(BUY, size, limit), 2))
    assert (failure.code, failure.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "QUANTITY_FILLED")


async def test_resolve_fences_an_id_for_ever(venue: RunningVenue) -> None:
    name = str(uuid.uuid4())
    assert (await venue.resolve(name)).not_seen
    for _ in range(2):
        late = await venue.submit(order_terms(BUY, 1), client_order_id=name)
        assert late.order.reject_reason == reasons.REJECT_REASON_ORDER_ID_FENCED
        assert (await venue.resolve(name)).not_seen
        assert (await failure_of(venue.cancel(name))).reason == "ORDER_NOT_FOUND"
        await venue.new_session()
    assert name not in {order.client_order_id for order in await venue.list_orders()}


async def test_same_id_of_another_account_is_another_order(venue: RunningVenue) -> None:
    name = str(uuid.uuid4())
    await venue.submit(order_terms(BUY, 1, "20"), client_order_id=name)
    reply = await venue.submit(order_terms(BUY, 1, "20"), client_order_id=name, account=BOB)
    assert not reply.duplicate


async def test_lists_are_paged_and_only_for_the_owner(venue: RunningVenue) -> None:
    for _ in range(5):
        await venue.submit(order_terms(BUY, 1), client_order_id=str(uuid.uuid4()))
    everything = await venue.list_orders()
    paged: list[orders_pb.VenueOrder] = []
    token = ""
    while True:
        request = pb.ListVenueOrdersRequest(account_id=ALICE, page_size=2, page_token=token)
        page = await venue.venue.ListVenueOrders(request, metadata=venue.operator)
        paged += page.orders
        if not (token := page.next_page_token):
            break
    assert paged == everything
    executions: list[orders_pb.Execution] = []
    token = ""
    while True:
        wanted = pb.ListExecutionsRequest(account_id=ALICE, page_size=2, page_token=token)
        answer = await venue.venue.ListExecutions(wanted, metadata=venue.operator)
        executions += answer.executions
        if not (token := answer.next_page_token):
            break
    assert executions == await venue.list_executions()
    stranger = bearer(venue.keys.user_token("user-2", scope="orders:read"))
    for call in (
        venue.venue.ListVenueOrders(pb.ListVenueOrdersRequest(account_id=ALICE), metadata=stranger),
        venue.venue.ListExecutions(pb.ListExecutionsRequest(account_id=ALICE), metadata=stranger),
    ):
        assert (await failure_of(call)).reason == "ACCOUNT_NOT_FOUND"
    forged = encode_page_token(pb.ListExecutionsRequest(account_id=ALICE), {"record_no": "first"})
    for bad in ("forged", forged):
        refused = pb.ListExecutionsRequest(account_id=ALICE, page_token=bad)
        failure = await failure_of(venue.venue.ListExecutions(refused, metadata=venue.operator))
        assert failure.reason == "PAGE_TOKEN_INVALID"


async def test_only_execution_may_trade(venue: RunningVenue) -> None:
    request = pb.CancelOrderRequest(account_id=ALICE, client_order_id="x")
    failure = await failure_of(venue.venue.CancelOrder(request, metadata=venue.operator))
    assert (failure.code, failure.reason) == (grpc.StatusCode.PERMISSION_DENIED, "CALLER_NOT_ALLOWED")


async def test_book_shows_users_among_generated_liquidity(venue: RunningVenue) -> None:
    book = await venue.book()
    assert len(book.bids) == len(book.asks) == 5
    assert all(level.synthetic_size == level.size for level in (*book.bids, *book.asks))
    await venue.submit(order_terms(BUY, 123, f"{book.bids[0].price:.2f}"))
    shown = (await venue.book()).bids[0]
    assert (shown.size, shown.synthetic_size, shown.orders) == (book.bids[0].size + 123, book.bids[0].size, 2)
    failure = await failure_of(venue.book(IDS["IBM"]))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "INSTRUMENT_NOT_FOUND")


async def test_execution_log_is_resumed_after_a_position(venue: RunningVenue) -> None:
    await venue.submit(order_terms(BUY, 1, "20", time_in_force=GTC))
    stream = venue.venue.StreamExecutions(pb.StreamExecutionsRequest(), metadata=venue.execution)
    async for message in stream:
        epoch, last = message.header.epoch, message.header.sequence
        if message.WhichOneof("event") == "replay_end":
            break
    stream.cancel()
    await venue.submit(order_terms(BUY, 1, "21"))
    (report,) = await venue.reports(after=StreamPosition(epoch=epoch, sequence=last))
    assert report[0] == last + 1
    wrong = pb.StreamExecutionsRequest(resume_after=StreamPosition(epoch="other", sequence=1))
    failure = await failure_of(anext(aiter(venue.venue.StreamExecutions(wrong, metadata=venue.execution))))
    assert failure.reason == "STREAM_EPOCH_CHANGED"


async def test_stop_is_triggered_by_another_order(venue: RunningVenue) -> None:
    ask = (await venue.book()).asks[0]
    stop, name = f"{ask.price + 0.01:.2f}", str(uuid.uuid4())
    waiting = await venue.submit(order_terms(BUY, 3, stop=stop), client_order_id=name)
    assert waiting.order.state == orders_pb.VENUE_ORDER_STATE_WORKING
    await venue.submit(order_terms(BUY, int(ask.size) + 1), account=BOB)
    assert (await venue.resolve(name)).order.state == orders_pb.VENUE_ORDER_STATE_FILLED
    kinds = [report.type for _, report in await venue.reports() if report.order.client_order_id == name]
    assert kinds == [
        orders_pb.EXECUTION_REPORT_TYPE_ACCEPTED,
        orders_pb.EXECUTION_REPORT_TYPE_TRIGGERED,
        orders_pb.EXECUTION_REPORT_TYPE_FILL,
    ]
