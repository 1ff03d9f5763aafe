"""Tokens: verification of users' and services' ES256 JWTs, and the minting of a service's own."""

from __future__ import annotations

from pathlib import Path
from typing import Final, cast

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from services.runtime.auth import SERVICE_SUBJECT, Principal
from services.runtime.clock import NANOS, Clock
from services.runtime.errors import ApiError, unauthenticated
from services.runtime.jwks import EmptyKeySet, FetchedKeySet, FileKeySet, JwksSource, KeySet
from services.runtime.settings import ServiceSettings

ISSUER: Final = "bifrost"
AUDIENCE: Final = "bifrost"
ALGORITHM: Final = "ES256"

_CACHE_SIZE = 20_000
_LEEWAY_NS = 5 * NANOS
# A user's token may end while a service works on what he asked for in time: an order must not be left half
# sent for that.
_ACTOR_GRACE_NS = 60 * NANOS
_SERVICE_TOKEN_S = 300
_MAX_TOKEN_CHARS = 8192
# Expiry is checked here, by the passed clock; the library would ask the system's.
_DECODE_OPTIONS = cast(
    "jwt.types.Options",
    {"require": ["exp", "sub", "iss", "aud"], "verify_exp": False, "verify_nbf": False, "verify_iat": False},
)


class TokenVerifier:
    """Turns `authorization` (and `x-bifrost-actor`) into a Principal, remembered to the token's end."""

    def __init__(self, *, users: KeySet, services: KeySet, clock: Clock) -> None:
        self._users = users
        self._services = services
        self._clock = clock
        self._verified: dict[tuple[str, str | None], Principal] = {}

    def recall(self, authorization: str | None, actor: str | None) -> Principal | None:
        """The principal of headers that were verified before and have not ended; never waits."""
        principal = self._verified.get((authorization, actor))  # type: ignore[arg-type]
        if principal is not None and self._clock.now_ns() < principal.expires_at_ns:
            return principal
        return None

    async def verify(self, authorization: str | None, actor: str | None) -> Principal:
        """The principal of the two headers.

        Raises ApiError UNAUTHENTICATED (TOKEN_MISSING, TOKEN_EXPIRED, TOKEN_INVALID), or UNAVAILABLE when the
        keys cannot be had. The actor's header counts only beside a service's token.
        """
        if not authorization:
            raise unauthenticated("TOKEN_MISSING", "send a token: authorization: Bearer <access token>")
        principal = await self._verify_token(_bearer(authorization))
        if principal.kind == "service" and actor:
            user = await self._verify_token(_bearer(actor), grace_ns=_ACTOR_GRACE_NS)
            if user.kind != "user":
                raise _invalid("x-bifrost-actor must carry a user's token")
            ends = min(principal.expires_at_ns, user.expires_at_ns)
            principal = Principal(
                subject=principal.subject,
                kind="service",
                scopes=principal.scopes,
                token=principal.token,
                expires_at_ns=ends,
                actor=user,
            )
        self._remember((authorization, actor), principal)
        return principal

    def _remember(self, key: tuple[str, str | None], principal: Principal) -> None:
        if len(self._verified) >= _CACHE_SIZE:
            now = self._clock.now_ns()
            self._verified = {k: p for k, p in self._verified.items() if p.expires_at_ns > now}
            if len(self._verified) >= _CACHE_SIZE:
                self._verified.clear()
        self._verified[key] = principal

    async def _verify_token(self, token: str, *, grace_ns: int = 0) -> Principal:
        kid = _key_id(token)
        key = await self._services.find(kid)
        by_service = key is not None
        if key is None:
            key = await self._users.find(kid)
        if key is None:
            raise _invalid("the token is signed with a key that is not known here; log in again")
        try:
            claims = jwt.decode(
                token, key, algorithms=[ALGORITHM], audience=AUDIENCE, issuer=ISSUER, options=_DECODE_OPTIONS
            )
        except jwt.PyJWTError as error:
            raise _invalid(f"the token does not hold: {error}") from error
        expires_at_ns = self._expiry(claims, grace_ns)
        subject = _text(claims, "sub")
        if by_service:
            return _service_principal(subject, kid, token, expires_at_ns)
        if subject.startswith(SERVICE_SUBJECT) or not subject:
            raise _invalid("a user's token cannot name a service")
        roles = claims.get("roles", [])
        return Principal(
            subject=subject,
            kind="user",
            scopes=frozenset(_text(claims, "scope").split()),
            roles=frozenset(str(role) for role in roles) if isinstance(roles, list) else frozenset(),
            token=token,
            expires_at_ns=expires_at_ns,
        )

    def _expiry(self, claims: dict[str, object], grace_ns: int) -> int:
        now = self._clock.now_ns()
        expires_at_ns = _instant_ns(claims, "exp")
        if expires_at_ns + grace_ns <= now:
            raise unauthenticated("TOKEN_EXPIRED", "the token has expired; refresh it and call again")
        for claim in ("nbf", "iat"):
            if claim in claims and _instant_ns(claims, claim) > now + _LEEWAY_NS:
                raise _invalid("the token is not valid yet")
        return expires_at_ns


def token_verifier(
    settings: ServiceSettings, *, clock: Clock, jwks_source: JwksSource | None = None
) -> TokenVerifier:
    """The verifier the settings describe: users' keys from the file if set, else from `jwks_source`."""
    users: KeySet = EmptyKeySet()
    if settings.jwks_file is not None:
        users = FileKeySet(settings.jwks_file, dependency="identity")
    elif jwks_source is not None:
        users = FetchedKeySet(jwks_source, dependency="identity", clock=clock)
    services: KeySet = EmptyKeySet()
    if settings.services_jwks_file is not None:
        services = FileKeySet(settings.services_jwks_file, dependency="the mesh's credentials")
    return TokenVerifier(users=users, services=services, clock=clock)


class ServiceCredential:
    """A service's private key, and the short tokens signed with it."""

    def __init__(self, service: str, key: EllipticCurvePrivateKey, kid: str, *, clock: Clock) -> None:
        self._subject = SERVICE_SUBJECT + service
        self._key = key
        self._kid = kid
        self._clock = clock
        self._token = ""
        self._expires_at_ns = 0

    @classmethod
    def load(cls, service: str, path: Path, *, clock: Clock) -> ServiceCredential:
        """The P-256 key of a PEM file whose stem is the key id; TypeError for another kind of key."""
        key = load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, EllipticCurvePrivateKey):
            raise TypeError(f"{path} must hold an elliptic curve private key")
        return cls(service, key, path.stem, clock=clock)

    def token(self, *, at_least_s: float = 60) -> str:
        """A token of five minutes, the last one again while it has `at_least_s` seconds left."""
        now = self._clock.now_ns()
        if self._expires_at_ns - now < at_least_s * NANOS:
            issued = now // NANOS
            claims = {
                "iss": ISSUER,
                "aud": AUDIENCE,
                "sub": self._subject,
                "iat": issued,
                "exp": issued + _SERVICE_TOKEN_S,
            }
            self._token = jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"kid": self._kid})
            self._expires_at_ns = (issued + _SERVICE_TOKEN_S) * NANOS
        return self._token


def _service_principal(subject: str, kid: str, token: str, expires_at_ns: int) -> Principal:
    # A key speaks for its own service alone ("execution", or "execution.2" after a rotation): one stolen key
    # must not be able to call in every service's name.
    if subject != SERVICE_SUBJECT + kid.partition(".")[0]:
        raise _invalid("the token names another service than its key")
    return Principal(
        subject=subject,
        kind="service",
        scopes=frozenset({"service"}),
        token=token,
        expires_at_ns=expires_at_ns,
    )


def _bearer(header: str) -> str:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token or len(token) > _MAX_TOKEN_CHARS:
        raise _invalid("the header must read: Bearer <access token>")
    return token


def _key_id(token: str) -> str:
    try:
        kid = jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError as error:
        raise _invalid("the token is not a JWT") from error
    if not isinstance(kid, str):
        raise _invalid("the token does not name its key")
    return kid


def _text(claims: dict[str, object], claim: str) -> str:
    value = claims.get(claim, "")
    if not isinstance(value, str):
        raise _invalid(f"claim {claim} of the token must be text")
    return value


def _instant_ns(claims: dict[str, object], claim: str) -> int:
    value = claims[claim]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        raise _invalid(f"claim {claim} of the token must be seconds since the epoch")
    return int(value * NANOS)


def _invalid(message: str) -> ApiError:
    return unauthenticated("TOKEN_INVALID", message)
