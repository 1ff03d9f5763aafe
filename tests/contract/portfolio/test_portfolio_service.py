"""PortfolioService over a socket and a real database: portfolios and accounts."""

import asyncio
import uuid
from collections.abc import Awaitable

import grpc
import pytest
from google.protobuf import json_format

from bifrost.portfolio.v1 import portfolio_service_pb2 as pb
from tests.contract.portfolio.portfolio_harness import RunningPortfolio, account_request, failure_of


def create(name: str, request_id: str | None = None) -> pb.CreatePortfolioRequest:
    return pb.CreatePortfolioRequest(request_id=request_id or str(uuid.uuid4()), name=name)


async def test_a_portfolio_is_the_callers_and_made_once(portfolio: RunningPortfolio) -> None:
    request = create("Growth")
    made = await portfolio.portfolios.CreatePortfolio(request, metadata=portfolio.headers)
    again = await portfolio.portfolios.CreatePortfolio(request, metadata=portfolio.headers)
    assert (made.portfolio.owner_user_id, made.portfolio.name, made.duplicate) == ("user-1", "Growth", False)
    assert again.portfolio == made.portfolio
    assert again.duplicate


async def test_twins_in_flight_make_one_portfolio(portfolio: RunningPortfolio) -> None:
    request, headers = create("Twin"), portfolio.tokens.user("twin")
    call = portfolio.portfolios.CreatePortfolio
    made = await asyncio.gather(*(call(request, metadata=headers) for _ in range(5)))
    assert len({one.portfolio.portfolio_id for one in made}) == 1
    assert sorted(one.duplicate for one in made) == [False, True, True, True, True]
    listed = await portfolio.portfolios.ListPortfolios(pb.ListPortfoliosRequest(), metadata=headers)
    assert len(listed.portfolios) == 1


async def test_a_request_id_is_the_users_own(portfolio: RunningPortfolio) -> None:
    request = create("Mine")
    first = await portfolio.portfolios.CreatePortfolio(request, metadata=portfolio.headers)
    other = portfolio.tokens.user("user-2")
    second = await portfolio.portfolios.CreatePortfolio(request, metadata=other)
    assert not second.duplicate
    assert second.portfolio.portfolio_id != first.portfolio.portfolio_id


async def test_a_service_makes_it_for_the_user_it_calls_for(portfolio: RunningPortfolio) -> None:
    headers = portfolio.tokens.service("risk", actor=portfolio.headers)
    made = await portfolio.portfolios.CreatePortfolio(create("By risk"), metadata=headers)
    assert made.portfolio.owner_user_id == "user-1"
    own = await portfolio.portfolios.CreatePortfolio(
        create("Its own"), metadata=portfolio.tokens.service("risk")
    )
    assert own.portfolio.owner_user_id == "service:risk"


async def test_a_request_id_with_other_content_is_refused_with_both_digests(
    portfolio: RunningPortfolio,
) -> None:
    request = create("First")
    await portfolio.portfolios.CreatePortfolio(request, metadata=portfolio.headers)
    request.name = "Second"
    failure = await failure_of(portfolio.portfolios.CreatePortfolio(request, metadata=portfolio.headers))
    assert (failure.code, failure.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    digests = [value for value in failure.metadata.values() if value.startswith("2:")]
    assert len(set(digests)) == 2


async def test_portfolios_come_in_pages_oldest_first(portfolio: RunningPortfolio) -> None:
    headers = portfolio.tokens.user("pager")
    for name in "abcde":
        await portfolio.portfolios.CreatePortfolio(create(name), metadata=headers)
    names, token = [], ""
    for size in (2, 2, 1):
        request = pb.ListPortfoliosRequest(page_size=2, page_token=token)
        page = await portfolio.portfolios.ListPortfolios(request, metadata=headers)
        assert len(page.portfolios) == size
        names += [one.name for one in page.portfolios]
        token = page.next_page_token
    assert names == list("abcde")
    assert token == ""


async def test_lists_are_the_callers_own_also_for_one_who_may_use_any_account(
    portfolio: RunningPortfolio,
) -> None:
    await portfolio.new_account()
    admin = portfolio.tokens.user("admin", "portfolio:read portfolio:write accounts:any")
    listed = await portfolio.portfolios.ListPortfolios(pb.ListPortfoliosRequest(), metadata=admin)
    accounts = await portfolio.portfolios.ListAccounts(pb.ListAccountsRequest(), metadata=admin)
    assert not listed.portfolios
    assert not accounts.accounts


async def test_an_account_is_opened_once_and_found(portfolio: RunningPortfolio) -> None:
    made = await portfolio.portfolios.CreatePortfolio(create("P"), metadata=portfolio.headers)
    request = account_request(made.portfolio.portfolio_id)
    opened = await portfolio.portfolios.CreateAccount(request, metadata=portfolio.headers)
    again = await portfolio.portfolios.CreateAccount(request, metadata=portfolio.headers)
    assert again.duplicate
    assert again.account == opened.account
    account = opened.account
    assert (account.owner_user_id, account.currency, account.venue) == ("user-1", "USD", "XSIM")
    found = await portfolio.portfolios.GetAccount(
        pb.GetAccountRequest(account_id=account.account_id), metadata=portfolio.headers
    )
    assert found.account == account
    balance = await portfolio.balance(account.account_id)
    assert (balance.cash, balance.equity, balance.market_value, balance.fees) == ("0", "0", "0", "0")


async def test_an_account_is_refused_in_a_portfolio_that_is_not_the_callers(
    portfolio: RunningPortfolio,
) -> None:
    made = await portfolio.portfolios.CreatePortfolio(create("Mine"), metadata=portfolio.headers)
    request = account_request(made.portfolio.portfolio_id)
    other = portfolio.tokens.user("user-2")
    for portfolio_id in (made.portfolio.portfolio_id, str(uuid.uuid4())):
        request.portfolio_id = portfolio_id
        failure = await failure_of(portfolio.portfolios.CreateAccount(request, metadata=other))
        assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "PORTFOLIO_NOT_FOUND")
    # What was refused has not used the request_id up.
    request.portfolio_id = made.portfolio.portfolio_id
    assert not (await portfolio.portfolios.CreateAccount(request, metadata=portfolio.headers)).duplicate


@pytest.mark.parametrize(
    ("field", "value"),
    [("currency", "usd"), ("currency", "ZZZ"), ("venue", "XNAS"), ("type", 0), ("type", 9), ("name", "")],
)
async def test_a_bad_field_of_an_account_is_named(
    portfolio: RunningPortfolio, field: str, value: object
) -> None:
    request = account_request(str(uuid.uuid4()))
    json_format.ParseDict({field: value}, request)
    failure = await failure_of(portfolio.portfolios.CreateAccount(request, metadata=portfolio.headers))
    assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert [name for name, _ in failure.violations] == [field]


async def test_another_users_account_is_not_there(portfolio: RunningPortfolio) -> None:
    account_id = await portfolio.new_account(deposit="10")
    stub = portfolio.portfolios
    position = pb.GetPositionRequest(account_id=account_id, instrument_id=str(uuid.uuid4()))
    other = portfolio.tokens.user("user-2")
    by_service = portfolio.tokens.service("risk", actor=other)
    for headers in (other, by_service):
        calls: list[Awaitable[object]] = [
            stub.GetAccount(pb.GetAccountRequest(account_id=account_id), metadata=headers),
            stub.ListPositions(pb.ListPositionsRequest(account_id=account_id), metadata=headers),
            stub.GetPosition(position, metadata=headers),
            stub.GetBalance(pb.GetBalanceRequest(account_id=account_id), metadata=headers),
            stub.StreamPositions(pb.StreamPositionsRequest(account_id=account_id), metadata=headers).read(),
            portfolio.deposit(account_id, "1", headers=headers),
        ]
        for call in calls:
            failure = await failure_of(call)
            assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND")


async def test_services_and_those_who_may_use_any_account_reach_it(portfolio: RunningPortfolio) -> None:
    account_id = await portfolio.new_account()
    request = pb.GetAccountRequest(account_id=account_id)
    admin = portfolio.tokens.user("admin", "portfolio:read accounts:any")
    for headers in (admin, portfolio.tokens.service("risk")):
        found = await portfolio.portfolios.GetAccount(request, metadata=headers)
        assert found.account.account_id == account_id


async def test_an_account_that_does_not_exist_is_not_found_by_a_service_either(
    portfolio: RunningPortfolio,
) -> None:
    stub, headers = portfolio.portfolios, portfolio.tokens.service("risk")
    account_id = str(uuid.uuid4())
    position = pb.GetPositionRequest(account_id=account_id, instrument_id=str(uuid.uuid4()))
    for call in (
        stub.GetAccount(pb.GetAccountRequest(account_id=account_id), metadata=headers),
        stub.ListPositions(pb.ListPositionsRequest(account_id=account_id), metadata=headers),
        stub.GetPosition(position, metadata=headers),
        stub.GetBalance(pb.GetBalanceRequest(account_id=account_id), metadata=headers),
        stub.StreamPositions(pb.StreamPositionsRequest(account_id=account_id), metadata=headers).read(),
    ):
        failure = await failure_of(call)
        assert (failure.code, failure.reason) == (grpc.StatusCode.NOT_FOUND, "ACCOUNT_NOT_FOUND")


async def test_a_token_of_another_list_is_refused(portfolio: RunningPortfolio) -> None:
    headers = portfolio.tokens.user("two")
    for _ in range(2):
        await portfolio.new_account(headers=headers)
    page = await portfolio.portfolios.ListAccounts(pb.ListAccountsRequest(page_size=1), metadata=headers)
    assert page.next_page_token
    rest = pb.ListAccountsRequest(page_size=1, page_token=page.next_page_token)
    last = await portfolio.portfolios.ListAccounts(rest, metadata=headers)
    assert (len(last.accounts), last.next_page_token) == (1, "")
    stub = portfolio.portfolios
    for call in (
        stub.ListPortfolios(pb.ListPortfoliosRequest(page_token=page.next_page_token), metadata=headers),
        stub.ListPortfolios(pb.ListPortfoliosRequest(page_token="nonsense"), metadata=headers),
        stub.ListAccounts(pb.ListAccountsRequest(page_token="nonsense"), metadata=headers),
    ):
        failure = await failure_of(call)
        assert (failure.code, failure.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")


async def test_scopes_are_asked_for(portfolio: RunningPortfolio) -> None:
    reader = portfolio.tokens.user(scope="portfolio:read")
    failure = await failure_of(portfolio.portfolios.CreatePortfolio(create("P"), metadata=reader))
    assert (failure.code, failure.reason) == (grpc.StatusCode.PERMISSION_DENIED, "SCOPE_MISSING")
