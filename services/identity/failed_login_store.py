"""Failed logins in storage, by user name."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.identity.domain.login_throttle import FailedLogins, forget_time_ns
from services.identity.locks import lock
from services.identity.tables import failed_logins

_COLUMNS = failed_logins.c


class FailedLoginStore:
    """The table of failed logins. Every method works in the caller's transaction."""

    async def lock_name(self, connection: AsyncConnection, user_name: str) -> None:
        """Wait for the one attempt a name has at a time: guesses side by side must not outrun the count."""
        await lock(connection, f"login {user_name}")

    async def find_failures(self, connection: AsyncConnection, user_name: str) -> FailedLogins:
        """What is counted for the name."""
        statement = sa.select(_COLUMNS["count"], _COLUMNS.first_failure_ns, _COLUMNS.blocked_until_ns)
        row = (await connection.execute(statement.where(_COLUMNS.user_name == user_name))).first()
        return FailedLogins() if row is None else FailedLogins(*row)

    async def store_failures(self, connection: AsyncConnection, user_name: str, failed: FailedLogins) -> None:
        """Keep the count."""
        values = {
            "count": failed.count,
            "first_failure_ns": failed.first_failure_ns,
            "blocked_until_ns": failed.blocked_until_ns,
            "forget_time_ns": forget_time_ns(failed),
        }
        statement = insert(failed_logins).values(user_name=user_name, **values)
        statement = statement.on_conflict_do_update(index_elements=[_COLUMNS.user_name], set_=values)
        await connection.execute(statement)

    async def clear_failures(self, connection: AsyncConnection, user_name: str) -> None:
        """Forget the name's failures."""
        await connection.execute(sa.delete(failed_logins).where(_COLUMNS.user_name == user_name))

    async def delete_forgotten(self, connection: AsyncConnection, now_ns: int) -> None:
        """Drop the counts that count no more."""
        await connection.execute(sa.delete(failed_logins).where(_COLUMNS.forget_time_ns <= now_ns))
