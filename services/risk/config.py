"""Settings of the risk service."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from services.runtime.settings import ServiceSettings


class RiskSettings(ServiceSettings):
    """What the risk service adds to the shared settings."""

    service: str = "risk"
    fee_per_share: Decimal = Field(default=Decimal("0.005"), ge=0)
    """Held beside the price of every share bought; must cover the venue's fee, in the account's currency."""
    unconfirmed_after_s: float = Field(default=60.0, gt=0)
    """Age at which a reservation that execution's log does not show is asked for at execution. Execution
    commits an order within 10 s of its reservation or not at all: stay well above that."""
    unconfirmed_check_s: float = Field(default=5.0, gt=0)
    """Pause between two looks for such reservations."""
    instruments_refresh_s: float = Field(default=10.0, gt=0)
    """Pause between two readings of all instruments, whose status may change."""
