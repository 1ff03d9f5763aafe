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

    @property
    def required_database_url(self) -> str:
        """URL of the database; ValueError when BIFROST_DATABASE_URL is unset."""
        if self.database_url is None:
            raise ValueError("BIFROST_DATABASE_URL is not set; `bifrost up` starts a database and sets it")
        return self.database_url
