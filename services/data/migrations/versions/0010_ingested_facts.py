"""Facts that ingestions load: what an ingestion loads, and where a batch of facts came from."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # 1: bars, which is what all loaded before.
    for table in ("ingestion", "ingestion_schedule"):
        op.add_column(table, sa.Column("kind", sa.SmallInteger, nullable=False, server_default="1"))
    ingestion = sa.ForeignKey("ingestion.ingestion_id", name="fk_fact_batch_ingestion_id")
    op.add_column("fact_batch", sa.Column("ingestion_id", sa.Text, ingestion))
    op.add_column("fact_batch", sa.Column("fetch_time_ns", sa.BigInteger))
