"""Settings of the venue service."""

from __future__ import annotations

from pydantic import Field

from services.runtime.settings import ServiceSettings


class VenueSettings(ServiceSettings):
    """What the venue adds to the shared settings."""

    service: str = "venue"
    calendar: str = "XNYS"
    """Calendar of exchange_calendars whose sessions a replay follows."""
    bars_timeout_s: float = Field(default=30.0, gt=0)
    """Longest wait for data's bars when a session is made."""
    heartbeat_s: float = Field(default=5.0, gt=0)
    """A stream that was silent for so long says that it is alive."""
