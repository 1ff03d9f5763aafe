"""One running mesh for the tests of a worker."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.e2e.running_mesh import RunningMesh, run_mesh


@pytest.fixture(scope="package")
async def mesh() -> AsyncIterator[RunningMesh]:
    """A whole mesh with people in it; leave it running. It ends with these tests, for it is work."""
    async with run_mesh() as running:
        yield running
