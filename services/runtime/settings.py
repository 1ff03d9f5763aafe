"""Settings every service shares, read from the environment with the prefix BIFROST_."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """A service's own config subclasses this, fixing `service` and adding what it needs."""

    model_config = SettingsConfigDict(env_prefix="BIFROST_", extra="ignore", frozen=True)

    service: str = "test"
    """Name in services/inventory.toml; also the token subject (service:<name>) and the error domain."""
    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    """gRPC port; 0 takes a free one."""
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    """Port of /metrics; 0 takes a free one, None opens none."""
    database_url: str | None = None
    cache_url: str | None = None
    address_book: dict[str, str] = Field(default_factory=dict)
    """Service name to gRPC target ("127.0.0.1:9104", "ipv4:10.0.0.1:9104,10.0.0.2:9104", a mesh listener);
    JSON in the environment. A service that is not listed is reached at its inventory port on `host`."""
    jwks_file: Path | None = None
    """Public keys of users' tokens; when unset they are asked of identity."""
    services_jwks_file: Path | None = None
    """Public keys of services' tokens."""
    credential_file: Path | None = None
    """This service's private key, PEM; the key id is the file's stem."""
    otlp_endpoint: str | None = None
    trace_sample_ratio: float = Field(default=0.01, ge=0.0, le=1.0)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_sample_ratio: float = Field(default=0.01, ge=0.0, le=1.0)
    """Share of fast, successful calls that are logged; errors and slow calls always are."""
    slow_call_ms: float = Field(default=500.0, gt=0)
    """A unary call slower than this is logged whatever the sampling says."""
    default_deadline_s: float = Field(default=10.0, gt=0)
    """Deadline of a unary call whose client gave none."""
    max_message_bytes: int = Field(default=16 * 1024 * 1024, gt=0)
    drain_delay_s: float = Field(default=0.2, ge=0)
    """Between telling balancers and ending streams, so that new calls have gone elsewhere."""
    drain_grace_s: float = Field(default=5.0, ge=0)
    run_dir: Path = Path("run")
    """Where the running mesh keeps sockets, keys and logs."""

    @property
    def required_database_url(self) -> str:
        """URL of the database; ValueError when BIFROST_DATABASE_URL is unset."""
        if self.database_url is None:
            raise ValueError("BIFROST_DATABASE_URL is not set; `bifrost up` starts a database and sets it")
        return self.database_url
