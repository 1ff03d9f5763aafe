"""Users in storage. Every method works in the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.identity.domain.role import Role
from services.identity.domain.user import User
from services.identity.locks import lock
from services.identity.tables import idempotency, users
from services.runtime.clock import NANOS

_REQUESTS_KEPT_NS = 30 * 86_400 * NANOS
_COLUMNS = users.c
_USER = (
    _COLUMNS.user_id,
    _COLUMNS.user_name,
    _COLUMNS.display_name,
    _COLUMNS.roles,
    _COLUMNS.disabled,
    _COLUMNS.version,
    _COLUMNS.create_time_ns,
)


@dataclass(frozen=True, slots=True)
class StoredUser:
    """A user with the hash of the password."""

    user: User
    password_hash: str


class UserStore:
    """The table of users."""

    async def insert_user(self, connection: AsyncConnection, user: User, password_hash: str) -> bool:
        """Add a user; False when the name is taken."""
        statement = insert(users).values(
            user_id=user.user_id,
            user_name=user.user_name,
            display_name=user.display_name,
            roles=sorted(user.roles),
            disabled=user.disabled,
            password_hash=password_hash,
            version=user.version,
            create_time_ns=user.create_time_ns,
        )
        statement = statement.on_conflict_do_nothing(index_elements=[_COLUMNS.user_name])
        added = await connection.execute(statement.returning(_COLUMNS.user_id))
        return added.first() is not None

    async def find_user(self, connection: AsyncConnection, user_id: str) -> User | None:
        """The user of that id."""
        row = (await connection.execute(sa.select(*_USER).where(_COLUMNS.user_id == user_id))).first()
        return None if row is None else _user(row)

    async def lock_by_name(self, connection: AsyncConnection, user_name: str) -> StoredUser | None:
        """The user of that name and the password's hash, locked: nobody is disabled during a login."""
        statement = sa.select(*_USER, _COLUMNS.password_hash).where(_COLUMNS.user_name == user_name)
        statement = statement.with_for_update(key_share=True)
        row = (await connection.execute(statement)).first()
        return None if row is None else StoredUser(_user(row), row.password_hash)

    async def list_users(self, connection: AsyncConnection, *, after: str, limit: int) -> list[User]:
        """Users by user name, from the first one beyond `after`."""
        statement = sa.select(*_USER).where(_COLUMNS.user_name > after)
        rows = await connection.execute(statement.order_by(_COLUMNS.user_name).limit(limit))
        return [_user(row) for row in rows]

    async def lock_users(self, connection: AsyncConnection) -> None:
        """Be the only one who changes users: what must hold over all of them cannot be checked row by row."""
        await lock(connection, "users")

    async def count_users(self, connection: AsyncConnection) -> int:
        """How many there are."""
        return (await connection.execute(sa.select(sa.func.count()).select_from(users))).scalar_one()

    async def count_enabled_admins(self, connection: AsyncConnection) -> int:
        """How many can administer; with `lock_users` held it stays so."""
        statement = sa.select(sa.func.count()).select_from(users)
        statement = statement.where(
            ~_COLUMNS.disabled, sa.literal(Role.ADMIN.value) == sa.any_(_COLUMNS.roles)
        )
        return (await connection.execute(statement)).scalar_one()

    async def update_user(self, connection: AsyncConnection, user: User) -> None:
        """Store what an administrator may change, and the version."""
        statement = sa.update(users).where(_COLUMNS.user_id == user.user_id)
        await connection.execute(
            statement.values(
                display_name=user.display_name,
                roles=sorted(user.roles),
                disabled=user.disabled,
                version=user.version,
            )
        )

    async def set_password_hash(self, connection: AsyncConnection, user_id: str, password_hash: str) -> None:
        """Store another hash; the user's version is about what others see and stays."""
        statement = sa.update(users).where(_COLUMNS.user_id == user_id)
        await connection.execute(statement.values(password_hash=password_hash))

    async def delete_old_requests(self, connection: AsyncConnection, now_ns: int) -> None:
        """Forget the request ids of CreateUser after 30 days, as the contract says."""
        old = idempotency.c.create_time_ns <= now_ns - _REQUESTS_KEPT_NS
        await connection.execute(sa.delete(idempotency).where(old))


def _user(row: sa.Row[*tuple[Any, ...]]) -> User:
    return User(
        user_id=row.user_id,
        user_name=row.user_name,
        display_name=row.display_name,
        roles=frozenset(Role(name) for name in row.roles),
        disabled=row.disabled,
        version=row.version,
        create_time_ns=row.create_time_ns,
    )
