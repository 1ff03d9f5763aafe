"""Request ids over a real PostgreSQL: one effect, whoever asks how often."""
# ruff: noqa: PT012

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
import sqlalchemy as sa

from services.runtime.clock import SystemClock
from services.runtime.database import Database, metadata_for
from services.runtime.errors import ApiError
from services.runtime.idempotency import IdempotencyStore, Stored, idempotency_table

metadata = metadata_for("shop")
table = idempotency_table(metadata)
store = IdempotencyStore(table, clock=SystemClock())


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Database]:
    database = await Database.connect(postgres_url, schema="shop", pool_size=8)
    async with database.transaction() as connection:
        await connection.execute(sa.schema.CreateSchema("shop", if_not_exists=True))
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)
    yield database
    await database.close()


async def ask(database: Database, digest: str, made: str, *, owner: str = "o", request_id: str = "r") -> str:
    async with database.transaction() as connection:
        stored = await store.begin(connection, owner, "Make", request_id, digest)
        if stored is not None:
            return stored.resource_id
        await store.finish(connection, owner, "Make", request_id, made)
    return made


async def test_same_request_gives_what_the_first_made(database: Database) -> None:
    assert await ask(database, "1:a", "first") == "first"
    assert await ask(database, "1:a", "second") == "first"


async def test_other_content_is_refused_with_both_digests(database: Database) -> None:
    await ask(database, "1:a", "first")
    with pytest.raises(ApiError) as caught:
        await ask(database, "1:b", "second")
    assert (caught.value.code, caught.value.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert caught.value.metadata == {"request_id": "r", "recorded_digest": "1:a", "digest": "1:b"}


async def test_scope_is_owner_and_method(database: Database) -> None:
    assert await ask(database, "1:a", "first") == "first"
    assert await ask(database, "1:b", "theirs", owner="p") == "theirs"
    async with database.transaction() as connection:
        assert await store.begin(connection, "o", "Other", "r", "1:c") is None


async def test_refused_request_does_not_consume_the_id(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as connection:
            await store.begin(connection, "o", "Make", "r", "1:a")
            raise ZeroDivisionError
    assert await ask(database, "1:b", "made") == "made"


async def test_twins_in_flight_make_one(database: Database) -> None:
    made = await asyncio.gather(*(ask(database, "1:a", f"twin{n}") for n in range(8)))
    assert len(set(made)) == 1


async def test_twin_waits_for_the_first_to_end(database: Database) -> None:
    async with database.transaction() as connection:
        assert await store.begin(connection, "o", "Make", "r", "1:a") is None
        twin = asyncio.create_task(ask(database, "1:a", "twin"))
        done, _ = await asyncio.wait([twin], timeout=0.1)
        assert not done
        await store.finish(connection, "o", "Make", "r", "first")
    assert await twin == "first"
    async with database.transaction() as connection:
        assert await store.begin(connection, "o", "Make", "r", "1:a") == Stored("first")
