"""Settings of the portfolio service."""

from __future__ import annotations

from pydantic import Field

from services.runtime.settings import ServiceSettings


class PortfolioSettings(ServiceSettings):
    """What portfolio adds to the shared settings."""

    service: str = "portfolio"
    mark_stale_s: float = Field(default=10.0, gt=0)
    """A mark price is stale when its quote is older than this by the wall clock."""
    view_interval_s: float = Field(default=0.25, ge=0.0)
    """Shortest time between two updates to one reader of StreamPositions."""
    heartbeat_s: float = Field(default=5.0, gt=0)
    """A stream that was silent for so long says that it is alive."""
