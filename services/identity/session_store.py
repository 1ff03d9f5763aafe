"""Sessions and refresh tokens in storage. Every method works in the caller's transaction.

Tokens come and go as their SHA-256; the token itself is never stored.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.identity.domain.session import RefreshToken
from services.identity.tables import refresh_tokens, sessions, users


class SessionStore:
    """The tables of sessions and refresh tokens."""

    async def insert_session(
        self, connection: AsyncConnection, session_id: str, user_id: str, now_ns: int
    ) -> None:
        """Add a session; it has no token yet."""
        values = {"session_id": session_id, "user_id": user_id, "create_time_ns": now_ns}
        await connection.execute(sa.insert(sessions).values(values))

    async def insert_token(
        self, connection: AsyncConnection, token_hash: bytes, session_id: str, expire_time_ns: int
    ) -> None:
        """Add the session's live token; the one before must have been used."""
        values = {"token_hash": token_hash, "session_id": session_id, "expire_time_ns": expire_time_ns}
        await connection.execute(sa.insert(refresh_tokens).values(values))

    async def lock_token(self, connection: AsyncConnection, token_hash: bytes) -> RefreshToken | None:
        """The token with its session, both locked: of two uses at once one sees what the other did.

        Whoever disables a user revokes the sessions too, and so waits here or is seen here.
        """
        tokens = refresh_tokens.c
        statement = (
            sa.select(
                tokens.session_id,
                users.c.user_id,
                tokens.expire_time_ns,
                tokens.use_time_ns.is_not(None),
                sessions.c.revoke_time_ns.is_not(None),
                users.c.disabled,
            )
            .select_from(refresh_tokens.join(sessions).join(users))
            .where(tokens.token_hash == token_hash)
            .with_for_update(key_share=True, of=[refresh_tokens, sessions])
        )
        row = (await connection.execute(statement)).first()
        return None if row is None else RefreshToken(*row)

    async def use_token(self, connection: AsyncConnection, token_hash: bytes, now_ns: int) -> None:
        """Mark the token as used."""
        statement = sa.update(refresh_tokens).where(refresh_tokens.c.token_hash == token_hash)
        await connection.execute(statement.values(use_time_ns=now_ns))

    async def revoke_session(self, connection: AsyncConnection, session_id: str, now_ns: int) -> None:
        """End the session; nothing when it has ended before."""
        await self._revoke(connection, sessions.c.session_id == session_id, now_ns)

    async def revoke_sessions_of(
        self, connection: AsyncConnection, user_id: str, now_ns: int, *, keep: str | None = None
    ) -> None:
        """End all sessions of the user but `keep`."""
        which = sessions.c.user_id == user_id
        if keep is not None:
            which &= sessions.c.session_id != keep
        await self._revoke(connection, which, now_ns)

    async def delete_expired(self, connection: AsyncConnection, now_ns: int) -> None:
        """Forget tokens that have ended and sessions without any: both are refused as unknown, as before."""
        await connection.execute(sa.delete(refresh_tokens).where(refresh_tokens.c.expire_time_ns <= now_ns))
        left = sa.exists().where(refresh_tokens.c.session_id == sessions.c.session_id)
        await connection.execute(sa.delete(sessions).where(~left))

    async def _revoke(self, connection: AsyncConnection, which: sa.ColumnElement[bool], now_ns: int) -> None:
        statement = sa.update(sessions).where(which, sessions.c.revoke_time_ns.is_(None))
        await connection.execute(statement.values(revoke_time_ns=now_ns))
