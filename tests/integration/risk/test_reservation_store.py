"""Rows of reservations over a real PostgreSQL: what is written, and what has to be read for it."""

from collections.abc import AsyncIterator

import pytest

from services.risk import reservation_store
from services.risk.tables import SCHEMA
from services.runtime.database import Database, migrate


@pytest.fixture(scope="module")
async def database(postgres_url: str) -> AsyncIterator[Database]:
    await migrate(postgres_url, schema=SCHEMA, package="risk")
    database = await Database.connect(postgres_url, schema=SCHEMA)
    yield database
    await database.close()


async def test_an_update_reads_no_other_reservations(database: Database) -> None:
    """Also by a plan that was made when the table was new, which stays until statistics are there."""
    given = ["", 0, 0, "", False, None]
    async with database.raw() as driver:
        plan = await driver.fetch(f"EXPLAIN (GENERIC_PLAN) {reservation_store._UPDATE}", *given)
    text = "\n".join(line for (line,) in plan)
    assert "Index Scan using reservation_pkey" in text
    assert "Seq Scan" not in text
