"""A running identity service for each test module."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from identity_mesh import Identity, start_identity, stop_identity


@pytest.fixture(scope="module")
async def identity(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> AsyncIterator[Identity]:
    folder: Path = tmp_path_factory.mktemp("identity")
    running = await start_identity(folder, postgres_url)
    yield running
    await stop_identity(running)
