"""The session of a command against a server that counts what it is asked."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from grpc.aio import ServicerContext

from bifrost.identity.v1 import token_service_pb2, token_service_pb2_grpc
from services.cli.launcher import Home
from services.cli.session import NotLoggedInError, Session
from services.runtime.testing import connect, peer_server

PASSWORDS = {"admin": "first", "alice": "wonder"}
LIFE_S = 900


@dataclass
class Identity(token_service_pb2_grpc.TokenServiceServicer):
    """Gives tokens for right passwords, and new ones for refresh tokens it knows, each once."""

    logins: list[str] = field(default_factory=list)
    refreshes: int = 0
    refreshable: set[str] = field(default_factory=set)
    life_s: float = LIFE_S
    away: bool = False

    def pair(self, user: str) -> token_service_pb2.TokenPair:
        number = len(self.logins) + self.refreshes
        tokens = token_service_pb2.TokenPair(
            access_token=f"{user}-{number}", refresh_token=f"{user}-again-{number}", user_id=user
        )
        tokens.access_expire_time.seconds = int(time.time() + self.life_s)
        self.refreshable.add(tokens.refresh_token)
        return tokens

    async def CreateToken(
        self,
        request: token_service_pb2.CreateTokenRequest,
        context: ServicerContext[token_service_pb2.CreateTokenRequest, token_service_pb2.CreateTokenResponse],
    ) -> token_service_pb2.CreateTokenResponse:
        if PASSWORDS.get(request.user_name) != request.password:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "wrong")
        self.logins.append(request.user_name)
        return token_service_pb2.CreateTokenResponse(tokens=self.pair(request.user_name))

    async def RefreshToken(
        self,
        request: token_service_pb2.RefreshTokenRequest,
        context: ServicerContext[
            token_service_pb2.RefreshTokenRequest, token_service_pb2.RefreshTokenResponse
        ],
    ) -> token_service_pb2.RefreshTokenResponse:
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        if request.refresh_token not in self.refreshable:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "unknown")
        self.refreshable.remove(request.refresh_token)
        self.refreshes += 1
        user = request.refresh_token.partition("-")[0]
        return token_service_pb2.RefreshTokenResponse(tokens=self.pair(user))


@dataclass
class Place:
    """A server, a channel to it and a home on its machine."""

    identity: Identity
    channel: grpc.aio.Channel
    edge: str
    home: Home

    def session(self, edge: str = "") -> Session:
        return Session(self.home, edge or self.edge)

    async def token(self) -> str:
        """As the next command would get it."""
        return await self.session().access_token(self.channel)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    identity, server = Identity(), peer_server()
    token_service_pb2_grpc.add_TokenServiceServicer_to_server(identity, server)
    edge = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    (tmp_path / "admin-password").write_text("first\n")
    async with connect(edge) as channel:
        yield Place(identity, channel, edge, Home(tmp_path))
    await server.stop(0)


async def test_the_administrator_is_logged_in_by_the_file_once(place: Place) -> None:
    assert await place.token() == "admin-1"
    assert await place.token() == "admin-1"
    assert place.identity.logins == ["admin"]
    assert place.home.session_file.stat().st_mode & 0o077 == 0


async def test_a_token_that_is_about_to_end_is_refreshed_and_kept(place: Place) -> None:
    place.identity.life_s = 20
    await place.token()
    place.identity.life_s = LIFE_S
    assert await place.token() == "admin-2"
    assert await place.token() == "admin-2"
    assert (place.identity.logins, place.identity.refreshes) == (["admin"], 1)


async def test_calls_at_once_refresh_once(place: Place) -> None:
    place.identity.life_s = 20
    await place.token()
    place.identity.life_s = LIFE_S
    session = place.session()
    tokens = await asyncio.gather(*(session.access_token(place.channel) for _ in range(8)))
    assert set(tokens) == {"admin-2"}
    assert place.identity.refreshes == 1


async def test_the_administrator_whose_session_is_over_logs_in_again(place: Place) -> None:
    place.identity.life_s = 1
    await place.token()
    place.identity.refreshable.clear()
    place.identity.life_s = LIFE_S
    assert await place.token() == "admin-2"
    assert place.identity.logins == ["admin", "admin"]


async def test_nobody_becomes_the_administrator_unasked(place: Place) -> None:
    place.identity.life_s = 1
    await place.session().log_in(place.channel, "alice", "wonder")
    place.identity.refreshable.clear()
    with pytest.raises(NotLoggedInError, match="run: bifrost login alice"):
        await place.token()
    assert place.identity.logins == ["alice"]


async def test_a_session_is_good_at_its_own_edge_only(place: Place) -> None:
    await place.session().log_in(place.channel, "alice", "wonder")
    with pytest.raises(NotLoggedInError, match="alice is logged in at"):
        await place.session("127.0.0.1:1").access_token(place.channel)
    await place.session().log_in(place.channel, "admin", "first")
    assert await place.session("127.0.0.1:1").access_token(place.channel) == "admin-3"


async def test_an_identity_that_is_away_is_said_and_changes_nothing(place: Place) -> None:
    place.identity.life_s = 1
    await place.token()
    before = place.home.session_file.read_text()
    place.identity.away = True
    with pytest.raises(grpc.aio.AioRpcError, match="away"):
        await place.token()
    assert place.home.session_file.read_text() == before


async def test_the_first_password_does_not_leave_its_machine(place: Place) -> None:
    far = place.session("edge.example.com:443")
    assert far.local_password is None
    with pytest.raises(NotLoggedInError, match="nobody is logged in"):
        await far.access_token(place.channel)
    assert place.session().local_password == "first"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"user_id": "x"}'])
async def test_a_session_file_that_cannot_be_read_is_no_session(place: Place, text: str) -> None:
    place.home.session_file.write_text(text)
    assert await place.token() == "admin-1"
    assert json.loads(place.home.session_file.read_text())["access_token"] == "admin-1"


async def test_without_a_home_the_token_is_kept_in_memory(place: Place, tmp_path: Path) -> None:
    session = Session(Home(tmp_path / "none"), place.edge)
    await session.log_in(place.channel, "alice", "wonder")
    assert await session.access_token(place.channel) == "alice-1"
    assert not (tmp_path / "none").exists()
