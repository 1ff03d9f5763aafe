"""PortfolioService: portfolios, accounts, positions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from bifrost.portfolio.v1 import portfolio_service_pb2 as pb
from bifrost.portfolio.v1 import portfolio_service_pb2_grpc as pb_grpc
from services.portfolio.account_store import AccountStore
from services.portfolio.book_store import BookStore
from services.portfolio.convert import (
    account_message,
    account_type,
    balance_message,
    lot_message,
    portfolio_message,
    position_message,
)
from services.portfolio.domain.account import Account, Portfolio
from services.portfolio.domain.books import Books
from services.portfolio.gate import Gate
from services.portfolio.ledger_store import account_not_found
from services.portfolio.marks import Marks
from services.portfolio.position_view import PositionView
from services.runtime.auth import current_principal
from services.runtime.clock import Clock
from services.runtime.decimals import minor_unit
from services.runtime.errors import invalid_argument
from services.runtime.idempotency import request_digest
from services.runtime.ids import new_id
from services.runtime.pagination import decode_page_token, encode_page_token, page_size, text

if TYPE_CHECKING:
    from grpc.aio import ServicerContext


class PortfolioService(pb_grpc.PortfolioServiceServicer):
    """The servicer. What a caller makes is the user's, or the service's own when it calls for nobody."""

    def __init__(
        self,
        accounts: AccountStore,
        books: BookStore,
        marks: Marks,
        view: PositionView,
        gate: Gate,
        *,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._books = books
        self._marks = marks
        self._view = view
        self._gate = gate
        self._clock = clock

    async def CreatePortfolio(
        self,
        request: pb.CreatePortfolioRequest,
        _context: ServicerContext[pb.CreatePortfolioRequest, pb.CreatePortfolioResponse],
    ) -> pb.CreatePortfolioResponse:
        """Make one, or return what this request_id made."""
        made = Portfolio(new_id(self._clock), caller(), request.name, self._clock.now_ns())
        portfolio, duplicate = await self._accounts.insert_portfolio(
            made, request_id=request.request_id, digest=request_digest(request)
        )
        return pb.CreatePortfolioResponse(portfolio=portfolio_message(portfolio), duplicate=duplicate)

    async def ListPortfolios(
        self,
        request: pb.ListPortfoliosRequest,
        _context: ServicerContext[pb.ListPortfoliosRequest, pb.ListPortfoliosResponse],
    ) -> pb.ListPortfoliosResponse:
        """A page of the caller's own, whatever the caller may see otherwise."""
        position = decode_page_token(request, request.page_token, portfolio_id=text) or {}
        size = page_size(request.page_size)
        found = await self._accounts.list_portfolios(
            caller(), after=position.get("portfolio_id", ""), limit=size + 1
        )
        token = ""
        if len(found) > size:
            token = encode_page_token(request, {"portfolio_id": found[size - 1].portfolio_id})
        return pb.ListPortfoliosResponse(
            portfolios=map(portfolio_message, found[:size]), next_page_token=token
        )

    async def CreateAccount(
        self,
        request: pb.CreateAccountRequest,
        _context: ServicerContext[pb.CreateAccountRequest, pb.CreateAccountResponse],
    ) -> pb.CreateAccountResponse:
        """Open one in the caller's portfolio, or return what this request_id opened."""
        try:
            minor_unit(request.currency)
        except ValueError as error:
            raise invalid_argument("FIELD_INVALID", str(error), field="currency") from error
        opened = Account(
            account_id=new_id(self._clock),
            portfolio_id=request.portfolio_id,
            owner_user_id=caller(),
            name=request.name,
            currency=request.currency,
            venue=request.venue,
            type=account_type(request.type),
            create_time_ns=self._clock.now_ns(),
        )
        account, duplicate = await self._accounts.insert_account(
            opened, request_id=request.request_id, digest=request_digest(request)
        )
        return pb.CreateAccountResponse(account=account_message(account), duplicate=duplicate)

    async def GetAccount(
        self,
        request: pb.GetAccountRequest,
        _context: ServicerContext[pb.GetAccountRequest, pb.GetAccountResponse],
    ) -> pb.GetAccountResponse:
        """One account."""
        account = await self._accounts.find_account(request.account_id)
        if account is None:
            raise account_not_found(request.account_id)
        return pb.GetAccountResponse(account=account_message(account))

    async def ListAccounts(
        self,
        request: pb.ListAccountsRequest,
        _context: ServicerContext[pb.ListAccountsRequest, pb.ListAccountsResponse],
    ) -> pb.ListAccountsResponse:
        """A page of the caller's own, whatever the caller may see otherwise."""
        position = decode_page_token(request, request.page_token, account_id=text) or {}
        size = page_size(request.page_size)
        found = await self._accounts.list_accounts(
            caller(), after=position.get("account_id", ""), limit=size + 1
        )
        token = ""
        if len(found) > size:
            token = encode_page_token(request, {"account_id": found[size - 1].account_id})
        return pb.ListAccountsResponse(accounts=map(account_message, found[:size]), next_page_token=token)

    async def ListPositions(
        self,
        request: pb.ListPositionsRequest,
        _context: ServicerContext[pb.ListPositionsRequest, pb.ListPositionsResponse],
    ) -> pb.ListPositionsResponse:
        """All positions and the balance, from one snapshot of the books and the same marks."""
        books = await self._read(request.account_id)
        messages = [
            position_message(position, books.cash.currency, self._marks.get(position.instrument_id))
            for position in books.positions
            if position.quantity or (request.include_flat and position.realized_pnl)
        ]
        return pb.ListPositionsResponse(positions=messages, balance=balance_message(books, self._marks.get))

    async def GetPosition(
        self,
        request: pb.GetPositionRequest,
        _context: ServicerContext[pb.GetPositionRequest, pb.GetPositionResponse],
    ) -> pb.GetPositionResponse:
        """One position and its lots."""
        self._gate.check()
        found = await self._books.read_position(request.account_id, request.instrument_id)
        if found is None:
            raise account_not_found(request.account_id)
        currency, position, lots = found
        message = position_message(position, currency, self._marks.get(position.instrument_id))
        message.lots.extend(map(lot_message, lots))
        return pb.GetPositionResponse(position=message)

    async def GetBalance(
        self,
        request: pb.GetBalanceRequest,
        _context: ServicerContext[pb.GetBalanceRequest, pb.GetBalanceResponse],
    ) -> pb.GetBalanceResponse:
        """Cash and worth."""
        books = await self._read(request.account_id)
        return pb.GetBalanceResponse(balance=balance_message(books, self._marks.get))

    def StreamPositions(
        self,
        request: pb.StreamPositionsRequest,
        _context: ServicerContext[pb.StreamPositionsRequest, pb.StreamPositionsResponse],
    ) -> AsyncIterator[pb.StreamPositionsResponse]:
        """The live view; resume_after is of no consequence, a snapshot comes in any case."""
        return self._view.stream(request.account_id)

    async def _read(self, account_id: str) -> Books:
        self._gate.check()
        books = await self._books.read_books(account_id)
        if books is None:
            raise account_not_found(account_id)
        return books


def caller() -> str:
    """Who makes and owns: the user, or the service that calls on its own behalf."""
    principal = current_principal()
    return principal.caller
