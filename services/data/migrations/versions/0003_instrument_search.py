"""Trigram indexes for finding instruments by what someone typed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

from services.runtime.database import is_connection_failure

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_HOW = "as a superuser, in this database: CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA data"


def upgrade() -> None:
    _make_extension()
    op.create_index(
        "ix_instrument_symbol_trigrams",
        "instrument",
        ["symbol"],
        postgresql_using="gin",
        postgresql_ops={"symbol": "gin_trgm_ops"},
    )
    op.create_index(
        "ix_instrument_name_trigrams",
        "instrument",
        [sa.literal_column("lower(name)").label("lower_name")],
        postgresql_using="gin",
        postgresql_ops={"lower_name": "gin_trgm_ops"},
    )


def _make_extension() -> None:
    """Who has CREATE on the database may make it, as it is trusted; others must find it there."""
    try:
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA data")
    except DBAPIError as error:
        if is_connection_failure(error):
            raise
        raise RuntimeError(
            f"the extension pg_trgm is needed and could not be made; {_HOW} ({error.orig})"
        ) from error
    schema = op.get_bind().scalar(
        sa.text("SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'pg_trgm'")
    )
    if schema != "data":
        raise RuntimeError(
            f"the extension pg_trgm lies in the schema {schema}, where data does not look;"
            " as a superuser: ALTER EXTENSION pg_trgm SET SCHEMA data"
        )
