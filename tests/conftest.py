"""Fixtures that every test may use."""

import os
from collections.abc import Iterator

# Before gRPC begins, as in services/cli/main.py: a fork must not wake its threads in the child.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import hypothesis
import pytest

from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import new_database, temporary_postgres

# A machine that is busy must not make a true property fail.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """One PostgreSQL server for the session; do not stop it: temporary_postgres() makes your own."""
    with temporary_postgres() as server:
        yield server


@pytest.fixture(scope="module")
def postgres_url(postgres_server: EmbeddedPostgres) -> str:
    """URL of an empty database of the test module's own, with a role that owns it."""
    return new_database(postgres_server)
