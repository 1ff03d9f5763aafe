"""The schema risk. Its tables are in migrations/; statements are asyncpg's, being on an order's way."""

from services.runtime.database import metadata_for
from services.runtime.follower import cursor_table

SCHEMA = "risk"
cursors = cursor_table(metadata_for(SCHEMA))
