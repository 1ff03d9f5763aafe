"""What tests of every service share: a real PostgreSQL, a served service, peers' servers, clients' channels.

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


def peer_server() -> grpc.aio.Server:
    """A bare server for a peer that a test plays; as a service, it shares its port with nobody."""
    return grpc.aio.server(options=[("grpc.so_reuseport", 0)])


def connect(address: str, *options: tuple[str, int]) -> grpc.aio.Channel:
    """Connect as a client outside the mesh does."""
    # gRPC lets the channels of a process share connections by address, with the wait before the next try. A
    # closed channel's stay as long as any call of it is referred to, as by an exception that pytest.raises
    # caught: a later test whose server gets the port of a dead one would wait for what it never did.
    return grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1), *options])


@contextlib.asynccontextmanager
async def serving(service: Service) -> AsyncIterator[grpc.aio.Channel]:
    """Start ``service`` on its port (0: a free one) and connect to it as a client outside the mesh does."""
    port = await service.start()
    try:
        async with connect(f"{service.settings.host}:{port}") as channel:
            yield channel
    finally:
        await service.stop(grace_s=1.0)
