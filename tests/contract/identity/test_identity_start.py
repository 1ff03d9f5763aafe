"""What identity does when it starts and between calls: schema, first administrator, keys, upkeep."""

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import grpc
import jwt
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from bifrost.identity.v1 import token_service_pb2, user_pb2, user_service_pb2
from services.identity.__main__ import compose
from services.identity.config import IdentitySettings
from services.identity.first_admin import AdminPasswordError
from services.identity.tables import SCHEMA, metadata
from services.runtime.clock import NANOS
from services.runtime.database import Database
from services.runtime.testing import new_database, temporary_postgres
from services.runtime.waiting import until
from tests.contract.identity.identity_harness import (
    ADMIN_PASSWORD,
    PASSWORD,
    RunningIdentity,
    StartIdentity,
    bearer,
    failure_of,
)

DAY_NS = 86_400 * NANOS
MAX_AGE_NS = 90 * DAY_NS


async def key_ids(identity: RunningIdentity) -> list[str]:
    answer = await identity.tokens.GetJwks(token_service_pb2.GetJwksRequest())
    return [key.kid for key in answer.keys]


def signer(tokens: token_service_pb2.TokenPair) -> str:
    return str(jwt.get_unverified_header(tokens.access_token)["kid"])


async def count(url: str, table: str) -> int:
    database = await Database.connect(url, schema=SCHEMA)
    try:
        async with database.read() as connection:
            statement = sa.select(sa.func.count()).select_from(metadata.tables[f"{SCHEMA}.{table}"])
            return (await connection.execute(statement)).scalar_one()
    finally:
        await database.close()


async def test_the_migrations_make_the_tables_that_the_code_knows(
    start: StartIdentity, fresh_url: str
) -> None:
    await start()

    def differences(connection: sa.Connection) -> list[Any]:
        options = {
            "include_schemas": True,
            "include_name": lambda name, kind, _parents: kind != "schema" or name == SCHEMA,
            "include_object": lambda _object, name, *_rest: name != "alembic_version",
        }
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    # An engine of its own: where the schema is on the search path, it is not compared as one.
    engine = create_async_engine(sa.make_url(fresh_url).set(drivername="postgresql+asyncpg"))
    async with engine.connect() as connection:
        found = await connection.run_sync(differences)
    await engine.dispose()
    assert [change for change in found if "constraint" not in change[0]] == []


async def test_a_restart_keeps_users_keys_sessions_and_waits(start: StartIdentity, tmp_path: Path) -> None:
    first = await start()
    pair = await first.login("admin", ADMIN_PASSWORD)
    kids = await key_ids(first)
    for _ in range(5):
        await failure_of(first.login("somebody", "a guess"))
    await first.stop()
    (tmp_path / "admin-password").write_text("a password that comes too late")
    again = await start()
    assert await key_ids(again) == kids
    await again.login("admin", ADMIN_PASSWORD)
    await again.refresh(pair.refresh_token)
    request = user_service_pb2.GetUserRequest(user_id="me")
    assert (await again.users.GetUser(request, metadata=bearer(pair))).user.roles == [user_pb2.ROLE_ADMIN]
    assert (await failure_of(again.login("somebody", "a guess"))).reason == "LOGIN_THROTTLED"


async def test_the_first_password_is_made_when_none_is_given(start: StartIdentity, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    identity = await start(admin_password_file=None, run_dir=run_dir)
    (file,) = run_dir.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    await identity.login("admin", file.read_text())


async def test_a_password_file_that_a_crash_left_behind_is_used(start: StartIdentity, tmp_path: Path) -> None:
    (tmp_path / "admin-password").write_text(PASSWORD + "\n")
    identity = await start(admin_password_file=None)
    await identity.login("admin", PASSWORD)


async def test_two_first_starts_at_once_make_one_administrator_and_one_key(
    start: StartIdentity, tmp_path: Path, fresh_url: str
) -> None:
    both = await asyncio.gather(*(start(admin_password_file=None) for _ in range(2)))
    assert await count(fresh_url, "user") == 1
    assert await count(fresh_url, "signing_key") == 1
    for identity in both:
        await identity.login("admin", (tmp_path / "admin-password").read_text())


@pytest.mark.parametrize("content", [None, "", "too short", "é" * 129])
async def test_a_first_password_that_will_not_do_stops_the_start(
    start: StartIdentity, tmp_path: Path, fresh_url: str, content: str | None
) -> None:
    path = tmp_path / "somewhere" / "password"
    if content is not None:
        path.parent.mkdir()
        path.write_text(content)
    with pytest.raises(AdminPasswordError, match=str(path)):
        await start(admin_password_file=path)
    assert await count(fresh_url, "user") == 0


async def test_without_a_database_it_says_what_to_set() -> None:
    with pytest.raises(SystemExit, match="BIFROST_DATABASE_URL"):
        await compose(IdentitySettings(database_url=None))


@pytest.mark.parametrize("own_file", [True, False])
async def test_keys_rotate_without_refusing_a_token(
    start: StartIdentity, fresh_url: str, own_file: bool
) -> None:
    """Its own verifier reads the file, or with none asks the keys themselves."""
    settings = {"maintenance_interval_s": 0.01} | ({} if own_file else {"jwks_file": None})
    identity = await start(**settings)
    me = user_service_pb2.GetUserRequest(user_id="me")
    before = await identity.login("admin", ADMIN_PASSWORD)
    (old,) = await key_ids(identity)
    identity.clock.advance(MAX_AGE_NS)

    async def has_two_keys() -> bool:
        return len(await key_ids(identity)) == 2

    await until(has_two_keys, timeout_s=60)
    _, new = await key_ids(identity)
    waiting = await identity.login("admin", ADMIN_PASSWORD)
    assert (signer(before), signer(waiting)) == (old, old)
    identity.clock.advance(60 * NANOS)
    assert await key_ids(identity) == [new, old]
    after = await identity.login("admin", ADMIN_PASSWORD)
    assert signer(after) == new
    for pair in (waiting, after):
        await identity.users.GetUser(me, metadata=bearer(pair))
    identity.clock.advance(16 * 60 * NANOS)
    assert await key_ids(identity) == [new]

    async def old_is_gone() -> bool:
        return await count(fresh_url, "signing_key") == 1

    await until(old_is_gone, timeout_s=60)
    if own_file:
        await until(
            lambda: [key["kid"] for key in json.loads(identity.jwks_file.read_text())["keys"]] == [new],
            timeout_s=60,
        )
    else:
        assert not identity.jwks_file.exists()


async def test_what_has_expired_is_removed(start: StartIdentity, fresh_url: str) -> None:
    identity = await start(maintenance_interval_s=0.01)
    await identity.create()
    await identity.login("admin", ADMIN_PASSWORD)
    await failure_of(identity.login("somebody", "a guess"))
    identity.clock.advance(30 * DAY_NS)

    async def is_empty() -> bool:
        tables = ("refresh_token", "session", "failed_login", "idempotency")
        return not any([await count(fresh_url, table) for table in tables])

    await until(is_empty, timeout_s=60)
    assert await count(fresh_url, "user") == 2


async def test_the_shipped_costs_and_a_hash_made_with_others(start: StartIdentity, fresh_url: str) -> None:
    cheap = await start()
    await cheap.stop()
    defaults = IdentitySettings()
    costs = (defaults.argon2_time_cost, defaults.argon2_memory_kib, defaults.argon2_parallelism)
    assert costs == (3, 65_536, 4)  # RFC 9106, section 4
    shipped = await start(
        argon2_time_cost=costs[0],
        argon2_memory_kib=costs[1],
        argon2_parallelism=costs[2],
    )
    for _ in range(2):
        await shipped.login("admin", ADMIN_PASSWORD)
    database = await Database.connect(fresh_url, schema=SCHEMA)
    async with database.read() as connection:
        stored = (await connection.execute(sa.text('SELECT password_hash FROM "user"'))).scalar_one()
    await database.close()
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


async def test_a_database_that_is_away_is_unavailable(start: StartIdentity) -> None:
    with temporary_postgres() as server:
        identity = await start(database_url=new_database(server))
        pair = await identity.login("admin", ADMIN_PASSWORD)
        await asyncio.to_thread(server.stop)
        for call in (identity.login("admin", ADMIN_PASSWORD), identity.refresh(pair.refresh_token)):
            away = await failure_of(call)
            assert (away.code, away.reason) == (grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")
        await identity.tokens.GetJwks(token_service_pb2.GetJwksRequest())
        await asyncio.to_thread(server.start)
        await identity.refresh(pair.refresh_token)
