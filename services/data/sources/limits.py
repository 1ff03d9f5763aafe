"""How often the servers of sources may be asked."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, Field


class BudgetLimits(BaseModel):
    """Requests that may be made at most; 0 is no limit."""

    per_minute: int = Field(default=0, ge=0)
    per_day: int = Field(default=0, ge=0)
    """From midnight to midnight UTC."""


# Yahoo says no figures; what is reported to be borne is some hundreds an hour from one address.
DEFAULT_BUDGETS: Final = {"yahoo": BudgetLimits(per_minute=30, per_day=5_000)}
