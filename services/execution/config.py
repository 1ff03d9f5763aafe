"""Settings of the execution service."""

from __future__ import annotations

from pydantic import Field

from services.runtime.settings import ServiceSettings


class ExecutionSettings(ServiceSettings):
    """What execution adds to the shared settings."""

    service: str = "execution"
    venues: dict[str, str] = Field(default_factory=lambda: {"XSIM": "xsim"})
    """Venue code of an account to the adapter that reaches it; JSON in the environment."""
    risk_timeout_s: float = Field(default=2.0, gt=0)
    """Longest wait for a reservation."""
    reservation_valid_s: float = Field(default=10.0, gt=0)
    """An intent or a replace is committed within this after its reservation was asked for, or not at all.
    Risk lets go of an unconfirmed reservation after 60 s."""
    venue_timeout_s: float = Field(default=5.0, gt=0)
    """Longest wait for a venue's answer; then the order is UNKNOWN and the venue is asked."""
    venue_log_wait_s: float = Field(default=2.0, gt=0)
    """How long a cancel or replace waits for the venue's log to tell how the order ended."""
    heartbeat_s: float = Field(default=5.0, gt=0)
    """A stream that was silent for so long says that it is alive."""
