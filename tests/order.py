"""In which order tests run, and which of them share a worker.

Two workers take files in turn. What takes longest goes first, so that at the end neither waits for the
other with a file of minutes. All tests on one running mesh go to one worker, one after the other: a mesh
costs as much to start as a hundred tests.
"""

from __future__ import annotations

from typing import Final

import pytest
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

_MESH_TESTS: Final = ("tests/e2e/cli/", "tests/e2e/edge/")
# They bring up a mesh of their own.
_OWN_MESH: Final = ("tests/e2e/cli/test_up_and_down.py", "tests/e2e/edge/test_mesh_listener.py")

_LONGEST_FIRST: Final = (
    "tests/chaos/",
    *_MESH_TESTS,
    "tests/integration/data/test_ingestion_of_ten_million.py",
    "tests/integration/cli/",
    "tests/e2e/",
    "tests/integration/",
    "tests/unit/venue/",
    "tests/contract/",
)


def in_running_order(items: list[pytest.Item]) -> list[pytest.Item]:
    """The longest first; files that take alike stay as they were collected."""
    return sorted(items, key=lambda item: _place(_file(item.nodeid)))


class ByFileAndMesh(LoadFileScheduling):  # type: ignore[misc]
    """A file to a worker, and the files that share a mesh to one of them."""

    def _split_scope(self, nodeid: str) -> str:
        file = _file(nodeid)
        return "tests/e2e on one mesh" if _shares_mesh(file) else file


def _file(nodeid: str) -> str:
    return nodeid.split("::", 1)[0]


def _shares_mesh(file: str) -> bool:
    return file.startswith(_MESH_TESTS) and file not in _OWN_MESH


def _place(file: str) -> int:
    if file in _OWN_MESH:
        return _LONGEST_FIRST.index("tests/e2e/")
    places = (place for place, folder in enumerate(_LONGEST_FIRST) if file.startswith(folder))
    place = next(places, len(_LONGEST_FIRST))
    # Within one mesh the folders stay in their order.
    return _LONGEST_FIRST.index(_MESH_TESTS[0]) if _shares_mesh(file) else place
