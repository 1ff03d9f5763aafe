"""Locks on things that have no row of their own, held to the end of the transaction."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection


async def lock(connection: AsyncConnection, name: str) -> None:
    """Wait for the lock of that name; one transaction at a time has it."""
    key = sa.func.hashtextextended(f"identity:{name}", 0)
    await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
