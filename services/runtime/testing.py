"""What tests of every service share: a real PostgreSQL, a served service.

Keys and tokens are in `testing_keys`.
"""

import contextlib
import secrets
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc

from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.server import Service


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
        server.stop(checkpoint=False)  # of a session's databases it takes half a minute
        # Hundreds of databases are hundreds of thousands of files: the session need not wait for that.
        subprocess.Popen(["rm", "-rf", str(folder)], start_new_session=True)


def new_database(server: EmbeddedPostgres) -> str:
    """Make an empty database owned by an ordinary role of its own; returns that role's URL."""
    name, password = f"test_{secrets.token_hex(6)}", secrets.token_urlsafe(16)
    server.psql(f"CREATE ROLE {name} LOGIN PASSWORD '{password}';\nCREATE DATABASE {name} OWNER {name}")
    return server.url(name, password, name)


@contextlib.asynccontextmanager
async def serving(service: Service) -> AsyncIterator[grpc.aio.Channel]:
    """Start ``service`` on its port (0: a free one) and connect to it as a client outside the mesh does."""
    port = await service.start()
    try:
        async with grpc.aio.insecure_channel(f"{service.settings.host}:{port}") as channel:
            yield channel
    finally:
        await service.stop(grace_s=1.0)
