"""The folder a local mesh lives in: data, keys, passwords, logs. Readable by its owner only."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from services.runtime.embedded.postgres import BACKUP_ROLE

_FOLDER = ".bifrost"


@dataclass(frozen=True)
class Home:
    """Paths of one local mesh. `prepare` makes what is missing and changes nothing that is there."""

    root: Path

    @classmethod
    def default(cls) -> Home:
        """BIFROST_HOME, or ~/.bifrost."""
        return cls(Path(os.environ.get("BIFROST_HOME") or Path.home() / _FOLDER).absolute())

    @property
    def is_usual(self) -> bool:
        """True for the folder that commands find in any terminal without being told."""
        return self.root == Path.home() / _FOLDER

    @classmethod
    def at(cls, root: Path | None) -> Home:
        """The folder named, else the default."""
        return cls(root.expanduser().absolute()) if root else cls.default()

    @classmethod
    @contextlib.contextmanager
    def temporary(cls, name: str) -> Iterator[Home]:
        """A home that is thrown away. Others may pass through it, as PostgreSQL's user must under root."""
        with tempfile.TemporaryDirectory(prefix=f"bifrost-{name}-", ignore_cleanup_errors=True) as folder:
            Path(folder).chmod(0o711)
            yield cls(Path(folder))

    @property
    def postgres(self) -> Path:
        """PostgreSQL's data folder."""
        return self.root / "postgres"

    @property
    def backups(self) -> Path:
        """Backups of the mesh; BIFROST_BACKUP_DIR names another folder."""
        return Path(os.environ.get("BIFROST_BACKUP_DIR") or self.root / "backups").absolute()

    @property
    def run(self) -> Path:
        """What the running mesh writes: state, public keys, Envoy's configuration."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        """One log a process."""
        return self.root / "logs"

    @property
    def jwks_file(self) -> Path:
        """Public keys of users' tokens, written by identity. In a folder of its own, as Envoy watches it."""
        return self.run / "jwks" / "jwks.json"

    @property
    def services_jwks_file(self) -> Path:
        """Public keys of the services' own tokens."""
        return self.run / "services.jwks.json"

    @property
    def admin_password_file(self) -> Path:
        """The first administrator's password."""
        return self.root / "admin-password"

    @property
    def session_file(self) -> Path:
        """Tokens of the user who is logged in on this machine."""
        return self.root / "session.json"

    @property
    def state_file(self) -> Path:
        """What runs where; see MeshState."""
        return self.run / "mesh.json"

    def lock(self) -> BinaryIO:
        """Hold the home for one launcher until the file is closed, or its process ends in whatever way.

        Raises BlockingIOError when another launcher holds it.
        """
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:
            file = stack.enter_context((self.root / "lock").open("ab"))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            stack.pop_all()
        return file

    def credential_file(self, service: str) -> Path:
        """A service's private key; the stem is the key's id."""
        return self.root / "keys" / f"{service}.pem"

    @property
    def is_new(self) -> bool:
        """True until `prepare` was called for the first time: no database of it can be there yet."""
        return not self._passwords_file.exists()

    @property
    def _passwords_file(self) -> Path:
        return self.root / "database-passwords.json"

    def prepare(self, services: Iterable[str]) -> dict[str, str]:
        """Make folders, keys and passwords that are missing; returns the database passwords by role."""
        for folder in (self.root, self.run, self.logs, self.root / "keys", self.jwks_file.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = list(services)
        self._publish_keys({name: self._key(name) for name in names})
        if not self.admin_password_file.exists():
            write_secret(self.admin_password_file, secrets.token_urlsafe(18))
        return self._passwords(["postgres", BACKUP_ROLE, *names])

    def _key(self, service: str) -> ec.EllipticCurvePublicKey:
        path = self.credential_file(service)
        if not path.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            write_secret(
                path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
            )
        private = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise TypeError(
                f"{path} must hold an elliptic curve private key; delete it to have a new one made"
            )
        return private.public_key()

    def _publish_keys(self, keys: dict[str, ec.EllipticCurvePublicKey]) -> None:
        document = {"keys": [_jwk(name, key) for name, key in keys.items()]}
        write_secret(self.services_jwks_file, json.dumps(document, indent=1))

    def _passwords(self, roles: list[str]) -> dict[str, str]:
        path = self._passwords_file
        known: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        missing = [role for role in roles if role not in known]
        if missing:
            known |= {role: secrets.token_urlsafe(24) for role in missing}
            write_secret(path, json.dumps(known, indent=1))
        return known


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner can read, atomically."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
    draft.replace(path)


def _jwk(kid: str, key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    numbers = key.public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "kid": kid,
        "use": "sig",
        "alg": "ES256",
        "x": _base64url(numbers.x),
        "y": _base64url(numbers.y),
    }


def _base64url(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode("ascii")
