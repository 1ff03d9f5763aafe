"""From fills and quotes to positions and balance, over sockets and a real database."""

import asyncio

import pytest

from bifrost.portfolio.v1 import portfolio_service_pb2 as pb
from tests.contract.portfolio.portfolio_harness import AAPL, GOOG, RunningPortfolio, order_fill


async def positions(
    portfolio: RunningPortfolio, account_id: str, *, include_flat: bool = False
) -> pb.ListPositionsResponse:
    request = pb.ListPositionsRequest(account_id=account_id, include_flat=include_flat)
    return await portfolio.portfolios.ListPositions(request, metadata=portfolio.headers)


async def test_fills_become_cash_lots_and_realized_pnl(portfolio: RunningPortfolio) -> None:
    account_id = await portfolio.new_account(deposit="10000")
    balance = await portfolio.follow(
        order_fill(account_id, "10", "100.25", fee="0.05"),
        order_fill(account_id, "10", "101", fee="0.05"),
        order_fill(account_id, "-12", "102", fee="0.06"),
        account_id=account_id,
    )
    # 10000 - 1002.55 - 1010.05 + 1223.94; the sale takes the first lot and a fifth of the second.
    assert (balance.cash, balance.fees, balance.realized_pnl) == ("9211.34", "0.16", "19.38")
    position = await portfolio.position(account_id)
    assert (position.symbol, position.quantity, position.cost) == ("AAPL", "8", "808.04")
    assert (position.average_cost, position.realized_pnl, position.currency) == ("101.005", "19.38", "USD")
    (lot,) = position.lots
    second = portfolio.execution.events[-2].fill
    assert (lot.fill_id, lot.quantity, lot.cost) == (second.fill_id, "8", "808.04")
    assert lot.open_time == second.event_time


async def test_a_sale_of_more_than_is_held_is_recorded_as_a_short_lot(portfolio: RunningPortfolio) -> None:
    account_id = await portfolio.new_account(deposit="100")
    balance = await portfolio.follow(order_fill(account_id, "-2", "10", fee="0.01"), account_id=account_id)
    position = await portfolio.position(account_id)
    assert (balance.cash, position.quantity, position.cost) == ("119.99", "-2", "-19.99")
    assert position.average_cost == "9.995"
    balance = await portfolio.follow(order_fill(account_id, "2", "9"), account_id=account_id)
    assert (balance.cash, balance.realized_pnl) == ("101.99", "1.99")


async def test_a_position_never_traded_is_flat(portfolio: RunningPortfolio) -> None:
    account_id = await portfolio.new_account()
    position = await portfolio.position(account_id, GOOG)
    assert (position.account_id, position.instrument_id) == (account_id, GOOG)
    assert (position.quantity, position.cost, position.average_cost) == ("0", "0", "")
    assert not position.lots


async def test_flat_positions_are_listed_when_asked_for(portfolio: RunningPortfolio) -> None:
    account_id = await portfolio.new_account(deposit="1000")
    await portfolio.follow(
        order_fill(account_id, "1", "10", instrument_id=GOOG),
        order_fill(account_id, "1", "10"),
        order_fill(account_id, "-1", "11"),
        account_id=account_id,
    )
    assert [p.symbol for p in (await positions(portfolio, account_id)).positions] == ["GOOG"]
    listed = await positions(portfolio, account_id, include_flat=True)
    assert [(p.symbol, p.quantity, p.realized_pnl) for p in listed.positions] == [
        ("AAPL", "0", "1"),
        ("GOOG", "1", "0"),
    ]
    assert listed.positions[0].average_cost == ""
    assert listed.balance.cash == "991"


async def test_an_execution_told_twice_is_booked_once(portfolio: RunningPortfolio) -> None:
    account_id = await portfolio.new_account(deposit="1000")
    fill = order_fill(account_id, "1", "10", execution_id="told-twice")
    balance = await portfolio.follow(fill, fill, account_id=account_id)
    assert balance.cash == "990"
    balance = await portfolio.follow(fill, account_id=account_id)
    assert (balance.cash, balance.order_log_sequence) == ("990", len(portfolio.execution.events))
    assert len(await portfolio.entries(account_id)) == 2


async def test_the_worth_follows_the_quotes_and_is_empty_without(portfolio: RunningPortfolio) -> None:
    account_id = await portfolio.new_account(deposit="1000")
    instrument_id = portfolio.execution.events[-1].fill.instrument_id if portfolio.execution.events else AAPL
    await portfolio.follow(
        order_fill(account_id, "3", "10", instrument_id=instrument_id), account_id=account_id
    )
    portfolio.data.quote(instrument_id, 10.0, 10.005)
    async with asyncio.timeout(60):
        while (await portfolio.position(account_id, instrument_id)).mark_price != "10.0025":
            pass
    position = await portfolio.position(account_id, instrument_id)
    assert (position.unrealized_pnl, position.mark_stale) == ("0.01", False)
    balance = await portfolio.balance(account_id)
    assert (balance.cash, balance.market_value, balance.equity) == ("970", "30.01", "1000.01")
    assert balance.unrealized_pnl == "0.01"


@pytest.mark.parametrize("field", ["market_value", "equity", "unrealized_pnl"])
async def test_balance_has_no_worth_while_a_mark_is_missing(portfolio: RunningPortfolio, field: str) -> None:
    account_id = await portfolio.new_account(deposit="1000")
    unquoted = "00000000-0000-4000-8000-000000000001"
    event = order_fill(account_id, "1", "10")
    event.fill.instrument_id = unquoted
    balance = await portfolio.follow(event, account_id=account_id)
    assert getattr(balance, field) == ""
    position = await portfolio.position(account_id, unquoted)
    assert (position.mark_price, position.unrealized_pnl, position.mark_stale) == ("", "", False)


async def test_the_log_is_followed_as_the_service_itself(portfolio: RunningPortfolio) -> None:
    account_id = await portfolio.new_account()
    await portfolio.caught_up(account_id)
    assert all("x-bifrost-actor" not in headers for headers in portfolio.execution.headers)
