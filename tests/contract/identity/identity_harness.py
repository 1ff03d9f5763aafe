"""A running identity service with a database of its own, and callers of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from bifrost.identity.v1 import (
    token_service_pb2,
    token_service_pb2_grpc,
    user_pb2,
    user_service_pb2,
    user_service_pb2_grpc,
)
from services.identity.__main__ import compose
from services.identity.config import IdentitySettings
from services.runtime.clock import ManualClock
from services.runtime.errors import RpcFailure, error_from_rpc
from services.runtime.server import Service
from services.runtime.testing import connect

START_NS = 1_700_000_000_000_000_000
ADMIN_PASSWORD = "the first password"
PASSWORD = "correct horse battery"
# Strength is not what these tests are about; test_identity_start.py logs in with the shipped costs.
CHEAP: dict[str, Any] = {"argon2_time_cost": 1, "argon2_memory_kib": 8, "argon2_parallelism": 1}


@dataclasses.dataclass
class RunningIdentity:
    """Stubs, and the words tests are written in."""

    service: Service
    clock: ManualClock
    channel: grpc.aio.Channel
    jwks_file: Path
    made: int = 0

    @property
    def tokens(self) -> token_service_pb2_grpc.TokenServiceStub:
        return token_service_pb2_grpc.TokenServiceStub(self.channel)

    @property
    def users(self) -> user_service_pb2_grpc.UserServiceStub:
        return user_service_pb2_grpc.UserServiceStub(self.channel)

    async def login(self, user_name: str, password: str = PASSWORD) -> token_service_pb2.TokenPair:
        request = token_service_pb2.CreateTokenRequest(user_name=user_name, password=password)
        return (await self.tokens.CreateToken(request)).tokens

    async def refresh(self, refresh_token: str) -> token_service_pb2.TokenPair:
        request = token_service_pb2.RefreshTokenRequest(refresh_token=refresh_token)
        return (await self.tokens.RefreshToken(request)).tokens

    async def revoke(self, refresh_token: str) -> None:
        await self.tokens.RevokeToken(token_service_pb2.RevokeTokenRequest(refresh_token=refresh_token))

    async def admin(self) -> list[tuple[str, str]]:
        """Headers of the first administrator, freshly logged in."""
        return bearer(await self.login("admin", ADMIN_PASSWORD))

    async def create(self, *roles: user_pb2.Role, **fields: str) -> user_pb2.User:
        """A new user with a name of its own and PASSWORD."""
        self.made += 1
        request = user_service_pb2.CreateUserRequest(
            request_id=f"request-{self.made}",
            user_name=fields.get("user_name", f"user-{self.made}"),
            display_name=fields.get("display_name", ""),
            password=PASSWORD,
            roles=roles or (user_pb2.ROLE_TRADER,),
        )
        return (await self.users.CreateUser(request, metadata=await self.admin())).user

    async def update(self, user: user_pb2.User, *paths: str, **fields: Any) -> user_pb2.User:
        """Change a user as the first administrator, on the state that `user` shows."""
        request = user_service_pb2.UpdateUserRequest(
            user_id=user.user_id, user=user_pb2.User(**fields), etag=user.etag
        )
        request.update_mask.paths.extend(paths or fields)
        return (await self.users.UpdateUser(request, metadata=await self.admin())).user

    async def stop(self) -> None:
        await self.channel.close()
        await self.service.stop(0)


StartIdentity = Callable[..., Awaitable[RunningIdentity]]


def bearer(tokens: token_service_pb2.TokenPair) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {tokens.access_token}")]


async def failure_of(call: Awaitable[object]) -> RpcFailure:
    """What the call that must fail said."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return error_from_rpc(caught.value)


async def start_identity(
    folder: Path, database_url: str, *, clock: ManualClock | None = None, **settings: Any
) -> RunningIdentity:
    """Start the service on a database; the caller stops it."""
    password_file = folder / "admin-password"
    if not password_file.exists():
        password_file.write_text(ADMIN_PASSWORD)
    jwks_file = folder / "jwks" / "jwks.json"
    values = {
        "database_url": database_url,
        "jwks_file": jwks_file,
        "admin_password_file": password_file,
        "drain_delay_s": 0,
        "run_dir": folder,
        **CHEAP,
        **settings,
    }
    clock = clock or ManualClock(START_NS)
    service = await compose(IdentitySettings(**values), clock=clock)
    port = await service.start()
    channel = connect(f"127.0.0.1:{port}")
    return RunningIdentity(service, clock, channel, jwks_file)
