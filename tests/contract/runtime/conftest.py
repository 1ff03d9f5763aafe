"""A running service of the echo contract, and a channel to it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from services.runtime.server import Service
from services.runtime.settings import ServiceSettings
from services.runtime.testing import connect
from tests.contract.runtime.echo_contract import EchoService, Keys, Running, StartEcho, echo_pb2_grpc, only_a1


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path)


@pytest.fixture
async def start_echo(keys: Keys) -> AsyncIterator[StartEcho]:
    """Start an echo service with these settings; all are stopped at the end."""
    started: list[Running] = []

    async def start(
        *,
        prepare: Callable[[Service], None] | None = None,
        servicer: EchoService | None = None,
        **settings: object,
    ) -> Running:
        values = {
            "jwks_file": keys.jwks_file,
            "services_jwks_file": keys.services_jwks_file,
            "drain_delay_s": 0,
            **settings,
        }
        service = Service(ServiceSettings.model_validate(values))
        servicer = servicer or EchoService()
        service.add(echo_pb2_grpc.add_EchoServiceServicer_to_server, servicer)
        service.owner("account.account_id", only_a1)
        if prepare is not None:
            prepare(service)
        port = await service.start()
        channel = connect(f"127.0.0.1:{port}")
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
