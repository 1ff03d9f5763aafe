"""What tests of every service share: a real PostgreSQL, keys and tokens, a served service, waiting."""

import asyncio
import contextlib
import json
import secrets
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import grpc
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from services.runtime.embedded.postgres import EmbeddedPostgres
from services.runtime.server import Service
from services.runtime.tokens import ALGORITHM, AUDIENCE, ISSUER

Headers = list[tuple[str, str]]
_USER_KEY_ID = "test-user"


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
        while not (  # noqa: ASYNC110  # there is no event: that is what this is for
            held if isinstance(held := condition(), bool) else await held
        ):
            await asyncio.sleep(0.005)


class TestKeys:
    """Throw-away keys in ``folder``: JWKS files for settings, credentials, headers that carry tokens."""

    __test__ = False  # not a test class, whatever pytest thinks of its name

    def __init__(self, folder: Path, *, services: Sequence[str] = ()) -> None:
        self.jwks_file = folder / "jwks.json"
        self.services_jwks_file = folder / "services.jwks.json"
        self._folder = folder
        self._user_key = ec.generate_private_key(ec.SECP256R1())
        self._service_keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in services}
        _write_jwks(self.jwks_file, {_USER_KEY_ID: self._user_key})
        _write_jwks(self.services_jwks_file, self._service_keys)

    def credential_file(self, service: str) -> Path:
        """The private key of a service, for ``settings.credential_file``."""
        path = self._folder / f"{service}.pem"
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        path.touch(mode=0o600)
        path.write_bytes(
            self._service_keys[service].private_bytes(encoding, form, serialization.NoEncryption())
        )
        return path

    def user_token(
        self, user_id: str, scope: str = "", *, roles: Sequence[str] = (), lives_s: int = 900
    ) -> str:
        """An access token as identity issues them; ``scope`` is space-separated."""
        return _token(self._user_key, _USER_KEY_ID, lives_s, sub=user_id, scope=scope, roles=list(roles))

    def user(
        self, user_id: str, scope: str = "", *, roles: Sequence[str] = (), lives_s: int = 900
    ) -> Headers:
        """Metadata of a user's call."""
        token = self.user_token(user_id, scope, roles=roles, lives_s=lives_s)
        return [("authorization", f"Bearer {token}")]

    def service(self, name: str, *, actor: str | None = None) -> Headers:
        """Metadata of a service's call, for the user whose token ``actor`` is."""
        token = _token(self._service_keys[name], name, 300, sub=f"service:{name}")
        acting = [] if actor is None else [("x-bifrost-actor", f"Bearer {actor}")]
        return [("authorization", f"Bearer {token}"), *acting]


@contextlib.asynccontextmanager
async def serving(service: Service) -> AsyncIterator[grpc.aio.Channel]:
    """Start ``service`` on its port (0: a free one) and connect to it as a client outside the mesh does."""
    port = await service.start()
    try:
        async with grpc.aio.insecure_channel(f"{service.settings.host}:{port}") as channel:
            yield channel
    finally:
        await service.stop(grace_s=1.0)


def _write_jwks(path: Path, keys: dict[str, ec.EllipticCurvePrivateKey]) -> None:
    public = [
        {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", "alg": ALGORITHM}
        for kid, key in keys.items()
    ]
    path.write_text(json.dumps({"keys": public}))


def _token(key: ec.EllipticCurvePrivateKey, kid: str, lives_s: int, **claims: object) -> str:
    now = int(time.time())
    content = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + lives_s, **claims}
    return jwt.encode(content, key, algorithm=ALGORITHM, headers={"kid": kid})
