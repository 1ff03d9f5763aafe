"""The schema venue. Its tables are in migrations/; what is on an order's way is written by asyncpg itself."""

from __future__ import annotations

from services.runtime.database import metadata_for
from services.runtime.event_log import event_log_tables
from services.runtime.idempotency import idempotency_table

SCHEMA = "venue"
metadata = metadata_for(SCHEMA)
event_log = event_log_tables(metadata)
idempotency = idempotency_table(metadata)
