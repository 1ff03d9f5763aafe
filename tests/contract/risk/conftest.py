"""One running risk service for all tests of a module."""

from collections.abc import AsyncIterator

import pytest

from tests.contract.risk.risk_harness import RunningRisk, start_risk
from tests.contract.risk.risk_peers import AAPL


@pytest.fixture(scope="module")
async def risk(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningRisk]:
    running = await start_risk(postgres_url, tmp_path_factory.mktemp("risk"), instruments_refresh_s=0.05)
    await running.until_open()
    await running.until_quoted(AAPL, "100")
    yield running
    await running.stop()
