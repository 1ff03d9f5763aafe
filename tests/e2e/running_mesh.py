"""A whole mesh with people in it: what tests at the edge begin from."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Self

import grpc

from bifrost.identity.v1 import (
    token_service_pb2,
    token_service_pb2_grpc,
    user_pb2,
    user_service_pb2,
    user_service_pb2_grpc,
)
from bifrost.portfolio.v1 import portfolio_pb2
from services.cli.bootstrap import Replay, load_prices, open_paper_account, start_session
from services.cli.client import EdgeClient
from services.cli.launcher import Home, Launcher, Ports
from services.cli.session import Session
from services.runtime.embedded.unprivileged import data_folder, server_user
from services.runtime.inventory import load_inventory

PASSWORD = "correct horse battery"
# Hashing as shipped takes a tenth of a second of two cores for each login: not what is tried here.
_CHEAP_PASSWORDS = {"identity": {"BIFROST_ARGON2_TIME_COST": "1", "BIFROST_ARGON2_MEMORY_KIB": "1024"}}
PEOPLE = {
    "alice": user_pb2.ROLE_TRADER,
    "mallory": user_pb2.ROLE_TRADER,
    "vera": user_pb2.ROLE_VIEWER,
    "rita": user_pb2.ROLE_RISK,
    "adam": user_pb2.ROLE_ADMIN,
}


@dataclass
class Person:
    """A user who is logged in; also a session for EdgeClient."""

    name: str
    user_id: str
    access_token: str
    refresh_token: str
    client: EdgeClient = field(init=False)

    def connect(self, edge: str) -> Self:
        """Open the person's client."""
        self.client = EdgeClient(edge, _GivenToken(self.access_token))
        return self


class _GivenToken(Session):
    """A session that was logged in elsewhere."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def access_token(self, channel: grpc.aio.Channel) -> str:
        return self._token


@dataclass
class RunningMesh:
    """A mesh with prices, a running replay, people, and alice's funded account."""

    launcher: Launcher
    people: dict[str, Person]
    account: portfolio_pb2.Account
    founder_token: str
    """Of the first administrator, who loaded the prices, began the session and made the people."""

    @property
    def edge(self) -> str:
        """host:port of the edge."""
        return self.launcher.edge_address

    @property
    def url(self) -> str:
        """The edge over HTTP."""
        return f"http://{self.edge}"

    @property
    def alice(self) -> Person:
        """A trader, who owns the account."""
        return self.people["alice"]

    @property
    def mallory(self) -> Person:
        """A trader who owns nothing."""
        return self.people["mallory"]

    @property
    def adam(self) -> Person:
        """An administrator."""
        return self.people["adam"]


@contextlib.asynccontextmanager
async def run_mesh(
    *,
    rate_scale: float = 50.0,
    settings: Mapping[str, dict[str, str]] | None = None,
    ports: Ports | None = None,
) -> AsyncIterator[RunningMesh]:
    """Bring a mesh up in a folder of its own, on free ports unless some are given, and take it down."""
    with tempfile.TemporaryDirectory(prefix="bifrost-e2e-", ignore_cleanup_errors=True) as folder:
        launcher = Launcher(
            Home(Path(folder)),
            ports or Ports.free(load_inventory()),
            rate_scale=rate_scale,
            settings=_CHEAP_PASSWORDS | dict(settings or {}),
        )
        people: dict[str, Person] = {}
        try:
            await launcher.start()
            edge = launcher.edge_address
            async with EdgeClient(edge, Session(launcher.home, edge)) as admin:
                await load_prices(admin, lambda _share, _stage: None)
                await start_session(admin, Replay(seconds_per_day=4.0, seed=5), request_id="e2e")
                founder_token = await admin.session.access_token(admin.anonymous)
                people = dict(
                    zip(PEOPLE, await asyncio.gather(*(_join(admin, n) for n in PEOPLE)), strict=True)
                )
            account = await open_paper_account(people["alice"].client, "alice", Decimal(1_000_000))
            yield RunningMesh(launcher, people, account, founder_token)
        finally:
            for person in people.values():
                await person.client.__aexit__()
            await launcher.stop()
            # Where PostgreSQL may not run as this user its data lies elsewhere.
            data = data_folder(server_user(), launcher.home.postgres)
            shutil.rmtree(data, ignore_errors=True)
            data.with_name(f"{data.name}.log").unlink(missing_ok=True)


async def _join(admin: EdgeClient, name: str) -> Person:
    made = await admin.stub(user_service_pb2_grpc.UserServiceStub).CreateUser(
        user_service_pb2.CreateUserRequest(
            request_id=f"join-{name}", user_name=name, password=PASSWORD, roles=[PEOPLE[name]]
        ),
        timeout=60,
    )
    return await log_in(admin, name, made.user.user_id)


async def log_in(anyone: EdgeClient, name: str, user_id: str) -> Person:
    """A new session of a user."""
    reply = await token_service_pb2_grpc.TokenServiceStub(anyone.anonymous).CreateToken(
        token_service_pb2.CreateTokenRequest(user_name=name, password=PASSWORD), timeout=60
    )
    person = Person(name, user_id, reply.tokens.access_token, reply.tokens.refresh_token)
    return person.connect(anyone.edge)
