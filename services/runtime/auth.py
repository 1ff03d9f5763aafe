"""Who calls: the principal of a call, and the call itself as everything below the handler sees it."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

SERVICE_SUBJECT = "service:"


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller. Nothing in it comes from anywhere but a signed token."""

    subject: str
    """User id, or "service:<name>"; empty when anonymous."""
    kind: Literal["user", "service", "anonymous"]
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    token: str = ""
    """The token's text, to be passed on as the actor's."""
    expires_at_ns: int = 0
    """End of the token (of the earlier one, with an actor), nanoseconds since the epoch, UTC."""
    actor: Principal | None = None
    """The user a service calls for."""

    @property
    def user_id(self) -> str | None:
        """The user, or the user a service calls for; None for a service on its own behalf and for anyone."""
        if self.kind == "user":
            return self.subject
        return self.actor.subject if self.actor is not None else None

    @property
    def caller(self) -> str:
        """Whose doing it is: the user, or the service on its own behalf; empty for anyone."""
        return self.user_id or self.subject

    @property
    def service_name(self) -> str | None:
        """Name of the calling service, None when a user or nobody calls."""
        return self.subject.removeprefix(SERVICE_SUBJECT) if self.kind == "service" else None


ANONYMOUS = Principal(subject="", kind="anonymous")


class Call:
    """What a running call carries along: the one context variable that is set for it."""

    __slots__ = ("deadline", "principal", "traceparent")

    def __init__(
        self, principal: Principal = ANONYMOUS, deadline: float | None = None, traceparent: str | None = None
    ) -> None:
        self.principal = principal
        self.deadline = deadline
        """Seconds of time.monotonic() at which the answer is of no use any more; None: no end."""
        self.traceparent = traceparent
        """W3C trace context to pass on; None when the call is not traced."""


current_call: ContextVar[Call | None] = ContextVar("bifrost_call", default=None)


def current_principal() -> Principal:
    """The caller of the RPC being served; ANONYMOUS in background work and public methods."""
    call = current_call.get()
    return ANONYMOUS if call is None else call.principal
