"""Fixtures that every test may use."""

import os
import threading
from collections.abc import Iterator

# Before gRPC begins, as in services/cli/main.py: a fork must not wake its threads in the child.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import greenlet  # type: ignore[import-untyped]
import hypothesis
import pytest
import structlog
from greenlet._greenlet import enable_optional_cleanup  # type: ignore[import-untyped]

from services.runtime.decimals import install_context
from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.testing import new_database, temporary_postgres
from tests.order import ByFileAndMesh, in_running_order

# A machine that is busy must not make a true property fail.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

# As in every service; the first that a test starts installs it for the tests after it.
install_context()

# Python 3.11 never ends when a traced function is called while a thread's greenlet is thrown away and another
# thread ends meanwhile: its evaluation loop waits for a pending call that waits for it. coverage has such a
# function called, a callback of the weak reference it keeps to the greenlet of each thread. So they are kept.
_greenlets: list[greenlet.greenlet] = []
# Or the end of every thread would look through all objects for who keeps its greenlet: 12 ms.
enable_optional_cleanup(False)
# Not `run`, which some threads have of their own: rich's, which draw progress.
_bootstrap_thread = threading.Thread._bootstrap_inner  # type: ignore[attr-defined]


def _keep_greenlet(thread: threading.Thread) -> None:
    _greenlets.append(greenlet.getcurrent())
    _bootstrap_thread(thread)


threading.Thread._bootstrap_inner = _keep_greenlet  # type: ignore[attr-defined]

# structlog's own choice is rich's tracebacks with all locals: each holds the event loop for half a second.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first."""
    items[:] = in_running_order(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFileAndMesh | None:
    """Ours where files were asked for: what shares a mesh stays together."""
    return ByFileAndMesh(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """One PostgreSQL server for the session; do not stop it: temporary_postgres() makes your own."""
    with temporary_postgres() as server:
        yield server


@pytest.fixture(scope="module")
def postgres_url(postgres_server: EmbeddedPostgres) -> str:
    """URL of an empty database of the test module's own, with a role that owns it."""
    return new_database(postgres_server)
