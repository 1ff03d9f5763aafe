"""A running service of the echo contract, and a channel to it."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import grpc
import pytest
from echo_contract import EchoService, Keys, echo_pb2_grpc

from services.runtime.auth import Principal
from services.runtime.errors import not_found
from services.runtime.server import Service
from services.runtime.settings import ServiceSettings


@dataclasses.dataclass
class Running:
    service: Service
    servicer: EchoService
    channel: grpc.aio.Channel
    stub: echo_pb2_grpc.EchoServiceStub
    keys: Keys

    async def metrics_show(self, text: str) -> None:
        """Wait until the scrape has this text; fails after five seconds."""
        async with asyncio.timeout(5):
            while text not in self.service.metrics.text().decode():  # noqa: ASYNC110  no event says so
                await asyncio.sleep(0)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path)


StartEcho = Callable[..., Awaitable[Running]]


async def only_a1(principal: Principal, account_id: str) -> None:
    if account_id != "a1":
        raise not_found("ACCOUNT_NOT_FOUND", f"account {account_id} is not there", account_id=account_id)


@pytest.fixture
async def start_echo(keys: Keys) -> AsyncIterator[StartEcho]:
    """Start an echo service with these settings; all are stopped at the end."""
    started: list[Running] = []

    async def start(
        *, jwks_source=None, clock=None, prepare=None, servicer=None, **settings: object
    ) -> Running:
        values = {
            "jwks_file": keys.jwks_file,
            "services_jwks_file": keys.services_jwks_file,
            "drain_delay_s": 0,
            **settings,
        }
        service = Service(ServiceSettings(**values), jwks_source=jwks_source, clock=clock)
        servicer = servicer or EchoService()
        service.add(echo_pb2_grpc.add_EchoServiceServicer_to_server, servicer)
        service.owner("account.account_id", only_a1)
        if prepare is not None:
            prepare(service)
        port = await service.start()
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        running = Running(service, servicer, channel, echo_pb2_grpc.EchoServiceStub(channel), keys)
        started.append(running)
        return running

    yield start
    for running in started:
        await running.channel.close()
        await running.service.stop(0)


@pytest.fixture
async def echo(start_echo: StartEcho) -> Running:
    return await start_echo()
