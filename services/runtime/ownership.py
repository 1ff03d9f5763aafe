"""Who owns a resource that another service keeps: fetched once, remembered for a while."""

from collections.abc import Awaitable, Callable

from services.runtime.auth import Principal
from services.runtime.clock import Clock
from services.runtime.errors import not_found

ANY_OWNER_SCOPE = "accounts:any"


def may_act_for_all(principal: Principal) -> bool:
    """Whether no account is closed to the caller: a service on its own behalf, or a person with the scope."""
    if principal.kind == "service" and principal.actor is None:
        return True
    return ANY_OWNER_SCOPE in (principal.actor or principal).scopes


class OwnerDirectory:
    """Checks that a caller owns a resource. Owners do not change: an answer is kept, an absence asked again.

    `fetch` returns the owner's user id, or None when the resource is not there. Its errors (the owning
    service is away) pass through: what cannot be checked is refused.
    """

    def __init__(
        self,
        fetch: Callable[[str], Awaitable[str | None]],
        *,
        clock: Clock,
        reason: str = "ACCOUNT_NOT_FOUND",
        keep_s: float = 300.0,
        capacity: int = 100_000,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._reason = reason
        self._keep_ns = int(keep_s * 1e9)
        self._capacity = capacity
        self._owners: dict[str, tuple[str, int]] = {}

    async def check(self, principal: Principal, resource_id: str) -> None:
        """Raise NOT_FOUND unless the caller owns it, may act for all, or is a service on its own behalf."""
        owner = await self._owner(resource_id)
        if owner is None:
            raise self._absent(resource_id)
        if owner != principal.user_id and not may_act_for_all(principal):
            raise self._absent(resource_id)

    async def _owner(self, resource_id: str) -> str | None:
        now = self._clock.monotonic_ns()
        known = self._owners.get(resource_id)
        if known is not None and now < known[1]:
            return known[0]
        owner = await self._fetch(resource_id)
        if owner is not None:
            if len(self._owners) >= self._capacity:
                self._owners.clear()
            self._owners[resource_id] = (owner, now + self._keep_ns)
        return owner

    def _absent(self, resource_id: str) -> Exception:
        return not_found(self._reason, f"no account {resource_id} of yours", resource_id=resource_id)
