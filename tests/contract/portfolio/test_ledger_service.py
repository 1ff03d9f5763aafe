"""LedgerService over a socket and a real database."""

import asyncio
import uuid
from decimal import Decimal
from typing import TypeAlias

import grpc
import pytest

from bifrost.portfolio.v1 import ledger_pb2
from bifrost.portfolio.v1 import ledger_service_pb2 as pb
from bifrost.type.v1.stream_pb2 import StreamPosition
from services.runtime.pagination import encode_page_token
from tests.contract.portfolio.portfolio_harness import RunningPortfolio, accepted, failure_of, order_fill

LedgerLog: TypeAlias = grpc.aio.UnaryStreamCall[pb.StreamLedgerLogRequest, pb.StreamLedgerLogResponse]


async def test_a_deposit_is_posted_once(portfolio: RunningPortfolio) -> None:
    account_id = await portfolio.new_account()
    first = await portfolio.deposit(account_id, "1000.5", request_id="d1", memo="start")
    again = await portfolio.deposit(account_id, "1000.5", request_id="d1", memo="start")
    assert (first.duplicate, again.duplicate) == (False, True)
    assert again.entry == first.entry
    entry = first.entry
    assert (entry.type, entry.memo) == (ledger_pb2.LEDGER_ENTRY_TYPE_DEPOSIT, "start")
    assert (entry.amount.currency, entry.amount.amount, entry.balance_after) == ("USD", "1000.5", "1000.5")
    assert (await portfolio.balance(account_id)).cash == "1000.5"


async def test_a_request_id_with_another_amount_is_refused_with_both_digests(
    portfolio: RunningPortfolio,
) -> None:
    account_id = await portfolio.new_account()
    await portfolio.deposit(account_id, "10", request_id="reused")
    failure = await failure_of(portfolio.deposit(account_id, "11", request_id="reused"))
    assert (failure.code, failure.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert len({value for value in failure.metadata.values() if value.startswith("2:")}) == 2
    assert (await portfolio.balance(account_id)).cash == "10"


async def test_a_retry_that_writes_the_amount_otherwise_is_the_same_request(
    portfolio: RunningPortfolio,
) -> None:
    account_id = await portfolio.new_account()
    first = await portfolio.deposit(account_id, "10", request_id="retried")
    again = await portfolio.deposit(account_id, "10.00", request_id="retried")
    assert (first.duplicate, again.duplicate) == (False, True)
    assert again.entry == first.entry
    assert (await portfolio.balance(account_id)).cash == "10"


@pytest.mark.parametrize(
    ("amount", "currency", "reason", "field"),
    [
        ("10", "EUR", "CURRENCY_MISMATCH", "amount.currency"),
        ("10.005", "USD", "AMOUNT_TOO_PRECISE", "amount.amount"),
        ("0.000", "USD", "FIELD_INVALID", "amount"),
        ("-1", "USD", "FIELD_INVALID", "amount"),
        ("1e3", "USD", "FIELD_INVALID", "amount.amount"),
        ("NaN", "USD", "FIELD_INVALID", "amount.amount"),
        ("1" * 40, "USD", "FIELD_INVALID", "amount.amount"),
    ],
)
async def test_an_amount_that_cannot_be_posted_is_refused_and_leaves_the_request_id(
    portfolio: RunningPortfolio, amount: str, currency: str, reason: str, field: str
) -> None:
    account_id = await portfolio.new_account()
    request_id = str(uuid.uuid4())
    failure = await failure_of(
        portfolio.deposit(account_id, amount, currency=currency, request_id=request_id)
    )
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    assert field in [name for name, _ in failure.violations]
    assert not await portfolio.entries(account_id)
    assert not (await portfolio.deposit(account_id, "1", request_id=request_id)).duplicate


async def test_a_currency_without_minor_unit_takes_whole_amounts(portfolio: RunningPortfolio) -> None:
    account_id = await portfolio.new_account(currency="JPY", deposit="1000")
    failure = await failure_of(portfolio.deposit(account_id, "0.5", currency="JPY"))
    assert failure.reason == "AMOUNT_TOO_PRECISE"
    assert (await portfolio.balance(account_id)).cash == "1000"


async def test_a_mismatch_names_the_accounts_currency(portfolio: RunningPortfolio) -> None:
    account_id = await portfolio.new_account()
    failure = await failure_of(portfolio.deposit(account_id, "1", currency="EUR"))
    assert failure.metadata["currency"] == "USD"


async def test_a_service_cannot_put_money_where_there_is_no_account(portfolio: RunningPortfolio) -> None:
    headers = portfolio.tokens.service("risk")
    failure = await failure_of(portfolio.deposit(str(uuid.uuid4()), "1", headers=headers))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND")
    request = pb.ListLedgerEntriesRequest(account_id=str(uuid.uuid4()))
    failure = await failure_of(portfolio.ledger.ListLedgerEntries(request, metadata=headers))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND")


async def test_deposits_at_once_follow_one_another(portfolio: RunningPortfolio) -> None:
    account_id = await portfolio.new_account()
    cents = range(1, 21)
    await asyncio.gather(*(portfolio.deposit(account_id, f"0.{cent:02}") for cent in cents))
    running = Decimal(0)
    for entry in await portfolio.entries(account_id):
        running += Decimal(entry.amount.amount)
        assert Decimal(entry.balance_after) == running
    assert running == sum(map(Decimal, cents)) / 100


async def test_entries_come_in_pages_oldest_first_and_by_type(portfolio: RunningPortfolio) -> None:
    account_id = await portfolio.new_account()
    for amount in ("1000", "2", "3"):
        await portfolio.deposit(account_id, amount)
    await portfolio.follow(
        accepted(), order_fill(account_id, "2", "10.005", fee="0.01"), account_id=account_id
    )
    await portfolio.deposit(account_id, "4")
    seen, token = [], ""
    for _ in range(3):
        request = pb.ListLedgerEntriesRequest(account_id=account_id, page_size=2, page_token=token)
        page = await portfolio.ledger.ListLedgerEntries(request, metadata=portfolio.headers)
        seen += [(entry.amount.amount, entry.balance_after) for entry in page.entries]
        token = page.next_page_token
    assert token == ""
    assert seen == [("1000", "1000"), ("2", "1002"), ("3", "1005"), ("-20.02", "984.98"), ("4", "988.98")]

    request = pb.ListLedgerEntriesRequest(account_id=account_id, type=ledger_pb2.LEDGER_ENTRY_TYPE_TRADE)
    (trade,) = (await portfolio.ledger.ListLedgerEntries(request, metadata=portfolio.headers)).entries
    fill = portfolio.execution.events[-1].fill
    assert (trade.fill_id, trade.execution_id) == (fill.fill_id, fill.execution_id)
    assert trade.event_time == fill.event_time
    assert trade.memo == "Bought 2 AAPL at 10.005"


async def test_a_page_token_of_another_request_or_none_at_all_is_refused(portfolio: RunningPortfolio) -> None:
    account_id, other_id = await portfolio.new_account(), await portfolio.new_account()
    for amount in ("1", "2"):
        await portfolio.deposit(account_id, amount)
    request = pb.ListLedgerEntriesRequest(account_id=account_id, page_size=1)
    page = await portfolio.ledger.ListLedgerEntries(request, metadata=portfolio.headers)
    forged = encode_page_token(request, {"number": "1 OR 1=1"})
    trades = ledger_pb2.LEDGER_ENTRY_TYPE_TRADE
    for bad in (
        pb.ListLedgerEntriesRequest(account_id=other_id, page_token=page.next_page_token),
        pb.ListLedgerEntriesRequest(account_id=account_id, type=trades, page_token=page.next_page_token),
        pb.ListLedgerEntriesRequest(account_id=account_id, page_token="?"),
        pb.ListLedgerEntriesRequest(account_id=account_id, page_token=forged),
    ):
        failure = await failure_of(portfolio.ledger.ListLedgerEntries(bad, metadata=portfolio.headers))
        assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")


async def test_another_users_ledger_is_not_there(portfolio: RunningPortfolio) -> None:
    account_id = await portfolio.new_account(deposit="1")
    request = pb.ListLedgerEntriesRequest(account_id=account_id)
    other = portfolio.tokens.user("user-2")
    failure = await failure_of(portfolio.ledger.ListLedgerEntries(request, metadata=other))
    assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND")


async def test_the_ledger_log_carries_every_posting_and_is_resumed(portfolio: RunningPortfolio) -> None:
    account_id = await portfolio.new_account(deposit="100")
    await portfolio.follow(order_fill(account_id, "1", "10"), account_id=account_id)
    headers = portfolio.tokens.service("risk")
    posted = [entry.entry_id for entry in await portfolio.entries(account_id)]
    stream = portfolio.ledger.StreamLedgerLog(pb.StreamLedgerLogRequest(), metadata=headers)
    messages: list[pb.StreamLedgerLogResponse] = []
    while not messages or not messages[-1].HasField("replay_end"):
        messages.append(await anext(aiter(stream)))
    entries = [message for message in messages if message.HasField("entry")]
    assert [message.header.sequence for message in entries] == list(range(1, len(entries) + 1))
    assert [m.entry.entry_id for m in entries if m.entry.account_id == account_id] == posted
    live = await portfolio.deposit(account_id, "5")
    assert (await read_until(stream, "entry")).entry == live.entry
    heartbeat = await read_until(stream, "heartbeat")
    assert heartbeat.header.sequence == messages[-1].header.sequence + 1
    stream.cancel()

    head = messages[-1].header
    resume = StreamPosition(epoch=head.epoch, sequence=head.sequence)
    stream = portfolio.ledger.StreamLedgerLog(
        pb.StreamLedgerLogRequest(resume_after=resume), metadata=headers
    )
    assert (await read_until(stream, "entry")).entry == live.entry
    stream.cancel()


async def read_until(stream: LedgerLog, field: str) -> pb.StreamLedgerLogResponse:
    async with asyncio.timeout(60):
        while not (message := await anext(aiter(stream))).HasField(field):
            pass
    return message


async def test_a_position_of_the_ledger_log_that_cannot_be_is_refused(portfolio: RunningPortfolio) -> None:
    headers = portfolio.tokens.service("risk")
    stream = portfolio.ledger.StreamLedgerLog(pb.StreamLedgerLogRequest(), metadata=headers)
    epoch = (await anext(aiter(stream))).header.epoch
    stream.cancel()
    for position, code, reason in (
        (StreamPosition(epoch=epoch, sequence=10**9), "OUT_OF_RANGE", "STREAM_POSITION_INVALID"),
        (StreamPosition(epoch="gone", sequence=1), "FAILED_PRECONDITION", "STREAM_EPOCH_CHANGED"),
    ):
        request = pb.StreamLedgerLogRequest(resume_after=position)
        failure = await failure_of(portfolio.ledger.StreamLedgerLog(request, metadata=headers).read())
        assert (failure.code.name, failure.reason) == (code, reason)


async def test_the_ledger_log_is_for_services(portfolio: RunningPortfolio) -> None:
    for headers in (portfolio.headers, portfolio.tokens.service("execution")):
        stream = portfolio.ledger.StreamLedgerLog(pb.StreamLedgerLogRequest(), metadata=headers)
        failure = await failure_of(stream.read())
        assert (failure.code, failure.reason) == (grpc.StatusCode.PERMISSION_DENIED, "CALLER_NOT_ALLOWED")
