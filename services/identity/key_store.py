"""Signing keys in storage."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.identity.domain.signing_key import (
    SigningKey,
    activation_time_ns,
    is_rotation_due,
    published_keys,
)
from services.identity.locks import lock
from services.identity.tables import signing_keys
from services.runtime.database import Database


class KeyStore:
    """The table of signing keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rotate_signing_key(
        self, now_ns: int, *, max_age_ns: int, make: Callable[[int], SigningKey]
    ) -> list[SigningKey]:
        """Add a key when the newest is missing or too old, drop those that are over; returns what is kept.

        `make(activate_time_ns)` mints a key. Several processes may do this at once: one of them adds.
        """
        async with self._database.transaction() as connection:
            await lock(connection, "signing keys")
            keys = await _select_keys(connection)
            if is_rotation_due(keys, now_ns, max_age_ns):
                key = make(activation_time_ns(keys, now_ns))
                await connection.execute(
                    sa.insert(signing_keys).values(
                        kid=key.kid,
                        private_key_pem=key.private_key_pem,
                        activate_time_ns=key.activate_time_ns,
                    )
                )
                keys.append(key)
            kept = published_keys(keys, now_ns)
            over = [key.kid for key in keys if key not in kept]
            if over:
                await connection.execute(sa.delete(signing_keys).where(signing_keys.c.kid.in_(over)))
            return kept


async def _select_keys(connection: AsyncConnection) -> list[SigningKey]:
    columns = signing_keys.c
    rows = await connection.execute(sa.select(columns.kid, columns.private_key_pem, columns.activate_time_ns))
    return [SigningKey(*row) for row in rows]
