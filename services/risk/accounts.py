"""Accounts as portfolio has them: asked once, then kept, so that portfolio's absence does not close risk."""

from __future__ import annotations

from services.risk.books import Books
from services.risk.clients import PortfolioClient
from services.risk.store import upsert_account_owner
from services.runtime.database import driver_of
from services.runtime.errors import not_found


class Accounts:
    """Which accounts there are, and whose."""

    def __init__(self, books: Books, portfolio: PortfolioClient) -> None:
        self._books = books
        self._portfolio = portfolio

    async def require(self, account_id: str) -> None:
        """Have a book for the account.

        Raises ApiError: NOT_FOUND ACCOUNT_NOT_FOUND; UNAVAILABLE when portfolio must be asked and is away.
        """
        if account_id in self._books.accounts:
            return
        async with self._books.reading():
            if account_id in self._books.accounts:
                return
        if await self._fetch(account_id) is None:
            raise not_found("ACCOUNT_NOT_FOUND", f"there is no account {account_id}", account_id=account_id)

    async def owner_of(self, account_id: str) -> str | None:
        """The owner's user id, None when there is no such account; errors of portfolio pass through."""
        async with self._books.reading():
            owner = self._books.owners.get(account_id)
        return owner if owner is not None else await self._fetch(account_id)

    async def _fetch(self, account_id: str) -> str | None:
        facts = await self._portfolio.get_account(account_id)
        if facts is None:
            return None
        async with self._books.transaction() as connection:
            driver = await driver_of(connection)
            await upsert_account_owner(driver, account_id, facts.owner_user_id, facts.currency)
            self._books.book(account_id, facts.currency)
            self._books.owners[account_id] = facts.owner_user_id
        return facts.owner_user_id
