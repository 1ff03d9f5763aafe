"""Who is logged in on this machine: tokens kept in the home folder and refreshed when they end."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import grpc

from bifrost.identity.v1 import token_service_pb2, token_service_pb2_grpc
from services.cli.launcher.home import Home, write_secret

ADMIN = "admin"
_LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
_EARLY_S = 30.0


@dataclass(frozen=True)
class Tokens:
    """A logged-in user's pair of tokens."""

    user_id: str
    user_name: str
    access_token: str
    access_ends: float
    """Wall-clock seconds since the epoch."""
    refresh_token: str
    edge: str
    """The edge the tokens are good at."""


class NotLoggedInError(RuntimeError):
    """There is no session and no way to make one without being asked."""


class Session:
    """Gives a living access token: the stored one, a refreshed one, or the local administrator's."""

    def __init__(self, home: Home, edge: str) -> None:
        self._home = home
        self._edge = edge
        self._tokens: Tokens | None = None
        self._renewing = asyncio.Lock()

    @property
    def local_password(self) -> str | None:
        """The administrator's first password, when this is the machine of the mesh. It never leaves it."""
        path = self._home.admin_password_file
        if self._edge.rpartition(":")[0] not in _LOCAL_HOSTS or not _readable(path):
            return None
        return path.read_text(encoding="utf-8").strip()

    async def access_token(self, channel: grpc.aio.Channel) -> str:
        """An access token with half a minute left at least.

        Raises NotLoggedInError when nobody is logged in and this is not the machine of the mesh, or when the
        session of somebody other than the administrator has ended: nobody trades as another unasked.
        """
        async with self._renewing:
            tokens = self._tokens or self._stored()
            if tokens is None or time.time() > tokens.access_ends - _EARLY_S:
                tokens = await self._renew(channel, tokens)
            self._tokens = tokens
        return tokens.access_token

    async def log_in(self, channel: grpc.aio.Channel, user_name: str, password: str) -> Tokens:
        """Log in with a password and keep the tokens."""
        reply = await token_service_pb2_grpc.TokenServiceStub(channel).CreateToken(
            token_service_pb2.CreateTokenRequest(user_name=user_name, password=password), timeout=10
        )
        return self._keep(user_name, reply.tokens)

    async def _renew(self, channel: grpc.aio.Channel, tokens: Tokens | None) -> Tokens:
        if tokens is not None:
            try:
                reply = await token_service_pb2_grpc.TokenServiceStub(channel).RefreshToken(
                    token_service_pb2.RefreshTokenRequest(refresh_token=tokens.refresh_token), timeout=10
                )
                return self._keep(tokens.user_name, reply.tokens)
            except grpc.aio.AioRpcError as error:
                if error.code() != grpc.StatusCode.UNAUTHENTICATED:
                    raise
            if tokens.user_name != ADMIN:
                raise NotLoggedInError(
                    f"the session of {tokens.user_name} has ended; run: bifrost login {tokens.user_name}"
                )
        password = self.local_password
        if password is None:
            raise NotLoggedInError("nobody is logged in; run: bifrost login USER")
        return await self.log_in(channel, ADMIN, password)

    def _stored(self) -> Tokens | None:
        path = self._home.session_file
        if not _readable(path):
            return None
        try:
            tokens = Tokens(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            return None
        if tokens.edge == self._edge:
            return tokens
        if tokens.user_name != ADMIN:
            raise NotLoggedInError(
                f"{tokens.user_name} is logged in at {tokens.edge}, not at {self._edge}; "
                f"run: bifrost login {tokens.user_name}"
            )
        return None

    def _keep(self, user_name: str, pair: token_service_pb2.TokenPair) -> Tokens:
        tokens = Tokens(
            user_id=pair.user_id,
            user_name=user_name,
            access_token=pair.access_token,
            access_ends=pair.access_expire_time.seconds,
            refresh_token=pair.refresh_token,
            edge=self._edge,
        )
        self._tokens = tokens
        if self._home.root.is_dir():
            write_secret(self._home.session_file, json.dumps(asdict(tokens)))
        return tokens


def _readable(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False
