"""The working set: every account's book in memory, equal to the database whenever its lock is free.

All changes go through one writer, in this process by a lock and among processes by the writer's lock and
token. A change is made in memory first and then committed; when the commit fails, or nobody knows, the memory
is thrown away and loaded again, for the database is the truth.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from services.risk.domain.book import AccountBook, RecentOrder
from services.risk.domain.limits import LONGEST_WINDOW_NS, KillSwitch, Limits
from services.risk.reservation_store import check_writer, held_rows, passed_since, wait_for_commits
from services.risk.store import account_rows, kill_switch_rows, limit_rows, position_rows
from services.runtime.clock import Clock
from services.runtime.database import Database, driver_of
from services.runtime.errors import unavailable
from services.runtime.failpoints import failpoint
from services.runtime.writer_lock import FencedError, WriterLock

_log = structlog.get_logger(__name__)
_NO_LIMITS_SET = Limits()


class Books:
    """All books, limits and kill switches. Read and change them inside `reading` and `changing` only."""

    def __init__(self, database: Database, *, clock: Clock, default_limits: Limits = _NO_LIMITS_SET) -> None:
        self.accounts: dict[str, AccountBook] = {}
        self.owners: dict[str, str] = {}
        """Owner's user id by account, where portfolio was asked."""
        self.switches: dict[str, KillSwitch] = {}
        self.database = database
        self._clock = clock
        self._default_limits = default_limits
        self._limits: dict[str, Limits] = {}
        self._lock = asyncio.Lock()
        self._is_current = False
        self._writer = WriterLock(database)
        self._has_applied = False

    @property
    def writer_token(self) -> int:
        """What fences off a writer that was replaced."""
        return self._writer.token

    @property
    def fenced(self) -> asyncio.Event:
        """Set when another process keeps the books: this one should end."""
        return self._writer.fenced

    def limits(self, account_id: str) -> Limits:
        """The account's limits, or the defaults."""
        return self._limits.get(account_id, self._default_limits)

    def set_limits(self, account_id: str, limits: Limits) -> None:
        """Put limits in force."""
        self._limits[account_id] = limits

    def halt(self, account_id: str) -> KillSwitch | None:
        """The engaged switch that stops the account; the one for all comes first."""
        for switch in (self.switches.get(""), self.switches.get(account_id)):
            if switch is not None and switch.is_engaged:
                return switch
        return None

    def book(self, account_id: str, currency: str) -> AccountBook:
        """The account's book, a new one without cash when there is none."""
        return self.accounts.setdefault(account_id, AccountBook(account_id, currency))

    def account(self, account_id: str) -> AccountBook:
        """The book of an account that `Accounts.require` has seen; UNAVAILABLE when that was undone since."""
        book = self.accounts.get(account_id)
        if book is None:
            raise unavailable("DEPENDENCY_UNAVAILABLE", "the account is being loaded", dependency="database")
        return book

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """The books as committed. Raises DatabaseUnavailableError when they cannot be loaded."""
        async with self._lock:
            await self._make_current()
            yield

    @contextlib.asynccontextmanager
    async def changing(self) -> AsyncIterator[None]:
        """The books, to be changed together with the database. A block that raises has changed nothing.

        Raises:
            DatabaseUnavailableError: the books cannot be loaded.
            ApiError: UNAVAILABLE NOT_CAUGHT_UP when another process keeps the books now.
        """
        async with self._lock:
            await self._make_current()
            self._is_current = False
            try:
                self._writer.check()
                yield
            except FencedError as error:
                raise unavailable("NOT_CAUGHT_UP", "another process keeps the books of risk now") from error
            self._is_current = True

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """`changing` around a transaction of the database, committed at the end of the block."""
        async with self.changing():
            self._has_applied = False
            async with self.database.transaction() as connection:
                await check_writer(await driver_of(connection), self._writer.token)
                yield connection
            if self._has_applied:
                failpoint("risk.apply.after_commit")

    def applied(self) -> None:
        """A log's effects are written in the open transaction: the place between them and the commit."""
        self._has_applied = True
        failpoint("risk.apply.before_commit")

    async def close(self) -> None:
        """Let another process have the books."""
        await self._writer.close()

    async def _make_current(self) -> None:
        if self._writer.token == 0:
            await self._writer.acquire()
        if not self._is_current:
            await self._load()
            self._is_current = True

    async def _load(self) -> None:
        async with self.database.raw() as driver:
            await wait_for_commits(driver)
        wall_ns, monotonic_ns = self._clock.now_ns(), self._clock.monotonic_ns()
        async with self.database.open_transaction() as snapshot:
            driver = snapshot.driver
            await driver.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            accounts = await account_rows(driver)
            positions = await position_rows(driver)
            held = await held_rows(driver)
            passed = await passed_since(driver, wall_ns - LONGEST_WINDOW_NS)
            self._limits = await limit_rows(driver)
            self.switches = await kill_switch_rows(driver)
        self.owners = {row.account_id: row.owner_user_id for row in accounts if row.owner_user_id}
        self.accounts = {
            row.account_id: AccountBook(row.account_id, row.currency, row.cash) for row in accounts
        }
        for account_id, instrument_id, quantity in positions:
            self.accounts[account_id].positions[instrument_id] = quantity
        for row in held:
            # Execution may have asked again just before we went down: the wait for it begins anew.
            row.hold.asked_ns = monotonic_ns
            self.accounts[row.account_id].add_hold(row.instrument_id, row.hold, filled=row.filled)
        for row in passed:
            passed_ns = RecentOrder.recalled_ns(row.decided_ns, wall_ns=wall_ns, monotonic_ns=monotonic_ns)
            recent = RecentOrder(row.hold.request_id, row.instrument_id, row.hold.terms, passed_ns)
            self.accounts[row.account_id].remember(recent)
        _log.info("books_loaded", accounts=len(accounts), held=len(held))
