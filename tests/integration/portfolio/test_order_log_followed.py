"""The order log followed over a socket into a real database: cuts, repetitions, deposits, nonsense."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bifrost.portfolio.v1 import ledger_service_pb2, portfolio_service_pb2
from bifrost.type.v1 import order_terms_pb2
from services.portfolio.convert import fill_of
from services.portfolio.domain.ledger import Cash, post_fill
from services.portfolio.domain.lot import Holding
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import new_database
from services.runtime.waiting import until
from tests.contract.portfolio.portfolio_harness import (
    AAPL,
    GOOG,
    FakeExecution,
    RunningPortfolio,
    accepted,
    failure_of,
    order_fill,
    start_portfolio,
)


@pytest.fixture(scope="module")
async def portfolio(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningPortfolio]:
    running = await start_portfolio(postgres_url, tmp_path_factory.mktemp("portfolio"))
    yield running
    await running.stop()


async def check_books(portfolio: RunningPortfolio, account_id: str, deposits: str) -> None:
    """The account's books equal its fills applied one by one, each execution once, and add up to the cent."""
    cash = Cash(account_id, "USD", Decimal(deposits), Decimal(0), 0)
    holdings = dict.fromkeys((AAPL, GOOG), Holding())
    seen = set()
    for event in portfolio.execution.events:
        if event.fill.account_id != account_id or event.fill.execution_id in seen:
            continue
        seen.add(event.fill.execution_id)
        fill = fill_of(event.fill)
        holding = holdings[fill.instrument_id]
        cash, holdings[fill.instrument_id], _ = post_fill(cash, holding, fill, entry_id="", post_time_ns=0)
    balance = await portfolio.balance(account_id)
    assert Decimal(balance.cash) == cash.balance
    assert Decimal(balance.fees) == cash.fees
    cost = Decimal(0)
    for instrument_id, holding in holdings.items():
        position = await portfolio.position(account_id, instrument_id)
        lots = [(lot.fill_id, Decimal(lot.quantity), Decimal(lot.cost)) for lot in position.lots]
        assert lots == [(lot.fill_id, lot.quantity, lot.cost) for lot in holding.lots]
        assert (Decimal(position.quantity), Decimal(position.cost)) == (holding.quantity, holding.cost)
        assert Decimal(position.realized_pnl) == holding.realized_pnl
        cost += holding.cost
    assert Decimal(balance.cash) + cost - Decimal(balance.realized_pnl) == Decimal(deposits)


trades = st.tuples(
    st.integers(-30, 30).filter(bool),
    st.integers(1, 200_000).map(lambda price: f"{Decimal(price) / 1000}"),
    st.integers(0, 9999).map(lambda fee: f"{Decimal(fee) / 10_000}"),
    st.sampled_from([AAPL, GOOG]),
)


@given(
    st.lists(trades, min_size=1, max_size=12),
    st.lists(st.integers(0, 8), max_size=3),
    st.lists(st.integers(0, 20), max_size=4),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_cuts_and_repetitions_change_nothing(
    portfolio: RunningPortfolio,
    sequence: list[tuple[int, str, str, str]],
    cuts: list[int],
    repeats: list[int],
) -> None:
    account_id = await portfolio.new_account(deposit="1000")
    events = [
        order_fill(account_id, str(quantity), price, fee=fee, instrument_id=instrument_id)
        for quantity, price, fee, instrument_id in sequence
    ]
    for index in repeats:
        events.insert(index % (len(events) + 1), events[index % len(events)])
    portfolio.execution.cuts = list(cuts)
    half = len(events) // 2
    portfolio.execution.log(*events[:half])
    portfolio.execution.cut()
    await portfolio.follow(accepted(), *events[half:], account_id=account_id)
    await check_books(portfolio, account_id, "1000")


async def test_deposits_among_fills_keep_balances_in_commit_order(portfolio: RunningPortfolio) -> None:
    account_id = await portfolio.new_account()
    other_id = await portfolio.new_account()

    async def deposits() -> None:
        for _ in range(40):
            await portfolio.deposit(account_id, "100.01")

    async def fills() -> None:
        for number in range(60):
            who = account_id if number % 3 else other_id
            portfolio.execution.log(accepted(), order_fill(who, "1", "3.335", fee="0.005"))
            await asyncio.sleep(0)

    await asyncio.gather(deposits(), deposits(), fills())
    await portfolio.caught_up(account_id)
    for who, count in ((account_id, 120), (other_id, 20)):
        entries = await portfolio.entries(who)
        assert len(entries) == count
        running = Decimal(0)
        for entry in entries:
            running += Decimal(entry.amount.amount)
            assert Decimal(entry.balance_after) == running
        assert [entry.entry_id for entry in entries] == await logged(portfolio, who)
    await check_books(portfolio, account_id, "8000.80")


async def logged(portfolio: RunningPortfolio, account_id: str) -> list[str]:
    """The account's entries as the ledger log has them."""
    request = ledger_service_pb2.StreamLedgerLogRequest()
    stream = portfolio.ledger.StreamLedgerLog(request, metadata=portfolio.tokens.service("risk"))
    found = []
    while not (message := await anext(aiter(stream))).HasField("replay_end"):
        if message.entry.account_id == account_id:
            found.append(message.entry.entry_id)
    stream.cancel()
    return found


async def assert_nothing_is_shown(portfolio: RunningPortfolio, account_id: str) -> None:
    """Neither positions nor a balance: they would lack fills."""
    stream = portfolio.portfolios.StreamPositions(
        portfolio_service_pb2.StreamPositionsRequest(account_id=account_id), metadata=portfolio.headers
    )
    listed = portfolio.portfolios.ListPositions(
        portfolio_service_pb2.ListPositionsRequest(account_id=account_id), metadata=portfolio.headers
    )
    shown = (portfolio.balance(account_id), portfolio.position(account_id), anext(aiter(stream)), listed)
    for call in shown:
        failure = await failure_of(call)
        assert (failure.reason, failure.metadata["dependency"]) == ("DEPENDENCY_UNAVAILABLE", "execution")
        assert "cannot be followed any more" in failure.message


async def test_what_fails_for_good_ends_the_streams_of_positions(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    url = new_database(postgres_server)
    portfolio = await start_portfolio(url, tmp_path)
    try:
        account_id = await portfolio.new_account(deposit="1000")
        request = portfolio_service_pb2.StreamPositionsRequest(account_id=account_id)
        stream = portfolio.portfolios.StreamPositions(request, metadata=portfolio.headers)
        assert (await anext(aiter(stream))).HasField("snapshot")
        database = await asyncpg.connect(url)
        await database.execute("ALTER TABLE portfolio.fill ADD CHECK (price < 20)")
        await database.close()
        portfolio.execution.log(order_fill(account_id, "1", "20"))

        async def read_to_the_end() -> None:
            async for _ in stream:
                pass

        failure = await asyncio.wait_for(failure_of(read_to_the_end()), 60)
        assert failure.reason == "DEPENDENCY_UNAVAILABLE"
        assert "failed 5 times" in failure.message
        await assert_nothing_is_shown(portfolio, account_id)
    finally:
        await portfolio.stop()


@pytest.mark.parametrize("case", ["unknown account", "other currency", "other content", "no side", "NaN"])
async def test_a_fill_that_cannot_be_booked_stops_the_books_where_they_are(
    postgres_server: EmbeddedPostgres, tmp_path: Path, case: str
) -> None:
    portfolio = await start_portfolio(new_database(postgres_server), tmp_path)
    try:
        account_id = await portfolio.new_account(deposit="1000")
        good = order_fill(account_id, "1", "10", execution_id="e1")
        await portfolio.follow(good, account_id=account_id)
        before = await portfolio.entries(account_id)
        bad = {
            "unknown account": order_fill(str(uuid.uuid4()), "1", "10"),
            "other currency": order_fill(account_id, "1", "10", currency="EUR"),
            "other content": order_fill(account_id, "2", "10", execution_id="e1"),
            "no side": order_fill(account_id, "1", "10"),
            "NaN": order_fill(account_id, "1", "NaN"),
        }[case]
        if case == "no side":
            bad.fill.side = order_terms_pb2.SIDE_UNSPECIFIED
        portfolio.execution.log(bad, order_fill(account_id, "1", "10"))
        await until(lambda: 'order_log"} 0.0' in portfolio.service.metrics.text().decode(), timeout_s=60)
        await assert_nothing_is_shown(portfolio, account_id)
        assert await portfolio.entries(account_id) == before
        # Deposits go on: only what follows the log has stopped.
        assert (await portfolio.deposit(account_id, "1")).entry.balance_after == "991"
    finally:
        await portfolio.stop()


async def test_another_epoch_stops_the_books(postgres_server: EmbeddedPostgres, tmp_path: Path) -> None:
    url = new_database(postgres_server)
    first = await start_portfolio(url, tmp_path)
    account_id = await first.new_account(deposit="1000")
    await first.follow(order_fill(account_id, "1", "10"), account_id=account_id)
    before = await first.entries(account_id)
    await first.stop()
    restored = FakeExecution(epoch="restored from a backup")
    restored.log(accepted(), order_fill(account_id, "1", "10"))
    second = await start_portfolio(url, tmp_path, execution=restored)
    try:
        await until(lambda: 'order_log"} 0.0' in second.service.metrics.text().decode(), timeout_s=60)
        second.headers = second.tokens.user()
        await assert_nothing_is_shown(second, account_id)
        assert await second.entries(account_id) == before
    finally:
        await second.stop()


async def test_serving_begins_without_peers_and_the_rest_comes_when_they_do(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    away = {"execution": "127.0.0.1:1", "data": "127.0.0.1:1", "identity": "127.0.0.1:1"}
    portfolio = await start_portfolio(new_database(postgres_server), tmp_path, address_book=away)
    try:
        account_id = await portfolio.new_account(deposit="5")
        balance = await portfolio.balance(account_id)
        assert (balance.cash, balance.order_log_sequence) == ("5", 0)
    finally:
        await portfolio.stop()
