"""Whether risk may vouch for anything yet."""

from __future__ import annotations

from typing import Protocol

from services.runtime.errors import ApiError, unavailable


class Followed(Protocol):
    """What the gate looks at of a follower."""

    name: str
    halted: str | None

    @property
    def caught_up(self) -> Waitable:
        """Set while the log is applied to its head."""
        ...


class Waitable(Protocol):
    """An event that can be waited for."""

    async def wait(self) -> object:
        """Return once it is set."""
        ...


class Gate:
    """Closed until every log was caught up with once, and for good when one cannot be trusted.

    A peer's absence does not close it again: the log it would write does not move while it is away, and what
    is late only leaves more held than need be.
    """

    def __init__(self, *followers: Followed) -> None:
        self._followers = followers
        self._waiting_for = [follower.name for follower in followers]

    async def run(self) -> None:
        """Wait for each log once."""
        for follower in self._followers:
            await follower.caught_up.wait()
            self._waiting_for.remove(follower.name)

    def check(self) -> None:
        """Raise ApiError UNAVAILABLE NOT_CAUGHT_UP while the books are not known to be whole."""
        for follower in self._followers:
            if follower.halted is not None:
                raise _not_caught_up(f"{follower.name} cannot be trusted any more: {follower.halted}")
        if self._waiting_for:
            raise _not_caught_up(f"risk has not yet read {' and '.join(self._waiting_for)} to the end")


def _not_caught_up(message: str) -> ApiError:
    return unavailable("NOT_CAUGHT_UP", message)
