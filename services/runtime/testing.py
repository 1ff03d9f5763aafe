"""What tests of every service share: a real PostgreSQL, conditions to wait for."""

import asyncio
import contextlib
import secrets
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from services.runtime.embedded.postgres import EmbeddedPostgres


@contextlib.contextmanager
def temporary_postgres() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server of its own that leaves nothing behind; about half a second to make."""
    folder = Path(tempfile.mkdtemp(prefix="bifrost-postgres-"))
    folder.chmod(0o755)  # the server's user passes through when we are root
    server = EmbeddedPostgres(folder / "data", superuser_password=secrets.token_urlsafe(16))
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server: EmbeddedPostgres) -> str:
    """Make an empty database owned by an ordinary role of its own; returns that role's URL."""
    name, password = f"test_{secrets.token_hex(6)}", secrets.token_urlsafe(16)
    server.psql(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
    server.psql(f"CREATE DATABASE {name} OWNER {name}")
    return server.url(name, password, name)


async def eventually(condition: Callable[[], bool | Awaitable[bool]], *, timeout_s: float = 10.0) -> None:
    """Wait until ``condition`` holds, for what gives no event to wait for (another process, a row).

    Raises:
        TimeoutError: it did not hold in time.
    """
    async with asyncio.timeout(timeout_s):
        while not (held if isinstance(held := condition(), bool) else await held):
            await asyncio.sleep(0.005)  # noqa: ASYNC110  # there is no event: that is what this is for
