"""When a call that may be repeated is repeated."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

import grpc

from bifrost_sdk.errors import BifrostError, error_of

_WORTH_IT: Final = frozenset({grpc.StatusCode.UNAVAILABLE})
_REASONS: Final = frozenset({"HISTORY_STALLED", "HISTORY_CHANGED", "TOKEN_EXPIRED"})


@dataclass(frozen=True, slots=True)
class Retry:
    """Pauses double from the first to the longest, each shortened by up to a half so that clients spread."""

    attempts: int = 6
    """How often in a row without anything received; 1 means never again."""
    first_s: float = 0.1
    longest_s: float = 5.0


class Attempts:
    """The attempts at one call."""

    def __init__(self, retry: Retry) -> None:
        self._retry = retry
        self._failures = 0

    def progressed(self) -> None:
        """Something was received."""
        self._failures = 0

    def pause_s(self, failure: grpc.RpcError) -> float:
        """How long to wait before the next attempt; raises the typed error when there is none."""
        error = error_of(failure)
        self._failures += 1
        if self._failures >= self._retry.attempts or not is_worth_repeating(error):
            raise error from failure
        pause: float = min(self._retry.first_s * 2 ** (self._failures - 1), self._retry.longest_s)
        pause *= random.uniform(0.5, 1.0)  # noqa: S311  jitter, not a secret
        return max(pause, min(error.retry_after_s or 0.0, self._retry.longest_s))


def is_worth_repeating(error: BifrostError) -> bool:
    """Whether the same request may be answered later; only for methods without side effects."""
    limited = error.code is grpc.StatusCode.RESOURCE_EXHAUSTED and error.retry_after_s is not None
    return limited or error.code in _WORTH_IT or error.reason in _REASONS
