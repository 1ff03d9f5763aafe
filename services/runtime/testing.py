"""What tests of every service share: a real PostgreSQL."""

import contextlib
import secrets
import shutil
import tempfile
from collections.abc import Iterator
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
