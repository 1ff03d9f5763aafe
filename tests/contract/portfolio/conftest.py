"""One running portfolio service for all tests of a module."""

from collections.abc import AsyncIterator

import pytest

from tests.contract.portfolio.portfolio_harness import RunningPortfolio, start_portfolio


@pytest.fixture(scope="module")
async def portfolio(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningPortfolio]:
    running = await start_portfolio(postgres_url, tmp_path_factory.mktemp("portfolio"))
    yield running
    await running.stop()
