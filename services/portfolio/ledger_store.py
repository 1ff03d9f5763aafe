"""The cash ledger in PostgreSQL: deposits in, entries out."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import asyncpg

from services.portfolio.domain.ledger import Cash, EntryType, LedgerEntry, post_deposit
from services.portfolio.domain.money import is_to_minor_unit
from services.portfolio.postings import ENTRY_COLUMNS, entry_of, lock_cash, write_postings
from services.portfolio.tables import ledger_entries
from services.runtime.clock import Clock
from services.runtime.database import Database
from services.runtime.errors import ApiError, invalid_argument, not_found
from services.runtime.event_log import EventLog
from services.runtime.failpoints import failpoint
from services.runtime.idempotency import IdempotencyStore
from services.runtime.ids import new_id

# ruff: noqa: S608  # names of our own tables and columns
_SELECT = f"SELECT {', '.join(ENTRY_COLUMNS)} FROM {ledger_entries.fullname}"
_BY_ID = f"{_SELECT} WHERE entry_id = $1"
_PAGE = f"{_SELECT} WHERE account_id = $1 AND number > $2"


class LedgerStore:
    """Postings of cash; each is an event of the log in the same transaction."""

    def __init__(
        self, database: Database, log: EventLog, requests: IdempotencyStore, *, clock: Clock
    ) -> None:
        self._database = database
        self._log = log
        self._requests = requests
        self._clock = clock

    async def deposit(
        self,
        account_id: str,
        amount: Decimal,
        currency: str,
        memo: str,
        *,
        caller: str,
        request_id: str,
        digest: str,
    ) -> tuple[LedgerEntry, bool]:
        """Put money in, or find the entry that this request_id of the caller made before; True then.

        Raises:
            ApiError: ALREADY_EXISTS (REQUEST_ID_REUSED), NOT_FOUND (ACCOUNT_NOT_FOUND), INVALID_ARGUMENT
                (CURRENCY_MISMATCH, AMOUNT_TOO_PRECISE): nothing was posted and the request_id is not used up.
        """
        request = caller, "CreateDeposit", request_id
        async with self._log.transaction() as transaction:
            connection, driver = transaction.connection, transaction.driver
            stored = await self._requests.begin(connection, *request, digest)
            if stored is not None:
                return await _entry(driver, stored.resource_id), True
            cash = (await lock_cash(driver, [account_id])).get(account_id)
            if cash is None:
                raise account_not_found(account_id)
            _check_amount(amount, currency, cash)
            now_ns = self._clock.now_ns()
            entry_id = new_id(self._clock)
            cash, entry = post_deposit(cash, amount, entry_id=entry_id, post_time_ns=now_ns, memo=memo)
            await write_postings(transaction, [cash], [entry])
            await self._requests.finish(connection, *request, entry.entry_id)
            failpoint("portfolio.deposit.before_commit")
        failpoint("portfolio.deposit.after_commit")
        return entry, False

    async def list_entries(
        self, account_id: str, entry_type: EntryType | None, *, after: int, limit: int
    ) -> Sequence[LedgerEntry]:
        """The account's entries beyond number `after`, oldest first; of one type if given."""
        wanted = "" if entry_type is None else " AND type = $4"
        arguments = [account_id, after, limit, *([] if entry_type is None else [entry_type.value])]
        async with self._database.raw() as driver:
            rows = await driver.fetch(f"{_PAGE}{wanted} ORDER BY number LIMIT $3", *arguments)
        return [entry_of(row) for row in rows]


def account_not_found(account_id: str) -> ApiError:
    """NOT_FOUND, as for an account of somebody else."""
    return not_found("ACCOUNT_NOT_FOUND", f"no account {account_id} of yours", account_id=account_id)


async def _entry(driver: asyncpg.Connection, entry_id: str) -> LedgerEntry:
    row = await driver.fetchrow(_BY_ID, entry_id)
    if row is None:
        raise LookupError(f"ledger entry {entry_id} is gone")
    return entry_of(row)


def _check_amount(amount: Decimal, currency: str, cash: Cash) -> None:
    if currency != cash.currency:
        raise invalid_argument(
            "CURRENCY_MISMATCH",
            f"the account is kept in {cash.currency}, the amount is in {currency}",
            field="amount.currency",
            currency=cash.currency,
        )
    if not is_to_minor_unit(amount, currency):
        raise invalid_argument(
            "AMOUNT_TOO_PRECISE",
            f"{amount} has more digits than {currency} has",
            field="amount.amount",
            currency=currency,
        )
