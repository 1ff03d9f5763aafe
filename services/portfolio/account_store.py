"""Portfolios and accounts in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.portfolio.domain.account import Account, AccountType, Portfolio
from services.portfolio.tables import accounts, portfolios
from services.runtime.database import Database
from services.runtime.errors import not_found
from services.runtime.idempotency import IdempotencyStore

_ACCOUNT_COLUMNS = tuple(accounts.c[name] for name in Account.__dataclass_fields__)


class AccountStore:
    """Portfolios and accounts; each request_id makes one."""

    def __init__(self, database: Database, requests: IdempotencyStore) -> None:
        self._database = database
        self._requests = requests

    async def insert_portfolio(
        self, portfolio: Portfolio, *, request_id: str, digest: str
    ) -> tuple[Portfolio, bool]:
        """Make it, or find what this request_id made before; True then.

        Raises:
            ApiError: ALREADY_EXISTS (REQUEST_ID_REUSED).
        """
        request = portfolio.owner_user_id, "CreatePortfolio", request_id
        async with self._database.transaction() as connection:
            stored = await self._requests.begin(connection, *request, digest)
            if stored is not None:
                return await _portfolio(connection, stored.resource_id), True
            await connection.execute(
                sa.insert(portfolios).values(
                    portfolio_id=portfolio.portfolio_id,
                    owner_user_id=portfolio.owner_user_id,
                    name=portfolio.name,
                    create_time_ns=portfolio.create_time_ns,
                )
            )
            await self._requests.finish(connection, *request, portfolio.portfolio_id)
        return portfolio, False

    async def insert_account(self, account: Account, *, request_id: str, digest: str) -> tuple[Account, bool]:
        """Open it without cash, or find what this request_id opened before; True then.

        Raises:
            ApiError: ALREADY_EXISTS (REQUEST_ID_REUSED), NOT_FOUND (PORTFOLIO_NOT_FOUND): there is no such
                portfolio of the owner.
        """
        request = account.owner_user_id, "CreateAccount", request_id
        async with self._database.transaction() as connection:
            stored = await self._requests.begin(connection, *request, digest)
            if stored is not None:
                found = await _account(connection, stored.resource_id)
                if found is None:
                    raise LookupError(f"account {stored.resource_id} of request {request_id!r} is gone")
                return found, True
            if not await _owns_portfolio(connection, account.owner_user_id, account.portfolio_id):
                message = f"you have no portfolio {account.portfolio_id}"
                raise not_found("PORTFOLIO_NOT_FOUND", message, portfolio_id=account.portfolio_id)
            await connection.execute(
                sa.insert(accounts).values(
                    account_id=account.account_id,
                    portfolio_id=account.portfolio_id,
                    owner_user_id=account.owner_user_id,
                    name=account.name,
                    currency=account.currency,
                    venue=account.venue,
                    type=account.type.value,
                    create_time_ns=account.create_time_ns,
                    cash=0,
                    fees=0,
                    entry_count=0,
                )
            )
            await self._requests.finish(connection, *request, account.account_id)
        return account, False

    async def find_account(self, account_id: str) -> Account | None:
        """The account, None when there is none."""
        async with self._database.read() as connection:
            return await _account(connection, account_id)

    async def find_owner(self, account_id: str) -> str | None:
        """User id of the account's owner, None when there is no such account."""
        async with self._database.read() as connection:
            query = sa.select(accounts.c.owner_user_id).where(accounts.c.account_id == account_id)
            owner: str | None = (await connection.execute(query)).scalar_one_or_none()
            return owner

    async def list_portfolios(self, owner: str, *, after: str, limit: int) -> Sequence[Portfolio]:
        """The owner's portfolios beyond the id `after`, oldest first (ids are in time order)."""
        mine = sa.and_(portfolios.c.owner_user_id == owner, portfolios.c.portfolio_id > after)
        query = sa.select(portfolios).where(mine).order_by(portfolios.c.portfolio_id).limit(limit)
        async with self._database.read() as connection:
            return [Portfolio(*row) for row in await connection.execute(query)]

    async def list_accounts(self, owner: str, *, after: str, limit: int) -> Sequence[Account]:
        """The owner's accounts beyond the id `after`, oldest first (ids are in time order)."""
        mine = sa.and_(accounts.c.owner_user_id == owner, accounts.c.account_id > after)
        query = sa.select(*_ACCOUNT_COLUMNS).where(mine).order_by(accounts.c.account_id).limit(limit)
        async with self._database.read() as connection:
            return [_account_of(row) for row in await connection.execute(query)]


async def _portfolio(connection: AsyncConnection, portfolio_id: str) -> Portfolio:
    query = sa.select(portfolios).where(portfolios.c.portfolio_id == portfolio_id)
    return Portfolio(*(await connection.execute(query)).one())


async def _account(connection: AsyncConnection, account_id: str) -> Account | None:
    query = sa.select(*_ACCOUNT_COLUMNS).where(accounts.c.account_id == account_id)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _account_of(row)


async def _owns_portfolio(connection: AsyncConnection, owner: str, portfolio_id: str) -> bool:
    query = sa.select(portfolios.c.owner_user_id).where(portfolios.c.portfolio_id == portfolio_id)
    return bool((await connection.execute(query)).scalar_one_or_none() == owner)


def _account_of(row: sa.Row[tuple[object, ...]]) -> Account:
    values = row._asdict()
    return Account(**{**values, "type": AccountType(values["type"])})
