"""Running identity services: one for a module's tests, and as many as a test of the start wants."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import new_database
from tests.contract.identity.identity_harness import RunningIdentity, StartIdentity, start_identity


@pytest.fixture(scope="module")
async def identity(
    tmp_path_factory: pytest.TempPathFactory, postgres_url: str
) -> AsyncIterator[RunningIdentity]:
    running = await start_identity(tmp_path_factory.mktemp("identity"), postgres_url)
    yield running
    await running.stop()


@pytest.fixture
def fresh_url(postgres_server: EmbeddedPostgres) -> str:
    return new_database(postgres_server)


@pytest.fixture
async def start(tmp_path: Path, fresh_url: str) -> AsyncIterator[StartIdentity]:
    """Start identity on the test's own folder and database; all are stopped at the end."""
    started: list[RunningIdentity] = []

    async def start_one(**settings: Any) -> RunningIdentity:
        url = settings.pop("database_url", fresh_url)
        started.append(await start_identity(tmp_path, url, **settings))
        return started[-1]

    yield start_one
    for running in started:
        await running.stop()
