"""Whether positions and balances may be shown."""

from __future__ import annotations

from typing import Protocol

from services.runtime.errors import unavailable


class Followed(Protocol):
    """What the gate looks at of a follower."""

    name: str
    halted: str | None


class Gate:
    """Closed for good when the order log cannot be followed any more: what is shown would lack fills.

    Execution's absence does not close it: the log it would write does not move while it is away.
    """

    def __init__(self, order_log: Followed) -> None:
        self._order_log = order_log

    def check(self) -> None:
        """Raise ApiError UNAVAILABLE DEPENDENCY_UNAVAILABLE while the books are known to lack events."""
        if self._order_log.halted is not None:
            raise unavailable(
                "DEPENDENCY_UNAVAILABLE",
                f"{self._order_log.name} cannot be followed any more: {self._order_log.halted}",
                dependency="execution",
            )
