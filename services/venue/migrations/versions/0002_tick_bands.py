"""Ticks that depend on the price, in units of 0.0001; sessions made before have one tick at every price."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("tick_starts", "tick_sizes"):
        op.add_column("session_instrument", sa.Column(name, ARRAY(sa.BigInteger)))
    op.execute("UPDATE session_instrument SET tick_starts = ARRAY[0::bigint], tick_sizes = ARRAY[tick_units]")
    for name in ("tick_starts", "tick_sizes"):
        op.alter_column("session_instrument", name, nullable=False)
    op.drop_column("session_instrument", "tick_units")
