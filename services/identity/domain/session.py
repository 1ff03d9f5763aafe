"""Sessions: a login and the chain of refresh tokens that continues it.

A refresh token works once. The second use of one means that two parties hold it, and which of them is the
thief cannot be told: the whole session ends (RFC 9700, section 4.14.2).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum
from typing import Final

from services.runtime.clock import NANOS

REFRESH_LIFETIME_NS: Final = 30 * 24 * 3600 * NANOS


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token that was given out, with its session; times are nanoseconds since the epoch, UTC."""

    session_id: str
    user_id: str
    expire_time_ns: int
    used: bool
    session_revoked: bool
    user_disabled: bool


class Verdict(Enum):
    """What becomes of an attempt to refresh."""

    GRANTED = "granted"
    INVALID = "invalid"
    REUSED = "reused"
    USER_DISABLED = "user disabled"


def judge_refresh(token: RefreshToken | None, now_ns: int) -> Verdict:
    """Judge the use of a refresh token, None when it is unknown. REUSED asks for the end of the session."""
    if token is None or token.expire_time_ns <= now_ns:
        return Verdict.INVALID
    if token.used:
        return Verdict.REUSED
    if token.user_disabled:
        return Verdict.USER_DISABLED
    if token.session_revoked:
        return Verdict.INVALID
    return Verdict.GRANTED


def hash_refresh_token(token: str) -> bytes:
    """SHA-256, under which a token is stored: it has 256 random bits, so nothing slower is called for."""
    return hashlib.sha256(token.encode()).digest()
