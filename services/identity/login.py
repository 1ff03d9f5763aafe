"""The proof that a caller knows a password, throttled by user name."""

from __future__ import annotations

import contextlib
import math
from collections.abc import AsyncIterator

from sqlalchemy.ext.asyncio import AsyncConnection

from services.identity.domain.login_throttle import FailedLogins, after_failure, wait_ns
from services.identity.domain.user import User
from services.identity.failed_login_store import FailedLoginStore
from services.identity.passwords import PasswordHasher
from services.identity.user_store import UserStore
from services.runtime.clock import NANOS, Clock
from services.runtime.database import Database
from services.runtime.errors import ApiError, permission_denied, resource_exhausted, unauthenticated


class Login:
    """Verifies passwords, counts failures durably and refuses names that failed too often."""

    def __init__(self, database: Database, users: UserStore, hasher: PasswordHasher, *, clock: Clock) -> None:
        self._database = database
        self._users = users
        self._hasher = hasher
        self._clock = clock
        self._failures = FailedLoginStore()

    @contextlib.asynccontextmanager
    async def verified(self, user_name: str, password: str) -> AsyncIterator[tuple[AsyncConnection, User]]:
        """The user whose password this is, in a transaction that is committed at the end of the block.

        Raises ApiError: UNAUTHENTICATED CREDENTIALS_INVALID, PERMISSION_DENIED USER_DISABLED (said only to
        who knows the password), RESOURCE_EXHAUSTED LOGIN_THROTTLED with RetryInfo.
        """
        async with self._database.read() as connection:  # a throttled name costs no hash and no waiting
            self._check_throttle(await self._failures.find_failures(connection, user_name))
        async with self._hasher.slots, self._database.open_transaction() as transaction:
            connection = transaction.connection
            user = await self._verify(connection, user_name, password)
            if user is None:
                await transaction.commit()  # the failure counts
                raise unauthenticated("CREDENTIALS_INVALID", "user name and password do not fit together")
            if user.disabled:
                raise permission_denied("USER_DISABLED", "this user was disabled by an administrator")
            yield connection, user
            await transaction.commit()

    async def delete_forgotten(self, connection: AsyncConnection) -> None:
        """Drop the failures that count no more."""
        await self._failures.delete_forgotten(connection, self._clock.now_ns())

    async def _verify(self, connection: AsyncConnection, user_name: str, password: str) -> User | None:
        await self._failures.lock_name(connection, user_name)
        failed = await self._failures.find_failures(connection, user_name)
        self._check_throttle(failed)
        stored = await self._users.lock_by_name(connection, user_name)
        password_hash = None if stored is None else stored.password_hash
        matches = await self._hasher.verify(password_hash, password)
        if stored is None or not matches:
            failed = after_failure(failed, self._clock.now_ns())
            await self._failures.store_failures(connection, user_name, failed)
            return None
        if failed.count:
            await self._failures.clear_failures(connection, user_name)
        if self._hasher.is_outdated(stored.password_hash):
            renewed = await self._hasher.hash(password)
            await self._users.set_password_hash(connection, stored.user.user_id, renewed)
        return stored.user

    def _check_throttle(self, failed: FailedLogins) -> None:
        wait = wait_ns(failed, self._clock.now_ns())
        if wait:
            raise _throttled(wait)


def _throttled(wait: int) -> ApiError:
    seconds = wait / NANOS
    return resource_exhausted(
        "LOGIN_THROTTLED",
        f"too many failed logins for this user name; try again in {math.ceil(seconds)} s",
        retry_after_s=seconds,
    )
