"""One running data service with the sample loaded, for all tests of a module that only read."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.runtime.testing_keys import MeshKeys
from tests.contract.data.data_harness import RunningData, start_data


@pytest.fixture(scope="module")
async def data(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningData]:
    folder: Path = tmp_path_factory.mktemp("data")
    running = await start_data(postgres_url, MeshKeys(folder))
    await running.ingest()
    yield running
    await running.stop()
