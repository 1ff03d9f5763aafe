"""Settings of the data service."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from services.data.sources.limits import DEFAULT_BUDGETS, BudgetLimits
from services.runtime.settings import ServiceSettings


class DataSettings(ServiceSettings):
    """What the data service adds to the shared settings."""

    service: str = "data"
    quote_stale_s: float = Field(default=10.0, gt=0)
    """A quote is stale when its source said nothing for this long by the wall clock."""
    live_sources: tuple[str, ...] = Field(default=("venue",), min_length=1)
    """Sources of live data in the order of preference, by their names in the address book; each serves
    the venue's contract; JSON in the environment: '["venue", "venue-b"]'."""
    live_silence_s: float = Field(default=12.0, gt=0)
    """The next source serves when the one that does says nothing for this long; sources beat every 5 s."""
    live_recovery_s: float = Field(default=30.0, gt=0)
    """A preferred source serves again after it has been well for this long."""
    heartbeat_s: float = Field(default=5.0, gt=0)
    """Pause after which a quiet stream says that it is alive."""
    import_most_rows: int = Field(default=20_000_000, gt=0)
    """Rows of a file that are taken at most."""
    import_silence_s: float = Field(default=30.0, gt=0)
    """Pause after which an import whose client sends nothing is given up."""
    schedule_poll_s: float = Field(default=15.0, gt=0)
    """Schedules look at the clock at least so often."""
    source_budgets: dict[str, BudgetLimits] = Field(default_factory=dict)
    """Requests a source's servers are asked at most, by source; JSON in the environment, e.g.
    {"yahoo": {"per_minute": 60, "per_day": 5000}}. One that is not named has those of `sources.limits`."""
    ingest_attempts: int = Field(default=4, ge=1)
    """How often a symbol is asked for when its source answers with errors that may pass."""
    ingest_first_pause_s: float = Field(default=2.0, ge=0)
    """Pause after the first such error; it doubles, and varies by half to both sides."""
    ingest_longest_pause_s: float = Field(default=120.0, ge=0)
    """No pause is longer, whatever the source asks for."""
    cache_local_bytes: int = Field(default=64 * 1024 * 1024, ge=0)
    """Of the cache's entries that are held in memory as well."""
    cache_timeout_s: float = Field(default=0.5, gt=0)
    """What the cache does not answer in this time is read from the database."""
    backup_database_url: str | None = None
    """The mesh's database by a role that may read every schema and make databases; unset: no backups."""
    backup_dir: Path = Path.home() / ".bifrost" / "backups"
    """Where backups are. They hold password hashes and signing keys."""
    backup_spare_mib: int = Field(default=512, ge=0)
    """Room that a backup leaves free on its disk, which may be PostgreSQL's too."""

    def budget_of(self, source: str) -> BudgetLimits:
        """The limits of a source."""
        return self.source_budgets.get(source) or DEFAULT_BUDGETS.get(source) or BudgetLimits()
