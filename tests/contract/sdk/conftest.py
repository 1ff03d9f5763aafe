"""One data service with the sample loaded, and its address and a token for the SDK."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.runtime.testing_keys import MeshKeys
from tests.contract.data.data_harness import RunningData, start_data


@dataclass
class Served:
    data: RunningData
    url: str
    token: str


@pytest.fixture(scope="module")
async def served(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    folder: Path = tmp_path_factory.mktemp("sdk")
    keys = MeshKeys(folder)
    data = await start_data(postgres_url, keys)
    await data.ingest()
    yield Served(data, f"http://127.0.0.1:{data.service.port}", keys.user_token(scope="market:read"))
    await data.stop()
