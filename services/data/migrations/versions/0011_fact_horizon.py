"""Up to when facts were asked for as they were known: what is recorded from then on is recorded later."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    horizon = op.create_table("fact_horizon", sa.Column("asked_time_ns", sa.BigInteger, nullable=False))
    op.bulk_insert(horizon, [{"asked_time_ns": 0}])
