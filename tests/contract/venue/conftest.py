"""One running venue for all tests of a module; each begins with a session of its own."""

from collections.abc import AsyncIterator

import pytest

from tests.contract.venue.venue_harness import RunningVenue, start_venue


@pytest.fixture(scope="module")
async def running_venue(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningVenue]:
    running = await start_venue(postgres_url, tmp_path_factory.mktemp("venue"))
    yield running
    await running.stop()


@pytest.fixture
async def venue(running_venue: RunningVenue) -> RunningVenue:
    await running_venue.new_session()
    return running_venue
