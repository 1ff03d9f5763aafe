"""The running streams whose instruments can be changed, by id; each is its owner's alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from services.runtime.auth import Principal, current_principal
from services.runtime.clock import Clock
from services.runtime.errors import ApiError, failed_precondition, not_found, resource_exhausted
from services.runtime.fanout import Subscription
from services.runtime.ids import new_id

MOST_INSTRUMENTS: Final = 20_000


@dataclass(frozen=True, slots=True)
class _Owned:
    owner: tuple[str, str | None]
    subscription: Subscription[str]


class Subscriptions:
    """Those of this process: they end with their streams."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._owned: dict[str, _Owned] = {}

    def new_id(self) -> str:
        """A new one's id."""
        return new_id(self._clock)

    @contextmanager
    def running(self, subscription_id: str, subscription: Subscription[str]) -> Iterator[None]:
        """It is the caller's as long as its stream runs."""
        self._owned[subscription_id] = _Owned(_owner(current_principal()), subscription)
        try:
            yield
        finally:
            del self._owned[subscription_id]

    def find(self, subscription_id: str) -> Subscription[str]:
        """The caller's subscription of this id, if its instruments can change.

        Raises:
            ApiError: NOT_FOUND SUBSCRIPTION_NOT_FOUND; FAILED_PRECONDITION SUBSCRIPTION_TAKES_ALL.
        """
        owned = self._owned.get(subscription_id)
        if owned is None or owned.owner != _owner(current_principal()):
            raise _not_found(subscription_id)
        if owned.subscription.topics is None:
            message = "the stream has all instruments: open one of those wanted"
            raise failed_precondition("SUBSCRIPTION_TAKES_ALL", message, subscription_id=subscription_id)
        return owned.subscription


def change(subscription: Subscription[str], add: Collection[str], drop: Collection[str]) -> frozenset[str]:
    """Its instruments from now on; ApiError RESOURCE_EXHAUSTED SUBSCRIPTION_TOO_LARGE."""
    held = subscription.topics or frozenset()
    if len((held - frozenset(drop)) | frozenset(add)) > MOST_INSTRUMENTS:
        message = f"a stream has {MOST_INSTRUMENTS:,} instruments at most"
        raise resource_exhausted("SUBSCRIPTION_TOO_LARGE", message, most=str(MOST_INSTRUMENTS))
    return subscription.change(add, drop)


def _owner(principal: Principal) -> tuple[str, str | None]:
    """Who calls, and for whom."""
    return principal.subject, principal.user_id


def _not_found(subscription_id: str) -> ApiError:
    message = f"no stream of yours has the subscription {subscription_id}"
    return not_found("SUBSCRIPTION_NOT_FOUND", message, subscription_id=subscription_id)
