"""The signing keys at work: signatures, and the public keys for those who verify them."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from services.identity.domain.signing_key import SigningKey, active_key, published_keys
from services.identity.key_store import KeyStore
from services.runtime.clock import NANOS, Clock
from services.runtime.tokens import ALGORITHM

_DAY_NS: Final = 86_400 * NANOS
_COORDINATE_BYTES: Final = 32


class KeyRing:
    """The keys of this process' service; `rotate` loads them and is called before anything else.

    Private keys are kept in the database in clear, where the role identity alone reads them: a key to encrypt
    them with would lie on the same machine. One process issues tokens; a second one would have to rotate too
    before it knows the first one's new key.
    """

    def __init__(
        self, store: KeyStore, *, clock: Clock, max_age_days: float, jwks_file: Path | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._max_age_ns = round(max_age_days * _DAY_NS)
        self._jwks_file = jwks_file
        self._keys: list[SigningKey] = []
        self._private: dict[str, ec.EllipticCurvePrivateKey] = {}

    async def rotate(self) -> None:
        """Make a key when one is due, and publish. A new key is published a minute before it first signs."""
        keys = await self._store.rotate_signing_key(
            self._clock.now_ns(), max_age_ns=self._max_age_ns, make=mint_signing_key
        )
        self._private = {key.kid: _private_key(key) for key in keys}
        self._keys = keys
        if self._jwks_file is not None:
            await asyncio.to_thread(write_public_file, self._jwks_file, json.dumps(self.jwks(), indent=1))

    def sign(self, claims: Mapping[str, object]) -> str:
        """The claims as a JWT (JWS compact form), signed by the key that is active now."""
        kid = active_key(self._keys, self._clock.now_ns()).kid
        return jwt.encode(dict(claims), self._private[kid], algorithm=ALGORITHM, headers={"kid": kid})

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public keys as a JWKS (RFC 7517, section 5), the signing one first."""
        keys = published_keys(self._keys, self._clock.now_ns())
        return {"keys": [_public_jwk(key.kid, self._private[key.kid]) for key in keys]}

    async def fetch_jwks(self) -> Mapping[str, object]:
        """The same for this service's own verifier."""
        return self.jwks()


def mint_signing_key(activate_time_ns: int) -> SigningKey:
    """A new P-256 key that signs from the given time on."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
    return SigningKey(secrets.token_urlsafe(12), pem, activate_time_ns)


def write_public_file(path: Path, text: str) -> None:
    """Replace the file atomically, its folder made if missing: readers see the old text or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _private_key(key: SigningKey) -> ec.EllipticCurvePrivateKey:
    private = load_pem_private_key(key.private_key_pem.encode("ascii"), password=None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise TypeError(f"signing key {key.kid} is no elliptic curve key")
    return private


def _public_jwk(kid: str, key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "kid": kid,
        "use": "sig",
        "alg": ALGORITHM,
        "x": _base64url(numbers.x),
        "y": _base64url(numbers.y),
    }


def _base64url(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(_COORDINATE_BYTES, "big")).rstrip(b"=").decode("ascii")
