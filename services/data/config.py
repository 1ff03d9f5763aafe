"""Settings of the data service."""

from __future__ import annotations

from pydantic import Field

from services.runtime.settings import ServiceSettings


class DataSettings(ServiceSettings):
    """What the data service adds to the shared settings."""

    service: str = "data"
    quote_stale_s: float = Field(default=10.0, gt=0)
    """A quote is stale when its source said nothing for this long by the wall clock."""
    heartbeat_s: float = Field(default=5.0, gt=0)
    """Pause after which a quiet stream says that it is alive."""
