"""What tests of a service need to be called with: keys in a folder, tokens signed with them, settings."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from services.runtime.inventory import load_inventory
from services.runtime.tokens import ALGORITHM, AUDIENCE, ISSUER


class MeshKeys:
    """A user key ("u1") and a key a service, laid out as identity and the launcher do it."""

    def __init__(self, folder: Path, services: Iterable[str] | None = None) -> None:
        """Makes the keys; `services` are the inventory's unless given."""
        self.folder = folder
        self.jwks_file = folder / "jwks.json"
        self.services_jwks_file = folder / "services.jwks.json"
        self.user_key = ec.generate_private_key(ec.SECP256R1())
        names = load_inventory().services if services is None else services
        self.service_keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in names}
        _write_jwks(self.jwks_file, {"u1": self.user_key})
        _write_jwks(self.services_jwks_file, self.service_keys)
        for name, key in self.service_keys.items():
            self.credential_file(name).write_bytes(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )

    def credential_file(self, service: str) -> Path:
        """The service's private key, PEM."""
        return self.folder / f"{service}.pem"

    def settings(self, service: str) -> dict[str, object]:
        """Values for ServiceSettings (or a subclass) of this service.

        It finds no peer but those whose addresses a test adds: the usual ports may be those of a mesh that
        runs here.
        """
        return {
            "service": service,
            "address_book": dict.fromkeys(load_inventory().services, "127.0.0.1:1"),
            "jwks_file": self.jwks_file,
            "services_jwks_file": self.services_jwks_file,
            "credential_file": self.credential_file(service),
            "drain_delay_s": 0,
        }

    def user_token(self, user_id: str = "user-1", *, scope: str = "", **claims: object) -> str:
        """A user's access token of 15 minutes; `scope` is space separated; a claim of None is left out."""
        return sign(self.user_key, "u1", sub=user_id, scope=scope, **claims)

    def service_token(self, service: str, **claims: object) -> str:
        """A service's own token."""
        return sign(self.service_keys[service], service, **{"sub": f"service:{service}", **claims})


def sign(key: ec.EllipticCurvePrivateKey, kid: str, **claims: object) -> str:
    """A token with these claims over the usual ones."""
    now = int(time.time())
    content = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 900, "roles": ["trader"], **claims}
    content = {name: value for name, value in content.items() if value is not None}
    return jwt.encode(content, key, algorithm=ALGORITHM, headers={"kid": kid})


def bearer(token: str, actor: str | None = None) -> list[tuple[str, str]]:
    """Call metadata that carries the token, and the actor's beside it."""
    headers = [("authorization", f"Bearer {token}")]
    return headers if actor is None else [*headers, ("x-bifrost-actor", f"Bearer {actor}")]


def public_jwk(key: ec.EllipticCurvePrivateKey, kid: str) -> dict[str, object]:
    """The public half as a JSON Web Key (RFC 7517)."""
    return {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", "alg": ALGORITHM}


def _write_jwks(path: Path, keys: dict[str, ec.EllipticCurvePrivateKey]) -> None:
    path.write_text(json.dumps({"keys": [public_jwk(key, kid) for kid, key in keys.items()]}))
