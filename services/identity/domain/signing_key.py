"""The life of a signing key: published, then signing, then published until its last token has ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.identity.domain.token import ACCESS_LIFETIME_S
from services.runtime.clock import NANOS

PUBLISH_LEAD_NS: Final = 60 * NANOS
"""Between the publishing of a new key and its first signature: the edge reads the file at its own pace."""

_LAST_TOKEN_NS: Final = (ACCESS_LIFETIME_S + 60) * NANOS


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A P-256 key; times are nanoseconds since the epoch, UTC."""

    kid: str
    private_key_pem: str
    activate_time_ns: int
    """It signs from here on, until the next one does."""


def active_key(keys: Sequence[SigningKey], now_ns: int) -> SigningKey:
    """The key that signs now: the last one activated. LookupError when none is."""
    activated = [key for key in keys if key.activate_time_ns <= now_ns]
    if not activated:
        raise LookupError("no signing key is active")
    return max(activated, key=_activation)


def published_keys(keys: Sequence[SigningKey], now_ns: int) -> list[SigningKey]:
    """The keys that verifiers must know, the signing one first.

    The next key is among them from its making, a former one until its last token has ended.
    """
    signing = active_key(keys, now_ns)
    others = [key for key in keys if key is not signing and not _is_over(key, keys, now_ns)]
    return [signing, *sorted(others, key=_activation, reverse=True)]


def is_rotation_due(keys: Sequence[SigningKey], now_ns: int, max_age_ns: int) -> bool:
    """Whether the newest key, active or about to be, is missing or has signed for `max_age_ns`."""
    return all(now_ns - key.activate_time_ns >= max_age_ns for key in keys)


def activation_time_ns(keys: Sequence[SigningKey], now_ns: int) -> int:
    """When a key made now may begin to sign: at once when it is the first."""
    return now_ns + PUBLISH_LEAD_NS if keys else now_ns


def _is_over(key: SigningKey, keys: Sequence[SigningKey], now_ns: int) -> bool:
    successors = [k.activate_time_ns for k in keys if k.activate_time_ns > key.activate_time_ns]
    return bool(successors) and min(successors) + _LAST_TOKEN_NS <= now_ns


def _activation(key: SigningKey) -> int:
    return key.activate_time_ns
