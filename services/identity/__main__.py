"""The identity service: `python -m services.identity`."""

from __future__ import annotations

import asyncio
import contextlib

from bifrost.identity.v1 import token_service_pb2_grpc, user_service_pb2_grpc
from services.identity.config import IdentitySettings
from services.identity.first_admin import ensure_first_admin
from services.identity.key_ring import KeyRing
from services.identity.key_store import KeyStore
from services.identity.login import Login
from services.identity.passwords import PasswordHasher
from services.identity.session_store import SessionStore
from services.identity.tables import SCHEMA
from services.identity.token_service import TokenService
from services.identity.user_service import UserService
from services.identity.user_store import UserStore
from services.runtime.clock import Clock, SystemClock
from services.runtime.database import Database, migrate
from services.runtime.server import Service, run


async def compose(settings: IdentitySettings, *, clock: Clock | None = None) -> Service:
    """The service, ready to start: schema migrated, keys published, first administrator made."""
    if settings.database_url is None:
        raise SystemExit("identity keeps its users in PostgreSQL: set BIFROST_DATABASE_URL")
    clock = clock or SystemClock()
    await migrate(settings.database_url, schema=SCHEMA, package="identity")
    async with contextlib.AsyncExitStack() as opened:
        database = await Database.connect(settings.database_url, schema=SCHEMA)
        opened.push_async_callback(database.close)
        hasher = await PasswordHasher.make(settings)
        opened.push_async_callback(hasher.close)
        service = await _compose(settings, database, hasher, clock)
        service.on_stop(opened.pop_all().aclose)
    return service


async def _compose(
    settings: IdentitySettings, database: Database, hasher: PasswordHasher, clock: Clock
) -> Service:
    users, sessions = UserStore(), SessionStore()
    keys = KeyRing(
        KeyStore(database),
        clock=clock,
        max_age_days=settings.signing_key_max_age_days,
        jwks_file=settings.jwks_file,
    )
    await keys.rotate()
    await ensure_first_admin(database, users, hasher, settings, clock=clock)
    login = Login(database, users, hasher, clock=clock)

    async def maintain() -> None:
        while True:
            await asyncio.sleep(settings.maintenance_interval_s)
            await keys.rotate()
            async with database.transaction() as connection:
                await sessions.delete_expired(connection, clock.now_ns())
                await login.delete_forgotten(connection)
                await users.delete_old_requests(connection, clock.now_ns())

    service = Service(settings, clock=clock, jwks_source=keys.fetch_jwks)
    service.add(
        token_service_pb2_grpc.add_TokenServiceServicer_to_server,
        TokenService(database, login, users, sessions, keys, clock=clock),
    )
    service.add(
        user_service_pb2_grpc.add_UserServiceServicer_to_server,
        UserService(database, login, hasher, users, sessions, clock=clock),
    )
    service.background("maintenance", maintain)
    return service


async def main() -> Service:
    """Compose the service from the environment."""
    return await compose(IdentitySettings())


if __name__ == "__main__":
    run(main)
