"""A running execution service with a database and peers of the test's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import new_database
from tests.contract.execution.execution_harness import Execution, running


@pytest.fixture
async def execution(postgres_server: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Execution]:
    async with running(new_database(postgres_server), tmp_path) as started:
        yield started


@pytest.fixture
async def impatient(postgres_server: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Execution]:
    """One that does not wait long for venues: for tests in which one says nothing."""
    settings = {"venue_timeout_s": 0.5, "venue_log_wait_s": 0.3}
    async with running(new_database(postgres_server), tmp_path, **settings) as started:
        yield started


@pytest.fixture
async def hurried(postgres_server: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Execution]:
    """One that waits for risk as long as it does by default: for tests in which risk says nothing."""
    async with running(new_database(postgres_server), tmp_path, risk_timeout_s=2.0) as started:
        yield started


@pytest.fixture
async def not_waiting(postgres_server: EmbeddedPostgres, tmp_path: Path) -> AsyncIterator[Execution]:
    """One that waits for every answer, but hardly at all for the venue's log to tell the rest."""
    async with running(new_database(postgres_server), tmp_path, venue_log_wait_s=0.1) as started:
        yield started
