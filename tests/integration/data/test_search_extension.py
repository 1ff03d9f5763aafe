"""Where the role of data may not make extensions, pg_trgm must be there, and data says so."""

from __future__ import annotations

import pytest

from services.data import tables
from services.runtime.database import migrate
from services.runtime.testing import temporary_postgres


async def test_pg_trgm_is_made_beforehand_or_asked_for() -> None:
    with temporary_postgres() as server:
        server.provision({"data": "p"})
        url = server.url("data", "p")
        with pytest.raises(RuntimeError, match=r"as a superuser.*CREATE EXTENSION IF NOT EXISTS pg_trgm"):
            await migrate(url, schema=tables.SCHEMA, package="data")
        server.psql("CREATE SCHEMA elsewhere; CREATE EXTENSION pg_trgm SCHEMA elsewhere", database="bifrost")
        with pytest.raises(RuntimeError, match="ALTER EXTENSION pg_trgm SET SCHEMA data"):
            await migrate(url, schema=tables.SCHEMA, package="data")
        server.psql("DROP EXTENSION pg_trgm", database="bifrost")
        for _ in range(2):
            server.provision({"data": "p"}, extensions={"pg_trgm": "data"})
        await migrate(url, schema=tables.SCHEMA, package="data")
