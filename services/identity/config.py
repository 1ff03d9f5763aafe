"""Settings of the identity service."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from services.runtime.settings import ServiceSettings


class IdentitySettings(ServiceSettings):
    """What the identity service adds to the shared settings. It writes `jwks_file`, where others read it."""

    service: str = "identity"
    admin_password_file: Path | None = None
    """Password of the first administrator; when unset one is made and kept as run_dir/admin-password."""
    signing_key_max_age_days: float = Field(default=90.0, gt=0)
    maintenance_interval_s: float = Field(default=86_400.0, gt=0)
    """Between two looks at the age of the signing key and the removal of what has expired."""
    # RFC 9106, section 4, the second recommended option, for machines that have other work too.
    argon2_time_cost: int = Field(default=3, ge=1)
    argon2_memory_kib: int = Field(default=65_536, ge=8)
    argon2_parallelism: int = Field(default=4, ge=1)
    hashing_slots: int = Field(default=2, ge=1)
    """Passwords hashed at the same time: logins must not eat the machine."""
