"""Who is logged in on this machine: tokens kept in the home folder and refreshed when they end."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import grpc

from bifrost.identity.v1 import token_service_pb2, token_service_pb2_grpc
from services.cli.launcher.home import Home, write_secret

ADMIN = "admin"
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

    async def access_token(self, channel: grpc.aio.Channel) -> str:
        """An access token with half a minute left at least.

        Raises NotLoggedInError when nobody is logged in and this is not the machine of the mesh.
        """
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
        password_file = self._home.admin_password_file
        if not _readable(password_file):
            raise NotLoggedInError("nobody is logged in; run: bifrost login")
        return await self.log_in(channel, ADMIN, password_file.read_text(encoding="utf-8").strip())

    def _stored(self) -> Tokens | None:
        path = self._home.session_file
        if not _readable(path):
            return None
        try:
            tokens = Tokens(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError):
            return None
        return tokens if tokens.edge == self._edge else None

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
