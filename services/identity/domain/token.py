"""What an access token says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from services.identity.domain.role import scopes_of
from services.identity.domain.user import User
from services.runtime.clock import NANOS
from services.runtime.tokens import AUDIENCE, ISSUER

ACCESS_LIFETIME_S: Final = 15 * 60


@dataclass(frozen=True, slots=True)
class AccessToken:
    """Claims of an access token (RFC 7519, RFC 9068), not signed yet."""

    claims: dict[str, object]
    expire_time_ns: int
    """Nanoseconds since the epoch, UTC; a whole second, as the claim `exp` is."""


def issue_access_token(user: User, *, session_id: str, token_id: str, now_ns: int) -> AccessToken:
    """The claims for 15 minutes from now; `sid` lets a user end all sessions but the one that asks."""
    issued = now_ns // NANOS
    expires = issued + ACCESS_LIFETIME_S
    claims: dict[str, object] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": user.user_id,
        "name": user.user_name,
        "scope": " ".join(sorted(scopes_of(user.roles))),
        "roles": sorted(user.roles),
        "iat": issued,
        "exp": expires,
        "jti": token_id,
        "sid": session_id,
    }
    return AccessToken(claims, expires * NANOS)
